"""The `hybrid` strategy: neighbours and co-embedding, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from melon.retrieval.arrays import Scores
from melon.retrieval.batching import has_conditions
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Fusion, RetrievalSettings, SongFusion
from melon.retrieval.strategies.dense import DenseStrategy, NearbyPlaylists
from melon.retrieval.strategies.first_hop import Playlists
from melon.retrieval.strategies.hops import NeighbourStrategy
from melon.retrieval.strategies.probes import ProbeKind
from melon.retrieval.strategies.ranking import Answer, Ranked, ResolvedQuery
from melon.store import Collection

ENOUGH = 10
"""Popular songs that there must be for each candidate, for a look at them to be enough."""

FILLING = 0.05
"""Weight of the co-embedding's songs where the settings have 0, but neighbours hold too few."""


class HybridStrategy:
    """Neighbours know what goes together, the co-embedding what is alike: each scaled, summed.

    Songs are fused by their scores; tags by the playlists that hold them, neighbours and nearby
    ones, and then scaled to a maximum of 1. Where the settings leave songs to the neighbours alone
    and these hold fewer than are wanted, the co-embedding is searched, too. The fusion is made
    here and not by Qdrant, whose reciprocal rank fusion knows no weights before 1.17 and throws
    the scores away.
    """

    name = "hybrid"

    def __init__(self, settings: RetrievalSettings) -> None:
        self.settings = settings.hybrid
        self.by_hops = NeighbourStrategy(settings)
        self.by_cosine = DenseStrategy(settings, ProbeKind.MEAN)

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """The first hop, meanwhile the searches in the co-embedding, the second hop for both."""
        settings = [self.settings.of(query.seeds.kind) for query in queries]
        song_fusions = [targets.to_songs for targets in settings]
        tag_fusions = [targets.to_tags for targets in settings]
        cosines = [
            self.cosine(reader, query, fusion)
            for query, fusion in zip(queries, song_fusions, strict=True)
        ]
        fuses_tags = [fusion.weight > 0 for fusion in tag_fusions]
        second_hop = self.by_hops.second_hop
        dense_songs = reader.in_background(partial(self.by_cosine.songs, reader, queries, cosines))
        nearby_playlists = reader.in_background(
            partial(self.by_cosine.nearby, reader, queries, fuses_tags)
        )
        for_songs, for_tags = self.by_hops.neighbours(reader, queries)
        hop_songs = reader.in_background(
            partial(second_hop, reader, Collection.SONGS, queries, for_songs)
        )
        joined = [
            join(*parts) for parts in zip(for_tags, nearby_playlists(), tag_fusions, strict=True)
        ]
        hop_tags = second_hop(reader, Collection.TAGS, queries, joined)
        tags = [Ranked(ranked.ids, _scaled(ranked)) for ranked in hop_tags]
        songs = self._fused_songs(reader, queries, song_fusions, hop_songs(), dense_songs())
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]

    def _fused_songs(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        settings: Sequence[SongFusion],
        hop_songs: Sequence[Ranked],
        dense_songs: Sequence[Ranked],
    ) -> list[Ranked]:
        """The songs of both; for places that are left, the co-embedding is searched now."""
        fusions = [song_fusion(*parts) for parts in zip(queries, hop_songs, settings, strict=True)]
        late_cosines = [
            None if planned.weight else self.cosine(reader, query, fusion)
            for query, planned, fusion in zip(queries, settings, fusions, strict=True)
        ]
        filling = self.by_cosine.songs(reader, queries, late_cosines)
        return [
            _fused(ranked, early if planned.weight else late, fusion)
            for ranked, early, late, planned, fusion in zip(
                hop_songs, dense_songs, filling, settings, fusions, strict=True
            )
        ]

    def cosine(
        self, reader: CachingReader, query: ResolvedQuery, fusion: SongFusion
    ) -> Cosine | None:
        """How to search for songs in the co-embedding, if at all."""
        if not fusion.weight:
            return None
        cosine = self.by_cosine.cosine(query)
        return cosine.model_copy(update={"floors": self.floors(reader, query, fusion)})

    def floors(
        self, reader: CachingReader, query: ResolvedQuery, fusion: SongFusion
    ) -> tuple[int, ...]:
        """Above which popularities to search for songs in the co-embedding.

        Among popular songs only, unless these are few or the query has constraints.
        """
        cosine = self.by_cosine.cosine(query)
        enough = reader.count_songs(fusion.floor) >= ENOUGH * cosine.candidates
        if has_conditions(query.song_filter) or not enough:
            return cosine.floors
        return (fusion.floor,)


def song_fusion(query: ResolvedQuery, hop_songs: Ranked, fusion: SongFusion) -> SongFusion:
    """The fusion of a query's songs; the co-embedding has a weight in it where places are left."""
    if fusion.weight or len(hop_songs) >= query.song_limit:
        return fusion
    return fusion.model_copy(update={"weight": FILLING})


def join(neighbours: Playlists, nearby: Sequence[NearbyPlaylists], fusion: Fusion) -> Playlists:
    """The playlists of both, with weights of 1 at most, summed by id."""
    scaled = replace(
        neighbours, weights=neighbours.weights / np.float32(largest_weight(neighbours))
    )
    parts = [(part.ids, part.weights) for part in fused_nearby(nearby, fusion)]
    return Playlists.summed([(scaled.ids, scaled.weights), *parts]) if parts else scaled


def largest_weight(neighbours: Playlists) -> float:
    """The largest weight of a neighbour, positive; 1 where there is none."""
    best = float(neighbours.weights.max(initial=0))
    return best if best > 0 else 1.0


def fused_nearby(nearby: Sequence[NearbyPlaylists], fusion: Fusion) -> list[NearbyPlaylists]:
    """The nearby playlists with their weights in the fusion; those around a mean are 1 at most."""
    return [
        replace(part, weights=np.float32(fusion.weight) * part.weights**fusion.power)
        for part in nearby
        if fusion.weight > 0 and len(part.ids)
    ]


def _fused(hop_songs: Ranked, dense_songs: Ranked, fusion: Fusion) -> Ranked:
    """Scores scaled to a maximum of 1, the second ones amplified and weighted, summed by id."""
    weighted = fusion.weight * _scaled(dense_songs) ** fusion.power
    return Ranked.of_sums([(hop_songs.ids, _scaled(hop_songs)), (dense_songs.ids, weighted)])


def _scaled(ranked: Ranked) -> Scores:
    return ranked.scores / ranked.scores[0] if len(ranked) else ranked.scores
