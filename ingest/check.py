"""Checks that a release holds what was sent, before it is promoted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from melon.errors import MelonError
from melon.fields import FieldType
from melon.ingest.contents import Points
from melon.store import (
    DENSE,
    MIN_RECALL,
    NEAREST,
    SCHEMA,
    Collection,
    Filter,
    HasId,
    MatchAny,
    PointBatch,
    ReleaseReader,
    SparseVector,
    VectorQuery,
)

SAMPLE = 64
TOLERANCE = 1e-3
FLOAT_TOLERANCE = 1e-14


class CheckFailed(MelonError):
    """The release does not hold what was sent. It is not promoted."""


def check_release(
    reader: ReleaseReader, parts: Mapping[Collection, Points], *, seed: int = 0
) -> None:
    """Compare counts, a sample of points, the index with an exact scan, and filters.

    Raises:
        CheckFailed: with the release, the collection and the point that differs.
    """
    rng = np.random.default_rng(seed)
    for collection, sent in parts.items():
        if (difference := next(_differences(reader, collection, sent, rng), None)) is not None:
            raise CheckFailed(
                difference,
                where=f"{collection} of release {reader.manifest.release}",
                hint="nothing was promoted: run `melon ingest` again; if it fails again, report it"
                " with the version of Qdrant",
            )


def _differences(
    reader: ReleaseReader, collection: Collection, sent: Points, rng: np.random.Generator
) -> Iterator[str]:
    """What differs between a collection and what was sent, found one difference at a time."""
    count = reader.count(collection)
    if count != len(sent):
        yield f"{len(sent)} points were sent, it holds {count}"
    elif count:
        rows = rng.choice(len(sent), size=min(SAMPLE, len(sent)), replace=False)
        sample = [sent.batch(row, row + 1) for row in rows.tolist()]
        yield from _check_points(reader, collection, sample)
        yield from _check_sparse(reader, collection, sample)
        yield from _check_index(reader, collection, sample)
        yield from _check_filter(reader, collection, sent)


def _check_points(
    reader: ReleaseReader, collection: Collection, sample: Sequence[PointBatch]
) -> Iterator[str]:
    ids = [sent.ids[0] for sent in sample]
    records = {record.id: record for record in reader.retrieve(collection, ids, vectors=True)}
    for point_id, sent in zip(ids, sample, strict=True):
        record = records.get(point_id)
        if record is None:
            yield f"point {point_id} is missing"
            continue
        if not _same_value(record.payload, sent.payloads[0]):
            yield f"the payload of point {point_id} differs"
        if not _same_direction(record.vector, sent.dense[0]):
            yield f"the vector of point {point_id} differs"


def _same_value(stored: object, sent: object) -> bool:
    """Whether a payload, or a part of it, is what was sent.

    Engines keep payloads as JSON, and read the last digit of a float of 17 digits as another.
    """
    match stored, sent:
        case float(), float():
            return math.isclose(stored, sent, rel_tol=FLOAT_TOLERANCE)
        case list(), list():
            return len(stored) == len(sent) and all(map(_same_value, stored, sent))
        case Mapping(), Mapping():
            return stored.keys() == sent.keys() and all(
                _same_value(value, sent[name]) for name, value in stored.items()
            )
        case _:
            return stored == sent


def _same_direction(stored: NDArray[np.float32] | None, sent: NDArray[np.float32]) -> bool:
    """Engines keep cosine vectors as unit vectors, and a row of zeros as none at all."""
    if stored is None or not sent.any():
        return stored is None and not sent.any()
    return bool(np.allclose(stored, sent / np.linalg.norm(sent), atol=TOLERANCE))


def _check_sparse(
    reader: ReleaseReader, collection: Collection, sample: Sequence[PointBatch]
) -> Iterator[str]:
    """A sparse vector's product with itself is the sum of its squares, if all of it is there."""
    name = SCHEMA[collection].sparse
    if name is None:
        return
    points = [
        (sent.ids[0], SparseVector(*sent.sparse.row(0)))
        for sent in sample
        if sent.sparse is not None and len(sent.sparse.indices)
    ]
    queries = [
        VectorQuery(vector, name, limit=1, filter=Filter(must=(HasId((point_id,)),)))
        for point_id, vector in points
    ]
    if not queries:
        return
    for (point_id, vector), hits in zip(points, reader.query(collection, queries), strict=True):
        expected = float(vector.values @ vector.values)
        if not hits or not math.isclose(hits[0].score, expected, rel_tol=TOLERANCE):
            yield f"the sparse vector of point {point_id} differs"


def _check_index(
    reader: ReleaseReader, collection: Collection, sample: Sequence[PointBatch]
) -> Iterator[str]:
    dense = np.vstack([sent.dense for sent in sample])
    vectors = list(dense[dense.any(axis=1)])
    if not vectors:
        return
    fast, exact = (
        reader.query(
            collection,
            [VectorQuery(v, DENSE, limit=NEAREST, exact=exact) for v in vectors],
        )
        for exact in (False, True)
    )
    # Scores, not ids: vectors that are the same tie, and either may come first.
    reached = [
        sum(hit.score >= best[-1].score - TOLERANCE for hit in hits) / len(best)
        for hits, best in zip(fast, exact, strict=True)
    ]
    if (recall := float(np.mean(reached))) < MIN_RECALL:
        yield f"the index finds {recall:.0%} of the nearest {NEAREST}"


def _check_filter(reader: ReleaseReader, collection: Collection, sent: Points) -> Iterator[str]:
    """Every indexed keyword that a point holds must find that point."""
    for start in {0, len(sent) // 2, len(sent) - 1}:
        payload = sent.batch(start, start + 1).payloads[0]
        for field in reader.manifest.schema(collection).indexed:
            name = field.name
            if field.type is not FieldType.KEYWORD or name not in payload:
                continue
            values = tuple(payload[name] if field.many else [payload[name]])
            itself = HasId((sent.ids[start],))
            if reader.count(collection, Filter(must=(MatchAny(name, values), itself))) != 1:
                yield f"point {sent.ids[start]} is not found by its {name}"
