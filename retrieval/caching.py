"""A reader that caches what strategies ask for again and again.

Reading a payload costs an engine several times what finding the point costs, and the same popular
songs and long playlists are candidates for most queries. A release never changes, so what was
read once of it stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.batching import query_grouped
from melon.retrieval.counts import Counts
from melon.retrieval.description import SONG_FIELDS, Description
from melon.retrieval.metadata import Artists, Genres
from melon.store import (
    Collection,
    Filter,
    Hits,
    Ids,
    NumberRange,
    PointId,
    ReleaseReader,
    VectorQuery,
)
from melon.store.forwarding import ForwardingReader

MAX_PLAYLISTS = 200_000
"""Playlists whose songs are cached at most, some 100 MB; past that, the cache is emptied."""

MAX_TAGS = 1_000_000
"""Tags whose text is cached at most; past that, the cache is emptied."""

MAX_DESCRIPTIONS = 50_000
"""Songs whose description is cached at most, some 50 MB; past that, the cache is emptied."""

V = TypeVar("V")
SongArray = NDArray[np.int32]
NO_HITS = Hits(np.empty(0, np.int64), np.empty(0))


class CachingReader(ForwardingReader):
    """A release's reader that keeps the payload fields it has read.

    May be shared by threads: each works with the dictionary that it looked into, even where
    another has begun a new one meanwhile.
    """

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self._popularity = {collection: Counts() for collection in Collection}
        self._songs: dict[PointId, SongArray] = {}
        self._tags: dict[PointId, str] = {}
        self._descriptions: dict[PointId, Description] = {}
        self._song_counts: dict[int, int] = {}
        self.artists = Artists(reader)

    @cached_property
    def genres(self) -> Genres:
        """The genres that constraints may name."""
        return Genres(self.manifest.genres)

    @property
    def engine(self) -> ReleaseReader:
        """The reader that is asked for what is not cached."""
        return self._reader

    def popularity(self, collection: Collection, ids: Ids) -> NDArray[np.float64]:
        """How many playlists hold each of n points, (n,) float64; 1 at least, to take powers of.

        Where many queries are answered, ask for all their points first: those not cached are
        loaded in one request.
        """
        cached = self._popularity[collection]
        counts = cached.of(ids)
        unknown = counts < 0
        if unknown.any():
            missing, inverse = np.unique(ids[unknown], return_inverse=True)
            found = self._reader.values(collection, "popularity", missing.tolist())
            loaded = np.array([found.get(point, 0) for point in missing.tolist()], np.int64)
            cached.add(missing, loaded)
            counts[unknown] = loaded[inverse]
        return np.asarray(np.maximum(counts, 1), np.float64)

    def songs(self, playlists: Ids) -> list[SongArray]:
        """The ids of each playlist's songs, (n,) int32.

        Where many queries are answered, call `load_songs` for all their playlists first.
        """
        ids = playlists.tolist()
        try:
            return [self._songs[playlist] for playlist in ids]
        except KeyError:
            cached = self.load_songs(ids)
            return [cached[playlist] for playlist in ids]

    def load_songs(self, playlists: Sequence[PointId]) -> Mapping[PointId, SongArray]:
        """The songs of these and other playlists; those not cached are loaded in one request."""
        cached = self._songs = self._load(
            self._songs, Collection.PLAYLISTS, playlists, ("songs",), _song_ids, MAX_PLAYLISTS
        )
        return cached

    def tags(self, ids: Ids) -> list[str]:
        """The tags that points stand for.

        Where many queries are answered, call `load_tags` for all their points first.
        """
        points = ids.tolist()
        cached = self.load_tags(points)
        return [cached[point] for point in points]

    def load_tags(self, ids: Sequence[PointId]) -> Mapping[PointId, str]:
        """These tags and others; those not cached are loaded in one request."""
        cached = self._tags = self._load(
            self._tags, Collection.TAGS, ids, ("tag",), lambda payload: payload["tag"], MAX_TAGS
        )
        return cached

    def load_descriptions(self, songs: Sequence[PointId]) -> Mapping[PointId, Description]:
        """The descriptions of these and other songs; those not cached are loaded in one request."""
        cached = self._descriptions = self._load(
            self._descriptions,
            Collection.SONGS,
            songs,
            SONG_FIELDS,
            Description.of,
            MAX_DESCRIPTIONS,
        )
        return cached

    def count_songs(self, min_popularity: int) -> int:
        """How many songs stand in at least so many playlists."""
        if min_popularity not in self._song_counts:
            popular = Filter(must=(NumberRange("popularity", gte=min_popularity),))
            self._song_counts[min_popularity] = self._reader.count(Collection.SONGS, popular)
        return self._song_counts[min_popularity]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """As the reader itself, in the way that costs it least."""
        return query_grouped(partial(self._reader.query, collection), queries)

    def query_some(
        self, collection: Collection, queries: Sequence[VectorQuery | None]
    ) -> list[Hits]:
        """The hits of each query in one request; none where there is no query."""
        some = [query for query in queries if query is not None]
        answers = iter(self.query(collection, some) if some else [])
        return [NO_HITS if query is None else next(answers) for query in queries]

    def _load(
        self,
        cache: dict[PointId, V],
        collection: Collection,
        ids: Sequence[PointId],
        fields: tuple[str, ...],
        value: Callable[[Mapping[str, Any]], V],
        max_size: int,
    ) -> dict[PointId, V]:
        """The cache with the values of all these points, or a new one where they do not fit.

        Args:
            fields: of the payload that `value` is taken from.
            max_size: how many points it may hold.
        """
        missing = set(ids).difference(cache)
        if missing:
            if len(cache) + len(missing) > max_size:
                cache, missing = {}, set(ids)
            for record in self._reader.retrieve(collection, list(missing), payload=fields):
                cache[record.id] = value(record.payload)
        return cache


def _song_ids(payload: Mapping[str, Any]) -> SongArray:
    return np.array(payload.get("songs", ()), np.int32)
