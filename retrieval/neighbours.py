"""The `neighbours` strategy: two hops, with settings for each kind of query."""

from __future__ import annotations

from collections.abc import Sequence

from melon.retrieval.explain_hops import hop_shares
from melon.retrieval.given import given
from melon.retrieval.hops import NOBODY, Neighbours, find_neighbours, spread
from melon.retrieval.memory import RememberingReader
from melon.retrieval.settings import Hops, RetrievalSettings
from melon.retrieval.strategy import Answer, Ask, Explanation
from melon.store import Collection


class NeighbourStrategy:
    """What the playlists hold that are most like the query, weighted by their likeness."""

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings.neighbours

    def __call__(self, reader: RememberingReader, asks: Sequence[Ask]) -> list[Answer]:
        """One request for the neighbours of all queries, one for their songs, one for tags."""
        targets = [self._settings.of(given(ask)) for ask in asks]
        song_hops = [target.songs for target in targets]
        tag_hops = [target.tags for target in targets]
        near = _near(
            reader,
            [(ask, hops) if ask.songs else None for ask, hops in zip(asks, song_hops, strict=True)]
            + [(ask, hops) if ask.tags else None for ask, hops in zip(asks, tag_hops, strict=True)],
        )
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

    def explain(self, reader: RememberingReader, ask: Ask, answer: Answer) -> Explanation:
        """Which neighbours hold a result, and which seeds made them neighbours."""
        target = self._settings.of(given(ask))
        return Explanation(
            songs=hop_shares(reader, Collection.SONGS, ask, target.songs, answer.songs.ids),
            tags=hop_shares(reader, Collection.TAGS, ask, target.tags, answer.tags.ids),
        )


def _near(reader: RememberingReader, wanted: Sequence[tuple[Ask, Hops] | None]) -> list[Neighbours]:
    """The neighbours of each query in one request; nobody where nothing is wanted of them."""
    asked = [pair for pair in wanted if pair]
    found = iter(find_neighbours(reader, [ask for ask, _ in asked], [hops for _, hops in asked]))
    return [next(found) if pair else NOBODY for pair in wanted]
