"""What a release answered when it was sealed, kept in its manifest to be asked again.

Counts do not show that a vector, or what leads to it, has become another one. The same exact
searches have the same answers ever after, so those that differ tell of damage, on a server, too,
whose files nobody else can read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from melon.store.errors import (
    DamagedRelease,
    IndexingFailed,
    NoRelease,
    RequestRefused,
    damaged_release,
)
from melon.store.points import Floats, PointId, SparseVector, VectorQuery
from melon.store.schema import DENSE, SCHEMA, Collection

if TYPE_CHECKING:
    from melon.store.protocol import ReleaseReader

SAMPLE = 16
"""Points of each collection whose payloads are known."""

ASKED = 4
"""Those of them that are searched for, by each kind of vector."""

NEAREST = 10
MIN_RECALL = 0.8
"""Of the `NEAREST` by the index against an exact scan: far below what a sound index gives."""

TOLERANCE = 1e-4
"""Of scores, which on another engine have other last digits."""

FLOAT_DIGITS = 12
"""Engines keep payloads as JSON, and may read the last of 17 digits as another."""


class KnownAnswer(BaseModel):
    """The points nearest to one, by a vector of it in an exact search, with their scores."""

    model_config = ConfigDict(frozen=True)

    vector: str
    nearest: tuple[PointId, ...]
    scores: tuple[float, ...]

    def is_same(self, other: KnownAnswer) -> bool:
        """Whether both say the same; of those that tie for the last place, any may be there."""
        if self.vector != other.vector or len(self.scores) != len(other.scores):
            return False
        if not self.scores:
            return True
        tolerance = TOLERANCE * max(1, abs(self.scores[0]))
        if not np.allclose(self.scores, other.scores, rtol=0, atol=tolerance):
            return False
        clear = self.scores[-1] + tolerance
        pairs = zip(self.nearest, self.scores, strict=True)
        return {point for point, score in pairs if score > clear} <= set(other.nearest)


class KnownPoint(BaseModel):
    """A point, a digest of its payload, and what searches by its vectors find."""

    model_config = ConfigDict(frozen=True)

    point: PointId
    payload: str
    answers: tuple[KnownAnswer, ...] = ()


class IdSample:
    """Some of the ids that are added, spread over all of them."""

    def __init__(self) -> None:
        self._kept: list[PointId] = []
        self._every = 1
        self._added = 0

    def add(self, ids: Sequence[PointId]) -> None:
        """Look at more ids; every second of those that are kept goes when they become many."""
        self._kept += ids[-self._added % self._every :: self._every]
        self._added += len(ids)
        while len(self._kept) > 8 * SAMPLE:
            self._kept = self._kept[::2]
            self._every *= 2

    def ids(self) -> list[PointId]:
        """`SAMPLE` of them, or all."""
        places = np.linspace(0, len(self._kept) - 1, min(SAMPLE, len(self._kept)))
        return [self._kept[place] for place in places.astype(int).tolist()]


def gather_all(
    reader: ReleaseReader, samples: Mapping[Collection, IdSample]
) -> dict[Collection, tuple[KnownPoint, ...]]:
    """What a release that was just built says of some of its points."""
    return {
        collection: gather(reader, collection, sample.ids())
        for collection, sample in samples.items()
    }


def gather(
    reader: ReleaseReader, collection: Collection, points: Sequence[PointId]
) -> tuple[KnownPoint, ...]:
    """What the release says of these points now; those that are not there are left out."""
    records = reader.retrieve(collection, points, vectors=True, sparse=True)
    answers: dict[PointId, list[KnownAnswer]] = {record.id: [] for record in records}
    vectors: dict[str | None, list[tuple[PointId, Floats | SparseVector]]] = {
        DENSE: [(record.id, record.vector) for record in records if record.vector is not None],
        SCHEMA[collection].sparse: [
            (record.id, record.sparse)
            for record in records
            if record.sparse is not None and len(record.sparse.indices)
        ],
    }
    for name, stored in vectors.items():
        asked = stored[:ASKED]
        if name is None or not asked:
            continue
        queries = [VectorQuery(vector, name, NEAREST, exact=True) for _, vector in asked]
        for (point, _), hits in zip(asked, reader.query(collection, queries), strict=True):
            nearest, scores = hits.ids.tolist(), hits.scores.tolist()
            answers[point].append(KnownAnswer(vector=name, nearest=nearest, scores=scores))
    return tuple(
        KnownPoint(
            point=record.id, payload=_digest(record.payload), answers=tuple(answers[record.id])
        )
        for record in records
    )


def check_whole(reader: ReleaseReader) -> None:
    """Refuse a release of which something is missing, or that answers otherwise than it did.

    This takes a few requests; `verify` reads all of it.

    Raises:
        DamagedRelease: says what is wrong, and what to do.
    """
    if wrong := [text for collection in Collection for text in faults(reader, collection)]:
        raise damaged_release(reader.manifest.release, wrong)


def faults(reader: ReleaseReader, collection: Collection) -> list[str]:
    """What is missing of a collection, or else what it answers otherwise than it did."""
    manifest = reader.manifest
    try:
        count = reader.count(collection)
        expected = manifest.counts.get(collection, count)
        if count != expected:
            return [f"its collection of {collection} holds {count} points of {expected}"]
        return differences(reader, collection, manifest.evidence.get(collection, ()))
    except NoRelease:
        return [f"its collection of {collection} is missing"]
    except DamagedRelease as error:
        return [f"its collection of {collection} is damaged: {error.what}"]
    except RequestRefused as error:
        return [f"its collection of {collection} cannot be read: {error.what}"]


def check_count(reader: ReleaseReader, collection: Collection, sent: int) -> None:
    """Make sure that every point that was sent is there.

    Raises:
        IndexingFailed: there are more or fewer.
    """
    if (count := reader.count(collection)) != sent:
        raise IndexingFailed(f"{sent} points were sent to {collection}, it holds {count}")


def differences(
    reader: ReleaseReader, collection: Collection, known: Iterable[KnownPoint]
) -> list[str]:
    """What a release says otherwise of some points of a collection than it did."""
    before = {point.point: point for point in known}
    now = {point.point: point for point in gather(reader, collection, list(before))}
    return [
        f"{collection}: {text}"
        for point, was in before.items()
        if (text := _difference(was, now.get(point)))
    ]


def _difference(was: KnownPoint, now: KnownPoint | None) -> str | None:
    if now is None:
        return f"point {was.point} is missing"
    if was.payload != now.payload:
        return f"the payload of point {was.point} is another"
    if len(was.answers) != len(now.answers):
        return f"point {was.point} has other vectors"
    pairs = zip(was.answers, now.answers, strict=True)
    other = [one.vector for one, two in pairs if not one.is_same(two)]
    return f"others are near point {was.point} by {' and '.join(other)}" if other else None


def _digest(payload: Mapping[str, object]) -> str:
    text = json.dumps(_plain(payload), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _plain(value: object) -> object:
    match value:
        case float():
            return f"{value:.{FLOAT_DIGITS}g}"
        case list():
            return list(map(_plain, value))
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case _:
            return value
