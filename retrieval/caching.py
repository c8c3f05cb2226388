"""A reader that caches what strategies ask for again and again.

Reading a payload costs an engine several times what finding the point costs, and the same popular
songs and long playlists are candidates for most queries. A release never changes, so what was
read once of it stays true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.batching import query_grouped
from melon.retrieval.counts import Counts
from melon.retrieval.description import SONG_FIELDS, Description
from melon.retrieval.metadata import Artists, Genres
from melon.retrieval.point_cache import PointCache
from melon.store import (
    Collection,
    Filter,
    Hits,
    Ids,
    NumberRange,
    PointId,
    Record,
    ReleaseReader,
    VectorQuery,
)
from melon.store.forwarding import ForwardingReader

MAX_PLAYLISTS = 200_000
"""Playlists whose songs are cached at most, some 100 MB."""

MAX_TAGS = 1_000_000
"""Tags whose text is cached at most."""

MAX_DESCRIPTIONS = 50_000
"""Songs whose description is cached at most, some 50 MB."""

MAX_ARTIST_KEYS = 100_000
"""Songs whose artists are cached at most, some 30 MB."""

MAX_VECTORS = 50_000
"""Songs whose vector is cached at most, some 30 MB of 100 dimensions."""

SongArray = NDArray[np.int32]
Vector = NDArray[np.float32]
NO_HITS = Hits(np.empty(0, np.int64), np.empty(0))


class CachingReader(ForwardingReader):
    """A release's reader that keeps what it has read of points. May be shared by threads."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self.artists = Artists(reader)
        self._popularity = {collection: Counts() for collection in Collection}
        self._song_counts: dict[int, int] = {}
        self._songs = PointCache(Collection.PLAYLISTS, _song_ids, MAX_PLAYLISTS, payload=("songs",))
        self._tags = PointCache(Collection.TAGS, _tag, MAX_TAGS, payload=("tag",))
        self._descriptions = PointCache(
            Collection.SONGS, _description, MAX_DESCRIPTIONS, payload=SONG_FIELDS
        )
        self._artist_keys = PointCache(
            Collection.SONGS, _artist_keys, MAX_ARTIST_KEYS, payload=("artist_keys",)
        )
        self._vectors = PointCache(Collection.SONGS, _vector, MAX_VECTORS, vectors=True)

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
        known = self._songs.known
        try:
            return [known[playlist] for playlist in ids]
        except KeyError:
            loaded = self.load_songs(ids)
            return [loaded[playlist] for playlist in ids]

    def load_songs(self, playlists: Sequence[PointId]) -> Mapping[PointId, SongArray]:
        """The songs of these and other playlists; those not cached are loaded in one request."""
        return self._songs.load(self._reader, playlists)

    def tags(self, ids: Ids) -> list[str]:
        """The tags that points stand for.

        Where many queries are answered, call `load_tags` for all their points first.
        """
        points = ids.tolist()
        loaded = self.load_tags(points)
        return [loaded[point] for point in points]

    def load_tags(self, ids: Sequence[PointId]) -> Mapping[PointId, str]:
        """These tags and others; those not cached are loaded in one request."""
        return self._tags.load(self._reader, ids)

    def load_descriptions(self, songs: Sequence[PointId]) -> Mapping[PointId, Description]:
        """The descriptions of these and other songs; those not cached are loaded in one request."""
        return self._descriptions.load(self._reader, songs)

    def load_artist_keys(self, songs: Sequence[PointId]) -> Mapping[PointId, tuple[str, ...]]:
        """The artists of these and other songs, as names are compared (`name_key`)."""
        return self._artist_keys.load(self._reader, songs)

    def load_vectors(self, songs: Sequence[PointId]) -> Mapping[PointId, Vector | None]:
        """The vectors of these and other songs, (dim,) float32; None where one has none."""
        return self._vectors.load(self._reader, songs)

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


def _song_ids(playlist: Record) -> SongArray:
    return np.array(playlist.payload.get("songs", ()), np.int32)


def _tag(tag: Record) -> str:
    return str(tag.payload["tag"])


def _description(song: Record) -> Description:
    return Description.of(song.payload)


def _artist_keys(song: Record) -> tuple[str, ...]:
    return tuple(song.payload.get("artist_keys", ()))


def _vector(song: Record) -> Vector | None:
    return song.vector
