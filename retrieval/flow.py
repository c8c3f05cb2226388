"""Songs in an order to be listened to: neighbours are alike, and by other artists."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from melon.retrieval.arrays import Floats
from melon.retrieval.reader import CachingReader
from melon.retrieval.strategies.ranking import Ranked

ARTIST_GAP = 3
"""Songs of one artist are at least so many places apart, where there are enough of others."""


def flow(vectors: Floats, artists: Sequence[Sequence[str]]) -> list[int]:
    """The rows of n songs in an order of which each step is to the nearest song that may follow.

    The first row stays first. A song may follow if none of its artists is among the last
    `ARTIST_GAP - 1`; artists with so many songs left that they just fit in come first. Where no
    song may follow, one does whose artists were heard longest ago.

    Args:
        vectors: (n, dim) float32, unit rows; a row of zeros is as far from any as from another.
        artists: of each song; of one of which none is known, nothing is minded.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, names in enumerate(artists):
        for name in set(names):
            rows_of[name].append(row)
    songs_left = {name: len(rows) for name, rows in rows_of.items()}
    count = len(artists)
    most_left = np.array([max((songs_left[name] for name in of), default=0) for of in artists])
    artists_with = Counter(songs_left.values())
    most = max(artists_with, default=0)
    heard = np.full(count, -ARTIST_GAP)
    waiting = np.ones(count, np.bool_)
    order: list[int] = []
    row = 0
    while len(order) < count:
        if order:
            away = np.where(waiting, np.minimum(len(order) - heard, ARTIST_GAP), -1)
            may_follow = away == away.max()
            if (most - 1) * ARTIST_GAP + artists_with[most] >= count - len(order):
                due = may_follow & (most_left == most)
                may_follow = due if due.any() else may_follow
            likeness = vectors @ vectors[row]
            row = int(np.where(may_follow, likeness, -np.inf).argmax())
        waiting[row] = False
        for name in set(artists[row]):
            artists_with[songs_left[name]] -= 1
            songs_left[name] -= 1
            artists_with[songs_left[name]] += 1
            heard[rows_of[name]] = len(order)
            for other in rows_of[name]:
                most_left[other] = max(songs_left[one] for one in artists[other])
        while most and not artists_with[most]:
            most -= 1
        order.append(row)
    return order


def in_flow(reader: CachingReader, songs: Ranked) -> Ranked:
    """The songs with their scores in such an order."""
    ids = songs.ids.tolist()
    artists = reader.load_artist_keys(ids)
    return songs.rows(flow(reader.facts(songs.ids)["vector"], [artists.get(i, ()) for i in ids]))
