"""What a store could have recommended: how many songs and tags, and how popular each is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.store import Collection, PointId, ReleaseReader, tag_point_id


class Catalogue:
    """The songs and tags of a release."""

    def __init__(self, reader: ReleaseReader) -> None:
        self.reader = reader
        self.songs = reader.manifest.counts[Collection.SONGS]
        self.tags = reader.manifest.counts[Collection.TAGS]

    def song_popularity(self, songs: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many training playlists hold each song: of the same shape, NaN if not known."""
        return self._popularity(Collection.SONGS, songs, int)

    def tag_popularity(self, tags: NDArray[np.object_]) -> NDArray[np.float64]:
        """How many training playlists hold each tag: of the same shape, NaN if not known."""
        return self._popularity(Collection.TAGS, tags, tag_point_id)

    def _popularity(
        self, collection: Collection, items: NDArray[Any], point_id: Callable[[Any], PointId]
    ) -> NDArray[np.float64]:
        unique, inverse = np.unique(items, return_inverse=True)
        ids = [point_id(item) for item in unique]
        found = self.reader.retrieve(collection, ids, payload=("popularity",))
        known = {record.id: record.payload["popularity"] for record in found}
        counts = np.array([known.get(one, np.nan) for one in ids], np.float64)
        return counts[inverse].reshape(items.shape)
