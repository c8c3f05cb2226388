"""The `neighbours` strategy: two hops, with settings for each kind of query."""

from __future__ import annotations

from collections.abc import Sequence

from melon.retrieval.hops import find_neighbours, spread
from melon.retrieval.settings import Given, NeighbourSettings
from melon.retrieval.strategy import Answer, Ask
from melon.store import Collection, ReleaseReader


class NeighbourStrategy:
    """What the playlists hold that are most like the query, weighted by their likeness."""

    def __init__(self, settings: NeighbourSettings | None = None) -> None:
        self._settings = settings or NeighbourSettings()

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


def given(ask: Ask) -> Given:
    """The kind of a query, by what of it is known."""
    seeds = ask.seeds
    if len(seeds.songs):
        text = len(seeds.tags) + len(seeds.title_tags)
        return Given.SONGS_AND_TEXT if text else Given.SONGS
    return Given.TAGS if len(seeds.tags) else Given.TITLE
