"""What is stored and not what was sent is found before anybody reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from melon.embedding import EmbeddingSpace
from melon.ingest import CheckFailed, SparseWeights
from melon.ingest.check import check_release
from melon.ingest.contents import contents
from melon.store import (
    Collection,
    Filter,
    Hits,
    PointBatch,
    ReleaseManifest,
    ReleaseReader,
    SparseRows,
    VectorQuery,
    VectorStore,
)
from melon.store.protocol import ForwardingReader

SONGS = Collection.SONGS


def turn_a_vector(batch: PointBatch) -> PointBatch:
    dense = batch.dense.copy()
    dense[1] = np.roll(dense[1], 1)
    return replace(batch, dense=dense)


def lose_a_vector(batch: PointBatch) -> PointBatch:
    dense = batch.dense.copy()
    dense[1] = 0
    return replace(batch, dense=dense)


def change_a_payload(batch: PointBatch) -> PointBatch:
    payloads = [dict(payload) for payload in batch.payloads]
    payloads[1]["popularity"] += 1
    return replace(batch, payloads=payloads)


def lose_a_sparse_value(batch: PointBatch) -> PointBatch:
    rows = batch.sparse
    assert rows is not None
    sparse = SparseRows(
        np.maximum(rows.indptr - 1, 0),
        rows.indices[1:],
        rows.values[1:],
    )
    return replace(batch, sparse=sparse)


def lose_a_point(batch: PointBatch) -> PointBatch:
    rows = batch.sparse
    assert rows is not None
    n = len(batch.ids) - 1
    return PointBatch(batch.ids[:n], batch.dense[:n], rows.slice(0, n), batch.payloads[:n])


def swap_two_ids(batch: PointBatch) -> PointBatch:
    return replace(batch, ids=[batch.ids[1], batch.ids[0], *batch.ids[2:]])


def change_an_id(batch: PointBatch) -> PointBatch:
    return replace(batch, ids=[*batch.ids[:-1], 999_999])


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (turn_a_vector, "the vector of point"),
        (lose_a_vector, "the vector of point"),
        (change_a_payload, "the payload of point"),
        (lose_a_sparse_value, "the sparse vector of point"),
        (lose_a_point, "7 points were sent, it holds 6"),
        (swap_two_ids, "differs"),
        (change_an_id, "is missing"),
        (lambda batch: batch, None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_differences_are_found(
    store: VectorStore,
    space: EmbeddingSpace,
    tamper: Callable[[PointBatch], PointBatch],
    found: str | None,
) -> None:
    laid_out = contents(space, SparseWeights())
    builder = store.build(
        ReleaseManifest(
            release="r1",
            melon_version="0",
            created=datetime.now(UTC),
            space="s",
            dim=space.dim,
            counts={collection: len(part) for collection, part in laid_out.items()},
        )
    )
    try:
        for collection, part in laid_out.items():
            whole = part.batch(0, len(part))
            builder.upsert(collection, tamper(whole) if collection is SONGS else whole)
        builder.finish()
        if found is None:
            check_release(builder.reader(), laid_out)
        else:
            with pytest.raises(CheckFailed, match=found) as caught:
                check_release(builder.reader(), laid_out)
            assert caught.value.where == "songs of release r1"
            assert caught.value.hint is not None
            assert "nothing was promoted" in caught.value.hint
    finally:
        builder.abandon()


class ReaderOfABadIndex(ForwardingReader):
    """Finds but the best hit where it is not to look at every point."""

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        found = super().query(collection, queries)
        return [
            hits if query.exact else Hits(hits.ids[:1], hits.scores[:1], hits.payloads[:1])
            for query, hits in zip(queries, found, strict=True)
        ]


class ReaderOfBadFilters(ForwardingReader):
    """No point passes a filter."""

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        return super().count(collection) if filter is None else 0


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (ReaderOfABadIndex, "songs.* the index finds 20% of the nearest 10"),
        (ReaderOfBadFilters, "songs.* point 10 is not found by its "),
    ],
)
def test_what_does_not_find_its_points_is_found_out(
    reader: ReleaseReader, space: EmbeddingSpace, broken: type[ForwardingReader], found: str
) -> None:
    laid_out = contents(space, SparseWeights())
    check_release(reader, laid_out)
    with pytest.raises(CheckFailed) as caught:
        check_release(broken(reader), laid_out)
    assert re.match(found, str(caught.value))
