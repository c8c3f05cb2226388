"""Records become columns: what training and the saved catalogue are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog import Playlist, Song
from melon.embedding.errors import NothingToTrain, RepeatedPlaylist
from melon.embedding.ragged import Ints, Ragged
from melon.errors import counted
from melon.text import storable

BATCH = 10_000
"""Records that are Python objects at a time."""

_strings = pa.list_(pa.string())
PLAYLIST_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("title", pa.string()),
        ("tags", _strings),
        ("songs", pa.list_(pa.int64())),
        ("like_count", pa.int64()),
        ("updated", pa.timestamp("us")),
    ]
)
SONG_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("artist_ids", pa.list_(pa.int64())),
        ("artists", _strings),
        ("album_id", pa.int64()),
        ("album", pa.string()),
        ("genres", _strings),
        ("detail_genres", _strings),
        ("issue_date", pa.date32()),
        ("issue_date_precision", pa.string()),
    ]
)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Playlists and songs as columns, ordered by id, and who holds what as lists of numbers.

    Attributes:
        playlists: table of `PLAYLIST_SCHEMA`.
        songs: table of `SONG_SCHEMA`: every song that has metadata or stands in a playlist.
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


def read_corpus(playlists: Iterable[Playlist], songs: Iterable[Song]) -> Corpus:
    """Read all records, each once, into columns. A song's metadata counts where it comes first.

    Raises:
        NothingToTrain: `playlists` is empty.
        RepeatedPlaylist: two playlists have one id.
    """
    playlist_table = _to_table(playlists, PLAYLIST_SCHEMA, _playlist_row)
    if not len(playlist_table):
        raise NothingToTrain(
            "no playlists to train on", hint="give files or a directory that hold some"
        )
    playlist_table = _by_id(playlist_table)
    _refuse_repeats(column(playlist_table, "id"))
    held = ragged_column(playlist_table["songs"])
    song_table = _first_of_each_id(_to_table(songs, SONG_SCHEMA, _song_row))
    unknown = np.setdiff1d(held.values, column(song_table, "id"))
    if len(unknown):
        bare = _to_table((Song(int(song)) for song in unknown), SONG_SCHEMA, _song_row)
        song_table = _by_id(pa.concat_tables([song_table, bare]))
    tags, playlist_tags = number_strings(playlist_table["tags"])
    genres, song_genres = number_strings(song_table["genres"])
    detail_genres, song_detail_genres = number_strings(song_table["detail_genres"])
    artist_count, song_artists = _number_artists(song_table)
    return Corpus(
        playlists=playlist_table,
        songs=song_table,
        playlist_songs=Ragged(
            held.offsets, np.searchsorted(column(song_table, "id"), held.values).astype(np.int64)
        ),
        tags=tags,
        playlist_tags=playlist_tags,
        song_album=_number_albums(song_table),
        song_artists=song_artists,
        artist_count=artist_count,
        genres=genres,
        song_genres=song_genres,
        detail_genres=detail_genres,
        song_detail_genres=song_detail_genres,
    )


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


def _playlist_row(playlist: Playlist) -> tuple[Any, ...]:
    title = None if playlist.title is None else storable(playlist.title)
    tags = [storable(tag) for tag in playlist.tags]
    return playlist.id, title, tags, playlist.songs, playlist.like_count, playlist.updated


def _song_row(song: Song) -> tuple[Any, ...]:
    return (
        song.id,
        None if song.name is None else storable(song.name),
        song.artist_ids,
        [storable(artist) for artist in song.artists],
        song.album_id,
        None if song.album is None else storable(song.album),
        [storable(code) for code in song.genres],
        [storable(code) for code in song.detail_genres],
        song.issue_date and song.issue_date.day,
        song.issue_date and song.issue_date.precision,
    )


def _to_table(
    records: Iterable[Record], schema: pa.Schema, row: Callable[[Record], tuple[Any, ...]]
) -> pa.Table:
    batches: list[pa.RecordBatch] = []
    for chunk in _chunks(records):
        columns = zip(*map(row, chunk), strict=True)
        arrays = [pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema)


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, BATCH)):
        yield chunk


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
