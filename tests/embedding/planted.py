"""A corpus whose structure is known: groups of songs that only ever stand together."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from melon.catalog import Genre, Playlist, Song
from melon.embedding import TrainingSettings, training_settings

GROUPS = 4
SONGS_OF_A_GROUP = 12
MOODS = ("rainy day", "신나는", "Focus", "새벽 감성")
"""One tag for each group; titles hold it too."""

COLD_BY_ALBUM, COLD_BY_ARTIST, COLD_BY_GENRE, COLD_BY_PLAYLIST, UNKNOWABLE = range(900, 905)
"""Songs without enough playlists, each of group 1, known by one thing only."""


def group_of(song: int) -> int:
    return song // 100


def planted_playlists(seed: int = 0, per_group: int = 40) -> list[Playlist]:
    rng = np.random.default_rng(seed)
    playlists = []
    for number in range(per_group * GROUPS):
        group = number % GROUPS
        members = 100 * group + rng.choice(SONGS_OF_A_GROUP, 6, replace=False)
        songs = [int(song) for song in members]
        tags = [MOODS[group]] if number % 3 else []
        if number == 1:
            songs.append(COLD_BY_PLAYLIST)
            tags.append("seen once")
        playlists.append(
            Playlist(
                id=number,
                title=f"{MOODS[group]} mix" if number % 4 != 3 else None,
                songs=tuple(songs),
                tags=tuple(tags),
                like_count=number,
                updated=datetime(2020, 1, 1, 12, 30),
            )
        )
    return playlists


def planted_songs() -> list[Song]:
    songs = [
        Song(
            id=100 * group + i,
            name=f"song {i}",
            artist_ids=(group * 10 + i // 4,),
            artists=(f"artist {group} {i // 4}",),
            album_id=group * 10 + i // 4,
            genres=(f"GN0{group + 1}00",),
        )
        for group in range(GROUPS)
        for i in range(SONGS_OF_A_GROUP)
    ]
    # each is known by less than the one before it; where two things are known they contradict
    return [
        *songs,
        Song(COLD_BY_ALBUM, album_id=10, artist_ids=(20,), genres=("GN0300",)),
        Song(COLD_BY_ARTIST, album_id=99, artist_ids=(10,), genres=("GN0300",)),
        Song(COLD_BY_GENRE, artist_ids=(98,), genres=("GN0200",)),
        Song(UNKNOWABLE, name="nobody knows"),
    ]


def planted_genres() -> dict[str, Genre]:
    codes = [f"GN0{group + 1}00" for group in range(GROUPS)]
    return {code: Genre(code, f"genre {code}", None) for code in codes}


def small_settings(**changes: object) -> TrainingSettings:
    return training_settings(**({"dim": 16, "epochs": 12, "title_pieces": 64} | changes))
