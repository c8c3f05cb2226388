"""Variety among the recommended songs: few of one artist, few that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from melon.retrieval.arrays import Floats
from melon.retrieval.query import FrozenInput
from melon.retrieval.reader import CachingReader
from melon.retrieval.strategies.ranking import Ranked
from melon.store import PointId

POOL = 5
"""Candidates to choose from at first, for each song that is wanted."""


class Variety(FrozenInput):
    """How varied a list of songs should be.

    Raises:
        InputError: a value is out of range.
    """

    max_per_artist: int | None = Field(
        default=None, ge=1, description="songs of one artist at most"
    )
    diversity: float = Field(
        default=0.0, ge=0, le=1, description="0 ranks by score alone, 1 by unlikeness alone"
    )

    def __bool__(self) -> bool:
        return self.max_per_artist is not None or self.diversity > 0

    def pool(self, songs: int) -> int:
        """How many candidates to choose `songs` from at first."""
        return songs * POOL if self else songs

    def choose(self, reader: CachingReader, ranked: Ranked, songs: int) -> Ranked:
        """Choose `songs` of the candidates, or fewer where too few satisfy these wishes.

        They are returned in the order in which they were chosen.
        """
        if not self or not len(ranked):
            return ranked.head(songs)
        if self.max_per_artist is not None:
            artists = reader.load_artist_keys(ranked.ids.tolist())
            ranked = cap_per_artist(ranked, artists, self.max_per_artist)
        if self.diversity > 0:
            matrix = reader.facts(ranked.ids)["vector"]
            return maximal_marginal_relevance(ranked, matrix, self.diversity, songs)
        return ranked.head(songs)


def cap_per_artist(ranked: Ranked, artists: Mapping[PointId, Sequence[str]], most: int) -> Ranked:
    """Keep a song only while none of its artists has `most` songs in the list already.

    Songs whose artists are not known are all kept.
    """
    seen: Counter[str] = Counter()
    kept = []
    for row, point in enumerate(ranked.ids.tolist()):
        names = artists.get(point, ())
        if all(seen[name] < most for name in names):
            seen.update(names)
            kept.append(row)
    return ranked.rows(kept)


def maximal_marginal_relevance(
    ranked: Ranked, rows: Floats, diversity: float, count: int
) -> Ranked:
    """Maximal marginal relevance (Carbonell & Goldstein 1998, doi:10.1145/290941.291025).

    One after the other, the candidate with the largest (1 - diversity) · score - diversity · the
    largest cosine to one already chosen; scores are scaled to a maximum of 1.

    Args:
        rows: (n, dim) float32, the candidates' unit vectors; a row of zeros is unlike any other.
    """
    scale = float(np.abs(ranked.scores).max()) or 1.0
    relevance = (1 - diversity) * ranked.scores / scale
    likeness = np.zeros(len(ranked))
    left = np.ones(len(ranked), np.bool_)
    chosen: list[int] = []
    while len(chosen) < min(count, len(ranked)):
        gain = np.where(left, relevance - diversity * likeness, -np.inf)
        best = int(np.argmax(gain))
        left[best] = False
        cosines = rows @ rows[best]
        likeness = cosines if not chosen else np.maximum(likeness, cosines)
        chosen.append(best)
    return ranked.rows(chosen)
