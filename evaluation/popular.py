"""What fills a list that a strategy leaves short: the most popular songs and tags."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from itertools import chain, count, islice
from typing import TypeVar

from melon.evaluation.errors import TooFewItems
from melon.retrieval import Constraints, most_popular
from melon.store import Collection as Stored
from melon.store import Filter, ReleaseReader
from melon.text import compact

POPULAR = "popular"
"""The baseline that every strategy has to beat: lists of the most popular songs and tags."""

HEAD = 256
"""How many popular items are asked for at first, and twice as many each time they are too few."""

Item = TypeVar("Item", int, str)


class PopularItems:
    """The songs and tags of a release, most popular first, to fill lists with.

    Those in equally many playlists are in the order of their ids, on each engine.
    """

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader
        self._songs: dict[date | None, list[int]] = {}
        self._tags: list[str] = []

    def fill_songs(
        self,
        songs: Iterable[int],
        length: int,
        *,
        without: Collection[int | str],
        until: date | None,
    ) -> tuple[int, ...]:
        """The songs, then the most popular others, up to `length`; none of `without`.

        With `until`, the others were issued by that day; songs without a date are none of them.
        There are fewer only where the store holds no more, of whatever day.

        Raises:
            TooFewItems: the store holds too few that were issued by that day.
        """
        barred = set(without)
        followed = chain(songs, self._popular_songs(until))
        filled = tuple(islice(_fresh(followed, barred.__contains__), length))
        held = self._reader.manifest.counts[Stored.SONGS] - len(barred)
        if len(filled) < length <= held:
            raise TooFewItems(
                f"{length} songs issued by {until} are wanted beside the seeds, the store holds "
                f"{len(filled)}"
            )
        return filled

    def fill_tags(
        self, tags: Iterable[str], length: int, *, without: Iterable[str]
    ) -> tuple[str, ...]:
        """The tags, then the most popular others, up to `length`; none of `without`.

        Tags that differ by case and spaces alone are the same tag. There are fewer only where the
        store holds no more.
        """
        barred = {compact(tag) for tag in without}
        followed = chain(tags, self._popular_tags())
        return tuple(islice(_fresh(followed, lambda tag: compact(tag) in barred), length))

    def _popular_songs(self, until: date | None) -> Iterator[int]:
        def fetch(limit: int) -> list[int]:
            filter = Constraints(until=until).to_filter(self._reader.manifest.genres)
            ranked = most_popular(self._reader, Stored.SONGS, limit, filter)
            return [int(song) for song in ranked.ids]

        return _growing(self._songs.setdefault(until, []), fetch)

    def _popular_tags(self) -> Iterator[str]:
        def fetch(limit: int) -> list[str]:
            ids = most_popular(self._reader, Stored.TAGS, limit, Filter()).ids.tolist()
            records = self._reader.retrieve(Stored.TAGS, ids, payload=("tag",))
            return [record.payload["tag"] for record in records]

        return _growing(self._tags, fetch)


def _growing(known: list[Item], fetch: Callable[[int], list[Item]]) -> Iterator[Item]:
    """Items of a list that is fetched when needed, and fetched again, longer, at its end."""
    for index in count():
        if index == len(known):
            longer = fetch(2 * len(known) or HEAD)
            if len(longer) == len(known):
                return
            known[:] = longer
        yield known[index]


def _fresh(items: Iterable[Item], barred: Callable[[Item], bool]) -> Iterator[Item]:
    """Items that are not barred, each once."""
    seen: set[Item] = set()
    for item in items:
        if item not in seen and not barred(item):
            seen.add(item)
            yield item
