"""Whether a file system has room for a release, before anything is written to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from melon.errors import counted
from melon.store.embedded.errors import FULL_HINT
from melon.store.errors import StoreUnavailable
from melon.store.manifest import ReleaseManifest

MEGABYTE = 1_000_000

BASE_BYTES = 4 * MEGABYTE
"""An empty release: some 400 small files."""

POINT_BYTES = 1_500
"""Payload, indexes and sparse vector of a point: 1,400 in the demo's release, 600 where titles and
lists are short."""

COPIES = 2
"""Vectors are there twice while the graph is built."""

PLENTY = 1_000 * MEGABYTE
"""More than a small release needs, holes included, as file systems in memory give them room."""


def bytes_needed(manifest: ReleaseManifest) -> int:
    """Most bytes that a release takes while it is built, about."""
    points = sum(manifest.counts.values())
    return BASE_BYTES + points * (POINT_BYTES + COPIES * 4 * manifest.dim)


def bytes_free(directory: Path) -> int:
    """What is free where a directory is, or will be made."""
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free


def check_room(directory: Path, manifest: ReleaseManifest) -> None:
    """Refuse to begin a release that there is no room for.

    Raises:
        StoreUnavailable: says how much is needed, and how much is free.
    """
    needed, free = bytes_needed(manifest), bytes_free(directory)
    if free < needed:
        points = counted(sum(manifest.counts.values()), "point")
        raise StoreUnavailable(
            f"a release of {points} takes some {needed / MEGABYTE:,.1f} MB while it is built, and"
            f" {free / MEGABYTE:,.1f} MB are free",
            where=str(directory),
            hint=FULL_HINT,
        )
