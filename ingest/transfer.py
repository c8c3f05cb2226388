"""A release moves from store to store, or into a file and back, without training again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from melon.errors import counted
from melon.ingest.build import BATCH, build_release, is_whole
from melon.ingest.check import CheckFailed
from melon.ingest.contents import Points
from melon.progress import Progress, ignore
from melon.store import (
    SCHEMA,
    Collection,
    DamagedRelease,
    PointBatch,
    PointId,
    ReleaseIsComplete,
    ReleaseManifest,
    ReleaseReader,
    SparseRows,
    VectorStore,
    check_whole,
)

FLOAT_DIGITS = 14
"""Of a float in a payload: engines read the last of 17 digits as another."""


class StoredPoints:
    """The points of a collection of a release, by their ids, read when they are asked for."""

    def __init__(self, reader: ReleaseReader, collection: Collection) -> None:
        self._reader = reader
        self._collection = collection
        count = reader.count(collection)
        found = reader.find(collection, None, count, payload=False) if count else []
        self.ids: Sequence[PointId] = [record.id for record in found]

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, start: int, stop: int) -> PointBatch:
        """The points from row `start` to before row `stop`."""
        ids = self.ids[start:stop]
        records = self._reader.retrieve(self._collection, ids, vectors=True, sparse=True)
        if [record.id for record in records] != list(ids):
            raise DamagedRelease(
                f"some of its points in the {self._collection} cannot be read",
                where=f"release {self._reader.manifest.release}",
            )
        dense = np.zeros((len(ids), self._reader.manifest.dim), np.float32)
        sparse: list[tuple[Any, Any]] = []
        for row, record in enumerate(records):
            if record.vector is not None:
                dense[row] = record.vector
            vector = record.sparse
            if vector is None:
                sparse.append((np.empty(0, np.uint32), np.empty(0, np.float32)))
            else:
                order = np.argsort(vector.indices)
                sparse.append((vector.indices[order], vector.values[order]))
        has_sparse = SCHEMA[self._collection].sparse is not None
        payloads = [dict(record.payload) for record in records]
        return PointBatch(ids, dense, rows_of(sparse) if has_sparse else None, payloads)


def rows_of(vectors: Sequence[tuple[Any, Any]]) -> SparseRows:
    """Sparse vectors, of each its indices and values, as rows."""
    lengths = [len(indices) for indices, _ in vectors]
    none: tuple[Any, Any] = (np.empty(0, np.uint32), np.empty(0, np.float32))
    indices, values = zip(none, *vectors, strict=True)
    return SparseRows(
        np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        np.concatenate(indices).astype(np.uint32),
        np.concatenate(values).astype(np.float32),
    )


def stored_points(reader: ReleaseReader) -> Mapping[Collection, StoredPoints]:
    """The points of a release.

    Raises:
        DamagedRelease: something of it is missing.
    """
    check_whole(reader)
    return {collection: StoredPoints(reader, collection) for collection in Collection}


def copy_release(
    reader: ReleaseReader, store: VectorStore, *, promote: bool = True, progress: Progress = ignore
) -> bool:
    """Build a release in another store, check all of it there, and make it live.

    One that is there already is only made live, so that what was interrupted can be run again.

    Args:
        reader: of the release.
        store: where it goes.
        promote: whether it becomes the live one.
        progress: told how many points each step has done: `upload`, `index songs` and so on,
            `check`, `compare`.

    Returns:
        Whether it was built, and was not there already.

    Raises:
        DamagedRelease: something of it is missing, or a damaged one of its name is there.
        CheckFailed: what arrived is not what was sent. Nothing is promoted.
    """
    return place_release(
        reader.manifest, lambda: stored_points(reader), store, promote=promote, progress=progress
    )


def place_release(
    manifest: ReleaseManifest,
    parts: Callable[[], Mapping[Collection, Points]],
    store: VectorStore,
    *,
    promote: bool,
    progress: Progress,
) -> bool:
    """As `copy_release`, of points from anywhere, those of each collection in the order of ids."""
    release = manifest.release
    there = {info.manifest.release: info.manifest for info in store.releases()}
    built = release not in there
    if built:
        try:
            sent = parts()
            build_release(
                store, manifest, sent, progress, lambda arrived: _compare(sent, arrived, progress)
            )
        except ReleaseIsComplete:
            raise _damaged_there(store, release) from None
    elif there[release].space != manifest.space or not is_whole(store, there[release]):
        raise _damaged_there(store, release)
    if promote and (store.live() != release or store.astray()):
        store.promote(release)
    return built


def _damaged_there(store: VectorStore, release: str) -> DamagedRelease:
    return DamagedRelease(
        f"there is another release {release!r}, or a damaged one",
        where=store.location,
        hint=f"look at it with `melon releases`; `melon releases drop {release}` removes it",
    )


def _compare(sent: Mapping[Collection, Points], reader: ReleaseReader, progress: Progress) -> None:
    """Compare ids, payloads and sparse vectors of all points.

    Raises:
        CheckFailed: they differ.
    """
    total, done = sum(map(len, sent.values())), 0
    for collection, part in sent.items():
        arrived = StoredPoints(reader, collection)
        where = f"{collection} of release {reader.manifest.release}"
        if len(arrived) != len(part):
            raise CheckFailed(
                f"{counted(len(part), 'point')} were sent, {len(arrived):,} arrived", where=where
            )
        for start in range(0, len(part), BATCH):
            stop = min(start + BATCH, len(part))
            if digest(part.batch(start, stop)) != digest(arrived.batch(start, stop)):
                raise CheckFailed(
                    f"a point between {part.ids[start]} and {part.ids[stop - 1]} arrived otherwise"
                    " than it was sent",
                    where=where,
                    hint="nothing was promoted: run the command again",
                )
            done += stop - start
            progress("compare", done, total)


def digest(batch: PointBatch) -> str:
    """A hash (SHA-256) of ids, payloads, sparse vectors, and of which points have a vector.

    Not of dense vectors: an engine makes them unit vectors, which changes a last digit.
    """
    made = hashlib.sha256()
    for point, payload in zip(batch.ids, batch.payloads, strict=True):
        made.update(json.dumps([point, _rounded(payload)], sort_keys=True).encode())
    made.update(np.any(batch.dense, axis=1).tobytes())
    if batch.sparse is not None:
        for part in (batch.sparse.indptr, batch.sparse.indices, batch.sparse.values):
            made.update(part.tobytes())
    return made.hexdigest()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{FLOAT_DIGITS}g}")
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return value
