"""Which points of a release a map shows, and the rule by which they are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.errors import counted
from melon.progress import Progress, ignore
from melon.store import Collection, PointId, Record, ReleaseReader

PLACES = {Collection.SONGS: 6, Collection.TAGS: 1, Collection.PLAYLISTS: 3}
"""How the places are shared, where not all points have one."""

_ORDER: Mapping[Collection, tuple[str, ...]] = {
    Collection.SONGS: ("popularity",),
    Collection.TAGS: ("popularity",),
    Collection.PLAYLISTS: ("like_count", "song_count"),
}
"""By which fields points come first, largest first; of equal ones the smaller id."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Points of each collection, and in words how they were chosen."""

    ids: Mapping[Collection, Sequence[PointId]]
    rule: str


def choose(reader: ReleaseReader, places: int, progress: Progress = ignore) -> Choice:
    """The points of a release that have a vector, or the foremost of them if they are too many.

    Of each genre the same share of its songs is chosen, the most popular, and one at least, so that
    a map has the genres as the catalogue does; the most popular tags; the most liked playlists. A
    song counts for the first of its genres. The same release gives the same choice.

    Args:
        places: how many points there may be.
        progress: told of each collection as it is read.
    """
    found: dict[Collection, list[Record]] = {}
    for number, collection in enumerate(PLACES):
        progress("choose points", number, len(PLACES))
        fields = (*_ORDER[collection], "genres", "vector_source")
        count = reader.manifest.counts[collection]
        records = reader.find(collection, None, count, payload=fields) if count else []
        found[collection] = [record for record in records if record.payload.get("vector_source")]
    progress("choose points", len(PLACES), len(PLACES))
    counts = {collection: len(records) for collection, records in found.items()}
    shares = share_out(places, counts)
    ids = {
        collection: _foremost(collection, records, shares[collection])
        for collection, records in found.items()
    }
    genres = any("genres" in record.payload for record in found[Collection.SONGS])
    lacking = sum(map(reader.manifest.counts.__getitem__, PLACES)) - sum(counts.values())
    return Choice(ids, _rule(counts, shares, genres, lacking))


def share_out(places: int, counts: Mapping[Collection, int]) -> dict[Collection, int]:
    """How many points of each collection have a place: what one does not need, the others have."""
    shares: dict[Collection, int] = {}
    left, parts = places, sum(PLACES.values())
    for collection in sorted(PLACES, key=lambda one: counts[one] / PLACES[one]):
        shares[collection] = min(counts[collection], left * PLACES[collection] // parts)
        left -= shares[collection]
        parts -= PLACES[collection]
    return shares


def _foremost(collection: Collection, records: Sequence[Record], places: int) -> list[PointId]:
    if len(records) <= places:
        return [record.id for record in records]
    order = _ORDER[collection]
    ranked = sorted(records, key=lambda r: (*(-r.payload.get(name, -1) for name in order), r.id))
    grouped = collection is Collection.SONGS
    groups = [(r.payload.get("genres") or [None])[0] if grouped else None for r in ranked]
    chosen = np.argsort(_depths(groups), kind="stable")[:places]
    return [ranked[row].id for row in sorted(chosen.tolist())]


def _depths(groups: Sequence[str | None]) -> NDArray[np.float64]:
    """How deep each of n points lies in its group, from 0 for the first to below 1: (n,)."""
    _, numbers, sizes = np.unique(
        [group or "" for group in groups], return_inverse=True, return_counts=True
    )
    order = np.argsort(numbers, kind="stable")
    places = np.empty(len(groups), np.int64)
    starts = np.cumsum(sizes) - sizes
    places[order] = np.arange(len(groups)) - starts[numbers[order]]
    return np.asarray(places / sizes[numbers])


def _rule(
    counts: Mapping[Collection, int],
    shares: Mapping[Collection, int],
    genres: bool,
    lacking: int = 0,
) -> str:
    """The rule in words, for people who look at the map; what lacks a vector has no place."""
    reasons = {
        Collection.SONGS: "of each genre the same share, its most popular"
        if genres
        else "the most popular",
        Collection.TAGS: "the most popular",
        Collection.PLAYLISTS: "the most liked",
    }
    whole, cut = [], []
    for collection in PLACES:
        share, count = shares[collection], counts[collection]
        if share == count:
            whole.append(f"all {counted(count, collection[:-1])}" if count else f"no {collection}")
        else:
            cut.append(f"{share:,} of {count:,} {collection}: {reasons[collection]}")
    if lacking:
        cut.append(f"{counted(lacking, 'point')} without a vector left out")
    shown = "; ".join([*whole, *cut])
    return f"{shown[0].upper()}{shown[1:]}."
