"""Records become columns: what training and the saved catalogue are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from melon.catalog import Playlist, Song, is_attribute
from melon.embedding.errors import NothingToTrain, RepeatedPlaylist
from melon.embedding.ragged import Ints, Ragged
from melon.errors import counted
from melon.fields import PLAYLISTS, SONGS, Field, FieldType
from melon.text import storable

BATCH = 10_000
"""Records that are Python objects at a time."""

ARROW_TYPES = {
    FieldType.TEXT: pa.string(),
    FieldType.KEYWORD: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.FLOAT: pa.float64(),
    FieldType.BOOL: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("us"),
}
_MADE: dict[str, Callable[[Any], Any]] = {
    "issue_date": lambda song: song.issue_date and song.issue_date.day,
    "issue_date_precision": lambda song: song.issue_date and song.issue_date.precision,
}
"""Columns that are made of a record's value."""

Record = TypeVar("Record", Playlist, Song)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Playlists and songs as columns, ordered by id, and who holds what as lists of numbers.

    Attributes:
        playlists: a column for each field that a file may have.
        songs: likewise: every song that has metadata or stands in a playlist.
        playlist_songs: for each playlist, its songs' rows in `songs`.
        tags: every tag, most frequent first.
        playlist_tags: for each playlist, its tags' indices in `tags`.
        song_album: (n_songs,) int64, a number for each album, -1 where it is not known.
        song_artists: for each song, its artists' numbers.
        artist_count: how many artists there are.
        genres: every genre code of a song.
        song_genres: for each song, its genres' indices in `genres`.
        detail_genres: every detail genre code of a song.
        song_detail_genres: for each song, its detail genres' indices in `detail_genres`.
    """

    playlists: pa.Table
    songs: pa.Table
    playlist_songs: Ragged
    tags: list[str]
    playlist_tags: Ragged
    song_album: Ints
    song_artists: Ragged
    artist_count: int
    genres: list[str]
    song_genres: Ragged
    detail_genres: list[str]
    song_detail_genres: Ragged

    @classmethod
    def of_tables(cls, playlists: pa.Table, songs: pa.Table) -> Self:
        """Number what the playlists and songs hold; every song of a playlist is in `songs`."""
        song_ids = ragged_column(playlists["songs"])
        tags, playlist_tags = number_strings(playlists["tags"])
        genres, song_genres = number_strings(songs["genres"])
        detail_genres, song_detail_genres = number_strings(songs["detail_genres"])
        artist_count, song_artists = _number_artists(songs)
        return cls(
            playlists=playlists,
            songs=songs,
            playlist_songs=Ragged(
                song_ids.offsets,
                np.searchsorted(column(songs, "id"), song_ids.values).astype(np.int64),
            ),
            tags=tags,
            playlist_tags=playlist_tags,
            song_album=_number_albums(songs),
            song_artists=song_artists,
            artist_count=artist_count,
            genres=genres,
            song_genres=song_genres,
            detail_genres=detail_genres,
            song_detail_genres=song_detail_genres,
        )

    def without(self, playlists: Ints) -> Corpus:
        """The same as if some playlists, by their rows, had never been read.

        Songs that no other playlist holds stay where something is known of them beside their name
        in the files.
        """
        others = np.setdiff1d(np.arange(len(self.playlists)), playlists)
        known = described(self.songs)
        known[self.playlist_songs.select(others).values] = True
        return Corpus.of_tables(
            self.playlists.take(others).combine_chunks(),
            self.songs.filter(pa.array(known)).combine_chunks(),
        )


def read_corpus(
    playlists: Iterable[Playlist], songs: Iterable[Song], fields: Sequence[Field] = ()
) -> Corpus:
    """Read all records, each once, into columns. A song's metadata counts where it comes first.

    Args:
        fields: the songs' own, beside those that are declared.

    Raises:
        NothingToTrain: `playlists` is empty.
        RepeatedPlaylist: two playlists have one id.
    """
    playlist_table = to_table(playlists, Playlist, PLAYLISTS)
    if not len(playlist_table):
        raise NothingToTrain(
            "no playlists to train on", hint="give files or a directory that hold some"
        )
    playlist_table = _by_id(playlist_table)
    _refuse_repeats(column(playlist_table, "id"))
    song_ids = ragged_column(playlist_table["songs"])
    song_fields = (*SONGS, *fields)
    song_table = _first_of_each_id(to_table(songs, Song, song_fields))
    unknown = np.setdiff1d(song_ids.values, column(song_table, "id"))
    if len(unknown):
        bare = to_table((Song(int(song)) for song in unknown), Song, song_fields)
        song_table = _by_id(pa.concat_tables([song_table, bare]))
    return Corpus.of_tables(playlist_table, song_table)


def column(table: pa.Table, name: str) -> Ints:
    """A column of integers without nulls, (n,) int64."""
    values: Ints = table[name].to_numpy()
    return values


def ragged_column(lists: Any) -> Ragged:
    """A column of lists of integers as `Ragged`."""
    lengths = pc.list_value_length(lists).to_numpy().astype(np.int64)
    return Ragged.of_lengths(lengths, pc.list_flatten(lists).to_numpy().astype(np.int64))


def number_strings(lists: Any) -> tuple[list[str], Ragged]:
    """Number the strings of a column of lists, most frequent first, and the lists in numbers.

    Strings of the same frequency are ordered by code point, repeats in a list are dropped.
    """
    lengths = pc.list_value_length(lists).to_numpy().astype(np.int64)
    flat = pc.list_flatten(lists).combine_chunks().dictionary_encode()
    strings: list[str] = flat.dictionary.to_pylist()
    coded = Ragged.of_lengths(lengths, flat.indices.to_numpy().astype(np.int64)).unique()
    counts = np.bincount(coded.values, minlength=len(strings)).tolist()
    order = sorted(range(len(strings)), key=lambda i: (-counts[i], strings[i]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return [strings[i] for i in order], Ragged(coded.offsets, rank[coded.values])


def to_table(records: Iterable[Record], record: type[Record], fields: Sequence[Field]) -> pa.Table:
    """A table of records of one kind, with a column for each field that a file may have.

    Lone surrogates, which neither Arrow nor Qdrant can hold, become `?`. Only hand-made records
    hold any: the readers of files skip such records.
    """
    columns = file_columns(fields)
    getters = [_MADE.get(field.name) or _getter(record, field) for field in columns]
    types = [arrow_type(field) for field in columns]
    schema = pa.schema([(field.name, type) for field, type in zip(columns, types, strict=True)])
    batches = [
        pa.RecordBatch.from_arrays(
            [_array(map(get, chunk), type) for get, type in zip(getters, types, strict=True)],
            schema=schema,
        )
        for chunk in _chunks(records)
    ]
    return pa.Table.from_batches(batches, schema)


def _getter(record: type[Playlist | Song], field: Field) -> Callable[[Any], Any]:
    """What gives a field's value of a record; where it is not known, None or an empty list."""
    if is_attribute(record, field):
        return attrgetter(field.name)
    missing = () if field.many else None
    return lambda entry: entry.more.get(field.name, missing)


def file_columns(fields: Iterable[Field]) -> list[Field]:
    """The fields that are columns, since files have them or what they are made of."""
    return [field for field in fields if field.source or field.name in _MADE]


def arrow_type(field: Field) -> pa.DataType:
    """Arrow's type of a field's column."""
    one = ARROW_TYPES[field.type]
    return pa.list_(one) if field.many else one


def _array(values: Iterable[Any], type: pa.DataType) -> pa.Array:
    values = list(values)
    try:
        return pa.array(values, type)
    except UnicodeEncodeError:
        return pa.array([_storable(value) for value in values], type)


def _storable(value: Any) -> Any:
    """A string, or each string of a list, without lone surrogates."""
    if isinstance(value, str):
        return storable(value)
    return value and [_storable(text) for text in value]


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, BATCH)):
        yield chunk


def described(table: pa.Table) -> NDArray[np.bool_]:
    """(n,) bool: of which rows the files say more than an id and a key."""
    described = np.zeros(len(table), np.bool_)
    for name in set(table.column_names) - {"id", "key"}:
        values = table[name]
        if pa.types.is_list(values.type):
            described |= pc.fill_null(pc.list_value_length(values), 0).to_numpy() > 0
        else:
            described |= pc.is_valid(values).to_numpy()
    return described


def unknown_column(type: pa.DataType, rows: int) -> pa.Array:
    """A column in which nothing is known: of nulls, or of empty lists."""
    return pa.array([[]] * rows, type) if pa.types.is_list(type) else pa.nulls(rows, type)


def _by_id(table: pa.Table) -> pa.Table:
    return table.take(np.argsort(column(table, "id"), kind="stable")).combine_chunks()


def _first_of_each_id(table: pa.Table) -> pa.Table:
    return table.take(np.unique(column(table, "id"), return_index=True)[1]).combine_chunks()


def _refuse_repeats(ids: Ints) -> None:
    repeated = ids[1:][ids[1:] == ids[:-1]]
    if len(repeated):
        raise RepeatedPlaylist(
            f"{counted(len(repeated), 'playlist')} with the id of another",
            where=f"playlist {repeated[0]}",
            hint="give each playlist once; of several files, leave out those that overlap",
        )


def _number_artists(songs: pa.Table) -> tuple[int, Ragged]:
    """Number the artists by their ids; of songs without artist ids, by their names."""
    by_id = ragged_column(songs["artist_ids"])
    ids, numbers = np.unique(by_id.values, return_inverse=True)
    names, by_name = number_strings(songs["artists"])
    nameless = by_name.keep(by_id.lengths[by_name.rows] == 0)
    joined = Ragged.side_by_side(
        [
            Ragged(by_id.offsets, numbers.astype(np.int64)),
            Ragged(nameless.offsets, nameless.values + len(ids)),
        ]
    )
    return len(ids) + len(names), joined.unique()


def _number_albums(songs: pa.Table) -> Ints:
    albums = songs["album_id"].combine_chunks()
    known = albums.is_valid().to_numpy(zero_copy_only=False)
    numbers = np.full(len(songs), -1, np.int64)
    numbers[known] = np.unique(albums.drop_null().to_numpy(), return_inverse=True)[1]
    return numbers
