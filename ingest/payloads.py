"""Payloads of the four collections, made from a space's columns a batch at a time.

Unknown values are absent: never "", 0 or null. Lists hold no repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from melon.embedding import EmbeddingSpace
from melon.ingest.incidence import Incidence, Matrix, membership
from melon.store import (
    FIRST_BIGRAM_ITEM,
    FIRST_TAG_ITEM,
    FIRST_WORD_ITEM,
    Payload,
    genre_year,
)
from melon.text import name_key

PayloadSlice = Callable[[int, int], list[Payload]]
"""The payloads of the points from a row to before another."""

T = TypeVar("T")

PLAYLIST_GENRE_SHARE = 0.25
"""A playlist has the genres that at least this share of its songs with a genre have."""


def song_payloads(space: EmbeddingSpace) -> PayloadSlice:
    """Metadata, popularity and the source of the vector of each song."""
    names = {code: genre.name for code, genre in space.genres.items()}

    def payloads(start: int, stop: int) -> list[Payload]:
        return [
            _known(
                name=row["name"],
                name_key=name_key(row["name"]) if row["name"] else None,
                artists=_distinct(row["artists"]),
                artist_keys=_distinct(map(name_key, row["artists"])),
                artist_ids=_distinct(row["artist_ids"]),
                album=row["album"],
                album_id=row["album_id"],
                genres=row["genres"],
                genre_names=_distinct(names[code] for code in row["genres"] if code in names),
                detail_genres=row["detail_genres"],
                genre_years=_genre_years(row["genres"], row["issue_date"]),
                issue_date=_midnight(row["issue_date"]),
                issue_date_precision=row["issue_date_precision"],
                issue_year=row["issue_date"].year if row["issue_date"] else None,
                popularity=row["popularity"],
                vector_source=row["vector_source"],
            )
            for row in _rows(space.songs, start, stop)
        ]

    return payloads


def playlist_payloads(space: EmbeddingSpace, held: Incidence) -> PayloadSlice:
    """Title, tags, songs, date, likes and the prevailing genres of each playlist."""
    genres = _prevailing_genres(space, held.songs)

    def payloads(start: int, stop: int) -> list[Payload]:
        return [
            _known(
                title=row["title"],
                tags=row["tags"],
                songs=row["songs"],
                updt_date=_moment(row["updated"]),
                like_count=row["like_count"],
                song_count=len(row["songs"]),
                genres=genres[start + i],
                vector_source=row["vector_source"],
            )
            for i, row in enumerate(_rows(space.playlists, start, stop))
        ]

    return payloads


def tag_payloads(space: EmbeddingSpace) -> PayloadSlice:
    """Each tag, its popularity and its dimension in `items`."""
    return _table_payloads(_with_items(space.tag_table, FIRST_TAG_ITEM))


def word_payloads(space: EmbeddingSpace, held: Incidence) -> PayloadSlice:
    """Each word, then each bigram: its kind, popularity and dimension in `items`."""
    words = _with_items(space.word_table, FIRST_WORD_ITEM)
    bigrams = pa.table(
        {
            "word": pa.array(held.bigram_names, pa.string()),
            "popularity": held.bigrams.sum(axis=0).astype(np.int64),
        }
    )
    parts = [
        table.append_column("kind", pa.array([kind] * len(table), pa.string()))
        for kind, table in (("word", words), ("bigram", _with_items(bigrams, FIRST_BIGRAM_ITEM)))
    ]
    return _table_payloads(pa.concat_tables(parts, promote_options="default"))


def _with_items(table: pa.Table, first: int) -> pa.Table:
    return table.append_column("item", pa.array(range(first, first + len(table)), pa.int64()))


def _table_payloads(table: pa.Table) -> PayloadSlice:
    return lambda start, stop: [_known(**row) for row in _rows(table, start, stop)]


def _known(**fields: Any) -> Payload:
    return {
        name: value for name, value in fields.items() if value is not None and value not in ("", [])
    }


def _distinct(values: Iterable[T]) -> list[T]:
    """The values, each where it comes first."""
    return list(dict.fromkeys(values))


def _rows(table: pa.Table, start: int, stop: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.slice(start, stop - start).to_pylist()
    return rows


def _genre_years(genres: list[str], issued: date | None) -> list[str]:
    return [genre_year(genre, issued.year) for genre in genres] if issued else []


def _midnight(day: date | None) -> str | None:
    return f"{day.isoformat()}T00:00:00Z" if day else None


def _moment(moment: datetime | None) -> str | None:
    return f"{moment.replace(tzinfo=None).isoformat()}Z" if moment else None


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
    found = np.array(codes, dtype=object)[counts.indices[order]]
    return [part.tolist() for part in np.split(found, counts.indptr[1:-1])]
