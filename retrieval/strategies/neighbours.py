"""The `neighbours` strategy: two hops, with settings for each kind of query."""

from __future__ import annotations

from collections.abc import Sequence

from melon.retrieval.caching import CachingReader
from melon.retrieval.settings import Hops, RetrievalSettings
from melon.retrieval.strategies.explain_hops import hop_shares
from melon.retrieval.strategies.hops import NO_NEIGHBOURS, Neighbours, find_neighbours, second_hop
from melon.retrieval.strategies.query_kind import query_kind
from melon.retrieval.strategies.strategy import Answer, Explanation, Ranked, ResolvedQuery, Shares
from melon.store import Collection, Filter

TIES = 20
"""Tags that are found beyond those wanted, for the last ones may score alike."""


class NeighbourStrategy:
    """What the playlists hold that are most like the query, weighted by their likeness."""

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
        targets = [self._settings.of(query_kind(query)) for query in queries]
        found = _neighbours(
            reader,
            [(q, t.songs) if q.songs else None for q, t in zip(queries, targets, strict=True)]
            + [(q, t.tags) if q.tags else None for q, t in zip(queries, targets, strict=True)],
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
            [hop.discount for hop in hops],
        )

    def hops(self, query: ResolvedQuery, collection: Collection) -> Hops:
        """The settings for a query's songs, or tags."""
        target = self._settings.of(query_kind(query))
        return target.songs if collection is Collection.SONGS else target.tags

    def explain(self, reader: CachingReader, query: ResolvedQuery, answer: Answer) -> Explanation:
        """Which neighbours hold a result, and which seeds made them neighbours."""
        [of_songs], [of_tags] = self.neighbours(reader, [query])
        return Explanation(
            songs=self.shares(reader, Collection.SONGS, query, of_songs, answer.songs),
            tags=self.shares(reader, Collection.TAGS, query, of_tags, answer.tags),
        )

    def shares(
        self,
        reader: CachingReader,
        collection: Collection,
        query: ResolvedQuery,
        neighbours: Neighbours,
        ranked: Ranked,
    ) -> Shares:
        """Shares in the scores that `second_hop` gives to candidates."""
        return hop_shares(
            reader, collection, query, self.hops(query, collection), neighbours, ranked.ids
        )


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
    spare = hops.candidates if songs or hops.discount else min(limit + TIES, hops.candidates)
    return (
        query.song_filter if songs else query.tag_filter,
        max(limit, spare) if limit else 0,
    )
