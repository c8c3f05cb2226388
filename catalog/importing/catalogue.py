"""The rows of planned tables become playlists and songs, under their keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.importing.cells import TEXT, cleaned_values, split_cell
from melon.catalog.importing.gathering import AllValues, Codes, Entries, FirstValues, Keys, grown
from melon.catalog.importing.kinds import (
    UNITS,
    conversion,
    day_counted,
    issue_date,
    like_count,
    moment_counted,
    ticks_of,
)
from melon.catalog.importing.names import Role
from melon.catalog.importing.own_columns import OwnColumns
from melon.catalog.importing.plan import Kind, TablePlan
from melon.catalog.importing.planning import plan_later
from melon.catalog.importing.report import ImportReport
from melon.catalog.importing.rows import cells_of, playlist_keys, song_keys, unrolled
from melon.catalog.importing.tables import FILE_TITLE, RECORD, Batch
from melon.catalog.records import Playlist, Song
from melon.errors import counted
from melon.fields import FieldType, OwnField
from melon.text import clean_text

SLICE = 20_000
"""Records that are made at a time."""

PREVIEWED = 3
"""Playlists, and songs of each, that people are shown."""

FIRST_OF_PLAYLISTS = (Role.TITLE, Role.LIKES, Role.UPDATED)
FIRST_OF_SONGS = (Role.NAME, Role.ARTISTS, Role.ALBUM, Role.DATE)

COUNTED_SINCE_1970 = {Role.UPDATED: moment_counted, Role.DATE: day_counted}


class Catalogue:
    """Playlists and songs as they are in the sources, under their keys.

    Attributes:
        report: What was read and left out.
        own: The songs' own fields; known once all is read.
        playlist_codes: Of the playlists of which something is known; once all is read.
    """

    def __init__(self) -> None:
        self.report = ImportReport()
        self.playlist_keys = Keys()
        self.song_keys = Keys()
        self.of_playlists = {role: FirstValues() for role in FIRST_OF_PLAYLISTS}
        self.of_songs = {role: FirstValues() for role in FIRST_OF_SONGS}
        self.tags, self.genres = AllValues(), AllValues()
        self.own = OwnColumns()
        self._entries = Entries()
        self._titles: Counter[str] = Counter()
        self._records: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self._convert: dict[Role, Callable[[str], Any]] = {
            Role.LIKES: like_count,
            Role.UPDATED: conversion(FieldType.DATETIME),
            Role.DATE: issue_date,
        }

    # Reading.

    def take(self, plan: TablePlan, batch: Batch) -> npt.NDArray[np.bool_]:
        """Take the rows of a batch, and return which of them are of use.

        Raises:
            BadImport: lists that speak of the same things are of other lengths.
        """
        self.report.notes += plan_later(plan, batch.columns)
        self.report.rows += batch.rows
        unique, row_of = unrolled(plan, batch, self.report)
        useful = self._take(plan, unique)
        if row_of is None:
            return useful
        return np.bincount(row_of, useful, minlength=batch.rows) > 0

    def _take(self, plan: TablePlan, batch: Batch) -> npt.NDArray[np.bool_]:
        songs = self.song_keys.codes(song_keys(plan, batch, self.report))
        playlists = self.playlist_keys.codes(playlist_keys(plan, batch, self._titles, self.report))
        if RECORD in batch.columns:
            records = pd.Series(batch.column(RECORD).dictionary_encode().indices)
            of = playlists[~records.duplicated().to_numpy() & (playlists >= 0)]
            self._records = grown(self._records, len(self.playlist_keys), 0)
            np.add.at(self._records, of, 1)
        for role, values in self.of_songs.items():
            if role in plan.roles:
                values.add(songs, cells_of(plan, batch, role), len(self.song_keys))
        if Role.GENRES in plan.roles:
            self.genres.add(songs, cells_of(plan, batch, Role.GENRES))
        if plan.kind is not Kind.SONGS:
            for role, values in self.of_playlists.items():
                column = _of_playlist(plan, batch, role)
                if column is not None:
                    values.add(playlists, column, len(self.playlist_keys))
            if Role.TAGS in plan.roles:
                self.tags.add(playlists, cells_of(plan, batch, Role.TAGS))
        for name, column in plan.fields.items():
            self.own.add(
                name,
                cleaned_values(batch.column(column)),
                (songs, len(self.song_keys)),
                (playlists, len(self.playlist_keys)),
            )
        return self._count(plan, batch, songs, playlists)

    def _count(
        self, plan: TablePlan, batch: Batch, songs: Codes, playlists: Codes
    ) -> npt.NDArray[np.bool_]:
        has_song, has_playlist = songs >= 0, playlists >= 0
        count = self.report.count
        match plan.kind:
            case Kind.SONGS:
                count("row", "without a track: skipped", int((~has_song).sum()))
                return has_song
            case Kind.PLAYLISTS:
                count("row", "without a playlist: skipped", int((~has_playlist).sum()))
                return has_playlist
        both = has_song & has_playlist
        count(
            "row",
            "without a playlist: what it says of the song is kept",
            int((~has_playlist).sum()),
        )
        count("row", "without a track", int((has_playlist & ~has_song).sum()))
        places = None
        if Role.POSITION in plan.roles:
            cells = cleaned_values(batch.column(plan.roles[Role.POSITION])).filter(pa.array(both))
            places = _numbers(cells)
            wrong = np.isnan(places) & np.asarray(pc.is_valid(cells))
            example = repr(cells[int(wrong.argmax())].as_py()) if wrong.any() else ""
            count("value", "of position, not a number: ignored", int(wrong.sum()), example)
        self._entries.add(playlists[both], songs[both], places)
        if Role.TITLE in plan.roles or Role.TAGS in plan.roles:
            return has_playlist
        return both

    def add_empty(self, key: str, title: str) -> None:
        """Take a playlist of which nothing but its title is known."""
        codes = self.playlist_keys.codes(pa.array([key], TEXT))
        self.of_playlists[Role.TITLE].add(codes, pa.array([title], TEXT), len(self.playlist_keys))

    # What is known once all is read.

    def close(self, types: Mapping[str, OwnField]) -> None:
        """Decide on the own fields, put entries in order, and complete the report.

        Raises:
            BadImport: a type is of a field that no song has.
        """
        count, notes = self.report.count, self.report.notes
        notes += self.own.close(types, len(self.playlist_keys))
        self._drop_unreadable()
        self.own.drop_unreadable(self.report)
        notes += self.own.lines()
        dropped = self._entries.close(len(self.playlist_keys))
        count("entry", "of a song that its playlist has already: dropped", dropped)
        for noun, of in (("song", self.of_songs), ("playlist", self.of_playlists)):
            for role, values in of.items():
                how = f"with other {role} in later rows: the first stays"
                count(noun, how, values.conflicts)
        self.tags.close(len(self.playlist_keys))
        self.genres.close(len(self.song_keys))
        self._complete_report()

    def _drop_unreadable(self) -> None:
        """Drop and count the numbers and dates that are none."""
        for role, convert in self._convert.items():
            values = (self.of_playlists | self.of_songs)[role]
            if role in COUNTED_SINCE_1970 and (ticks := ticks_of(values.values)):
                self._convert[role] = COUNTED_SINCE_1970[role](ticks)
                self.report.notes.append(f"{role}: {UNITS[ticks]} since 1970")
            else:
                type = "number" if role is Role.LIKES else "date"
                unfit = values.drop_unfit(convert)
                self.report.count(
                    "value", f"of {role} that cannot be read as {type}: dropped", *unfit
                )

    def _complete_report(self) -> None:
        report = self.report
        songs, tags = np.diff(self._entries.offsets) > 0, np.diff(self.tags.offsets) > 0
        everyone = np.arange(len(songs))
        titles = np.asarray(pc.is_valid(self.of_playlists[Role.TITLE].of(everyone)))
        some = titles | songs | tags
        self.playlist_codes = everyone[some]
        report.entries = len(self._entries.songs)
        report.playlists, report.songs = len(self.playlist_codes), len(self.song_keys)
        several = self._records > 1
        example = self.playlist_keys.values[int(several.argmax())].as_py() if several.any() else ""
        how = "that is there several times: its songs are put together"
        report.count("playlist", how, int(several.sum()), example)
        report.count("playlist", "without songs, title and tags: left out", int((~some).sum()))
        report.count(
            "playlist", "without songs: kept for title and tags", int((some & ~songs).sum())
        )
        unheard = np.ones(len(self.song_keys), np.bool_)
        unheard[self._entries.songs] = False
        example = self.song_keys.values[int(unheard.argmax())].as_py() if unheard.any() else ""
        report.count("song", "in no playlist", int(unheard.sum()), example)
        known = {
            "titles": titles,
            "tags": tags,
            "names": self.of_songs[Role.NAME].at >= 0,
            "artists": self.of_songs[Role.ARTISTS].at >= 0,
            "dates": self.of_songs[Role.DATE].at >= 0,
            "genres": np.diff(self.genres.offsets) > 0,
        }
        for what, which in known.items():
            of = report.playlists if what in ("titles", "tags") else report.songs
            report.shares[what] = int(which.sum()) / of if of else 0.0

    # Records.

    def playlists(
        self, codes: npt.NDArray[Any], ids: npt.NDArray[Any], song_ids: npt.NDArray[Any]
    ) -> Iterator[Playlist]:
        """The playlists of these codes; ids are by the codes of playlists and of songs."""
        for start in range(0, len(codes), SLICE):
            yield from self._some_playlists(codes[start : start + SLICE], ids, song_ids)

    def _some_playlists(
        self, codes: npt.NDArray[Any], ids: npt.NDArray[Any], song_ids: npt.NDArray[Any]
    ) -> Iterator[Playlist]:
        keys = self.playlist_keys.values.take(pa.array(codes)).to_pylist()
        titles, likes, updated = (
            self.of_playlists[role].of(codes).to_pylist() for role in FIRST_OF_PLAYLISTS
        )
        tags = self.tags.of(codes)
        numbers = ids[codes].tolist()
        for at, code in enumerate(codes.tolist()):
            yield Playlist(
                id=numbers[at],
                key=keys[at],
                title=clean_text(titles[at]),
                songs=tuple(song_ids[self._entries.of(code)].tolist()),
                tags=tags[at],
                like_count=self._value(Role.LIKES, likes[at]),
                updated=self._value(Role.UPDATED, updated[at]),
            )

    def songs(self, codes: npt.NDArray[Any], ids: npt.NDArray[Any]) -> Iterator[Song]:
        """The songs of these codes; ids are by the codes of songs."""
        for start in range(0, len(codes), SLICE):
            yield from self._some_songs(codes[start : start + SLICE], ids)

    def _some_songs(self, codes: npt.NDArray[Any], ids: npt.NDArray[Any]) -> Iterator[Song]:
        keys = self.song_keys.values.take(pa.array(codes)).to_pylist()
        names, artists, albums, dates = (
            self.of_songs[role].of(codes).to_pylist() for role in FIRST_OF_SONGS
        )
        genres, own = self.genres.of(codes), self.own.of(codes)
        for at, number in enumerate(ids[codes].tolist()):
            yield Song(
                id=number,
                key=keys[at],
                name=clean_text(names[at]),
                artists=split_cell(artists[at]),
                album=clean_text(albums[at]),
                genres=genres[at],
                issue_date=self._value(Role.DATE, dates[at]),
                more={name: values[at] for name, values in own if values[at] is not None},
            )

    def _value(self, role: Role, text: str | None) -> Any:
        return None if text is None else self._convert[role](text)

    def preview(self) -> list[str]:
        """The first playlists as they were read, for people."""
        lines = []
        for code in range(min(PREVIEWED, len(self.playlist_keys))):
            songs = self._entries.of(code)
            title = self.of_playlists[Role.TITLE].of(np.array([code]))[0].as_py()
            names = self.of_songs[Role.NAME].of(songs[:PREVIEWED]).to_pylist()
            keys = self.song_keys.values.take(pa.array(songs[:PREVIEWED])).to_pylist()
            shown = [name or key for name, key in zip(names, keys, strict=True)]
            more = ", …" if len(songs) > PREVIEWED else ""
            key = self.playlist_keys.values[code].as_py()
            lines.append(
                f"  {key}"
                + (f" {title!r}" if title and title != key else "")
                + f": {counted(len(songs), 'song')}"
                + (f": {', '.join(shown)}{more}" if shown else "")
            )
        return lines


def _of_playlist(plan: TablePlan, batch: Batch, role: Role) -> Any:
    """What rows say of their playlists, if they do; a file's name is the title of the playlist."""
    if role in plan.roles:
        return cells_of(plan, batch, role)
    if role is Role.TITLE and plan.kind is Kind.FILES:
        return batch.column(FILE_TITLE)
    return None


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    """The texts as numbers, NaN where they are none."""
    return np.asarray(pd.to_numeric(pd.Series(column.to_pandas()), errors="coerce"), np.float64)
