"""Songs, tags, artists and playlists by a part of their name or key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from melon.errors import InputError, WrongType
from melon.retrieval.keys import as_id
from melon.retrieval.known import Known, first, in_order, known
from melon.retrieval.query import valid_text
from melon.store import (
    Collection,
    Condition,
    Filter,
    HasId,
    HasWords,
    MatchAny,
    Record,
    ReleaseReader,
)
from melon.text import clean_text
from melon.word_index import KEY_LETTERS, asked_words, finds, indexed_words, key_parts, key_words

KINDS = ("songs", "tags", "artists", "playlists")
"""What can be looked for."""

MAX_CANDIDATES = 10_000
"""Points with a key that begins like the one asked for, of which the rest is compared."""


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist, and how many songs of the store are by them."""

    artist: str
    songs: int

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"artist": self.artist, "songs": self.songs}


@dataclass(frozen=True, slots=True)
class Found:
    """What has a part of its name or key in common with a text; nothing of kinds not looked for.

    Attributes:
        songs: those in most playlists first.
        tags: likewise.
        artists: those of most songs first.
        playlists: the most liked first; those of which no likes are known follow, largest first.
    """

    songs: tuple[Known, ...] = ()
    tags: tuple[Known, ...] = ()
    artists: tuple[Artist, ...] = ()
    playlists: tuple[Known, ...] = ()
    kinds: tuple[str, ...] = field(default=KINDS, repr=False)

    def __bool__(self) -> bool:
        return bool(self.songs or self.tags or self.artists or self.playlists)

    def to_json(self) -> dict[str, Any]:
        """As `melon find --json` prints it: the kinds that were looked for."""
        return {kind: [one.to_json() for one in getattr(self, kind)] for kind in self.kinds}


def find(reader: ReleaseReader, text: str, kinds: Sequence[str], limit: int) -> Found:
    """As `Retriever.find`, in one release."""
    if not isinstance(text, str):
        raise WrongType(f"a part of a name is wanted as text, not {text!r}")
    valid_text(text)
    if isinstance(kinds, str) or not all(isinstance(kind, str) for kind in kinds):
        raise WrongType(f"{kinds!r} is not a list of kinds", hint='write ["songs"]')
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise InputError(f"there are no {unknown[0]!r} to find", hint=f"kinds: {', '.join(KINDS)}")
    if limit < 1:
        raise InputError(f"{limit} results of each kind cannot be found")
    if not text.strip():
        raise InputError("there is nothing to look for", hint="give a part of a name or key")
    if not asked_words(text):
        return Found(kinds=tuple(kinds))
    found: dict[str, Any] = {
        "songs": lambda: _by_name_or_key(reader, Collection.SONGS, text, limit),
        "tags": lambda: known(
            reader, Collection.TAGS, first(reader, Collection.TAGS, _named(text), limit)
        ),
        "artists": lambda: find_artists(reader, text, limit),
        "playlists": lambda: _by_name_or_key(reader, Collection.PLAYLISTS, text, limit),
    }
    return Found(**{kind: found[kind]() for kind in kinds}, kinds=tuple(kinds))


def find_artists(reader: ReleaseReader, text: str, limit: int) -> tuple[Artist, ...]:
    """Those of the artists of the songs that a text finds who are meant themselves."""
    asked = asked_words(text)
    if not asked:
        return ()
    named = Filter(must=(HasWords("artist_words", asked),))
    values = 4 * limit
    while True:
        counts = reader.facet(Collection.SONGS, "artists", values, named)
        found = [
            Artist(str(artist), songs)
            for artist, songs in counts
            if finds(asked, indexed_words(str(artist)))
        ]
        if len(found) >= limit or len(counts) < values:
            return tuple(found[:limit])
        values *= 8


def _named(text: str) -> Filter:
    return Filter(must=(HasWords("search_words", asked_words(text)),))


def _by_name_or_key(
    reader: ReleaseReader, collection: Collection, text: str, limit: int
) -> tuple[Known, ...]:
    """Songs or playlists of exactly this key or id, then those with this part of a name or key."""
    exactly: list[Condition] = [MatchAny("key", (clean_text(text) or text,))]
    if (number := as_id(text)) is not None:
        exactly.append(HasId((number,)))
    exact = first(reader, collection, Filter(should=tuple(exactly)), limit)
    limit -= len(exact)
    if not limit:
        return known(reader, collection, exact)
    without = Filter(must_not=(HasId(tuple(one.id for one in exact)),)) if exact else Filter()
    wanted: list[Condition] = [HasWords("search_words", asked_words(text))]
    parts = key_parts(text)
    whole = all(len(part) <= KEY_LETTERS for part in parts)
    if parts and whole:
        wanted.append(HasWords("key_words", key_words(text)))
    records = first(reader, collection, Filter(should=tuple(wanted)) & without, limit)
    if not whole:
        by_key = _by_key(reader, collection, parts, without, limit)
        both = {record.id: record for record in (*records, *by_key)}
        records = in_order(collection, both.values())[:limit]
    return known(reader, collection, [*exact, *records])


def _by_key(
    reader: ReleaseReader, collection: Collection, parts: list[str], filter: Filter, limit: int
) -> list[Record]:
    """Those whose key has parts that begin like these: the index knows the first letters of each.

    Args:
        parts: of a key, as `key_parts` gives them.
    """
    begins = Filter(must=(HasWords("key_words", key_words(" ".join(parts))),)) & filter
    candidates = 10 * limit
    while True:
        records = first(reader, collection, begins, candidates)
        found = [record for record in records if _has_parts(record, parts)]
        if len(found) >= limit or len(records) < candidates or candidates >= MAX_CANDIDATES:
            return found
        candidates *= 10


def _has_parts(record: Record, parts: list[str]) -> bool:
    return finds(" ".join(parts), " ".join(key_parts(record.payload.get("key", ""))))
