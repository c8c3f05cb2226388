"""One version of each song in a list; the others are named beside it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set

from melon.retrieval.reader import CachingReader
from melon.retrieval.same_song import version_key
from melon.retrieval.strategies.ranking import Ranked
from melon.store import Collection, PointId


def pool_with_versions(songs: int) -> int:
    """How many candidates to look at first for so many songs of which there may be versions."""
    return songs + songs // 4 + 5 if songs else 0


def fold(
    reader: CachingReader, ranked: Ranked, asked: Set[Hashable], count: int | None
) -> tuple[Ranked, Mapping[PointId, Ranked]]:
    """The most popular version of each song, and none of what is asked for already.

    A song has a place as soon as one of its versions does, but stands where its own score puts it.
    For many lists, load the descriptions of all their songs first.

    Args:
        ranked: songs, best first.
        asked: the keys of songs (`version_key`) of which there shall be no version.
        count: of how many songs, those whose best version comes first; of all if None.

    Returns:
        the songs, best first, and for each that has any its other versions, best first.
    """
    described = reader.load_descriptions(ranked.ids.tolist())
    groups: dict[Hashable, list[int]] = {}
    for row, song in enumerate(ranked.ids.tolist()):
        about = described.get(song)
        key = about and version_key(about.name, about.artists)
        if key is None or key not in asked:
            groups.setdefault(row if key is None else key, []).append(row)
    kept: dict[int, list[int]] = {}
    for rows in list(groups.values())[:count]:
        best = 0
        if len(rows) > 1:
            best = int(reader.popularity(Collection.SONGS, ranked.ids[rows]).argmax())
        kept[rows[best]] = rows[:best] + rows[best + 1 :]
    others: dict[PointId, Ranked] = {
        int(ranked.ids[row]): ranked.rows(rows) for row, rows in kept.items() if rows
    }
    return ranked.rows(sorted(kept)), others
