"""Strategies on the co-embedding alone: `mean`, `vote` and `cluster`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.given import given
from melon.retrieval.memory import RememberingReader
from melon.retrieval.probes import TINY, Looking, Probe, probes
from melon.retrieval.settings import Cosine, RetrievalSettings
from melon.retrieval.strategy import (
    NO_SHARES,
    Answer,
    Ask,
    Explanation,
    Name,
    Ranked,
    Shares,
)
from melon.store import (
    DENSE,
    Collection,
    Filter,
    Hits,
    NumberRange,
    PointId,
    VectorQuery,
)

EF = 256
"""Beam of the HNSW walk: a filter that keeps a tenth needs more than the default."""


class DenseStrategy:
    """The points nearest to a query's probes, with a prior for what is popular."""

    looking: ClassVar[Looking]

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.dense

    def __call__(self, reader: RememberingReader, asks: Sequence[Ask]) -> list[Answer]:
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

    def explain(self, reader: RememberingReader, ask: Ask, answer: Answer) -> Explanation:
        """A probe's part in a score goes to its seeds by their parts in the cosine."""
        target = self._settings.of(given(ask))
        return Explanation(
            songs=self._shares(
                reader, Collection.SONGS, ask, ask.song_filter, target.songs, answer.songs
            ),
            tags=self._shares(
                reader, Collection.TAGS, ask, ask.tag_filter, target.tags, answer.tags
            ),
        )

    def _shares(
        self,
        reader: RememberingReader,
        collection: Collection,
        ask: Ask,
        filter: Filter,
        settings: Cosine,
        ranked: Ranked,
    ) -> Shares:
        own = probes(ask, settings, self.looking)
        if not len(ranked) or not own:
            return NO_SHARES
        wanted = ask.songs if collection is Collection.SONGS else ask.tags
        found = _near(reader, collection, [own], [(filter, wanted, ask.exact)], [settings])[0]
        terms = [dict(zip(near.ids, near.terms.tolist(), strict=True)) for near in found]
        records = reader.retrieve(collection, ranked.ids, payload=False, vectors=True)
        vectors = {record.id: record.vector for record in records}
        seeds: dict[Name, NDArray[np.float64]] = {}
        for row, point in enumerate(ranked.ids):
            vector = vectors[point]
            for probe, scored in zip(own, terms, strict=True):
                if vector is None or point not in scored:
                    continue
                parts = probe.mix * (probe.rows @ vector)
                if abs(float(parts.sum())) < TINY:
                    parts = np.abs(probe.mix)
                for name, part in zip(probe.names, (parts / parts.sum()).tolist(), strict=True):
                    share = seeds.setdefault(name, np.zeros(len(ranked)))
                    share[row] += scored[point] * part
        return Shares(seeds, {})


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
    reader: RememberingReader,
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
    return [
        Ranked.of_sums([(near.ids, near.terms) for near in found]).above(0)
        for found in _near(reader, collection, asked, wanted, settings)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """The points near a probe, and what each scores by it, (n,) float64."""

    ids: Sequence[PointId]
    terms: NDArray[np.float64]


def _near(
    reader: RememberingReader,
    collection: Collection,
    asked: Sequence[Sequence[Probe]],
    wanted: Sequence[tuple[Filter, int, bool]],
    settings: Sequence[Cosine],
) -> list[list[_Near]]:
    """For each query and each of its probes, what is near the probe."""
    queries = [
        _query(probe, filter & _at_least(floor), max(limit, cosine.candidates), exact)
        for own, (filter, limit, exact), cosine in zip(asked, wanted, settings, strict=True)
        if limit > 0
        for probe in own
        for floor in cosine.floors
    ]
    hits = reader.query_some(collection, queries)
    reader.learn_popularity(collection, [point for found in hits for point in found.ids])
    answers = iter(hits)
    return [
        [
            _scored(reader, collection, [next(answers) for _ in cosine.floors], probe, cosine)
            for probe in (own if limit > 0 else ())
        ]
        for own, (_, limit, _), cosine in zip(asked, wanted, settings, strict=True)
    ]


def _scored(
    reader: RememberingReader,
    collection: Collection,
    found: Sequence[Hits],
    probe: Probe,
    settings: Cosine,
) -> _Near:
    """weight · exp(sharpness · (cosine - 1)) · popularity^prior of each point found."""
    cosines: dict[PointId, float] = {}
    for hits in found:
        cosines.update(zip(hits.ids, hits.scores.tolist(), strict=True))
    ids = list(cosines)
    near = np.exp(settings.sharpness * (np.fromiter(cosines.values(), np.float64, len(ids)) - 1))
    counts = reader.popularity(collection, ids)
    return _Near(ids, probe.weight * near * counts**settings.prior)


def _query(probe: Probe, filter: Filter, limit: int, exact: bool) -> VectorQuery:
    return VectorQuery(
        probe.vector,
        DENSE,
        limit,
        filter or None,
        exact=exact,
        ef=max(EF, limit),
    )


def _at_least(popularity: int) -> Filter:
    return Filter(must=(NumberRange("popularity", gte=popularity),)) if popularity else Filter()
