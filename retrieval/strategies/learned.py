"""The strategy `learned`: what neighbours, co-embedding and artists find, in a learned order.

Which songs and tags are candidates is what the store answers, so every constraint holds. Small
networks, learned from the catalogue's own playlists when its space was trained, then put them in
order by what `melon.retrieval.strategies.inputs` says of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from melon.ranking import LEARNED, Network, Ranking
from melon.retrieval.arrays import Floats, Scores
from melon.retrieval.batching import excluded_ids, has_conditions
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategies.dense import NearbyPlaylists, song_search
from melon.retrieval.strategies.holdings import Holdings, Numbers
from melon.retrieval.strategies.hops import (
    HOLDERS,
    NO_PLAYLISTS,
    FirstHop,
    Playlists,
    less,
    liked_seeds,
    search_once,
)
from melon.retrieval.strategies.hybrid import FILLING, HybridStrategy, fused_nearby, largest_weight
from melon.retrieval.strategies.inputs import Around, song_inputs, tag_inputs
from melon.retrieval.strategies.probes import EPSILON, Probe, ProbeKind, probes
from melon.retrieval.strategies.ranking import EMPTY, Answer, Ranked, ResolvedQuery
from melon.retrieval.strategies.reweighting import reweight
from melon.store import (
    DENSE,
    Collection,
    Filter,
    Hits,
    Ids,
    MatchAny,
    SparseVector,
    VectorQuery,
    id_array,
)

BY_NEIGHBOURS, NEAR, BY_ARTISTS = 500, 200, 200
"""Songs that are candidates: of the neighbours, near the query, and near it by its artists."""

TAGS = 150
"""Tags that are candidates."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """n songs, or tags, that may be recommended, and what is known of each.

    Attributes:
        ids: (n,) of their points.
        inputs: (n, k) float32, in the order of `SONG_INPUTS` or `TAG_INPUTS`.
        scores: (n,) by neighbours and co-embedding, which order them where no network does.
        kept: (n,) what the query's dislikes leave of each, 0 to 1.
    """

    ids: Ids
    inputs: Floats
    scores: Scores
    kept: Scores

    def ranked(self, network: Network | None) -> Ranked:
        """In the network's order, with scores above 0 and 1 at most."""
        if not len(self.ids):
            return EMPTY
        scores = self.scores
        if network is not None:
            logits = network.score(self.inputs).astype(np.float64)
            scores = np.exp(logits - logits.max())
        return Ranked.of(self.ids, scores * self.kept).above(0)


@dataclass(frozen=True, slots=True, eq=False)
class TagsAround:
    """The tags that playlists carry, and how much they speak for each.

    Attributes:
        held: what the playlists around carry, and then those that the scores come from.
        seed_rows: the rows of the query's tags.
        scores: (t,) of each tag, by neighbours and nearby playlists.
        by_neighbours: (t,) likewise, by the neighbours alone.
    """

    held: Holdings
    seed_rows: Numbers
    scores: Scores
    by_neighbours: Scores


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What lies around a query: playlists, what these hold, and songs near it.

    Attributes:
        around: the n playlists like the query, and what they hold.
        playlists: these, and then those that are like the query's dislikes.
        songs: what all of them hold.
        weights: (n,) of those like the query.
        liked: (c,) of each of these songs the sum of the neighbours' weights.
        disliked: (c,) likewise of the playlists that are like the query's dislikes.
        near: the rows of the songs that are near the query, or by its artists.
        tags: what playlists carry.
    """

    query: ResolvedQuery
    around: Around
    playlists: Playlists
    songs: Holdings
    weights: Scores
    liked: Scores
    disliked: Scores
    near: Numbers
    tags: TagsAround

    def kept(self, rows: Numbers) -> Scores:
        """What the query's dislikes leave of songs, 0 to 1."""
        liked, disliked = self.liked[rows], self.disliked[rows]
        left = np.divide(liked - disliked, liked, out=1.0 * (disliked == 0), where=liked > 0)
        return np.asarray(np.clip(left, 0, 1), np.float64)

    def kept_of(self, songs: Ids) -> Scores:
        """The same of songs by their ids; 1 where nothing around holds one, or all would go."""
        kept = np.ones(len(songs))
        there = np.isin(songs, self.songs.ids)
        kept[there] = self.kept(self.rows_of(songs[there]))
        return np.where(kept > 0, kept, 1.0)

    def rows_of(self, songs: Ids) -> Numbers:
        """The rows in `songs` of some that are there."""
        order = np.argsort(self.songs.ids)
        rows: Numbers = order[np.searchsorted(self.songs.ids, songs, sorter=order)]
        return rows


class LearnedStrategy:
    """Candidates of the neighbours and of the co-embedding, in a learned order."""

    name = LEARNED

    def __init__(self, settings: RetrievalSettings, ranking: Ranking | None) -> None:
        self.hybrid = HybridStrategy(settings)
        self._songs = ranking.songs if ranking else None
        self._tags = ranking.tags if ranking else None

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """The candidates of all queries, each in the networks' order."""
        return [
            Answer(songs.ranked(self._songs), tags.ranked(self._tags))
            for songs, tags in self.candidates(reader, queries)
        ]

    def candidates(
        self, reader: CachingReader, queries: Sequence[ResolvedQuery]
    ) -> list[tuple[Candidates, Candidates]]:
        """The candidate songs and tags of each query.

        Two rounds of requests: searches, then what is not cached of what they found. Between them
        the store says which songs of the neighbours pass, for queries with constraints.
        """
        views = self.views(reader, queries)
        passing = _passing(reader, views)
        songs = [view.songs.ids[rows].tolist() for view, rows in zip(views, passing, strict=True)]
        songs += [[int(song) for song in query.seeds.songs.keys] for query in queries]
        reader.load_facts(list(chain.from_iterable(songs)))
        return [
            (self._candidate_songs(reader, view, rows), self._candidate_tags(reader, view))
            for view, rows in zip(views, passing, strict=True)
        ]

    def views(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[View]:
        """What lies around each query."""
        places = [probe.vector if (probe := self.probe(query)) else None for query in queries]
        near_songs = reader.in_background(partial(self._near_songs, reader, queries, places))
        wanted = [query.tag_limit > 0 for query in queries]
        nearby = reader.in_background(
            partial(self.hybrid.by_cosine.nearby, reader, queries, wanted)
        )
        hops = [self._first_hops(query) for query in queries]
        hits = iter(search_once(reader, [hop for four in hops for hop in four]))
        near_playlists = nearby()
        fours = [[next(hits) for _ in four] for four in hops]
        playlists = [one.ids for four in fours for one in four]
        playlists += [part.ids for parts in near_playlists for part in parts]
        reader.load_held([playlist for ids in playlists for playlist in ids.tolist()])
        return [
            self._view(reader, *parts)
            for parts in zip(
                queries, places, near_songs(), near_playlists, hops, fours, strict=True
            )
        ]

    def probe(self, query: ResolvedQuery) -> Probe | None:
        """Where in the co-embedding the query stands, if anywhere."""
        return next(iter(probes(query, self.hybrid.by_cosine.cosine(query), ProbeKind.MEAN)), None)

    def _near_songs(
        self,
        reader: CachingReader,
        queries: Sequence[ResolvedQuery],
        places: Sequence[Floats | None],
    ) -> list[Ids]:
        """The songs nearest to each query, and the nearest by its artists, in one request."""
        searches = [
            [] if place is None else self._near_searches(reader, query, place)
            for query, place in zip(queries, places, strict=True)
        ]
        hits = iter(reader.query_some(Collection.SONGS, [one for part in searches for one in part]))
        nothing = np.empty(0, np.int64)
        return [np.concatenate([nothing, *(next(hits).ids for _ in part)]) for part in searches]

    def _near_searches(
        self, reader: CachingReader, query: ResolvedQuery, place: Floats
    ) -> list[VectorQuery]:
        if not query.song_limit:
            return []
        fusion = self.hybrid.settings.of(query.seeds.kind).to_songs
        floors = self.hybrid.floors(reader, query, fusion)
        searches = [song_search(reader, query, place, floor, NEAR) for floor in floors]
        if query.seeds.artists:
            theirs = Filter(must=(MatchAny("artist_keys", query.seeds.artists),))
            filter = query.song_filter & theirs
            searches.append(VectorQuery(place, DENSE, BY_ARTISTS, filter, exact=query.exact))
        return searches

    def _first_hops(self, query: ResolvedQuery) -> list[FirstHop]:
        """To the playlists around a query and those like its dislikes; for its tags, both again."""
        to_songs = self.hybrid.by_hops.hops(query, Collection.SONGS)
        to_tags = self.hybrid.by_hops.hops(query, Collection.TAGS)
        return [
            FirstHop(query, to_songs, disliked=False),
            FirstHop(query, to_songs, disliked=True),
            FirstHop(query, to_tags, disliked=False),
            FirstHop(query, to_tags, disliked=True),
        ]

    def _view(
        self,
        reader: CachingReader,
        query: ResolvedQuery,
        place: Floats | None,
        near_songs: Ids,
        nearby: Sequence[NearbyPlaylists],
        hops: Sequence[FirstHop],
        hits: Sequence[Hits],
    ) -> View:
        """Of the hits of each of `_first_hops`, and of the searches in the co-embedding."""
        (hop, *_), (found, disliked, *_) = hops, hits
        held, count = reader.held(found.ids), len(found)
        own = np.array(query.seeds.songs.keys, np.int64)
        songs, rows = Holdings.of(
            [*(one.songs for one in held), *reader.songs(disliked.ids)],
            np.concatenate([own, near_songs]),
        )
        seed_rows, near = rows[: len(own)], rows[len(own) :]
        weights = hop.prior(found)
        if hop.reweighting:
            weights = reweight(weights, songs.head(count), seed_rows, hop.reweighting)
        liked = Playlists(found.ids.astype(np.uint32), weights, count)
        both = less(liked, _playlists(hops[1], disliked), hop.hops.dislike_weight)
        against = np.concatenate([np.zeros(count), -both.weights[count:].astype(np.float64)])
        best = float(found.scores.max(initial=0))
        similarities = found.scores / max(best, EPSILON)
        whole = sum(float(part.values.sum()) for part in liked_seeds(query, hop.hops))
        tags = self._tags_around(reader, query, found.ids, nearby, hops[2:], hits[2:])
        return View(
            query=query,
            around=Around(
                seeds=query.seeds,
                similarities=similarities,
                likeness=best / max(whole, EPSILON),
                songs=songs.head(count),
                seed_rows=seed_rows,
                tags=tags.held.head(count),
                tag_rows=tags.seed_rows,
                place=place,
            ),
            playlists=Playlists(
                both.ids,
                np.concatenate([similarities, -against[count:]]).astype(np.float32),
                count,
            ),
            songs=songs,
            weights=weights.astype(np.float64),
            liked=songs.sums_by_item(weights.astype(np.float64)),
            disliked=songs.sums_by_item(against),
            near=near,
            tags=tags,
        )

    def _tags_around(
        self,
        reader: CachingReader,
        query: ResolvedQuery,
        around: Ids,
        nearby: Sequence[NearbyPlaylists],
        hops: Sequence[FirstHop],
        hits: Sequence[Hits],
    ) -> TagsAround:
        """What is carried by the playlists around, and by those that tags are taken from."""
        liked, disliked = (_playlists(*pair) for pair in zip(hops, hits, strict=True))
        neighbours = less(liked, disliked, hops[0].hops.dislike_weight)
        near = fused_nearby(nearby, self.hybrid.settings.of(query.seeds.kind).to_tags)
        own = [str(tag) for tag in (*query.seeds.tags.keys, *query.seeds.title_tags.keys)]
        held, seed_rows = Holdings.of(
            [
                carried
                for ids in (around, neighbours.ids, *(part.ids for part in near))
                for carried in reader.tags_of(ids)
            ],
            reader.tag_codes(own),
        )
        weights = np.concatenate(
            [
                np.zeros(len(around)),
                neighbours.weights / largest_weight(neighbours),
                *(part.weights for part in near),
            ]
        ) * np.maximum(held.lengths, 1) ** reader.manifest.weights.get("holder_tags", 0.0)
        by_hops = weights[: len(around) + len(neighbours.ids)]
        return TagsAround(held, seed_rows, held.sums_by_item(weights), held.sums_by_item(by_hops))

    def _candidate_songs(self, reader: CachingReader, view: View, rows: Numbers) -> Candidates:
        query, around = view.query, view.around
        hops = self.hybrid.by_hops.hops(query, Collection.SONGS)
        facts = reader.facts(view.songs.ids[rows])
        popularity = facts["popularity"].astype(np.float64)
        by_hops = _scaled(np.maximum(view.liked[rows], 0) * popularity**-hops.candidate_discount)
        scores = by_hops
        if around.place is not None:
            cosine = self.hybrid.by_cosine.cosine(query)
            fusion = self.hybrid.settings.of(query.seeds.kind).to_songs
            near = np.exp(cosine.sharpness * (facts["vector"] @ around.place - 1))
            near = _scaled(near * popularity**cosine.prior)
            scores = by_hops + max(fusion.weight, FILLING) * near**fusion.power
        seeds = reader.facts(np.array(query.seeds.songs.keys, np.int64))
        held = around.songs.of_items(rows)
        inputs = song_inputs(around, held, scores, by_hops, facts, seeds)
        ids = view.songs.ids[rows].astype(np.int64)
        return Candidates(ids, inputs, scores, view.kept(rows))

    def _candidate_tags(self, reader: CachingReader, view: View) -> Candidates:
        query, tags = view.query, view.around.tags
        hops = self.hybrid.by_hops.hops(query, Collection.TAGS)
        rows = np.flatnonzero(view.tags.scores > 0)
        excluded = [str(tag) for tag in (*query.seeds.tags.keys, *query.seeds.not_tags.keys)]
        rows = rows[~np.isin(tags.ids[rows], reader.tag_codes(excluded))]
        rows = rows[np.argsort(-view.tags.scores[rows], kind="stable")]
        rows = rows[: max(TAGS, query.tag_limit) if query.tag_limit else 0]
        vectors, popularity = reader.tag_facts(tags.ids[rows])
        discount = popularity.astype(np.float64) ** -hops.candidate_discount
        scores = _scaled(view.tags.scores[rows] * discount)
        by_hops = _scaled(np.maximum(view.tags.by_neighbours[rows], 0) * discount)
        inputs = tag_inputs(view.around, tags.of_items(rows), scores, by_hops, vectors, popularity)
        ids = id_array(reader.tag_points(tags.ids[rows]))
        return Candidates(ids, inputs, scores, np.ones(len(rows)))


def _passing(reader: CachingReader, views: Sequence[View]) -> list[Numbers]:
    """The rows of the songs of each view that are candidates."""
    limits = [
        limit and max(BY_NEIGHBOURS, limit) for limit in (view.query.song_limit for view in views)
    ]
    searches = [
        VectorQuery(
            SparseVector(view.playlists.ids[: len(view.weights)], view.weights.astype(np.float32)),
            HOLDERS,
            limit,
            view.query.song_filter,
        )
        if limit and len(view.weights) and has_conditions(view.query.song_filter)
        else None
        for view, limit in zip(views, limits, strict=True)
    ]
    hits = reader.query_some(Collection.SONGS, searches)
    passing = []
    for view, limit, found in zip(views, limits, hits, strict=True):
        if has_conditions(view.query.song_filter):
            rows = view.rows_of(found.ids)
        else:
            excluded = np.isin(view.songs.ids, excluded_ids(view.query.song_filter))
            rows = _best(np.where(excluded, 0, view.liked), limit)
        passing.append(np.unique(np.concatenate([rows, view.near])))
    return passing


def _best(scores: Scores, count: int) -> Numbers:
    """The rows of the largest scores above 0, in no order."""
    if count < len(scores):
        rows = np.argpartition(-scores, count)[:count]
        return np.asarray(rows[scores[rows] > 0], np.int64)
    return np.flatnonzero(scores > 0)


def _playlists(hop: FirstHop, hits: Hits) -> Playlists:
    """The playlists of a first hop that are not weighed anew."""
    if not len(hits):
        return NO_PLAYLISTS
    return Playlists(hits.ids.astype(np.uint32), hop.prior(hits), len(hits))


def _scaled(scores: Scores) -> Scores:
    """The same with 1 for the largest."""
    return scores / max(float(scores.max(initial=0)), EPSILON)
