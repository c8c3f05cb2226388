"""What lies around a query: the playlists like it, what they hold, and what is near it.

All of it is found by the searches of the strategy `hybrid`, in one round of requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from melon.retrieval.arrays import Floats, Scores
from melon.retrieval.reader import CachingReader
from melon.retrieval.strategies.dense import NearbyPlaylists, song_search
from melon.retrieval.strategies.first_hop import NO_PLAYLISTS, FirstHop, Playlists, less, search
from melon.retrieval.strategies.holdings import Holdings
from melon.retrieval.strategies.hybrid import HybridStrategy, fused_nearby, largest_weight
from melon.retrieval.strategies.inputs import Around
from melon.retrieval.strategies.probes import EPSILON, Probe, ProbeKind, probes
from melon.retrieval.strategies.ranking import ResolvedQuery
from melon.retrieval.strategies.reweighting import reweight
from melon.retrieval.tables import Numbers
from melon.store import DENSE, Collection, Filter, Hits, Ids, MatchAny, VectorQuery

NEAR, BY_ARTISTS = 200, 200
"""Songs that are near the query, and near it by its artists."""

SMALL_CATALOGUE, NEAR_OF_SMALL = 100_000, 1600
"""Of so few songs, so many near the query, popular or not: few playlists tell of them."""


@dataclass(frozen=True, slots=True, eq=False)
class TagsAround:
    """The tags that playlists carry, and how much they speak for each.

    Attributes:
        held: what the playlists around carry, and then those that the scores come from.
        seed_rows: the rows of the query's tags.
        neighbours: those that tags are taken from.
        nearby: likewise in the co-embedding, as they are fused.
        scores: (t,) of each tag, by neighbours and nearby playlists.
        by_neighbours: (t,) likewise, by the neighbours alone.
    """

    held: Holdings
    seed_rows: Numbers
    neighbours: Playlists
    nearby: Sequence[NearbyPlaylists]
    scores: Scores
    by_neighbours: Scores


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What lies around a query: playlists, what these hold, and songs near it.

    Attributes:
        probe: where in the co-embedding the query stands, if anywhere.
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
    probe: Probe | None
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


def views(
    hybrid: HybridStrategy, reader: CachingReader, queries: Sequence[ResolvedQuery]
) -> list[View]:
    """What lies around each query."""
    means = [
        next(iter(probes(query, hybrid.by_cosine.cosine(query), ProbeKind.MEAN)), None)
        for query in queries
    ]
    near_songs = reader.in_background(partial(_near_songs, hybrid, reader, queries, means))
    fuses_tags = [hybrid.settings.of(query.seeds.kind).to_tags.weight > 0 for query in queries]
    nearby = reader.in_background(partial(hybrid.by_cosine.nearby, reader, queries, fuses_tags))
    hops = [_first_hops(hybrid, query) for query in queries]
    found, hits = search(reader, [hop for four in hops for hop in four])
    near_playlists = nearby()
    by_query = iter(zip(found, hits, strict=True))
    fours = [[next(by_query) for _ in four] for four in hops]
    playlists = [one.ids for one in hits]
    playlists += [part.ids for parts in near_playlists for part in parts]
    reader.load_held(joined(playlists))
    return [
        _view(hybrid, reader, *parts)
        for parts in zip(queries, means, near_songs(), near_playlists, fours, strict=True)
    ]


def _near_songs(
    hybrid: HybridStrategy,
    reader: CachingReader,
    queries: Sequence[ResolvedQuery],
    means: Sequence[Probe | None],
) -> list[Ids]:
    """The songs nearest to each query, and the nearest by its artists, in one request."""
    searches = [
        [] if mean is None else _near_searches(hybrid, reader, query, mean.vector)
        for query, mean in zip(queries, means, strict=True)
    ]
    hits = iter(reader.query_some(Collection.SONGS, [one for part in searches for one in part]))
    return [joined([next(hits).ids for _ in part]) for part in searches]


def _near_searches(
    hybrid: HybridStrategy, reader: CachingReader, query: ResolvedQuery, place: Floats
) -> list[VectorQuery]:
    if not query.song_limit:
        return []
    if reader.manifest.counts[Collection.SONGS] <= SMALL_CATALOGUE:
        every = song_search(reader, query, place, 0, NEAR_OF_SMALL)
        searches = [replace(every, exact=True)]  # a scan is quicker than a walk to so many
    else:
        floors = hybrid.floors(reader, query, hybrid.settings.of(query.seeds.kind).to_songs)
        searches = [song_search(reader, query, place, floor, NEAR) for floor in floors]
    if query.seeds.artists:
        theirs = Filter(must=(MatchAny("artist_keys", query.seeds.artists),))
        filter = query.song_filter & theirs
        searches.append(VectorQuery(place, DENSE, BY_ARTISTS, filter, exact=query.exact))
    return searches


def _first_hops(hybrid: HybridStrategy, query: ResolvedQuery) -> list[FirstHop]:
    """To the playlists around a query and those like its dislikes; for its tags, both again.

    What is around it says something of songs and of tags; the others only of one of them.
    """
    to_songs = hybrid.by_hops.hops(query, Collection.SONGS)
    to_tags = hybrid.by_hops.hops(query, Collection.TAGS)
    songs, tags = query.song_limit > 0, query.tag_limit > 0
    return [
        FirstHop(query, to_songs, disliked=False),
        FirstHop(query, to_songs, disliked=True, wanted=songs),
        FirstHop(query, to_tags, disliked=False, wanted=tags),
        FirstHop(query, to_tags, disliked=True, wanted=tags),
    ]


def _view(
    hybrid: HybridStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    probe: Probe | None,
    near_songs: Ids,
    nearby: Sequence[NearbyPlaylists],
    hops: Sequence[tuple[FirstHop, Hits]],
) -> View:
    """Of the hits of each of `_first_hops`, and of the searches in the co-embedding."""
    (hop, found), (against_hop, disliked), *for_tags = hops
    count = len(found)
    own = np.array(query.seeds.songs.keys, np.int64)
    held = reader.songs(joined([found.ids, disliked.ids]))
    songs, rows = Holdings.of(held, joined([own, near_songs]))
    seed_rows, near = rows[: len(own)], rows[len(own) :]
    weights = hop.prior(found)
    if hop.reweighting:
        weights = reweight(weights, songs.head(count), seed_rows, hop.reweighting)
    liked = Playlists(found.ids.astype(np.uint32), weights, count)
    both = less(liked, _playlists(against_hop, disliked), hop.hops.dislike_weight)
    against = np.concatenate([np.zeros(count), -both.weights[count:].astype(np.float64)])
    best = float(found.scores.max(initial=0))
    similarities = found.scores / max(best, EPSILON)
    whole = float(hop.vector.values.sum()) if hop.vector else 0.0
    tags = _tags_around(hybrid, reader, query, found.ids, nearby, for_tags)
    return View(
        query=query,
        probe=probe,
        around=Around(
            seeds=query.seeds,
            similarities=similarities,
            likeness=best / max(whole, EPSILON),
            songs=songs.head(count),
            seed_rows=seed_rows,
            tags=tags.held.head(count),
            tag_rows=tags.seed_rows,
            place=None if probe is None else probe.vector,
        ),
        playlists=Playlists(
            both.ids,
            np.concatenate([similarities, -against[count:]]).astype(np.float32),
            count,
            expected=hop.expected,
        ),
        songs=songs,
        weights=weights.astype(np.float64),
        liked=songs.sums_by_item(weights.astype(np.float64)),
        disliked=songs.sums_by_item(against),
        near=near,
        tags=tags,
    )


def _tags_around(
    hybrid: HybridStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    around: Ids,
    nearby: Sequence[NearbyPlaylists],
    hops: Sequence[tuple[FirstHop, Hits]],
) -> TagsAround:
    """What is carried by the playlists around, and by those that tags are taken from."""
    liked, disliked = (_playlists(*pair) for pair in hops)
    neighbours = less(liked, disliked, hops[0][0].hops.dislike_weight)
    near = fused_nearby(nearby, hybrid.settings.of(query.seeds.kind).to_tags)
    own = [str(tag) for tag in (*query.seeds.tags.keys, *query.seeds.title_tags.keys)]
    held, seed_rows = Holdings.of(
        reader.tags_of(joined([around, neighbours.ids, *(part.ids for part in near)])),
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
    scores = held.sums_by_item(weights), held.sums_by_item(by_hops)
    return TagsAround(held, seed_rows, neighbours, near, *scores)


def joined(parts: Sequence[Ids]) -> Ids:
    """The ids of all parts."""
    return np.concatenate([np.empty(0, np.int64), *parts])


def _playlists(hop: FirstHop, hits: Hits) -> Playlists:
    """The playlists of a first hop that are not weighed anew."""
    if not len(hits):
        return NO_PLAYLISTS
    return Playlists(hits.ids.astype(np.uint32), hop.prior(hits), len(hits), expected=hop.expected)
