"""The `hybrid` strategy, the default: neighbours and co-embedding, fused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.dense import MeanStrategy
from melon.retrieval.given import given
from melon.retrieval.memory import RememberingReader
from melon.retrieval.neighbours import NeighbourStrategy
from melon.retrieval.settings import Fusion, RetrievalSettings
from melon.retrieval.strategy import Answer, Ask, Explanation, Ranked, Shares


class HybridStrategy:
    """Neighbours know what goes together, the co-embedding what is alike: each scaled, summed.

    Fused here and not by Qdrant, whose reciprocal rank fusion knows no weights before 1.17 and
    throws the scores away.
    """

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.hybrid
        self._neighbours = NeighbourStrategy(settings)
        self._mean = MeanStrategy(settings)

    def __call__(self, reader: RememberingReader, asks: Sequence[Ask]) -> list[Answer]:
        """The requests of both, then their fusion."""
        held, near = self._neighbours(reader, asks), self._mean(reader, asks)
        return [self._fuse(*three) for three in zip(asks, held, near, strict=True)]

    def _fuse(self, ask: Ask, held: Answer, near: Answer) -> Answer:
        settings = self._settings.of(given(ask))
        return Answer(
            songs=fuse(held.songs, near.songs, settings.songs),
            tags=fuse(held.tags, near.tags, settings.tags),
        )

    def explain(self, reader: RememberingReader, ask: Ask, answer: Answer) -> Explanation:
        """The shares of both parts, scaled as their scores are."""
        settings = self._settings.of(given(ask))
        held = self._neighbours(reader, [ask])[0]
        near = self._mean(reader, [ask])[0]
        by_hops = self._neighbours.explain(reader, ask, answer)
        by_cosine = self._mean.explain(reader, ask, answer)
        return Explanation(
            songs=_blend(
                answer.songs, held.songs, near.songs, by_hops.songs, by_cosine.songs, settings.songs
            ),
            tags=_blend(
                answer.tags, held.tags, near.tags, by_hops.tags, by_cosine.tags, settings.tags
            ),
        )


def _blend(
    ranked: Ranked, held: Ranked, near: Ranked, by_hops: Shares, by_cosine: Shares, fusion: Fusion
) -> Shares:
    """Shares that sum to the fused scores, from those that sum to the scores of each part."""
    of_held = set(held.ids)
    of_near = dict(zip(near.ids, near.scores.tolist(), strict=True))
    best = near.scores[0] if len(near) else 1.0
    hop_factors = [1 / held.scores[0] if point in of_held else 0.0 for point in ranked.ids]
    cosine_factors = [
        fusion.weight * (of_near[point] / best) ** fusion.power / of_near[point]
        if point in of_near
        else 0.0
        for point in ranked.ids
    ]
    return by_hops.times(np.array(hop_factors)).plus(by_cosine.times(np.array(cosine_factors)))


def fuse(held: Ranked, near: Ranked, fusion: Fusion) -> Ranked:
    """Scores scaled to a maximum of 1, the second ones amplified and weighted, summed by id."""
    weighted = fusion.weight * _scaled(near) ** fusion.power
    return Ranked.of_sums([(held.ids, _scaled(held)), (near.ids, weighted)])


def _scaled(ranked: Ranked) -> NDArray[np.float64]:
    return ranked.scores / ranked.scores[0] if len(ranked) else ranked.scores
