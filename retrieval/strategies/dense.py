"""The strategies on the co-embedding alone: `mean`, `vote` and `cluster`.

Songs are those nearest to where a query looks from. Tags are those of the playlists nearest to its
mean, by all three: from single seeds or clusters, worse ones are found, in more time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from melon.retrieval.arrays import Floats, PlaylistArray, Scores
from melon.retrieval.batching import search_ef
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Nearby, RetrievalSettings
from melon.retrieval.strategies.first_hop import Playlists, playlist_filter
from melon.retrieval.strategies.hops import second_hop
from melon.retrieval.strategies.probes import Probe, ProbeKind, probes
from melon.retrieval.strategies.ranking import Answer, Ranked, ResolvedQuery
from melon.store import DENSE, Collection, Filter, Hits, Ids, NumberRange, VectorQuery

FEW_SONGS = 10_000
"""Fewer than these are scanned, without the engine's estimating first what a filter leaves."""


BESIDE_OTHERS = 100
"""Songs that each of several probes looks for above each floor: fewer, and surer, votes."""


class DenseStrategy:
    """What is near a query's probes; among songs, popular ones have a prior."""

    def __init__(self, settings: RetrievalSettings, probe_kind: ProbeKind) -> None:
        self.name = probe_kind.value
        self._probe_kind = probe_kind
        self._settings = settings.dense

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """One request for all songs, one for the nearby playlists, one for their tags."""
        nearby = self.nearby(reader, queries, [True] * len(queries))
        tags = second_hop(
            reader,
            Collection.TAGS,
            queries,
            [
                Playlists.summed([(part.ids, part.weights) for part in parts if len(part.ids)])
                for parts in nearby
            ],
            [query.tag_limit for query in queries],
            [0.0] * len(queries),
        )
        songs = self.songs(reader, queries, [self.cosine(query) for query in queries])
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]

    def cosine(self, query: ResolvedQuery) -> Cosine:
        """How a query's songs are sought."""
        return self._settings.of(query.seeds.kind).to_songs

    def songs(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        cosines: Sequence[Cosine | None],
    ) -> list[Ranked]:
        """The songs nearest to each query, in one request; none where its settings are None."""
        return [
            Ranked.of_sums([scores for _, scores in by_probe]).above(0)
            for by_probe in self.scores_by_probe(reader, queries, cosines)
        ]

    def scores_by_probe(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        cosines: Sequence[Cosine | None],
    ) -> list[list[tuple[Probe, tuple[Ids, Scores]]]]:
        """For each query and each of its probes, the songs near the probe and their scores by it.

        All are sought in one request.
        """
        searches = [
            [(query, probe, cosine) for probe in probes(query, cosine, self._probe_kind)]
            if cosine and query.song_limit
            else []
            for query, cosine in zip(queries, cosines, strict=True)
        ]
        hits = reader.query_some(
            Collection.SONGS,
            [
                song_search(reader, query, probe.vector, floor, _candidates(cosine, parts))
                for parts in searches
                for query, probe, cosine in parts
                for floor in cosine.floors
            ],
        )
        if hits:
            reader.popularity(Collection.SONGS, np.concatenate([row.ids for row in hits]))
        answers = iter(hits)
        return [
            [
                (probe, _scores(reader, [next(answers) for _ in cosine.floors], probe, cosine))
                for _, probe, cosine in parts
            ]
            for parts in searches
        ]

    def nearby(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        wanted: Sequence[bool],
    ) -> list[list[NearbyPlaylists]]:
        """For each query and each of its probes the nearby playlists, if wanted, in one request."""
        searches = []
        for query, want in zip(queries, wanted, strict=True):
            settings = self._settings.of(query.seeds.kind).to_tags
            seeking = probes(query, settings, ProbeKind.MEAN) if want and query.tag_limit else []
            searches.append([(query, probe, settings) for probe in seeking])
        answers = iter(
            reader.query_some(
                Collection.PLAYLISTS,
                [_playlist_search(*search) for parts in searches for search in parts],
            )
        )
        return [
            [_weighted(next(answers), probe, settings) for _, probe, settings in parts]
            for parts in searches
        ]


@dataclass(frozen=True, slots=True, eq=False)
class NearbyPlaylists:
    """The playlists around one probe of a query.

    `weights` (n,) float32 are negative around what the query dislikes.
    """

    probe: Probe
    ids: PlaylistArray
    weights: Floats


def _candidates(cosine: Cosine, probes: Sequence[object]) -> int:
    """How many songs are sought near each of a query's probes."""
    return cosine.candidates if len(probes) == 1 else min(cosine.candidates, BESIDE_OTHERS)


def song_search(
    reader: CachingReader,
    query: ResolvedQuery,
    vector: Floats,
    floor: int,
    candidates: int,
) -> VectorQuery:
    """The query for the songs nearest to a vector that at least `floor` playlists hold."""
    limit = max(query.song_limit, candidates)
    few = floor > 0 and reader.count_songs(floor) < FEW_SONGS
    popular = Filter(must=(NumberRange("popularity", gte=floor),)) if floor else Filter()
    return VectorQuery(
        vector,
        DENSE,
        limit,
        query.song_filter & popular or None,
        exact=query.exact or few,
        # by the query's filter alone: popular songs are near each other in the graph
        ef=search_ef(limit, query.song_filter),
    )


def _scores(
    reader: CachingReader, hits: Sequence[Hits], probe: Probe, cosine: Cosine
) -> tuple[Ids, Scores]:
    """weight · exp(sharpness · (cosine - 1)) · popularity^prior of each song in any of the hits."""
    ids, cosines = hits[0].ids, hits[0].scores
    if len(hits) > 1:
        ids, first = np.unique(np.concatenate([row.ids for row in hits]), return_index=True)
        cosines = np.concatenate([row.scores for row in hits])[first]
    near = np.exp(cosine.sharpness * (cosines - 1))
    counts = reader.popularity(Collection.SONGS, ids)
    return ids, probe.weight * near * counts**cosine.prior


def _playlist_search(query: ResolvedQuery, probe: Probe, settings: Nearby) -> VectorQuery:
    filter, limit = playlist_filter(query), settings.playlists
    ef = search_ef(limit, filter)
    return VectorQuery(probe.vector, DENSE, limit, filter, exact=query.exact, ef=ef)


def _weighted(hits: Hits, probe: Probe, settings: Nearby) -> NearbyPlaylists:
    """weight · exp(sharpness · (cosine - best)) of each playlist."""
    near = np.exp(settings.sharpness * (hits.scores - hits.scores.max(initial=-1)))
    weights = (probe.weight * near).astype(np.float32)
    return NearbyPlaylists(probe, hits.ids.astype(np.uint32), weights)
