"""Payloads of the four collections, made from a space's columns a batch at a time.

Unknown values are absent: never "", 0 or null. Lists hold no repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from melon.embedding import EmbeddingSpace
from melon.fields import (
    PLAYLISTS,
    SONGS,
    TAGS,
    WORDS,
    Field,
    FieldType,
    payload_fields,
    stored_float,
)
from melon.ingest.incidence import Dimensions, Incidence, Ints, Matrix, membership
from melon.store import Payload, genre_year
from melon.text import name_key
from melon.word_index import indexed_words, key_words


class Row(Protocol):
    """A row of a space's table: the value of each column by its name."""

    def __getitem__(self, name: str, /) -> Any: ...


Value = Callable[[Row], Any]

SONG_VALUES: Mapping[str, Value] = {
    "name_key": lambda song: song["name"] and name_key(song["name"]),
    "search_words": lambda song: song["name"] and indexed_words(song["name"]),
    "key_words": lambda song: song["key"] and key_words(song["key"]),
    "artist_keys": lambda song: [name_key(artist) for artist in song["artists"]],
    "artist_words": lambda song: [
        words for artist in song["artists"] if (words := indexed_words(artist))
    ],
    "genre_years": lambda song: [
        genre_year(genre, song["issue_date"].year) for genre in song["genres"] if song["issue_date"]
    ],
    "issue_year": lambda song: song["issue_date"] and song["issue_date"].year,
}
PLAYLIST_VALUES: Mapping[str, Value] = {
    "search_words": lambda playlist: playlist["title"] and indexed_words(playlist["title"]),
    "key_words": lambda playlist: playlist["key"] and key_words(playlist["key"]),
    "updt_date": lambda playlist: playlist["updated"],
    "song_count": lambda playlist: len(playlist["songs"]),
}
TAG_VALUES: Mapping[str, Value] = {"search_words": lambda tag: indexed_words(tag["tag"])}
"""What makes the value of a field from a row of the space, where it is not a column."""

_LENGTHS = {"song_count": "songs"}
"""Fields that are the length of a list, with the column of that list."""

PLAYLIST_GENRE_SHARE = 0.25
"""A playlist has the genres that at least this share of its songs with a genre have."""


def song_payloads(space: EmbeddingSpace) -> Payloads:
    """Metadata, popularity and the source of the vector of each song."""
    named = space.genres

    def genre_names(song: Row) -> list[str]:
        return [named[code].name if code in named else code for code in song["genres"]]

    fields = (*SONGS, *space.fields)
    return table_payloads(space.songs, fields, {**SONG_VALUES, "genre_names": genre_names})


def playlist_payloads(space: EmbeddingSpace, members: Incidence) -> Payloads:
    """Title, tags, songs, date, likes and the prevailing genres of each playlist."""
    genres = pa.array(_prevailing_genres(space, members.songs), pa.list_(pa.string()))
    playlists = space.playlists.append_column("genres", genres)
    return table_payloads(playlists, PLAYLISTS, PLAYLIST_VALUES)


def tag_payloads(space: EmbeddingSpace, dimensions: Dimensions) -> Payloads:
    """Each tag, its popularity and its dimension in `items`."""
    return table_payloads(_with_items(space.tag_table, dimensions), TAGS, TAG_VALUES)


def word_payloads(
    space: EmbeddingSpace,
    members: Incidence,
    word_dimensions: Dimensions,
    bigram_dimensions: Dimensions,
) -> Payloads:
    """Each word, then each bigram: its kind, popularity and dimension in `items`."""
    words = _with_items(space.word_table, word_dimensions)
    bigrams = pa.table(
        {
            "word": pa.array(members.bigram_names, pa.string()),
            "popularity": members.bigrams.sum(axis=0).astype(np.int64),
        }
    )
    parts = [
        table.append_column("kind", pa.array([kind] * len(table), pa.string()))
        for kind, table in (("word", words), ("bigram", _with_items(bigrams, bigram_dimensions)))
    ]
    return table_payloads(pa.concat_tables(parts, promote_options="default"), WORDS)


def table_payloads(
    table: pa.Table, fields: Iterable[Field], values: Mapping[str, Value] | None = None
) -> Payloads:
    """The payloads of a table's rows.

    Args:
        table: a row for each point, with a column for each field that is not made here. A column
            that is not there is unknown: the space was trained before the field was declared.
        fields: those of the collection.
        values: what makes the value of a field of a row, by the field's name.
    """
    values = values or {}
    makers = [
        (field, values.get(field.name) or itemgetter(field.name))
        for field in payload_fields(fields)
        if field.name in values or field.name in table.column_names
    ]
    return Payloads(table, makers)


@dataclass(frozen=True, slots=True, eq=False)
class Payloads:
    """The payloads of a table's rows, made when they are asked for."""

    table: pa.Table
    makers: Sequence[tuple[Field, Value]]

    def __call__(self, start: int, stop: int) -> list[Payload]:
        """Those of the rows from `start` to before `stop`."""
        columns = _Columns(self.table.slice(start, stop - start))
        return [_payload(_Row(columns, row), self.makers) for row in range(stop - start)]

    def at(self, rows: Ints, names: tuple[str, ...] | bool = True) -> list[Payload]:
        """Those of some rows: all fields, or those that are named, or none."""
        if isinstance(names, bool):
            makers = self.makers if names else ()
        else:
            makers = [maker for maker in self.makers if maker[0].name in names]
        if not makers:
            return [{} for _ in rows]
        columns = _Columns(self.table, rows)
        return [_payload(_Row(columns, row), makers) for row in range(len(rows))]

    def numbers(self, name: str) -> Ints:
        """(n,) int64: a field of one integer in each row, -1 where it is not known."""
        if name in _LENGTHS:
            numbers = pc.list_value_length(self.table[_LENGTHS[name]])
        else:
            numbers = self.table[name]
        known: Ints = pc.fill_null(numbers, -1).to_numpy().astype(np.int64)
        return known


class _Columns(dict[str, list[Any]]):
    """Columns of a table, or of some rows of it, each made Python's when it is first used."""

    def __init__(self, table: pa.Table, rows: Ints | None = None) -> None:
        super().__init__()
        self._table = table
        self._rows = rows

    def __missing__(self, name: str) -> list[Any]:
        column = self._table[name]
        if self._rows is not None:
            column = column.take(pa.array(self._rows))
        values: list[Any] = column.to_pylist()
        self[name] = values
        return values


class _Row:
    """A row of such columns."""

    __slots__ = ("_columns", "_number")

    def __init__(self, columns: _Columns, number: int) -> None:
        self._columns = columns
        self._number = number

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._number]


def _payload(row: _Row, makers: Sequence[tuple[Field, Value]]) -> Payload:
    payload: Payload = {}
    for field, make in makers:
        value = make(row)
        if value is None or value == "" or value == []:
            continue
        payload[field.name] = _stored(field, value)
    return payload


_AS_THEY_ARE = {FieldType.TEXT, FieldType.KEYWORD, FieldType.INTEGER, FieldType.BOOL}
"""Types whose values payloads have as columns have them."""


def _stored(field: Field, value: Any) -> Any:
    """A value as payloads have it: without repeats, and datetimes as RFC 3339 in UTC."""
    if field.many:
        made = value if field.type in _AS_THEY_ARE else [_one(field, each) for each in value]
        return list(dict.fromkeys(made))
    return _one(field, value)


def _one(field: Field, value: Any) -> Any:
    match field.type:
        case FieldType.DATE:
            return f"{value.isoformat()}T00:00:00Z"
        case FieldType.DATETIME:
            return f"{value.replace(tzinfo=None).isoformat()}Z"
        case FieldType.FLOAT:
            return stored_float(value)
        case _:
            return value


def _with_items(table: pa.Table, dimensions: Dimensions) -> pa.Table:
    return table.append_column("item", pa.array(dimensions.astype(np.int64)))


def _prevailing_genres(space: EmbeddingSpace, songs: Matrix) -> list[list[str]]:
    """For each playlist, the genres of `PLAYLIST_GENRE_SHARE` of its songs, commonest first."""
    codes = sorted(pc.unique(pc.list_flatten(space.songs["genres"])).to_pylist())
    if not codes:
        return [[] for _ in range(songs.shape[0])]
    of_songs = membership(space.songs["genres"], pa.array(codes, pa.string()))
    counts = (songs @ of_songs).tocsr()
    with_genre = songs @ (np.diff(of_songs.indptr) > 0).astype(np.float32)
    needed = PLAYLIST_GENRE_SHARE * np.repeat(with_genre, np.diff(counts.indptr))
    counts.data[counts.data < needed] = 0
    counts.eliminate_zeros()
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -counts.data, rows))
    names = np.array(codes, dtype=object)[counts.indices[order]]
    return [part.tolist() for part in np.split(names, counts.indptr[1:-1])]
