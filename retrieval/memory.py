"""A reader that remembers what strategies ask for again and again.

Reading a payload costs an engine several times what finding the point costs, and the same popular
songs and long playlists are candidates for most queries. A release never changes, so what was
read once of it stays true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.store import Collection, Filter, Hits, PointId, Record, ReleaseReader, VectorQuery
from melon.store.manifest import ReleaseManifest

MOST_COUNTS = 1_000_000
MOST_PLAYLISTS = 200_000
"""What is remembered at most, some 100 MB of each; past that, it begins anew."""

SongIds = NDArray[np.int32]


class RememberingReader:
    """A release's reader, with the popularity of points and the songs of playlists at hand."""

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader
        self._popularity: dict[Collection, dict[PointId, int]] = {c: {} for c in Collection}
        self._songs: dict[PointId, SongIds] = {}

    def popularity(self, collection: Collection, ids: Sequence[PointId]) -> NDArray[np.float64]:
        """How many playlists hold each of n points, (n,) float64; 1 at least, to take powers of."""
        known = self._popularity[collection]
        missing = [point for point in ids if point not in known]
        if missing:
            if len(known) + len(missing) > MOST_COUNTS:
                known.clear()
                missing = list(ids)
            known.update(self._reader.values(collection, "popularity", missing))
        counts = np.fromiter((known[point] for point in ids), np.float64, len(ids))
        return np.maximum(counts, 1)

    def songs(self, playlists: Sequence[PointId]) -> list[SongIds]:
        """The ids of each playlist's songs, (n,) int32."""
        missing = [playlist for playlist in playlists if playlist not in self._songs]
        if missing:
            if len(self._songs) + len(missing) > MOST_PLAYLISTS:
                self._songs.clear()
                missing = list(playlists)
            for record in self._reader.retrieve(Collection.PLAYLISTS, missing, payload=("songs",)):
                self._songs[record.id] = np.array(record.payload.get("songs", ()), np.int32)
        return [self._songs[playlist] for playlist in playlists]

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself."""
        return self._reader.manifest

    def retrieve(
        self, collection: Collection, ids: Sequence[PointId], **options: Any
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.retrieve(collection, ids, **options)

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """As the reader itself."""
        return self._reader.query(collection, queries)

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """As the reader itself."""
        return self._reader.values(collection, field, ids)

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        **options: Any,
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.top(collection, field, limit, filter, **options)

    def find(
        self, collection: Collection, filter: Filter | None, limit: int, **options: Any
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.find(collection, filter, limit, **options)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """As the reader itself."""
        return self._reader.count(collection, filter)

    def close(self) -> None:
        """As the reader itself."""
        self._reader.close()
