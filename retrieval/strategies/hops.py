"""The strategy `neighbours`, in two hops: seeds → playlists that hold them → what those hold.

The first hop is a sparse query on the playlists' `items` (`first_hop.py`), the second one on the
`playlists` of songs and tags, both exact and both inside Qdrant. With a playlist's stored values
|p|^(β-1), a song's |j|^(α-1) and the query's |i|^-α it is item-item collaborative filtering in the
form of Aiolli (2013), doi:10.1145/2507157.2507189.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melon.retrieval.batching import has_conditions
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Hops, RetrievalSettings
from melon.retrieval.strategies.first_hop import Playlists, first_hop
from melon.retrieval.strategies.holdings import best_songs
from melon.retrieval.strategies.ranking import Answer, Ranked, ResolvedQuery
from melon.store import Collection, Filter, Hits, VectorQuery

HOLDERS = "playlists"

TIES = 20
"""Tags that are asked for beyond those wanted, for the last ones may score alike."""


class NeighbourStrategy:
    """What the neighbours hold, weighted by how much they are like the query."""

    name = "neighbours"

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.neighbours

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """The neighbours of all queries (`first_hop`), then a request each for songs and tags."""
        for_songs, for_tags = self.neighbours(reader, queries)
        songs = self.second_hop(reader, Collection.SONGS, queries, for_songs)
        tags = self.second_hop(reader, Collection.TAGS, queries, for_tags)
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]

    def neighbours(
        self, reader: CachingReader, queries: Sequence[ResolvedQuery]
    ) -> tuple[list[Playlists], list[Playlists]]:
        """The neighbours of each query for its songs, and those for its tags; see `first_hop`."""
        neighbours = first_hop(
            reader,
            [
                (query, self.hops(query, collection)) if query.limit(collection) else None
                for collection in (Collection.SONGS, Collection.TAGS)
                for query in queries
            ],
        )
        return neighbours[: len(queries)], neighbours[len(queries) :]

    def second_hop(
        self,
        reader: CachingReader,
        collection: Collection,
        queries: Sequence[ResolvedQuery],
        playlists: Sequence[Playlists],
    ) -> list[Ranked]:
        """The songs, or the tags, of each query's playlists, in one request."""
        hops = [self.hops(query, collection) for query in queries]
        limits = [_limit(query, collection, hop) for query, hop in zip(queries, hops, strict=True)]
        discounts = [hop.candidate_discount for hop in hops]
        return second_hop(reader, collection, queries, playlists, limits, discounts)

    def hops(self, query: ResolvedQuery, collection: Collection) -> Hops:
        """The settings for a query's songs, or tags."""
        targets = self._settings.of(query.seeds.kind)
        return targets.to_songs if collection is Collection.SONGS else targets.to_tags


def second_hop(
    reader: CachingReader,
    collection: Collection,
    queries: Sequence[ResolvedQuery],
    playlists: Sequence[Playlists],
    limits: Sequence[int],
    discounts: Sequence[float],
) -> list[Ranked]:
    """What the playlists of each query hold, weighted by them, in one request.

    Nothing is asked for a query without constraints whose playlists' songs are known already.

    Args:
        collection: songs or tags.
        limits: per query, how many candidates.
        discounts: per query, the exponent of popularity that a candidate's score is divided by.
    """
    known = [
        _sums(reader, holders, query.filter(collection), limit)
        if collection is Collection.SONGS
        else None
        for query, holders, limit in zip(queries, playlists, limits, strict=True)
    ]
    searches = [
        VectorQuery(holders.vector(), HOLDERS, limit, query.filter(collection))
        if hits is None and holders.liked_count and limit > 0
        else None
        for query, holders, limit, hits in zip(queries, playlists, limits, known, strict=True)
    ]
    found = reader.query_some(collection, searches)
    hits = [there or asked for there, asked in zip(known, found, strict=True)]
    pairs = list(zip(hits, discounts, strict=True))
    if discounted := [hits.ids for hits, discount in pairs if discount]:
        reader.popularity(collection, np.concatenate(discounted))
    return [_discounted(reader, collection, hits, discount) for hits, discount in pairs]


def _sums(reader: CachingReader, playlists: Playlists, filter: Filter, limit: int) -> Hits | None:
    """What the store would answer, where it need not be asked."""
    weighted_by_popularity = reader.manifest.weights.get("popularity", 0) != 0
    if playlists.held is None or has_conditions(filter) or weighted_by_popularity:
        return None
    return best_songs(playlists.held, playlists.weights.astype(np.float64), filter, limit)


def _limit(query: ResolvedQuery, collection: Collection, hops: Hops) -> int:
    """How many candidates to ask for.

    Tags without a discount come back in their final order, so a few spare ones suffice to settle
    ties. Songs always need all candidates: `hybrid` adds other scores to theirs.
    """
    limit = query.limit(collection)
    if not limit:
        return 0
    in_order = collection is Collection.TAGS and not hops.candidate_discount
    return max(limit, min(limit + TIES, hops.candidates) if in_order else hops.candidates)


def _discounted(
    reader: CachingReader, collection: Collection, hits: Hits, discount: float
) -> Ranked:
    """Candidates by score · popularity^-discount."""
    positive = int((hits.scores > 0).sum())  # the first ones: hits are in order
    ids, scores = hits.ids[:positive], hits.scores[:positive]
    if discount:
        scores = scores * reader.popularity(collection, ids) ** -discount
    return Ranked.of(ids, scores)
