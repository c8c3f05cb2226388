"""The collections' contract: names, point ids, vectors, sparse dimensions and payloads.

Applications read these collections directly, so whatever stands here is public and versioned:
a change that could break a reader raises `SCHEMA_VERSION`. docs/collections.md is the prose, and
`melon.fields` says what is in a payload.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from melon import fields
from melon.fields import MAX_ID, Field, indexed_fields

SCHEMA_VERSION = 3

DENSE = "w2v"
"""The dense vector of every collection: the co-embedding, cosine distance."""

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
"""Namespace of the UUIDv5 point ids of tags and words."""

FIRST_TAG_ITEM = MAX_ID + 1
FIRST_WORD_ITEM = 2**31 + 2**30
FIRST_BIGRAM_ITEM = 2**31 + 2**30 + 2**29
"""Dimensions of the playlists' sparse vector `items`: a song's is its id, below all of these."""


class Collection(StrEnum):
    """The four collections of a release."""

    SONGS = "songs"
    TAGS = "tags"
    PLAYLISTS = "playlists"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """One collection: its sparse vector, if any, and the fields of its points' payloads."""

    sparse: str | None
    fields: tuple[Field, ...]

    def with_fields(self, fields: Iterable[Field]) -> CollectionSchema:
        """The same with further fields."""
        return CollectionSchema(self.sparse, (*self.fields, *fields))

    def in_order(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A payload's fields as they are declared: engines give them in orders of their own."""
        return {field.name: payload[field.name] for field in self.fields if field.name in payload}

    @property
    def indexed(self) -> list[Field]:
        """The fields by which its points can be filtered."""
        return indexed_fields(self.fields)

    @property
    def shown(self) -> tuple[str, ...]:
        """Names of the fields that results show."""
        return tuple(field.name for field in self.fields if field.shown)


SCHEMA: Mapping[Collection, CollectionSchema] = {
    Collection.SONGS: CollectionSchema("playlists", fields.SONGS),
    Collection.TAGS: CollectionSchema("playlists", fields.TAGS),
    Collection.PLAYLISTS: CollectionSchema("items", fields.PLAYLISTS),
    Collection.WORDS: CollectionSchema(None, fields.WORDS),
}


def tag_point_id(tag: str) -> str:
    """Point id of a tag: the UUIDv5 of `tag:<tag>` in `NAMESPACE`."""
    return str(uuid.uuid5(NAMESPACE, f"tag:{tag}"))


def word_point_id(word: str) -> str:
    """Point id of a title word: the UUIDv5 of `word:<word>` in `NAMESPACE`."""
    return str(uuid.uuid5(NAMESPACE, f"word:{word}"))


def bigram_point_id(bigram: str) -> str:
    """Point id of a pair of letters: the UUIDv5 of `bigram:<bigram>` in `NAMESPACE`."""
    return str(uuid.uuid5(NAMESPACE, f"bigram:{bigram}"))


def genre_year(genre: str, year: int) -> str:
    """A value of the songs' `genre_years`: a genre's code and a year of issue."""
    return f"{genre}/{year}"


def collection_name(prefix: str, collection: Collection, release: str | None = None) -> str:
    """Name on a server: of the alias (`melon_songs`), or of the collection of one release."""
    alias = f"{prefix}_{collection}"
    return f"{alias}__{release}" if release else alias
