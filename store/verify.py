"""Reads all of a release, and says what is not as it was when it was sealed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np

from melon.progress import Progress, ignore
from melon.store.evidence import MIN_RECALL, NEAREST, TOLERANCE, KnownPoint, faults
from melon.store.manifest import ReleaseManifest
from melon.store.points import VectorQuery
from melon.store.protocol import ReleaseReader, VectorStore
from melon.store.schema import DENSE, Collection


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of a release; `faults` is empty where all is as it was."""

    manifest: ReleaseManifest
    faults: tuple[str, ...]


def verify(
    store: VectorStore, release: str | None = None, *, progress: Progress = ignore
) -> Verification:
    """Compare all that there is of a release with what was sealed.

    Of an embedded one every file is read. On both engines the points are counted, and some points,
    exact searches and searches by the index are repeated whose answers the manifest has; not where
    files are others, for some of these end the process that opens them.

    Args:
        release: its name; the live one by default.
        progress: told as `files` how many bytes were read, as `points` how many were looked at.

    Raises:
        NoRelease, UnknownRelease: it is not there.
        SchemaMismatch, DamagedRelease: its manifest, or the list of its files, cannot be read.
    """
    with closing(store.open(release)) as reader:
        manifest = reader.manifest
        found = store.damaged_files(manifest.release, progress)
        if found:
            return Verification(manifest, tuple(found))
        total, done = sum(map(len, manifest.evidence.values())), 0
        for collection in Collection:
            progress("points", done, total)
            known = manifest.evidence.get(collection, ())
            found += faults(reader, collection) or _index_faults(reader, collection, known)
            done += len(known)
        progress("points", total, total)
    return Verification(manifest, tuple(found))


def _index_faults(
    reader: ReleaseReader, collection: Collection, known: tuple[KnownPoint, ...]
) -> list[str]:
    """Whether the index still finds what the exact searches did; scores are compared, for ties."""
    answers = {
        point.point: answer.scores
        for point in known
        for answer in point.answers
        if answer.vector == DENSE and answer.scores
    }
    records = reader.retrieve(collection, list(answers), vectors=True)
    asked = [(r.id, r.vector) for r in records if r.vector is not None]
    if not asked:
        return []
    queries = [VectorQuery(vector, DENSE, NEAREST) for _, vector in asked]
    recalls = [
        np.count_nonzero(hits.scores >= answers[point][-1] - TOLERANCE) / len(answers[point])
        for (point, _), hits in zip(asked, reader.query(collection, queries), strict=True)
    ]
    if (recall := float(np.mean(recalls))) < MIN_RECALL:
        return [f"{collection}: the index finds {recall:.0%} of the nearest {NEAREST}"]
    return []
