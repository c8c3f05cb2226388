"""Typed records of a music service's catalogue, as the Melon format describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

import pydantic

from melon.fields import MAX_ID, Field

RecordId = Annotated[int, pydantic.Field(ge=0, le=MAX_ID)]
"""A song or playlist id, for pydantic to check."""

DatePrecision = Literal["day", "month", "year"]


@dataclass(frozen=True, slots=True)
class IssueDate:
    """A release date, and how much of it is known.

    `day` is the first day of the month or year where only those are known.
    """

    day: date
    precision: DatePrecision


@dataclass(frozen=True, slots=True)
class Playlist:
    """One playlist. `songs` and `tags` hold no repeats; unknown values are absent.

    `updated` is naive, in UTC: a time that was written without a zone is taken for that. `key` is
    what the catalogue calls the playlist, where that is not its id. `more` holds, by name, what is
    known of the other fields that are declared of playlists.
    """

    id: int
    title: str | None
    songs: tuple[int, ...]
    tags: tuple[str, ...]
    like_count: int | None
    updated: datetime | None
    key: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Song:
    """One song's metadata. Genre codes are as in `genre_gn_all.json`; unknown values are absent.

    `artists[i]` names `artist_ids[i]` where both have the same length. Melon's own metadata
    often has more ids than names, or none. Artists may repeat, two of one name among them. `key` is
    what the catalogue calls the song, where that is not its id. `more` holds, by name, what is
    known of the other fields that are declared of songs, and of the catalogue's own.
    """

    id: int
    name: str | None = None
    artist_ids: tuple[int, ...] = ()
    artists: tuple[str, ...] = ()
    album_id: int | None = None
    album: str | None = None
    genres: tuple[str, ...] = ()
    detail_genres: tuple[str, ...] = ()
    issue_date: IssueDate | None = None
    key: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Genre:
    """One genre or detail genre: `GN0101` is a detail genre whose `parent` is `GN0100`."""

    code: str
    name: str
    parent: str | None


def is_attribute(record: type[Song | Playlist], field: Field) -> bool:
    """Whether records of that kind have an attribute for a field, and do not keep it in `more`."""
    return field.name in record.__slots__
