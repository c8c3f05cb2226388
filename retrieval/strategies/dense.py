"""Strategies on the co-embedding alone: `mean`, `vote` and `cluster`.

Songs are those nearest to where a query looks from, tags those of the playlists nearest to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.batching import search_ef
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Nearby, RetrievalSettings
from melon.retrieval.strategies.hops import NO_NEIGHBOURS, Neighbours, neighbour_filter, second_hop
from melon.retrieval.strategies.probes import Probe, ProbeKind, probes
from melon.retrieval.strategies.ranking import (
    Answer,
    Ranked,
    ResolvedQuery,
)
from melon.store import (
    DENSE,
    Collection,
    Filter,
    Hits,
    Ids,
    NumberRange,
    VectorQuery,
)

FEW_SONGS = 10_000
"""So many are scanned at once, without the engine's estimate of what a filter leaves first."""


class DenseStrategy:
    """What is near a query's probes, of songs with a prior for what is popular."""

    name: ClassVar[str]
    probe_kind: ClassVar[ProbeKind]

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.dense

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """One request for all songs; one for the playlists nearby and one for their tags."""
        tags = second_hop(
            reader,
            Collection.TAGS,
            [merged(found) for found in self.nearby(reader, queries)],
            [(query.tag_filter, query.tags) for query in queries],
            [0.0] * len(queries),
        )
        return [Answer(*pair) for pair in zip(self.songs(reader, queries), tags, strict=True)]

    def songs(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        settings: Sequence[Cosine | None] | None = None,
    ) -> list[Ranked]:
        """The songs nearest to each query, in one request.

        Args:
            settings: per query how they are sought, if not as `cosine` says; None for none.
        """
        sought = settings or [self.cosine(query) for query in queries]
        searches = [
            _SongSearch.of(query, probes(query, own, self.probe_kind), own) if own else None
            for query, own in zip(queries, sought, strict=True)
        ]
        return [
            Ranked.of_sums([(scored.ids, scored.scores) for scored in by_probe]).above(0)
            for by_probe in _scores_by_probe(reader, searches)
        ]

    def cosine(self, query: ResolvedQuery) -> Cosine:
        """How a query's songs are sought."""
        return self._settings.of(query.seeds.kind).to_songs

    def nearby(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        wanted: Sequence[bool] | None = None,
    ) -> list[list[NearbyPlaylists]]:
        """The playlists near each query, if wanted, in one request."""
        settings = [
            self._settings.of(query.seeds.kind).to_tags if want else None
            for query, want in zip(queries, wanted or [True] * len(queries), strict=True)
        ]
        return nearby_playlists(reader, queries, settings, self.probe_kind)

    def scores_by_probe(
        self, reader: CachingReader, query: ResolvedQuery, settings: Cosine | None
    ) -> list[tuple[Probe, ProbeScores]]:
        """For each probe of a query, the songs near it and what they score by it alone."""
        if settings is None:
            return []
        query_probes = probes(query, settings, self.probe_kind)
        [scores] = _scores_by_probe(reader, [_SongSearch.of(query, query_probes, settings)])
        return list(zip(query_probes, scores, strict=False))  # no scores where no song is wanted


class MeanStrategy(DenseStrategy):
    """From the weighted mean of the modalities, each the mean of its unit vectors."""

    name = "mean"
    probe_kind = ProbeKind.MEAN


class VoteStrategy(DenseStrategy):
    """From every seed: each votes for what is near it."""

    name = "vote"
    probe_kind = ProbeKind.VOTE


class ClusterStrategy(DenseStrategy):
    """From the k-means centroids of the seeds, each with the weight of its share of them."""

    name = "cluster"
    probe_kind = ProbeKind.CLUSTER


@dataclass(frozen=True, slots=True, eq=False)
class _SongSearch:
    """Where the songs of a query are sought, under which filter, how many and how."""

    probes: Sequence[Probe]
    filter: Filter
    limit: int
    exact: bool
    settings: Cosine

    @classmethod
    def of(cls, query: ResolvedQuery, probes: Sequence[Probe], settings: Cosine) -> _SongSearch:
        wanted = query.songs > 0
        limit = max(query.songs, settings.candidates)
        return cls(probes if wanted else (), query.song_filter, limit, query.exact, settings)

    def vector_queries(self, reader: CachingReader) -> list[VectorQuery]:
        """For each probe a query for each floor."""
        return [
            self._vector_query(
                probe, floor, few=floor > 0 and reader.count_songs(floor) < FEW_SONGS
            )
            for probe in self.probes
            for floor in self.settings.floors
        ]

    def _vector_query(self, probe: Probe, floor: int, *, few: bool) -> VectorQuery:
        return VectorQuery(
            probe.vector,
            DENSE,
            self.limit,
            self.filter & _at_least(floor) or None,
            exact=self.exact or few,
            ef=search_ef(self.limit, self.filter),  # popular songs are near each other in the graph
        )


@dataclass(frozen=True, slots=True, eq=False)
class ProbeScores:
    """The songs near a probe, (n,), and what each scores by it, (n,) float64."""

    ids: Ids
    scores: NDArray[np.float64]


def _scores_by_probe(
    reader: CachingReader, searches: Sequence[_SongSearch | None]
) -> list[list[ProbeScores]]:
    """For each query and each of its probes, the songs near the probe, in one request."""
    queries = [query for search in searches if search for query in search.vector_queries(reader)]
    hits = reader.query_some(Collection.SONGS, queries)
    if hits:
        reader.popularity(Collection.SONGS, np.concatenate([found.ids for found in hits]))
    answers = iter(hits)
    return [
        [
            _score(reader, [next(answers) for _ in search.settings.floors], probe, search.settings)
            for probe in search.probes
        ]
        if search
        else []
        for search in searches
    ]


def _score(
    reader: CachingReader, found: Sequence[Hits], probe: Probe, settings: Cosine
) -> ProbeScores:
    """weight · exp(sharpness · (cosine - 1)) · popularity^prior of each song found."""
    ids, cosines = found[0].ids, found[0].scores
    if len(found) > 1:
        ids, first = np.unique(np.concatenate([hits.ids for hits in found]), return_index=True)
        cosines = np.concatenate([hits.scores for hits in found])[first]
    near = np.exp(settings.sharpness * (cosines - 1))
    counts = reader.popularity(Collection.SONGS, ids)
    return ProbeScores(ids, probe.weight * near * counts**settings.prior)


def _at_least(popularity: int) -> Filter:
    return Filter(must=(NumberRange("popularity", gte=popularity),)) if popularity else Filter()


@dataclass(frozen=True, slots=True, eq=False)
class NearbyPlaylists:
    """The playlists around one probe of a query.

    `weights` (n,) float32 are negative around what the query dislikes.
    """

    probe: Probe
    ids: NDArray[np.uint32]
    weights: NDArray[np.float32]


def nearby_playlists(
    reader: CachingReader,
    queries: Sequence[ResolvedQuery],
    settings: Sequence[Nearby | None],
    probe_kind: ProbeKind,
) -> list[list[NearbyPlaylists]]:
    """For each query and each of its probes the nearest playlists, in one request.

    Args:
        settings: per query how many and how they are weighted; nothing is sought for None.
    """
    probed = [
        (
            query,
            nearby,
            probes(query, nearby, probe_kind) if nearby is not None and query.tags else [],
        )
        for query, nearby in zip(queries, settings, strict=True)
    ]
    searches = [
        _search(query, probe, nearby.playlists)
        for query, nearby, own in probed
        if nearby is not None
        for probe in own
    ]
    answers = iter(reader.query_some(Collection.PLAYLISTS, searches))
    return [
        [_weighed(next(answers), probe, nearby) for probe in own] if nearby is not None else []
        for _, nearby, own in probed
    ]


def merged(found: Sequence[NearbyPlaylists]) -> Neighbours:
    """The playlists around all probes of a query."""
    found = [each for each in found if len(each.ids)]
    return (
        Neighbours.summed([(each.ids, each.weights) for each in found]) if found else NO_NEIGHBOURS
    )


def _search(query: ResolvedQuery, probe: Probe, limit: int) -> VectorQuery:
    filter = neighbour_filter(query)
    return VectorQuery(
        probe.vector, DENSE, limit, filter, exact=query.exact, ef=search_ef(limit, filter)
    )


def _weighed(hits: Hits, probe: Probe, nearby: Nearby) -> NearbyPlaylists:
    """weight · exp(sharpness · (cosine - best)) of each playlist."""
    near = np.exp(nearby.sharpness * (hits.scores - hits.scores.max(initial=-1)))
    weights = (probe.weight * near).astype(np.float32)
    return NearbyPlaylists(probe, hits.ids.astype(np.uint32), weights)
