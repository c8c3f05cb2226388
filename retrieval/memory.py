"""A reader that remembers what strategies ask for again and again.

Reading a payload costs an engine several times what finding the point costs, and the same popular
songs and long playlists are candidates for most queries. A release never changes, so what was
read once of it stays true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.requests import ask_alike
from melon.store import (
    Collection,
    Filter,
    Hits,
    NumberRange,
    PointId,
    ReleaseReader,
    VectorQuery,
)
from melon.store.forwarding import ForwardingReader

MOST_COUNTS = 1_000_000
MOST_PLAYLISTS = 200_000
"""What is remembered at most, some 100 MB of each; past that, it begins anew."""

SongIds = NDArray[np.int32]
NO_HITS = Hits((), np.empty(0))


class RememberingReader(ForwardingReader):
    """A release's reader, with the popularity of points and the songs of playlists at hand.

    May be shared by threads: each works with the dictionary that it looked into, even where
    another has begun a new one meanwhile.
    """

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self._popularity: dict[Collection, dict[PointId, int]] = {c: {} for c in Collection}
        self._songs: dict[PointId, SongIds] = {}
        self._tags: dict[PointId, str] = {}
        self._counts: dict[int, int] = {}

    def popularity(self, collection: Collection, ids: Sequence[PointId]) -> NDArray[np.float64]:
        """How many playlists hold each of n points, (n,) float64; 1 at least, to take powers of.

        Where many queries are answered, `learn_popularity` of all their points first.
        """
        known = self._popularity[collection]
        try:
            counts = [known[point] for point in ids]
        except KeyError:
            learnt = self.learn_popularity(collection, ids)
            counts = [learnt[point] for point in ids]
        return np.maximum(np.array(counts, np.float64), 1)

    def learn_popularity(
        self, collection: Collection, ids: Sequence[PointId]
    ) -> Mapping[PointId, int]:
        """Ask for what is not known of these points, in one request."""
        known = self._popularity[collection]
        missing = set(ids).difference(known)
        if missing:
            if len(known) + len(missing) > MOST_COUNTS:
                known = self._popularity[collection] = {}
                missing = set(ids)
            known.update(self._reader.values(collection, "popularity", list(missing)))
        return known

    def songs(self, playlists: Sequence[PointId]) -> list[SongIds]:
        """The ids of each playlist's songs, (n,) int32; `learn_songs` of many first, likewise."""
        known = self.learn_songs(playlists)
        return [known[playlist] for playlist in playlists]

    def learn_songs(self, playlists: Sequence[PointId]) -> Mapping[PointId, SongIds]:
        """Ask for the songs of the playlists that are not known, in one request."""
        known = self._songs
        missing = set(playlists).difference(known)
        if missing:
            if len(known) + len(missing) > MOST_PLAYLISTS:
                known = self._songs = {}
                missing = set(playlists)
            found = self._reader.retrieve(Collection.PLAYLISTS, list(missing), payload=("songs",))
            for record in found:
                known[record.id] = np.array(record.payload.get("songs", ()), np.int32)
        return known

    def tags(self, ids: Sequence[PointId]) -> list[str]:
        """The tags that points stand for; `learn_tags` of many first, likewise."""
        known = self.learn_tags(ids)
        return [known[point] for point in ids]

    def learn_tags(self, ids: Sequence[PointId]) -> Mapping[PointId, str]:
        """Ask for the tags that are not known, in one request."""
        missing = set(ids).difference(self._tags)
        if missing:
            found = self._reader.retrieve(Collection.TAGS, list(missing), payload=("tag",))
            self._tags.update((record.id, record.payload["tag"]) for record in found)
        return self._tags

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
