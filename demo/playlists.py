"""The playlists of the demo corpus: each draws its songs, tags and title from one mood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from melon.catalog import Playlist
from melon.demo import words
from melon.demo.draws import Ints, Pools, choose
from melon.demo.songs import GENRE_SHARES, SongColumns

# Shares of a playlist's songs that have its mood and genre, and its mood; the rest may be any.
GENRE_SHARE = 0.6
MOOD_SHARE = 0.28

NO_TITLE_SHARE = 0.08
KOREAN_TITLE_SHARE = 0.55
NO_DATE_SHARE = 0.03

_CHUNK = 8192
_FIRST_DAY = int(np.datetime64("2008-01-01", "D").astype(int))


@dataclass(frozen=True, slots=True)
class PlaylistColumns:
    """The theme planted in each playlist; both are (playlists,) and indexed by playlist id."""

    mood: Ints
    genre: Ints


def plant_playlists(count: int, rng: np.random.Generator) -> PlaylistColumns:
    """Give each playlist a mood, and one of the mood's genres."""
    moods = len(words.MOODS)
    mood = choose((np.arange(moods) + 4.0) ** -0.5, count, rng)
    genres = np.array([mood.genres for mood in words.MOODS])
    return PlaylistColumns(mood=mood, genre=genres[mood, choose(GENRE_SHARES, count, rng)])


def playlist_records(
    columns: PlaylistColumns,
    songs: SongColumns,
    tags: list[tuple[str, ...]],
    songs_per_playlist: float,
    rng: np.random.Generator,
    is_cold: npt.NDArray[np.bool_],
) -> Iterator[Playlist]:
    """Yield the playlists in the order of their ids.

    No playlist is older than one of its songs. Songs are drawn for some thousands of playlists at
    a time, so that memory does not grow with their number.

    Args:
        columns: What is planted in the playlists.
        songs: What is planted in the songs.
        tags: The tags of each playlist.
        songs_per_playlist: Roughly the mean number of songs.
        rng: Source of all random draws.
        is_cold: (songs,) set to False for each song of a playlist that was yielded.
    """
    genres = len(words.GENRES)
    pools = Pools(songs.mood * genres + songs.genre, songs.weight)
    for start in range(0, len(columns.mood), _CHUNK):
        mood = columns.mood[start : start + _CHUNK]
        genre = columns.genre[start : start + _CHUNK]
        drawn, bounds = _draw_songs(mood, genre, pools, songs_per_playlist, rng)
        is_cold[drawn] = False
        updated = _moments(np.maximum.reduceat(songs.day[drawn], bounds[:-1]), rng)
        likes = np.floor(rng.pareto(1.2, size=len(mood)) * 3).clip(max=50_000).astype(int)
        listed, limits = drawn.tolist(), bounds.tolist()
        rows = zip(_titles(mood, genre, rng), updated, likes.tolist(), strict=True)
        for n, (title, moment, like_count) in enumerate(rows):
            yield Playlist(
                id=start + n,
                title=title,
                songs=tuple(listed[limits[n] : limits[n + 1]]),
                tags=tags[start + n],
                like_count=like_count,
                updated=moment,
            )


def _draw_songs(
    mood: Ints, genre: Ints, pools: Pools, songs_per_playlist: float, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw the songs of each playlist, without repeats: songs, and (playlists + 1,) bounds."""
    playlists, genres = len(mood), len(words.GENRES)
    spread = 0.7  # of the log-normal length, whose mean lies spread²/2 above its median
    median = np.log(songs_per_playlist) - spread**2 / 2
    length = rng.lognormal(median, spread, size=playlists).astype(int)
    length = length.clip(words.SHORTEST_PLAYLIST, words.LONGEST_PLAYLIST)

    # More than are needed, because some songs are drawn twice.
    playlist = np.repeat(np.arange(playlists), length * 3 // 2 + 2)
    origin = choose((GENRE_SHARE, MOOD_SHARE, 1 - GENRE_SHARE - MOOD_SHARE), len(playlist), rng)
    first_of_mood = mood[playlist] * genres
    of_genre = first_of_mood + genre[playlist]
    first = np.choose(origin, [of_genre, first_of_mood, np.zeros_like(of_genre)])
    size = np.choose(origin, [1, genres, genres * len(words.MOODS)])
    song = pools.draw(first, first + size, rng)

    _, kept = np.unique(playlist * (int(song.max()) + 1) + song, return_index=True)
    kept.sort()
    starts = np.searchsorted(playlist[kept], np.arange(playlists))
    kept = kept[np.arange(len(kept)) - starts[playlist[kept]] < length[playlist[kept]]]
    return song[kept], np.searchsorted(playlist[kept], np.arange(playlists + 1))


def _moments(youngest_song: Ints, rng: np.random.Generator) -> list[datetime | None]:
    """Draw when each playlist was changed: within two years from its youngest song."""
    count = len(youngest_song)
    day = np.maximum(youngest_song + 1, _FIRST_DAY) + rng.integers(730, size=count)
    moment = day * 86_400 + rng.integers(86_400, size=count)
    unknown = rng.random(count) < NO_DATE_SHARE
    return [
        None if absent else known
        for known, absent in zip(
            moment.astype("datetime64[s]").tolist(), unknown.tolist(), strict=True
        )
    ]


def _titles(mood: Ints, genre: Ints, rng: np.random.Generator) -> Iterator[str | None]:
    """Invent a title for each playlist from the phrases of its mood, in either language."""
    count = len(mood)
    chances = rng.integers(1 << 30, size=(count, 4)).tolist()
    language = choose(
        (NO_TITLE_SHARE, KOREAN_TITLE_SHARE, 1 - NO_TITLE_SHARE - KOREAN_TITLE_SHARE), count, rng
    )
    rows = zip(mood.tolist(), genre.tolist(), language.tolist(), chances, strict=True)
    for mood_index, genre_index, spoken, (a, b, c, d) in rows:
        if spoken == 0:
            yield None
            continue
        theme = words.MOODS[mood_index]
        templates, phrases, feels = (
            (words.KOREAN_TITLES, theme.korean, words.KOREAN_FEELS)
            if spoken == 1
            else (words.ENGLISH_TITLES, theme.english, words.ENGLISH_FEELS)
        )
        era = words.ERAS[theme.eras[d % len(theme.eras)]]
        yield templates[a % len(templates)].format(
            phrase=phrases[b % len(phrases)],
            feel=feels[c % len(feels)],
            genre=words.GENRE_NAMES[genre_index].lower(),
            era=f"{era}년대" if spoken == 1 else f"{era}s",
        )
