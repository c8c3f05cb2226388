"""Neighbourhood retrieval in two hops: seeds → playlists that hold them → what those hold.

The first hop is a sparse query on the playlists' `items`, the second one on the `playlists` of
songs and tags, both exact and both inside Qdrant. With a playlist's stored values |p|^(β-1), a
song's |j|^(α-1) and the query's |i|^-α it is item-item collaborative filtering in the form of
Aiolli (2013), doi:10.1145/2507157.2507189.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.reader import NO_HITS, CachingReader
from melon.retrieval.seeds import SeedSet
from melon.retrieval.settings import Hops, RetrievalSettings
from melon.retrieval.strategies.ranking import (
    Answer,
    Ranked,
    ResolvedQuery,
)
from melon.retrieval.strategies.reweighting import reweight
from melon.store import (
    Collection,
    Filter,
    HasId,
    Hits,
    NumberRange,
    SparseVector,
    VectorQuery,
)

ITEMS = "items"
HOLDERS = "playlists"


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The playlists most like a query, then those most like what it dislikes, if anything.

    Attributes:
        ids: (n,) uint32; one that is like both is there twice.
        weights: (n,) float32, those of the disliked ones negative.
        liked_count: how many of them, from the first, are like the query.
    """

    ids: NDArray[np.uint32]
    weights: NDArray[np.float32]
    liked_count: int

    def vector(self) -> SparseVector:
        """The query of the second hop, in which each playlist stands once."""
        if self.liked_count == len(self.ids):
            return SparseVector(self.ids, self.weights)
        ids, inverse = np.unique(self.ids, return_inverse=True)
        return SparseVector(ids, np.bincount(inverse, self.weights).astype(np.float32))

    @classmethod
    def summed(cls, parts: Sequence[tuple[NDArray[np.uint32], NDArray[np.float32]]]) -> Neighbours:
        """Those of all parts, ids and weights; one in several has the sum of its weights."""
        ids, inverse = np.unique(np.concatenate([ids for ids, _ in parts]), return_inverse=True)
        weights = np.bincount(inverse, np.concatenate([weights for _, weights in parts]), len(ids))
        return cls(ids, weights.astype(np.float32), len(ids))


NO_NEIGHBOURS = Neighbours(np.empty(0, np.uint32), np.empty(0, np.float32), 0)


def find_neighbours(
    reader: CachingReader, queries: Sequence[ResolvedQuery], hops: Sequence[Hops]
) -> list[Neighbours]:
    """First hop: for each query the playlists that share most with it, in one request.

    Where the query dislikes something, the playlists most like that are found too, and count
    against.
    """
    wanted = [
        (query, hop, disliked)
        for query, hop in zip(queries, hops, strict=True)
        for disliked in (False, True)
    ]
    answers = _search_once(reader, wanted)
    pairs = list(zip(wanted, answers, strict=True))
    reader.load_songs(
        [playlist for part, hits in pairs if _reweighs(*part) for playlist in hits.ids.tolist()]
    )
    found = [_weigh(reader, hits, *part) for part, hits in pairs]
    return [
        _against(liked, disliked, hop.dislike_weight)
        for liked, disliked, hop in zip(found[::2], found[1::2], hops, strict=True)
    ]


def second_hop(
    reader: CachingReader,
    collection: Collection,
    neighbours: Sequence[Neighbours],
    wanted: Sequence[tuple[Filter, int]],
    discounts: Sequence[float],
) -> list[Ranked]:
    """Second hop: what the neighbours hold, weighted by them, in one request.

    Args:
        collection: songs or tags.
        wanted: per query the filter and how many candidates.
        discounts: per query, the exponent of popularity that a candidate's score is divided by.
    """
    searches = [
        VectorQuery(near.vector(), HOLDERS, limit, filter)
        if near.liked_count and limit > 0
        else None
        for near, (filter, limit) in zip(neighbours, wanted, strict=True)
    ]
    pairs = list(zip(reader.query_some(collection, searches), discounts, strict=True))
    if discounted := [hits.ids for hits, discount in pairs if discount]:
        reader.popularity(collection, np.concatenate(discounted))
    return [_discounted(reader, collection, hits, discount) for hits, discount in pairs]


@dataclass(frozen=True, slots=True, eq=False)
class WeightedSeeds:
    """Seeds of one kind, and how much each counts at the first hop.

    Attributes:
        kind: what an explanation calls them: song, tag, word or bigram.
        weight: the settings' weight of the kind, times the query's weight of the modality.
        discount: the exponent of popularity that a seed is divided by.
    """

    kind: str
    seeds: SeedSet
    weight: float
    discount: float

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def values(self) -> NDArray[np.float32]:
        """(n,) float32: what each seed counts."""
        discounted = np.maximum(self.seeds.popularity, 1) ** np.float32(-self.discount)
        return np.asarray(np.float32(self.weight) * self.seeds.weights * discounted, np.float32)


def seed_vector(parts: Sequence[WeightedSeeds]) -> SparseVector | None:
    """Seeds in the playlists' `items`, each by its kind's weight and its popularity."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    indices = np.concatenate([part.seeds.items for part in parts])
    values = np.concatenate([part.values for part in parts])
    unique, inverse = np.unique(indices, return_inverse=True)
    summed = np.bincount(inverse, values, len(unique)).astype(np.float32)
    used = summed > 0
    return SparseVector(unique[used], summed[used]) if used.any() else None


def liked_seeds(query: ResolvedQuery, hops: Hops) -> list[WeightedSeeds]:
    """What the query likes, each kind with its weight."""
    seeds, weights = query.seeds, query.original.relative_weights
    songs, tags = weights.songs * hops.song_weight, weights.tags * hops.tag_weight
    title_tags = weights.title * hops.title_tag_weight
    return [
        WeightedSeeds("song", seeds.songs, songs, hops.song_discount),
        WeightedSeeds("tag", seeds.tags, tags, hops.tag_discount),
        WeightedSeeds("tag", seeds.title_tags, title_tags, hops.title_tag_discount),
        # words and bigrams bring the query's weights of the modalities with them
        WeightedSeeds("word", seeds.words, hops.word_weight, hops.word_discount),
        WeightedSeeds("bigram", seeds.bigrams, hops.bigram_weight, hops.bigram_discount),
    ]


def disliked_seeds(query: ResolvedQuery, hops: Hops) -> list[WeightedSeeds]:
    """What the query dislikes, each kind with its weight, or 1 where that is 0."""
    seeds = query.seeds
    return [
        WeightedSeeds("song", seeds.not_songs, hops.song_weight or 1.0, hops.song_discount),
        WeightedSeeds("tag", seeds.not_tags, hops.tag_weight or 1.0, hops.tag_discount),
    ]


def neighbour_filter(query: ResolvedQuery, min_songs: int = 0) -> Filter | None:
    """Which playlists may be neighbours: not the query's own, and none with too few songs."""
    must = (NumberRange("song_count", gte=min_songs),) if min_songs else ()
    own = query.original.playlist
    must_not = (HasId((own,)),) if own is not None else ()
    return Filter(must=must, must_not=must_not) or None


def _discounted(
    reader: CachingReader, collection: Collection, hits: Hits, discount: float
) -> Ranked:
    """Candidates by score · popularity^-discount."""
    positive = int((hits.scores > 0).sum())  # the first ones: hits are in order
    ids, scores = hits.ids[:positive], hits.scores[:positive]
    if discount:
        scores = scores * reader.popularity(collection, ids) ** -discount
    return Ranked.of(ids, scores)


def _first_hop(query: ResolvedQuery, hops: Hops, disliked: bool) -> VectorQuery | None:
    """The query for the playlists most like what is liked, or disliked; None if that is nothing."""
    vector = seed_vector(disliked_seeds(query, hops) if disliked else liked_seeds(query, hops))
    if vector is None:
        return None
    return VectorQuery(vector, ITEMS, hops.playlists, neighbour_filter(query, hops.min_songs))


def _search_once(
    reader: CachingReader, wanted: Sequence[tuple[ResolvedQuery, Hops, bool]]
) -> list[Hits]:
    """The hits of each first hop. What a query's songs and tags have in common is searched once."""
    searches = [_first_hop(*part) for part in wanted]
    keys = [
        search and (id(query), search.search_key)
        for (query, _, _), search in zip(wanted, searches, strict=True)
    ]
    longest: dict[Hashable, VectorQuery] = {}
    for key, search in zip(keys, searches, strict=True):
        if search is None:
            continue
        held = longest.get(key)
        if held is None or search.limit > held.limit:
            longest[key] = search
    answers = reader.query_some(Collection.PLAYLISTS, list(longest.values()))
    found = dict(zip(longest, answers, strict=True))
    return [
        NO_HITS if search is None else found[key].rows(slice(search.limit))
        for key, search in zip(keys, searches, strict=True)
    ]


def _reweighs(query: ResolvedQuery, hops: Hops, disliked: bool) -> bool:
    return hops.reweighting is not None and len(query.seeds.songs) > 0 and not disliked


def _weigh(
    reader: CachingReader, hits: Hits, query: ResolvedQuery, hops: Hops, disliked: bool
) -> Neighbours:
    if not len(hits):
        return NO_NEIGHBOURS
    weights = ((hits.scores / hits.scores.max()) ** hops.power).astype(np.float32)
    if hops.reweighting is not None and _reweighs(query, hops, disliked):
        seeds = [int(song) for song in query.seeds.songs.keys]
        weights = reweight(weights, reader.songs(hits.ids), seeds, hops.reweighting)
    return Neighbours(hits.ids.astype(np.uint32), weights, len(hits))


def _against(liked: Neighbours, disliked: Neighbours, dislike: float) -> Neighbours:
    """The liked neighbours less the disliked ones, whose weights sum to `dislike` of theirs."""
    if not liked.liked_count or not disliked.liked_count:
        return liked
    share = dislike * np.abs(liked.weights).sum() / disliked.weights.sum()
    return Neighbours(
        np.concatenate([liked.ids, disliked.ids]),
        np.concatenate([liked.weights, -share * disliked.weights]).astype(np.float32),
        liked.liked_count,
    )


TIES = 20
"""Tags that are found beyond those wanted, for the last ones may score alike."""


class NeighbourStrategy:
    """What the playlists hold that are most like the query, weighted by their likeness."""

    name = "neighbours"

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.neighbours

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """One request for the neighbours of all queries, one for their songs, one for tags."""
        of_songs, of_tags = self.neighbours(reader, queries)
        songs = self.second_hop(reader, Collection.SONGS, queries, of_songs)
        tags = self.second_hop(reader, Collection.TAGS, queries, of_tags)
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]

    def neighbours(
        self, reader: CachingReader, queries: Sequence[ResolvedQuery]
    ) -> tuple[list[Neighbours], list[Neighbours]]:
        """The neighbours of each query for its songs, and those for its tags, in one request."""
        targets = [self._settings.of(query.seeds.kind) for query in queries]
        found = _neighbours(
            reader,
            [(q, t.to_songs) if q.songs else None for q, t in zip(queries, targets, strict=True)]
            + [(q, t.to_tags) if q.tags else None for q, t in zip(queries, targets, strict=True)],
        )
        return found[: len(queries)], found[len(queries) :]

    def second_hop(
        self,
        reader: CachingReader,
        collection: Collection,
        queries: Sequence[ResolvedQuery],
        neighbours: Sequence[Neighbours],
    ) -> list[Ranked]:
        """The songs, or the tags, of each query's neighbours, in one request."""
        hops = [self.hops(query, collection) for query in queries]
        return second_hop(
            reader,
            collection,
            neighbours,
            [_wanted(query, collection, hop) for query, hop in zip(queries, hops, strict=True)],
            [hop.candidate_discount for hop in hops],
        )

    def hops(self, query: ResolvedQuery, collection: Collection) -> Hops:
        """The settings for a query's songs, or tags."""
        target = self._settings.of(query.seeds.kind)
        return target.to_songs if collection is Collection.SONGS else target.to_tags


def _neighbours(
    reader: CachingReader, wanted: Sequence[tuple[ResolvedQuery, Hops] | None]
) -> list[Neighbours]:
    """The neighbours of each query in one request; none where nothing is wanted of them."""
    pairs = [pair for pair in wanted if pair]
    found = iter(
        find_neighbours(reader, [query for query, _ in pairs], [hops for _, hops in pairs])
    )
    return [next(found) if pair else NO_NEIGHBOURS for pair in wanted]


def _wanted(query: ResolvedQuery, collection: Collection, hops: Hops) -> tuple[Filter, int]:
    """The filter, and how many candidates at least.

    Tags without a discount come back in their final order, so a few spare ones suffice to settle
    ties. Songs always need all candidates: `hybrid` adds other scores to theirs.
    """
    songs = collection is Collection.SONGS
    limit = query.songs if songs else query.tags
    in_order = not songs and not hops.candidate_discount
    spare = min(limit + TIES, hops.candidates) if in_order else hops.candidates
    return (
        query.song_filter if songs else query.tag_filter,
        max(limit, spare) if limit else 0,
    )
