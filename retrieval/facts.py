"""What a ranking has to know of songs and of tags, as rows of numbers."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Scores
from melon.store import Record

SONG_PAYLOAD = ("popularity", "artist_keys", "genres", "detail_genres", "album_id", "issue_year")
TAG_PAYLOAD = ("popularity",)

Facts = NDArray[Any]
"""(n,) of the type of `song_facts` or `tag_facts`: `facts["vector"]` is (n, dim) float32."""


def song_facts(dim: int, songs: Sequence[Record]) -> Facts:
    """What is known of n songs.

    `vector` is zero where there is none, `popularity` 1 at least, to take powers of, `year` NaN
    where it is not known. Artists, genres, detail genres and the album are hashes: 0 where there
    are no more, and of many only the first ones.
    """
    facts = _facts(
        dim,
        songs,
        ("year", np.float32),
        ("artists", np.uint32, 4),
        ("genres", np.uint32, 3),
        ("detail_genres", np.uint32, 6),
        ("album", np.uint32, 1),
    )
    facts["year"] = [song.payload.get("issue_year", np.nan) for song in songs]
    for name, field in (
        ("artists", "artist_keys"),
        ("genres", "genres"),
        ("detail_genres", "detail_genres"),
        ("album", "album_id"),
    ):
        facts[name] = _hashes([song.payload.get(field) for song in songs], facts[name].shape[1])
    return facts


def _hashes(values: Sequence[Any], room: int) -> NDArray[np.uint32]:
    """(n, room) the hashes of the first of each list, or of each value that is no list."""
    lists = [
        value[:room] if isinstance(value, list) else () if value is None else (value,)
        for value in values
    ]
    filled = np.arange(room) < np.array([len(part) for part in lists], np.int64)[:, None]
    hashes = np.zeros(filled.shape, np.uint32)
    hashes[filled] = [zlib.crc32(str(value).encode()) or 1 for part in lists for value in part]
    return hashes


def tag_facts(dim: int, tags: Sequence[Record]) -> Facts:
    """The `vector` and the `popularity` of n tags, as those of songs."""
    return _facts(dim, tags)


def _facts(dim: int, points: Sequence[Record], *more: tuple[Any, ...]) -> Facts:
    facts = np.zeros(len(points), [("vector", np.float32, dim), ("popularity", np.float32), *more])
    for row, point in enumerate(points):
        if point.vector is not None:
            facts["vector"][row] = point.vector
    facts["popularity"] = [max(point.payload.get("popularity", 0), 1) for point in points]
    return facts


def share_in_common(of: NDArray[np.uint32], seeds: NDArray[np.uint32]) -> Scores:
    """(n,) for each row the seeds that have each of its values, summed, over the number of seeds.

    Args:
        of: (n, k) hashes of n songs.
        seeds: (m, k) likewise.
    """
    known, counts = np.unique(seeds[seeds > 0], return_counts=True)
    if not len(known):
        return np.zeros(len(of))
    places = np.minimum(np.searchsorted(known, of), len(known) - 1)
    same = np.where(known[places] == of, counts[places], 0).sum(axis=1)
    return np.asarray(same / len(seeds), np.float64)
