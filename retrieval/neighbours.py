"""The `neighbours` strategy: two hops, with settings for each kind of query."""

from __future__ import annotations

from collections.abc import Sequence

from melon.retrieval.given import given
from melon.retrieval.hops import find_neighbours, spread
from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategy import Answer, Ask
from melon.store import Collection, ReleaseReader


class NeighbourStrategy:
    """What the playlists hold that are most like the query, weighted by their likeness."""

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.neighbours

    def __call__(self, reader: ReleaseReader, asks: Sequence[Ask]) -> list[Answer]:
        """One request for the neighbours of all queries, one for their songs, one for tags."""
        targets = [self._settings.of(given(ask)) for ask in asks]
        song_hops = [target.songs for target in targets]
        tag_hops = [target.tags for target in targets]
        near = find_neighbours(reader, [*asks, *asks], [*song_hops, *tag_hops])
        songs = spread(
            reader,
            Collection.SONGS,
            near[: len(asks)],
            [(ask.song_filter, ask.songs) for ask in asks],
            song_hops,
        )
        tags = spread(
            reader,
            Collection.TAGS,
            near[len(asks) :],
            [(ask.tag_filter, ask.tags) for ask in asks],
            tag_hops,
        )
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]
