"""One release is built of points from anywhere, and checked before it is sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import NamedTuple

from melon.errors import MelonError
from melon.ingest.check import check_release
from melon.ingest.contents import Points
from melon.ingest.delta import Delta
from melon.progress import Progress
from melon.store import (
    Collection,
    DamagedRelease,
    NoRelease,
    PointBatch,
    ReleaseBuilder,
    ReleaseManifest,
    ReleaseReader,
    VectorStore,
    check_whole,
)

BATCH = 512


class Followed(NamedTuple):
    """The release before another, and how the collections of the other differ from its."""

    release: str
    deltas: Callable[[], Mapping[Collection, Delta]]


def build_release(
    store: VectorStore,
    manifest: ReleaseManifest,
    parts: Mapping[Collection, Points],
    progress: Progress,
    check: Callable[[ReleaseReader], object] = bool,
    follows: Followed | None = None,
) -> int:
    """Build and seal a release beside what is live; nothing is left of one that fails.

    Args:
        parts: its points.
        follows: the release before, of which the engine may take over what has not changed.
        progress: told how many points each step has done: `upload`, `index songs` and so on,
            `check`.
        check: what is checked of it besides.

    Returns:
        How many points were sent.

    Raises:
        ReleaseIsComplete: one of its name is there already.
        StoreUnavailable, StoreBusy: the store does not answer, or cannot be written to.
        IndexingFailed, CheckFailed: the engine does not hold what was sent.
    """
    builder = store.build(manifest, progress, base=follows.release if follows else None)
    try:
        sent = dict(parts)
        if follows and builder.has_base:
            for collection, delta in follows.deltas().items():
                builder.keep(collection, delta.kept, delta.gone)
                sent[collection] = delta.fresh
        _upload(builder, sent, progress)
        builder.finish(progress)
        total = sum(manifest.counts.values())
        progress("check", 0, total)
        check_release(builder.reader(), parts)
        check(builder.reader())
        builder.seal()
    except BaseException:
        with suppress(MelonError):  # the user has to know the first error
            builder.abandon()
        raise
    progress("check", total, total)
    return sum(map(len, sent.values()))


def is_whole(store: VectorStore, manifest: ReleaseManifest) -> bool:
    """Whether a release has all its collections, with as many points as it should.

    A store that does not answer says nothing about the release: its error is the caller's, too.
    """
    try:
        with closing(store.open(manifest.release)) as reader:
            check_whole(reader)
    except (NoRelease, DamagedRelease):
        return False
    return True


def _upload(
    builder: ReleaseBuilder, parts: Mapping[Collection, Points], progress: Progress
) -> None:
    sent, total = 0, sum(map(len, parts.values()))
    for collection, batch in in_turns(parts):
        builder.upsert(collection, batch)
        sent += len(batch.ids)
        progress("upload", sent, total)


def in_turns(
    parts: Mapping[Collection, Points], size: int = BATCH
) -> Iterator[tuple[Collection, PointBatch]]:
    """All points, `size` of a collection at a time, each collection spread over the whole.

    A server applies the batches of a collection one after the other, those of several at once.
    """
    batches = [
        (start / len(part), collection, start)
        for collection, part in parts.items()
        for start in range(0, len(part), size)
    ]
    for _, collection, start in sorted(batches):
        yield collection, parts[collection].batch(start, start + size)
