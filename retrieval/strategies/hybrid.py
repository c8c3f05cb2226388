"""The `hybrid` strategy, the default: neighbours and co-embedding, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.batching import has_conditions
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Fusion, RetrievalSettings, SongFusion
from melon.retrieval.strategies.dense import MeanStrategy, NearbyPlaylists
from melon.retrieval.strategies.hops import Neighbours, NeighbourStrategy
from melon.retrieval.strategies.ranking import (
    Answer,
    Ranked,
    ResolvedQuery,
)
from melon.store import Collection

ENOUGH = 10
"""Popular songs that there must be for each candidate, for a look at them to be enough."""

FILLING = 0.05
"""The weight of the co-embedding's songs where it has none and the neighbours hold too few."""


class HybridStrategy:
    """Neighbours know what goes together, the co-embedding what is alike: each scaled, summed.

    Songs are fused by their scores; tags by the playlists that hold them, those that share most
    with the query and those nearest to it, and then scaled to a maximum of 1. Songs that the
    settings leave to the neighbours alone are sought in the co-embedding, too, where these hold
    fewer than are wanted. Fused here and not by Qdrant, whose reciprocal rank fusion knows no
    weights before 1.17 and throws the scores away.
    """

    name = "hybrid"

    def __init__(self, settings: RetrievalSettings) -> None:
        self.settings = settings.hybrid
        self.by_hops = NeighbourStrategy(settings)
        self.by_cosine = MeanStrategy(settings)

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """The first hop, what is near in the co-embedding meanwhile, the second hop for both."""
        settings = [self.settings.of(query.seeds.kind) for query in queries]
        cosines = [
            self.cosine(reader, query, own.to_songs)
            for query, own in zip(queries, settings, strict=True)
        ]
        fuses_tags = [own.to_tags.weight > 0 for own in settings]
        second_hop = self.by_hops.second_hop
        dense_songs = reader.in_background(partial(self.by_cosine.songs, reader, queries, cosines))
        nearby_playlists = reader.in_background(
            partial(self.by_cosine.nearby, reader, queries, fuses_tags)
        )
        of_songs, of_tags = self.by_hops.neighbours(reader, queries)
        hop_songs = reader.in_background(
            partial(second_hop, reader, Collection.SONGS, queries, of_songs)
        )
        joined = [
            join(neighbours, nearby, own.to_tags)
            for neighbours, nearby, own in zip(of_tags, nearby_playlists(), settings, strict=True)
        ]
        hop_tags = second_hop(reader, Collection.TAGS, queries, joined)
        tags = [Ranked(found.ids, _scaled(found)) for found in hop_tags]
        fusions = [own.to_songs for own in settings]
        songs = self._fused_songs(reader, queries, fusions, hop_songs(), dense_songs())
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]

    def _fused_songs(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        settings: Sequence[SongFusion],
        hop_songs: Sequence[Ranked],
        dense_songs: Sequence[Ranked],
    ) -> list[Ranked]:
        """The songs of both; what is to fill places is sought in the co-embedding only now."""
        fusions = [
            song_fusion(query, found, own)
            for query, found, own in zip(queries, hop_songs, settings, strict=True)
        ]
        late_cosines = [
            None if own.weight else self.cosine(reader, query, fusion)
            for query, own, fusion in zip(queries, settings, fusions, strict=True)
        ]
        filling = self.by_cosine.songs(reader, queries, late_cosines)
        dense = [
            found if own.weight else late
            for found, late, own in zip(dense_songs, filling, settings, strict=True)
        ]
        return [fuse(*parts) for parts in zip(hop_songs, dense, fusions, strict=True)]

    def cosine(
        self, reader: CachingReader, query: ResolvedQuery, fusion: SongFusion
    ) -> Cosine | None:
        """How to search for songs in the co-embedding, if at all.

        Among popular songs only, unless these are few or the query has constraints of its own.
        """
        if not fusion.weight:
            return None
        cosine = self.by_cosine.cosine(query)
        enough = reader.count_songs(fusion.floor) >= ENOUGH * cosine.candidates
        if has_conditions(query.song_filter) or not enough:
            return cosine
        return cosine.model_copy(update={"floors": (fusion.floor,)})


def song_fusion(query: ResolvedQuery, hop_songs: Ranked, fusion: SongFusion) -> SongFusion:
    """The fusion of a query's songs; the co-embedding has a part in it where places are left."""
    if fusion.weight or len(hop_songs) >= query.songs:
        return fusion
    return fusion.model_copy(update={"weight": FILLING})


def join(neighbours: Neighbours, nearby: Sequence[NearbyPlaylists], fusion: Fusion) -> Neighbours:
    """The playlists of both, each scaled to a maximum of 1, summed by id."""
    scaled = replace(
        neighbours, weights=neighbours.weights / np.float32(largest_weight(neighbours))
    )
    parts = [(each.ids, each.weights) for each in fused(nearby, fusion)]
    return Neighbours.summed([(scaled.ids, scaled.weights), *parts]) if parts else scaled


def largest_weight(neighbours: Neighbours) -> float:
    """The largest weight of a neighbour, positive; 1 where there is none."""
    best = float(neighbours.weights.max(initial=0))
    return best if best > 0 else 1.0


def fused(nearby: Sequence[NearbyPlaylists], fusion: Fusion) -> list[NearbyPlaylists]:
    """With the weights that they have in the fusion; the mean's own are 1 at most."""
    return [
        replace(each, weights=np.float32(fusion.weight) * each.weights**fusion.power)
        for each in nearby
        if fusion.weight > 0 and len(each.ids)
    ]


def fuse(hop_songs: Ranked, dense_songs: Ranked, fusion: Fusion) -> Ranked:
    """Scores scaled to a maximum of 1, the second ones amplified and weighted, summed by id."""
    weighted = fusion.weight * _scaled(dense_songs) ** fusion.power
    return Ranked.of_sums([(hop_songs.ids, _scaled(hop_songs)), (dense_songs.ids, weighted)])


def _scaled(ranked: Ranked) -> NDArray[np.float64]:
    return ranked.scores / ranked.scores[0] if len(ranked) else ranked.scores
