"""The songs of the demo corpus: planted as columns, then written as records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from melon.catalog import Genre, IssueDate, Song
from melon.demo import words
from melon.demo.draws import Floats, Ints, choose

SONGS_PER_ARTIST = 7
SONGS_PER_ALBUM = 4
COLD_SHARE = 0.08
ARTIST_MOOD_SHARE = 0.85
ARTIST_GENRE_SHARE = 0.8
DUET_SHARE = 0.06
NO_GENRE_SHARE = 0.03
NO_NAME_SHARE = 0.003
SAME_NAME_SHARE = 0.02
DATE_SHARES = (0.84, 0.05, 0.08, 0.03)
"""Shares of the dates that are known to the day, to the month, to the year, and not at all."""

GENRE_SHARES = (0.5, 0.3, 0.2)
"""Of the genres of a mood, the commonest first."""

DETAIL_SHARES = (0.85, 0.13, 0.02)
"""Of the detail genres of a genre: catalogues have a long tail of rare ones."""


@dataclass(frozen=True, slots=True)
class SongColumns:
    """What is planted in each song; all are (songs,) and indexed by song id.

    `mood`, `genre` and `detail` are indices into the vocabulary; `second_artist` is -1 where
    there is none; `day` counts from 1970-01-01; `weight` is proportional to how often the song is
    in playlists, 0 for cold ones.
    """

    mood: Ints
    genre: Ints
    detail: Ints
    artist: Ints
    second_artist: Ints
    album: Ints
    day: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.mood)


def plant_songs(count: int, rng: np.random.Generator) -> SongColumns:
    """Give artists a mood, a genre and an era, and songs mostly those of their artist.

    Popularity follows Zipf's law. An album holds songs of one artist, all of one date.
    """
    moods = len(words.MOODS)
    artists = max(1, count // SONGS_PER_ARTIST)
    artist_mood = rng.integers(moods, size=artists)
    artist_genre = _genre_of(artist_mood, rng)
    artist_era = _era_of(artist_mood, rng)

    artist_share = (np.arange(artists) + 5.0) ** -0.5
    artist = np.sort(choose(artist_share, count, rng))
    mood = np.where(
        rng.random(count) < ARTIST_MOOD_SHARE, artist_mood[artist], rng.integers(moods, size=count)
    )
    as_artist = (mood == artist_mood[artist]) & (rng.random(count) < ARTIST_GENRE_SHARE)
    genre = np.where(as_artist, artist_genre[artist], _genre_of(mood, rng))
    detail = choose(DETAIL_SHARES, count, rng)
    second_artist = np.where(rng.random(count) < DUET_SHARE, rng.integers(artists, size=count), -1)
    second_artist[second_artist == artist] = -1

    opens_album = rng.random(count) < 1 / SONGS_PER_ALBUM
    opens_album[0] = True
    opens_album[1:] |= artist[1:] != artist[:-1]
    album = np.cumsum(opens_album) - 1
    decade = np.array([np.datetime64(f"{era}-01-01", "D").astype(int) for era in words.ERAS])
    album_day = decade[artist_era[artist[opens_album]]]
    album_day += rng.integers(3652, size=len(album_day))

    weight = (rng.permutation(count) + 20.0) ** -0.8
    weight[rng.permutation(count)[: round(count * COLD_SHARE)]] = 0

    deal = rng.permutation(count)  # so that an id tells nothing about its song
    return SongColumns(
        mood=mood[deal],
        genre=genre[deal],
        detail=detail[deal],
        artist=artist[deal],
        second_artist=second_artist[deal],
        album=album[deal],
        day=album_day[album[deal]],
        weight=weight[deal],
    )


def song_records(columns: SongColumns, rng: np.random.Generator) -> Iterator[Song]:
    """Yield the songs in the order of their ids, with names, and with some of it unknown.

    A few songs share their name with another one.
    """
    count = len(columns)
    name_number = np.arange(count)
    same = rng.random(count) < SAME_NAME_SHARE
    name_number[same] = rng.integers(count, size=int(same.sum()))
    name_number[rng.random(count) < NO_NAME_SHARE] = -1
    genre = np.where(rng.random(count) < NO_GENRE_SHARE, -1, columns.genre)
    precision = choose(DATE_SHARES, count, rng)

    last_artist = max(int(columns.artist.max()), int(columns.second_artist.max()))
    artist_names = [words.artist_name(n) for n in range(last_artist + 1)]
    genre_codes = [(_code(n),) for n in range(len(words.GENRES))]
    detail_codes = [
        [(_code(n, detail),) for detail in range(len(details))]
        for n, (_, details) in enumerate(words.GENRES)
    ]
    rows = zip(
        name_number.tolist(),
        columns.artist.tolist(),
        columns.second_artist.tolist(),
        columns.album.tolist(),
        genre.tolist(),
        columns.detail.tolist(),
        columns.day.astype("datetime64[D]").tolist(),
        precision.tolist(),
        strict=True,
    )
    for song_id, (name, artist, second, album, code, detail, day, known) in enumerate(rows):
        artist_ids = (artist,) if second < 0 else (artist, second)
        yield Song(
            id=song_id,
            name=None if name < 0 else words.work_name(name),
            artist_ids=artist_ids,
            artists=tuple([artist_names[one] for one in artist_ids]),
            album_id=album,
            album=words.work_name(count + album),
            genres=() if code < 0 else genre_codes[code],
            detail_genres=() if code < 0 else detail_codes[code][detail],
            issue_date=_issue_date(day, known),
        )


def genre_records() -> Iterator[Genre]:
    """Yield the genres, each followed by its detail genres."""
    for n, (name, details) in enumerate(words.GENRES):
        yield Genre(_code(n), name, None)
        for detail, detail_name in enumerate(details):
            yield Genre(_code(n, detail), detail_name, _code(n))


def _genre_of(mood: Ints, rng: np.random.Generator) -> Ints:
    """Draw one of the three genres of each mood."""
    genres = np.array([mood.genres for mood in words.MOODS])
    return genres[mood, choose(GENRE_SHARES, len(mood), rng)]


def _era_of(mood: Ints, rng: np.random.Generator) -> Ints:
    """Draw one of the eras of each mood."""
    most = max(len(mood.eras) for mood in words.MOODS)
    eras = np.array([[mood.eras[n % len(mood.eras)] for n in range(most)] for mood in words.MOODS])
    return eras[mood, rng.integers(most, size=len(mood))]


def _code(genre: int, detail: int | None = None) -> str:
    return f"GN{genre + 1:02}{0 if detail is None else detail + 1:02}"


def _issue_date(day: date, precision: int) -> IssueDate | None:
    match precision:
        case 0:
            return IssueDate(day, "day")
        case 1:
            return IssueDate(day.replace(day=1), "month")
        case 2:
            return IssueDate(day.replace(month=1, day=1), "year")
        case _:
            return None
