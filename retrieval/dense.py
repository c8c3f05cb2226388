"""Strategies on the co-embedding alone: `mean`, `vote` and `cluster`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from melon.retrieval.given import given
from melon.retrieval.probes import Looking, Probe, probes
from melon.retrieval.settings import Cosine, RetrievalSettings
from melon.retrieval.strategy import Answer, Ask, Ranked
from melon.store import (
    DENSE,
    Collection,
    Filter,
    NumberRange,
    PointId,
    ReleaseReader,
    VectorQuery,
)

EF = 256
"""Beam of the HNSW walk: a filter that keeps a tenth needs more than the default."""


class DenseStrategy:
    """The points nearest to a query's probes, with a prior for what is popular."""

    looking: ClassVar[Looking]

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.dense

    def __call__(self, reader: ReleaseReader, asks: Sequence[Ask]) -> list[Answer]:
        """One filtered ANN request for the songs of all queries, and one for the tags."""
        targets = [self._settings.of(given(ask)) for ask in asks]
        songs = nearest(
            reader,
            Collection.SONGS,
            [probes(a, t.songs, self.looking) for a, t in zip(asks, targets, strict=True)],
            [(ask.song_filter, ask.songs, ask.exact) for ask in asks],
            [target.songs for target in targets],
        )
        tags = nearest(
            reader,
            Collection.TAGS,
            [probes(a, t.tags, self.looking) for a, t in zip(asks, targets, strict=True)],
            [(ask.tag_filter, ask.tags, ask.exact) for ask in asks],
            [target.tags for target in targets],
        )
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]


class MeanStrategy(DenseStrategy):
    """From the weighted mean of the modalities, each the mean of its unit vectors."""

    looking = Looking.MEAN


class VoteStrategy(DenseStrategy):
    """From every seed: each votes for what is near it."""

    looking = Looking.VOTE


class ClusterStrategy(DenseStrategy):
    """From the k-means centroids of the seeds, each with the weight of its share of them."""

    looking = Looking.CLUSTER


def nearest(
    reader: ReleaseReader,
    collection: Collection,
    asked: Sequence[Sequence[Probe]],
    wanted: Sequence[tuple[Filter, int, bool]],
    settings: Sequence[Cosine],
) -> list[Ranked]:
    """The points nearest to each query's probes under its filter, in one request.

    Args:
        asked: per query its probes; none give no candidates.
        wanted: per query the filter, how many, and whether to scan exactly.
        settings: per query how candidates are sought and scored.
    """
    queries = [
        _query(probe, filter & _at_least(floor), max(limit, cosine.candidates), exact)
        for own, (filter, limit, exact), cosine in zip(asked, wanted, settings, strict=True)
        if limit > 0
        for probe in own
        for floor in cosine.floors
    ]
    answers = iter(reader.query(collection, queries) if queries else [])
    found = []
    for own, (_, limit, _), cosine in zip(asked, wanted, settings, strict=True):
        scores: dict[PointId, float] = {}
        for probe in own if limit > 0 else ():
            near = {hit.id: hit for _ in cosine.floors for hit in next(answers)}
            for point_id, hit in near.items():
                closeness = math.exp(cosine.sharpness * (hit.score - 1))
                prior = max(hit.payload["popularity"], 1) ** cosine.prior
                scores[point_id] = scores.get(point_id, 0.0) + probe.weight * closeness * prior
        found.append(Ranked.of({point: score for point, score in scores.items() if score > 0}))
    return found


def _query(probe: Probe, filter: Filter, limit: int, exact: bool) -> VectorQuery:
    return VectorQuery(
        probe.vector,
        DENSE,
        limit,
        filter or None,
        payload=("popularity",),
        exact=exact,
        ef=max(EF, limit),
    )


def _at_least(popularity: int) -> Filter:
    return Filter(must=(NumberRange("popularity", gte=popularity),)) if popularity else Filter()
