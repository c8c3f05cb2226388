"""The tags, genres, artists and fields of a store, with how often each is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from melon.errors import InputError, WrongType
from melon.fields import payload_fields
from melon.retrieval.query import valid_text
from melon.store import ALL_VALUES, Collection, Facets, Filter, HasValue, HasWords, ReleaseReader
from melon.text import did_you_mean
from melon.word_index import asked_words, plain_form

FOUND = ("songs", "playlists")
"""What is looked for, not listed."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A tag, genre, artist or field.

    Attributes:
        value: a tag, the code of a genre, an artist's name, or a field's.
        count: of a tag, how many playlists carry it; else, how many songs have it.
        more: of a genre its `name`, where it is known; of a field its `type`, whether it holds
            `many` values, is `indexed`, and is the catalogue's `own`.
    """

    value: str
    count: int
    more: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of tags, genres, artists or fields: of equal counts, the smaller value first.

    Attributes:
        kind: of `LISTINGS`.
        values: those of the page.
        total: how many there are on all pages.
        next: give it as `after` for the next page; None on the last.
    """

    kind: str
    values: tuple[Counted, ...]
    total: int
    next: str | None

    @property
    def names(self) -> tuple[str, str]:
        """What a value and a count are called."""
        return LISTINGS[self.kind][1:]

    def to_json(self) -> dict[str, Any]:
        """As `melon list --json` prints it."""
        value, count = self.names
        return {
            "total": self.total,
            "next": self.next,
            self.kind: [{value: one.value, **one.more, count: one.count} for one in self.values],
        }


def listing(
    reader: ReleaseReader, kind: str, prefix: str | None, limit: int | None, after: str | None
) -> Listing:
    """As `Retriever.listing`, in one release."""
    if kind not in LISTINGS:
        raise InputError(
            f"there is no list of {kind!r}",
            hint=(None if kind in FOUND else did_you_mean(str(kind), LISTINGS))
            or f"lists: {', '.join(LISTINGS)}; `melon find` looks for songs and playlists",
        )
    if limit is not None and limit < 1:
        raise InputError(f"{limit} {kind} cannot be listed")
    for text in (prefix, after):
        if text is not None and not isinstance(text, str):
            raise WrongType(f"text is wanted, not {text!r}")
        valid_text(text)
    values = LISTINGS[kind][0](reader, plain_form(prefix or ""))
    values.sort(key=lambda one: (-one.count, one.value))
    start = _place(kind, values, after) + 1 if after is not None else 0
    page = values[start:] if limit is None else values[start : start + limit]
    last = start + len(page) >= len(values)
    return Listing(kind, tuple(page), len(values), None if last else page[-1].value)


def _place(kind: str, values: list[Counted], after: str) -> int:
    for place, one in enumerate(values):
        if one.value == after:
            return place
    raise InputError(
        f"{after!r} is not among the {kind} that are listed",
        hint=did_you_mean(after, (one.value for one in values))
        or "give the last value of the page before",
    )


def _tags(reader: ReleaseReader, prefix: str) -> list[Counted]:
    return _counted(reader.facet(Collection.PLAYLISTS, "tags", ALL_VALUES), prefix)


def _artists(reader: ReleaseReader, prefix: str) -> list[Counted]:
    named = None
    if any(map(str.isalnum, prefix)):  # an index of words leaves signs beside letters out
        named = Filter(must=(HasWords("artist_words", asked_words(prefix)),))
    return _counted(reader.facet(Collection.SONGS, "artists", ALL_VALUES, named), prefix)


def _counted(facets: Facets, prefix: str) -> list[Counted]:
    return [
        Counted(str(value), count, {})
        for value, count in facets
        if plain_form(str(value)).startswith(prefix)
    ]


def _genres(reader: ReleaseReader, prefix: str) -> list[Counted]:
    """Genres and detail genres, by the beginning of their name or code."""
    names = reader.manifest.genres
    return [
        Counted(str(code), count, {"name": names.get(str(code))})
        for field in ("genres", "detail_genres")
        for code, count in reader.facet(Collection.SONGS, field, ALL_VALUES)
        if _begins((str(code), names.get(str(code), "")), prefix)
    ]


def _fields(reader: ReleaseReader, prefix: str) -> list[Counted]:
    """What payloads of songs may have, each with how many have it."""
    own = {field.name for field in reader.manifest.fields}
    return [
        Counted(
            field.name,
            reader.count(Collection.SONGS, Filter(must=(HasValue(field.name),))),
            {
                "type": str(field.type),
                "many": field.many,
                "indexed": field.index is not None,
                "own": field.name in own,
            },
        )
        for field in payload_fields(reader.manifest.schema(Collection.SONGS).fields)
        if _begins((field.name,), prefix)
    ]


def _begins(names: Iterable[str], prefix: str) -> bool:
    return any(plain_form(name).startswith(prefix) for name in names)


LISTINGS: dict[str, tuple[Callable[[ReleaseReader, str], list[Counted]], str, str]] = {
    "tags": (_tags, "tag", "playlists"),
    "genres": (_genres, "genre", "songs"),
    "artists": (_artists, "artist", "songs"),
    "fields": (_fields, "field", "songs"),
}
"""How each list is made, and what its values and counts are called."""
