"""The first hop: from a query's seeds to the playlists that are like it.

A sparse query on the playlists' `items`, exact and inside Qdrant.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from melon.retrieval.arrays import Floats, PlaylistArray
from melon.retrieval.reader import NO_HITS, CachingReader
from melon.retrieval.seeds import SeedSet
from melon.retrieval.settings import Hops, Reweighting
from melon.retrieval.strategies.holdings import Holdings, best_songs
from melon.retrieval.strategies.ranking import ResolvedQuery
from melon.retrieval.strategies.reweighting import reweight
from melon.store import Collection, Filter, HasId, Hits, NumberRange, SparseVector, VectorQuery

ITEMS = "items"


@dataclass(frozen=True, slots=True, eq=False)
class Playlists:
    """What the second hop starts from: playlists that are like a query, or like its dislikes.

    Attributes:
        ids: (n,) uint32; one that is like both is there twice.
        weights: (n,) float32, negative for those that are like what the query dislikes.
        liked_count: how many of them, from the first, are like the query.
        held: the songs of all of them, where these are known already.
        expected: songs by which they were found besides the query's seeds.
    """

    ids: PlaylistArray
    weights: Floats
    liked_count: int
    held: Holdings | None = None
    expected: SparseVector | None = None

    def vector(self) -> SparseVector:
        """The query of the second hop, in which each playlist stands once."""
        if self.liked_count == len(self.ids):
            return SparseVector(self.ids, self.weights)
        ids, inverse = np.unique(self.ids, return_inverse=True)
        return SparseVector(ids, np.bincount(inverse, self.weights).astype(np.float32))

    @classmethod
    def summed(cls, parts: Sequence[tuple[PlaylistArray, Floats]]) -> Playlists:
        """Those of all parts, ids and weights; one in several has the sum of its weights."""
        if not parts:
            return NO_PLAYLISTS
        ids, inverse = np.unique(np.concatenate([ids for ids, _ in parts]), return_inverse=True)
        weights = np.bincount(inverse, np.concatenate([weights for _, weights in parts]), len(ids))
        return cls(ids, weights.astype(np.float32), len(ids))


NO_PLAYLISTS = Playlists(np.empty(0, np.uint32), np.empty(0, np.float32), 0)


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
    def values(self) -> Floats:
        """(n,) float32: what each seed counts."""
        discounted = np.maximum(self.seeds.popularity, 1) ** np.float32(-self.discount)
        return np.asarray(np.float32(self.weight) * self.seeds.weights * discounted, np.float32)


@dataclass(frozen=True, eq=False)
class FirstHop:
    """The search for the playlists most like what a query likes, or dislikes.

    Attributes:
        wanted: whether anything hangs on what it finds; else it finds nothing.
        expected: songs that are asked for besides the seeds, by their ids.
    """

    query: ResolvedQuery
    hops: Hops
    disliked: bool
    wanted: bool = True
    expected: SparseVector | None = None

    @property
    def reweighting(self) -> Reweighting | None:
        """The settings by which the playlists are weighed anew, if they are."""
        return self.hops.reweighting if self.query.seeds.songs and not self.disliked else None

    @cached_property
    def vector(self) -> SparseVector | None:
        """What counts how much, in the dimensions of `items`; None where nothing does."""
        seeds = (disliked_seeds if self.disliked else liked_seeds)(self.query, self.hops)
        parts = [(part.seeds.items, part.values) for part in seeds if len(part)]
        if self.expected is not None:
            parts.append((self.expected.indices, self.expected.values))
        return _summed(parts)

    def search(self) -> VectorQuery | None:
        """What the store is asked; None where nothing counts, or hangs on it."""
        vector = self.vector if self.wanted else None
        filter = playlist_filter(self.query, self.hops.min_songs)
        return VectorQuery(vector, ITEMS, self.hops.playlists, filter) if vector else None

    def prior(self, hits: Hits) -> Floats:
        """(n,) float32: the playlists' weights by their similarity alone, 1 at most."""
        best = hits.scores.max(initial=0)
        return np.asarray((hits.scores / best) ** self.hops.power, np.float32)

    def weighted(self, reader: CachingReader, hits: Hits) -> Playlists:
        """The playlists, the best of them with a weight of 1 before they are weighed anew."""
        if not len(hits):
            return NO_PLAYLISTS
        weights, held = self.prior(hits), None
        if self.reweighting:
            seeds = np.array(self.query.seeds.songs.keys, np.int32)
            held, rows = Holdings.of(reader.songs(hits.ids), seeds)
            weights = reweight(weights, held, rows, self.reweighting)
        return Playlists(hits.ids.astype(np.uint32), weights, len(hits), held, self.expected)


def first_hop(
    reader: CachingReader, wanted: Sequence[tuple[ResolvedQuery, Hops] | None]
) -> list[Playlists]:
    """The neighbours: the playlists that share most with each query, in one request.

    Those with feedback take a second. Where a query dislikes something, the playlists most like
    that have negative weights. Where None stands for a query, there are no playlists.
    """
    both = [FirstHop(*pair, disliked) for pair in wanted if pair for disliked in (False, True)]
    hops, hits = search(reader, both)
    reweighted = [row.ids for hop, row in zip(hops, hits, strict=True) if hop.reweighting]
    if reweighted:
        reader.load_held(np.concatenate(reweighted))
    weighted = iter([hop.weighted(reader, row) for hop, row in zip(hops, hits, strict=True)])
    return [
        less(next(weighted), next(weighted), pair[1].dislike_weight) if pair else NO_PLAYLISTS
        for pair in wanted
    ]


def search(
    reader: CachingReader, hops: Sequence[FirstHop]
) -> tuple[Sequence[FirstHop], list[Hits]]:
    """The hits of each first hop, and the hops by which they were found.

    Those with feedback are asked for again, with the songs that the hits hold most.
    """
    hits = _search_once(reader, hops)
    rows = [row for row, hop in enumerate(hops) if hop.hops.feedback and not hop.disliked]
    rows = [row for row in rows if len(hits[row])]
    if not rows:
        return hops, hits
    reader.load_held(np.concatenate([hits[row].ids for row in rows]))
    expected = [_expected(reader, hops[row], hits[row]) for row in rows]
    reader.popularity(Collection.SONGS, np.concatenate([songs.ids for songs in expected]))
    widened = {
        row: replace(hops[row], expected=_as_seeds(reader, hops[row], songs))
        for row, songs in zip(rows, expected, strict=True)
    }
    again = dict(zip(rows, _search_once(reader, list(widened.values())), strict=True))
    return (
        [widened.get(row, hop) for row, hop in enumerate(hops)],
        [again.get(row, found) for row, found in enumerate(hits)],
    )


def _expected(reader: CachingReader, hop: FirstHop, hits: Hits) -> Hits:
    """The songs that the playlists hold most, without those that the query excludes."""
    held, _ = Holdings.of(reader.songs(hits.ids))
    weights = hop.prior(hits).astype(np.float64)
    count = hop.hops.feedback.songs if hop.hops.feedback else 0
    return best_songs(held, weights, hop.query.song_filter, count)


def _as_seeds(reader: CachingReader, hop: FirstHop, songs: Hits) -> SparseVector | None:
    """Expected songs, each by its score and its popularity, as heavy as the settings say."""
    vector, feedback = hop.vector, hop.hops.feedback
    if not len(songs) or vector is None or feedback is None:
        return None
    popularity = reader.popularity(Collection.SONGS, songs.ids)
    values = songs.scores * popularity**-hop.hops.song_discount
    values *= feedback.weight * vector.values.sum() / values.sum()
    return SparseVector(songs.ids.astype(np.uint32), values.astype(np.float32))


def _search_once(reader: CachingReader, hops: Sequence[FirstHop]) -> list[Hits]:
    """The hits of each first hop. What a query's songs and tags have in common is searched once."""
    searches = [hop.search() for hop in hops]
    keys = [
        search and (id(hop.query), search.search_key)
        for hop, search in zip(hops, searches, strict=True)
    ]
    longest: dict[Hashable, VectorQuery] = {}
    for key, search in zip(keys, searches, strict=True):
        if search and search.limit > (longest[key].limit if key in longest else 0):
            longest[key] = search
    answers = reader.query_some(Collection.PLAYLISTS, list(longest.values()))
    hits = dict(zip(longest, answers, strict=True))
    return [
        hits[key].rows(slice(search.limit)) if search else NO_HITS
        for key, search in zip(keys, searches, strict=True)
    ]


def liked_seeds(query: ResolvedQuery, hops: Hops) -> list[WeightedSeeds]:
    """What the query likes, each kind with its weight."""
    seeds, weights = query.seeds, query.seeds.weights
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


def playlist_filter(query: ResolvedQuery, min_songs: int = 0) -> Filter | None:
    """Playlists of enough songs, without the one that the query continues."""
    continued = query.original.playlist
    must = (NumberRange("song_count", gte=min_songs),) if min_songs else ()
    must_not = (HasId((continued,)),) if continued is not None else ()
    return Filter(must=must, must_not=must_not) or None


def less(liked: Playlists, disliked: Playlists, dislike_weight: float) -> Playlists:
    """The liked playlists less the disliked ones, which sum to `dislike_weight` of their weight."""
    if not liked.liked_count or not disliked.liked_count:
        return liked
    share = dislike_weight * np.abs(liked.weights).sum() / disliked.weights.sum()
    return Playlists(
        np.concatenate([liked.ids, disliked.ids]),
        np.concatenate([liked.weights, -share * disliked.weights]).astype(np.float32),
        liked.liked_count,
        expected=liked.expected,
    )


def _summed(parts: Sequence[tuple[PlaylistArray, Floats]]) -> SparseVector | None:
    """One vector of the dimensions and values of all parts; None where none is above 0."""
    if not parts:
        return None
    indices = np.concatenate([indices for indices, _ in parts])
    values = np.concatenate([values for _, values in parts])
    unique, inverse = np.unique(indices, return_inverse=True)
    summed = np.bincount(inverse, values, len(unique)).astype(np.float32)
    used = summed > 0
    return SparseVector(unique[used], summed[used]) if used.any() else None
