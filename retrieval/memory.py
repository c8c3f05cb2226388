"""A reader that remembers what strategies ask for again and again.

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

from melon.retrieval.batching import ask_alike
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

MOST_PLAYLISTS = 200_000
"""Playlists whose songs are remembered at most, some 100 MB; past that, it begins anew."""

MOST_TAGS = 1_000_000
"""Tags whose text is remembered at most; past that, it begins anew."""

MOST_SHOWN = 50_000
"""Songs whose description is remembered at most, some 50 MB; past that, it begins anew."""

V = TypeVar("V")
SongArray = NDArray[np.int32]
NO_HITS = Hits(np.empty(0, np.int64), np.empty(0))


class RememberingReader(ForwardingReader):
    """A release's reader, with what was asked of it before at hand.

    May be shared by threads: each works with the dictionary that it looked into, even where
    another has begun a new one meanwhile.
    """

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self._popularity = {collection: Counts() for collection in Collection}
        self._songs: dict[PointId, SongArray] = {}
        self._tags: dict[PointId, str] = {}
        self._shown: dict[PointId, Description] = {}
        self._counts: dict[int, int] = {}
        self.artists = Artists(reader)

    @cached_property
    def genres(self) -> Genres:
        """The genres that constraints may name."""
        return Genres(self.manifest.genres)

    @property
    def engine(self) -> ReleaseReader:
        """The reader that is asked for what is not remembered."""
        return self._reader

    def popularity(self, collection: Collection, ids: Ids) -> NDArray[np.float64]:
        """How many playlists hold each of n points, (n,) float64; 1 at least, to take powers of.

        Where many queries are answered, ask for all their points first: what is not known is
        asked for in one request.
        """
        known = self._popularity[collection]
        counts = known.of(ids)
        unknown = counts < 0
        if unknown.any():
            missing, places = np.unique(ids[unknown], return_inverse=True)
            found = self._reader.values(collection, "popularity", missing.tolist())
            learnt = np.array([found.get(point, 0) for point in missing.tolist()], np.int64)
            known.learn(missing, learnt)
            counts[unknown] = learnt[places]
        return np.asarray(np.maximum(counts, 1), np.float64)

    def songs(self, playlists: Ids) -> list[SongArray]:
        """The ids of each playlist's songs, (n,) int32.

        Where many queries are answered, call `learn_songs` for all their playlists first.
        """
        ids = playlists.tolist()
        try:
            return [self._songs[playlist] for playlist in ids]
        except KeyError:
            known = self.learn_songs(ids)
            return [known[playlist] for playlist in ids]

    def learn_songs(self, playlists: Sequence[PointId]) -> Mapping[PointId, SongArray]:
        """Ask for the songs of the playlists that are not known, in one request."""
        known = self._songs = self._learn(
            self._songs, Collection.PLAYLISTS, playlists, ("songs",), _song_ids, MOST_PLAYLISTS
        )
        return known

    def tags(self, ids: Ids) -> list[str]:
        """The tags that points stand for.

        Where many queries are answered, call `learn_tags` for all their points first.
        """
        points = ids.tolist()
        known = self.learn_tags(points)
        return [known[point] for point in points]

    def learn_tags(self, ids: Sequence[PointId]) -> Mapping[PointId, str]:
        """Ask for the tags that are not known, in one request."""
        known = self._tags = self._learn(
            self._tags, Collection.TAGS, ids, ("tag",), lambda payload: payload["tag"], MOST_TAGS
        )
        return known

    def learn_shown(self, songs: Sequence[PointId]) -> Mapping[PointId, Description]:
        """The descriptions of these songs and of others; those not known are asked for."""
        known = self._shown = self._learn(
            self._shown, Collection.SONGS, songs, SONG_FIELDS, Description.of, MOST_SHOWN
        )
        return known

    def songs_in(self, playlists: int) -> int:
        """How many songs at least so many playlists hold."""
        if playlists not in self._counts:
            popular = Filter(must=(NumberRange("popularity", gte=playlists),))
            self._counts[playlists] = self._reader.count(Collection.SONGS, popular)
        return self._counts[playlists]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """As the reader itself, in the way that costs it least."""
        return ask_alike(partial(self._reader.query, collection), queries)

    def query_some(
        self, collection: Collection, queries: Sequence[VectorQuery | None]
    ) -> list[Hits]:
        """The hits of each query in one request; none where there is no query."""
        asked = [query for query in queries if query is not None]
        answers = iter(self.query(collection, asked) if asked else [])
        return [NO_HITS if query is None else next(answers) for query in queries]

    def _learn(
        self,
        known: dict[PointId, V],
        collection: Collection,
        ids: Sequence[PointId],
        fields: tuple[str, ...],
        value: Callable[[Mapping[str, Any]], V],
        most: int,
    ) -> dict[PointId, V]:
        """`known` with the values of all points that were asked for, or a new one, begun anew.

        Args:
            fields: of the payload that `value` is taken from.
            most: how many it may hold.
        """
        missing = set(ids).difference(known)
        if missing:
            if len(known) + len(missing) > most:
                known, missing = {}, set(ids)
            for record in self._reader.retrieve(collection, list(missing), payload=fields):
                known[record.id] = value(record.payload)
        return known


def _song_ids(payload: Mapping[str, Any]) -> SongArray:
    return np.array(payload.get("songs", ()), np.int32)
