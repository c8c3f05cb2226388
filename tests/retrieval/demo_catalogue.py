"""The demo corpus as it was written: what every answer is checked against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from melon.catalog import (
    Genre,
    Playlist,
    ReadReport,
    Song,
    find_corpus,
    read_genres,
    read_playlists,
    read_songs,
)
from melon.retrieval import Constraints


@dataclass(frozen=True)
class Catalogue:
    """Songs, genres and playlists by id or code, and how many playlists hold each song."""

    songs: Mapping[int, Song]
    genres: Mapping[str, Genre]
    playlists: Mapping[int, Playlist]
    popularity: Counter[int]

    @classmethod
    def read(cls, directory: Path) -> Catalogue:
        files, report = find_corpus([directory]), ReadReport()
        assert files.songs
        assert files.genres
        playlists = {p.id: p for p in read_playlists(files.playlists, report=report)}
        return cls(
            songs={song.id: song for song in read_songs(files.songs, report=report)},
            genres=read_genres(files.genres),
            playlists=playlists,
            popularity=Counter(song for p in playlists.values() for song in p.songs),
        )

    @property
    def artists(self) -> list[str]:
        return sorted({artist for song in self.songs.values() for artist in song.artists})

    def codes(self, name: str) -> set[str]:
        return {code for code, genre in self.genres.items() if name in (code, genre.name)}

    def allows(self, constraints: Constraints, song: Song) -> bool:
        """Whether a song passes, worked out from its record and nothing of melon's store."""
        own = {*song.genres, *song.detail_genres}
        day = song.issue_date.day if song.issue_date else None
        popularity = self.popularity[song.id]

        def in_one_of(names: tuple[str, ...]) -> bool:
            return any(own & self.codes(name) for name in names)

        return (
            (constraints.genres is None or in_one_of(constraints.genres))
            and all(in_one_of((name,)) for name in constraints.all_genres or ())
            and not in_one_of(constraints.not_genres)
            and (constraints.artists is None or bool({*song.artists} & {*constraints.artists}))
            and not {*song.artists} & {*constraints.not_artists}
            and (constraints.since is None or (day or date.min) >= constraints.since)
            and (constraints.until is None or (day or date.max) <= constraints.until)
            and popularity >= (constraints.min_popularity or 0)
            and (constraints.max_popularity is None or popularity <= constraints.max_popularity)
            and song.id not in constraints.exclude_songs
        )

    def allowed(self, constraints: Constraints) -> set[int]:
        return {song.id for song in self.songs.values() if self.allows(constraints, song)}
