"""Removes releases that are no longer wanted, and what killed processes left of others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from melon.store.errors import ReleaseIsLive, UnknownRelease
from melon.store.protocol import VectorStore

SPARED = 2
"""The live release and the one before it, to which one rolls back, always stay."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: releases, and left-overs as people read them."""

    releases: tuple[str, ...]
    left_behind: tuple[str, ...]


def prune(store: VectorStore, *, keep: int | None = None) -> Pruned:
    """Remove what killed builds and drops left, and all but `keep` releases.

    Releases that this melon cannot read stay, and are not counted.

    Args:
        keep: how many releases stay: the live one, the one that was live before it, then the
            newest. The first two always do. All stay if it is None.

    Raises:
        StoreBusy: another process is building in the store.
    """
    dropped = () if keep is None else drop_older(store, keep)
    return Pruned(dropped, store.remove_left_behind())


def drop_older(store: VectorStore, keep: int) -> tuple[str, ...]:
    """Drop all releases but `keep`, and return which; see `prune`.

    One that somebody promotes meanwhile stays, and one that somebody drops is gone already.
    """
    infos = store.releases()
    others = [info.manifest.release for info in infos if not info.live]
    previous = store.previous()
    others.sort(key=lambda release: release != previous)
    live = len(infos) - len(others)
    dropped = []
    for release in others[max(keep, SPARED) - live :]:
        with suppress(UnknownRelease, ReleaseIsLive):
            store.drop(release)
            dropped.append(release)
    return tuple(dropped)
