"""A catalogue of which every value is known, and spaces made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np

from melon.catalog import Genre, IssueDate, Playlist, Song
from melon.embedding import EmbeddingSpace, build_space, training_settings
from melon.fields import FieldType, own_field

FULL, MONTH, YEAR, BARE, COLD, LOST, TWICE = 10, 11, 12, 13, 14, 15, 16
"""Songs: all known; dates known to the month and the year; nothing known but playlists; in no
playlist but of a known artist; nothing known and in no playlist, so without a vector; with an
artist named more than once, and two genres of one name."""

OWN_FIELDS = (
    own_field("bpm", FieldType.FLOAT),
    own_field("loudness", FieldType.INTEGER),
    own_field("explicit", FieldType.BOOL),
    own_field("moods", FieldType.KEYWORD, many=True),
    own_field("언어", FieldType.KEYWORD),
    own_field("added_at", FieldType.DATETIME),
    own_field("days", FieldType.DATE, many=True),
    own_field("copy", FieldType.TEXT),
)

SONGS = (
    Song(
        FULL,
        name="  Rain  Café ".strip(),
        artist_ids=(7, 8),
        artists=("비", "The Ｒain"),
        album_id=70,
        album="Wet",
        genres=("GN0100", "GN0900"),
        detail_genres=("GN0105",),
        issue_date=IssueDate(date(2014, 8, 19), "day"),
        key="track:full",
        more={
            "bpm": 0.1 + 0.2,
            "loudness": -7,
            "explicit": False,
            "moods": ("calm", "wet", "calm"),
            "언어": "한국어",
            "added_at": datetime(2020, 1, 2, 3, 4, 5, 600),
            "days": (date(1999, 12, 31), date(2000, 1, 1)),
            "copy": "© a label",
        },
    ),
    Song(MONTH, name="June", genres=("GN0100",), issue_date=IssueDate(date(2006, 6, 1), "month")),
    Song(YEAR, name="That Year", artist_ids=(7,), issue_date=IssueDate(date(2006, 1, 1), "year")),
    Song(COLD, name="Unplayed", artist_ids=(7,), artists=("비",), genres=("GN0200",)),
    Song(LOST),
    Song(TWICE, artist_ids=(9, 9), artists=("A", "A", "a"), genres=("GN0200", "GN0300")),
)
GENRES = {
    "GN0100": Genre("GN0100", "발라드", None),
    "GN0105": Genre("GN0105", "'90s", "GN0100"),
    "GN0200": Genre("GN0200", "댄스", None),
    "GN0300": Genre("GN0300", "댄스", None),
}

PLAYLISTS = (
    Playlist(
        1,
        title="비 오는 날",
        songs=(FULL, MONTH, YEAR, BARE),
        tags=("비오는날", "rain"),
        like_count=12,
        updated=datetime(2019, 12, 17, 14, 6, 45),
        key="list:1",
    ),
    Playlist(2, title=None, songs=(FULL, MONTH), tags=(), like_count=None, updated=None),
    Playlist(3, title="rain", songs=(), tags=("rain",), like_count=0, updated=None),
    Playlist(4, title="비 오는 밤", songs=(FULL,), tags=("rain", "밤"), like_count=1, updated=None),
)


def known_space(seed: int = 1) -> EmbeddingSpace:
    """The catalogue above, trained just enough to have vectors; another seed, another space."""
    settings = training_settings(dim=8, epochs=2, min_count=1, title_pieces=32, seed=seed)
    return build_space(PLAYLISTS, SONGS, GENRES, settings, fields=OWN_FIELDS)


def variant(space: EmbeddingSpace, number: int) -> EmbeddingSpace:
    """The same points in other places: another space, made in no time."""
    turned = np.roll(space.song_vectors, number, axis=1)
    return replace(space, song_vectors=turned, manifest={})
