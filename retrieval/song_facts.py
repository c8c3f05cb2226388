"""What a ranking has to know of songs, as rows of numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Scores
from melon.store import Record

PAYLOAD = ("popularity", "artist_keys", "genres", "detail_genres", "album_id", "issue_year")

Facts = NDArray[Any]
"""(n,) of the type that `facts_type` makes: `facts["vector"]` is (n, dim) float32."""


def facts_type(dim: int) -> np.dtype[Any]:
    """The type of what is known of a song.

    `vector` is zero where there is none, `popularity` 1 at least, to take powers of, `year` NaN
    where it is not known. Artists, genres, detail genres and the album are hashes: 0 where there
    are no more, and of many only the first ones.
    """
    return np.dtype(
        [
            ("vector", np.float32, dim),
            ("popularity", np.float32),
            ("year", np.float32),
            ("artists", np.uint32, 4),
            ("genres", np.uint32, 3),
            ("detail_genres", np.uint32, 6),
            ("album", np.uint32, 1),
        ]
    )


class FactsOf:
    """Takes what is known of a song from its record, as the bytes of one row of facts."""

    def __init__(self, dim: int) -> None:
        self._type = facts_type(dim)

    def __call__(self, song: Record) -> bytes:
        """The bytes: to join those of many is the fastest way to an array."""
        get = song.payload.get
        facts = np.zeros(1, self._type)
        if song.vector is not None:
            facts["vector"] = song.vector
        facts["popularity"] = max(get("popularity", 0), 1)
        facts["year"] = get("issue_year", np.nan)
        for name, values in (
            ("artists", get("artist_keys", ())),
            ("genres", get("genres", ())),
            ("detail_genres", get("detail_genres", ())),
            ("album", [get("album_id")] if "album_id" in song.payload else ()),
        ):
            hashes = [zlib.crc32(str(value).encode()) or 1 for value in values]
            room = facts[name].shape[1]
            facts[name][0, : len(hashes)] = hashes[:room]
        return facts.tobytes()

    def joined(self, rows: Iterable[bytes]) -> Facts:
        """The facts of many songs."""
        return np.frombuffer(b"".join(rows), self._type)


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
