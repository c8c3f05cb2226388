"""The collections' contract: names, point ids, vectors, sparse dimensions and payload types.

Applications read these collections directly, so whatever stands here is public and versioned:
a change that could break a reader raises `SCHEMA_VERSION`. docs/collections.md is the prose.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 2

DENSE = "w2v"
"""The dense vector of every collection: the co-embedding, cosine distance."""

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
"""Namespace of the UUIDv5 point ids of tags and words."""

MAX_ID = 2**31 - 1
"""Largest id of a song or playlist: a point's id, and a dimension of `items`."""

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


class FieldType(StrEnum):
    """Types of payload indexes, by Qdrant's names."""

    KEYWORD = "keyword"
    INTEGER = "integer"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """One collection: its sparse vector, if any, and the payload fields that are indexed."""

    sparse: str | None
    indexed: Mapping[str, FieldType]


_K, _I, _D = FieldType.KEYWORD, FieldType.INTEGER, FieldType.DATETIME

SCHEMA: Mapping[Collection, CollectionSchema] = {
    Collection.SONGS: CollectionSchema(
        sparse="playlists",
        indexed={
            "name_key": _K,
            "artists": _K,
            "artist_keys": _K,
            "artist_ids": _I,
            "genres": _K,
            "genre_names": _K,
            "detail_genres": _K,
            "genre_years": _K,
            "issue_date": _D,
            "issue_year": _I,
            "popularity": _I,
            "vector_source": _K,
        },
    ),
    Collection.TAGS: CollectionSchema(
        sparse="playlists", indexed={"tag": _K, "popularity": _I, "vector_source": _K}
    ),
    Collection.PLAYLISTS: CollectionSchema(
        sparse="items",
        indexed={
            "tags": _K,
            "genres": _K,
            "updt_date": _D,
            "like_count": _I,
            "song_count": _I,
        },
    ),
    Collection.WORDS: CollectionSchema(
        sparse=None, indexed={"word": _K, "kind": _K, "popularity": _I}
    ),
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
    """Name on a server: the alias (`melon_songs`), or one release's own collection."""
    alias = f"{prefix}_{collection}"
    return f"{alias}__{release}" if release else alias
