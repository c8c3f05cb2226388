"""What is stored and not what was sent is found before anybody reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from melon.embedding import EmbeddingSpace
from melon.ingest import CheckFailed, SparseWeights
from melon.ingest.check import check_release
from melon.ingest.contents import contents
from melon.store import Collection, PointBatch, ReleaseManifest, SparseRows, VectorStore

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
        (lose_a_point, "6"),
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
            assert caught.value.where == SONGS
    finally:
        builder.abandon()
