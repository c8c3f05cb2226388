"""Strategies on the co-embedding alone: `mean`, `vote` and `cluster`.

Songs are those nearest to where a query looks from, tags those of the playlists nearest to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.given import given
from melon.retrieval.hops import spread
from melon.retrieval.memory import RememberingReader
from melon.retrieval.nearby import Around, around, nearby_shares, together
from melon.retrieval.probes import Looking, Probe, probes
from melon.retrieval.requests import beam
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

FEW_SONGS = 20_000
"""So many are scanned at once, without the engine's estimate of what a filter leaves first."""


class DenseStrategy:
    """What is near a query's probes, of songs with a prior for what is popular."""

    looking: ClassVar[Looking]

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.dense

    def __call__(self, reader: RememberingReader, asks: Sequence[Ask]) -> list[Answer]:
        """One request for all songs; one for the playlists nearby and one for their tags."""
        tags = spread(
            reader,
            Collection.TAGS,
            [together(found) for found in self.around(reader, asks)],
            [(ask.tag_filter, ask.tags) for ask in asks],
            [0.0] * len(asks),
        )
        return [Answer(*pair) for pair in zip(self.songs(reader, asks), tags, strict=True)]

    def songs(
        self,
        reader: RememberingReader,
        asks: Sequence[Ask],
        wanted: Sequence[bool] | None = None,
    ) -> list[Ranked]:
        """The songs nearest to each query, if wanted, in one request."""
        settings = [self._settings.of(given(ask)).songs for ask in asks]
        return nearest_songs(
            reader,
            [
                probes(ask, own, self.looking) if want else []
                for ask, own, want in zip(asks, settings, wanted or [True] * len(asks), strict=True)
            ],
            [(ask.song_filter, ask.songs, ask.exact) for ask in asks],
            settings,
        )

    def around(
        self,
        reader: RememberingReader,
        asks: Sequence[Ask],
        wanted: Sequence[bool] | None = None,
    ) -> list[list[Around]]:
        """The playlists near each query, if wanted, in one request."""
        settings = [
            self._settings.of(given(ask)).tags if want else None
            for ask, want in zip(asks, wanted or [True] * len(asks), strict=True)
        ]
        return around(reader, asks, settings, self.looking)

    def explain(self, reader: RememberingReader, ask: Ask, answer: Answer) -> Explanation:
        """A probe's part in a score goes to its seeds by their parts in the cosine."""
        [found] = self.around(reader, [ask])
        return Explanation(
            songs=self.song_shares(reader, ask, answer.songs),
            tags=nearby_shares(reader, found, answer.tags.ids, 0.0),
        )

    def song_shares(self, reader: RememberingReader, ask: Ask, ranked: Ranked) -> Shares:
        """The seeds' shares in the scores of `songs`."""
        settings = self._settings.of(given(ask)).songs
        own = probes(ask, settings, self.looking)
        if not len(ranked) or not own:
            return NO_SHARES
        wanted = [(ask.song_filter, ask.songs, ask.exact)]
        [near] = _near(reader, [own], wanted, [settings])
        records = reader.retrieve(Collection.SONGS, ranked.ids, payload=False, vectors=True)
        vectors = {record.id: record.vector for record in records}
        seeds: dict[Name, NDArray[np.float64]] = {}
        for probe, found in zip(own, near, strict=True):
            terms = dict(zip(found.ids, found.terms.tolist(), strict=True))
            for row, point in enumerate(ranked.ids):
                vector = vectors[point]
                if vector is None or point not in terms:
                    continue
                for name, part in zip(probe.names, probe.parts(vector).tolist(), strict=True):
                    share = seeds.setdefault(name, np.zeros(len(ranked)))
                    share[row] += terms[point] * part
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


def nearest_songs(
    reader: RememberingReader,
    asked: Sequence[Sequence[Probe]],
    wanted: Sequence[tuple[Filter, int, bool]],
    settings: Sequence[Cosine],
) -> list[Ranked]:
    """The songs nearest to each query's probes under its filter, in one request.

    Args:
        asked: per query its probes; none give no candidates.
        wanted: per query the filter, how many, and whether to scan exactly.
        settings: per query how candidates are sought and scored.
    """
    return [
        Ranked.of_sums([(near.ids, near.terms) for near in found]).above(0)
        for found in _near(reader, asked, wanted, settings)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """The songs near a probe, and what each scores by it, (n,) float64."""

    ids: Sequence[PointId]
    terms: NDArray[np.float64]


def _near(
    reader: RememberingReader,
    asked: Sequence[Sequence[Probe]],
    wanted: Sequence[tuple[Filter, int, bool]],
    settings: Sequence[Cosine],
) -> list[list[_Near]]:
    """For each query and each of its probes, what is near the probe."""
    queries = [
        _query(
            probe,
            filter & _at_least(floor),
            max(limit, cosine.candidates),
            exact or (floor > 0 and reader.songs_in(floor) < FEW_SONGS),
        )
        for own, (filter, limit, exact), cosine in zip(asked, wanted, settings, strict=True)
        if limit > 0
        for probe in own
        for floor in cosine.floors
    ]
    hits = reader.query_some(Collection.SONGS, queries)
    reader.learn_popularity(Collection.SONGS, [point for found in hits for point in found.ids])
    answers = iter(hits)
    return [
        [
            _scored(reader, [next(answers) for _ in cosine.floors], probe, cosine)
            for probe in (own if limit > 0 else ())
        ]
        for own, (_, limit, _), cosine in zip(asked, wanted, settings, strict=True)
    ]


def _scored(
    reader: RememberingReader,
    found: Sequence[Hits],
    probe: Probe,
    settings: Cosine,
) -> _Near:
    """weight · exp(sharpness · (cosine - 1)) · popularity^prior of each song found."""
    cosines: dict[PointId, float] = {}
    for hits in found:
        cosines.update(zip(hits.ids, hits.scores.tolist(), strict=True))
    ids = list(cosines)
    near = np.exp(settings.sharpness * (np.fromiter(cosines.values(), np.float64, len(ids)) - 1))
    counts = reader.popularity(Collection.SONGS, ids)
    return _Near(ids, probe.weight * near * counts**settings.prior)


def _query(probe: Probe, filter: Filter, limit: int, exact: bool) -> VectorQuery:
    return VectorQuery(
        probe.vector,
        DENSE,
        limit,
        filter or None,
        exact=exact,
        ef=beam(limit, filter),
    )


def _at_least(popularity: int) -> Filter:
    return Filter(must=(NumberRange("popularity", gte=popularity),)) if popularity else Filter()
