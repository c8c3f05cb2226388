"""The demo catalogue with keys and fields of its own, which follow from the ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from melon.embedding import EmbeddingSpace
from melon.fields import FieldType, own_field

LANGUAGES = ("ko", "en", "日本語")
LABELS = ("A & M", "it's", 'the "label"', "x, y (z)", "null")
MOODS = ("calm", "wet", "밤")
FIRST_DAY = datetime(2019, 12, 30, tzinfo=UTC)

OWN_FIELDS = (
    own_field("bpm", FieldType.FLOAT),
    own_field("loudness", FieldType.INTEGER),
    own_field("explicit", FieldType.BOOL),
    own_field("language", FieldType.KEYWORD),
    own_field("label", FieldType.KEYWORD),
    own_field("분위기", FieldType.KEYWORD, many=True),
    own_field("peaks", FieldType.FLOAT, many=True),
    own_field("added_at", FieldType.DATETIME),
    own_field("premiere", FieldType.DATE),
    own_field("lyrics", FieldType.TEXT),
)


def song_key(song: int) -> str | None:
    """Of three songs in four: a URI, or what another song has for its id."""
    if song % 4 == 3:
        return None
    return str(song + 1) if song % 4 == 2 else f"demo:song:{song}"


def playlist_key(playlist: int) -> str | None:
    """Of two playlists in three."""
    return None if playlist % 3 == 2 else f"demo:list:{playlist}·💿"


def own_values(song: int) -> Mapping[str, Any]:
    """What is known of a song by the names of its catalogue's own fields."""
    added = FIRST_DAY + timedelta(days=song % 5, hours=song % 7, microseconds=song % 3)
    values: dict[str, Any] = {
        "bpm": 100 + song % 40 + 0.5 * (song % 2),
        "loudness": song % 11 - 8,
        "explicit": song % 3 == 0,
        "language": LANGUAGES[song % 3],
        "label": LABELS[song % 5],
        "분위기": [MOODS[song % 3], MOODS[song % 2]],
        "peaks": [float(song % 4), song % 9 + 0.5],
        "added_at": added,
        "premiere": added.date(),
        "lyrics": f"la la {song}",
    }
    return {name: value for n, (name, value) in enumerate(values.items()) if (song + n) % 8}


def keyed(space: EmbeddingSpace) -> EmbeddingSpace:
    """The same space with keys, and with the catalogue's own fields."""
    songs = _with_keys(space.songs, song_key)
    known = [own_values(song) for song in songs["id"].to_pylist()]
    types = {FieldType.FLOAT: pa.float64(), FieldType.INTEGER: pa.int64()}
    types |= {FieldType.BOOL: pa.bool_(), FieldType.DATE: pa.date32()}
    types |= {FieldType.DATETIME: pa.timestamp("us")}
    for field in OWN_FIELDS:
        one = types.get(field.type, pa.string())
        values = [values.get(field.name, [] if field.many else None) for values in known]
        if field.type is FieldType.DATETIME:
            values = [value and value.replace(tzinfo=None) for value in values]
        column = pa.array(values, pa.list_(one) if field.many else one)
        songs = songs.append_column(field.name, column)
    playlists = _with_keys(space.playlists, playlist_key)
    return replace(space, songs=songs, playlists=playlists, fields=OWN_FIELDS)


def _with_keys(table: pa.Table, key: Any) -> pa.Table:
    keys = pa.array([key(number) for number in table["id"].to_pylist()], pa.string())
    return table.set_column(table.schema.get_field_index("key"), "key", keys)
