"""The rows of planned tables become playlists and songs, under their keys."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.dates import from_epoch, parse_issue_date, parse_updated
from melon.catalog.errors import BadImport
from melon.catalog.importing.cells import (
    JOINT,
    TEXT,
    apart,
    cleaned,
    cleaned_keys,
    cleaned_values,
    joined,
    separated,
    split_cell,
)
from melon.catalog.importing.gathering import AllValues, Codes, FirstValues, Keys
from melon.catalog.importing.kinds import UNITS, conversion, inferred_field, ticks_of
from melon.catalog.importing.names import OF_SONGS, Role
from melon.catalog.importing.plan import SEVERAL, Kind, TablePlan, plan_later
from melon.catalog.importing.report import ImportReport
from melon.catalog.importing.tables import FILE_KEY, FILE_TITLE, RECORD, Batch
from melon.catalog.records import IssueDate, Playlist, Song
from melon.errors import counted
from melon.fields import Field, FieldType, OwnField, own_field
from melon.text import clean_text, did_you_mean, name_key

T = TypeVar("T")

SLICE = 20_000
ENTRIES_AT_ONCE = 1 << 20
PREVIEWED = 3

FIRST_OF_PLAYLISTS = (Role.TITLE, Role.LIKES, Role.UPDATED)
FIRST_OF_SONGS = (Role.NAME, Role.ARTISTS, Role.ALBUM, Role.DATE)


class Catalogue:
    """Playlists and songs as they are in the sources, under their keys.

    Attributes:
        report: What was read and left out.
        fields: The songs' own fields; known once all is read.
        typed: Names of those whose type was given.
    """

    def __init__(self) -> None:
        self.report = ImportReport()
        self.fields: tuple[Field, ...] = ()
        self.typed: frozenset[str] = frozenset()
        self.playlist_keys = Keys()
        self.song_keys = Keys()
        self.of_playlists = {role: FirstValues() for role in FIRST_OF_PLAYLISTS}
        self.of_songs = {role: FirstValues() for role in FIRST_OF_SONGS}
        self.tags, self.genres = AllValues(), AllValues()
        self.own: dict[str, FirstValues] = {}
        self._by_playlist: dict[str, FirstValues | None] = {}
        self._entries: list[tuple[Codes, Codes, npt.NDArray[np.float64] | None]] = []
        self._ticks: dict[str, int] = {}
        self._titles: Counter[str] = Counter()

    # Reading.

    def take(self, plan: TablePlan, batch: Batch) -> npt.NDArray[np.bool_]:
        """Take the rows of a batch, and return which of them are of use."""
        self.report.notes += plan_later(plan, batch.columns)
        self.report.rows += batch.rows
        rows = batch.rows
        batch, row_of = self._unrolled(plan, batch)
        useful = self._take(plan, batch)
        if row_of is None:
            return useful
        return np.bincount(row_of, useful, minlength=rows) > 0

    def _unrolled(
        self, plan: TablePlan, batch: Batch
    ) -> tuple[Batch, npt.NDArray[np.int64] | None]:
        """The rows with one key in each cell of keys, and which row each is of, if that changes."""
        row_of = None
        for noun, (key, called), beside in _KEYS:
            for role in (key, called):
                if role not in plan.roles:
                    continue
                lists = apart(batch.column(plan.roles[role]), plan.marks.get(role))
                sizes = np.asarray(pc.list_value_length(lists))
                if sizes.max(initial=1) == 1:
                    continue
                others = [plan.roles[one] for one in beside if one in plan.roles and one != role]
                others += plan.fields.values() if key is Role.TRACK else ()
                self.report.count(
                    "row",
                    f"with several {noun}s in a cell: there is an entry for each",
                    int((sizes > 1).sum()),
                )
                batch, at = _an_entry_each(plan, batch, plan.roles[role], lists, others)
                row_of = at if row_of is None else row_of[at]
                break
        return batch, row_of

    def _take(self, plan: TablePlan, batch: Batch) -> npt.NDArray[np.bool_]:
        songs = self._songs(plan, batch)
        playlists = self._playlists(plan, batch)
        for role, values in self.of_songs.items():
            if role in plan.roles:
                values.add(songs, _cells(plan, batch, role), len(self.song_keys))
        if Role.GENRES in plan.roles:
            self.genres.add(songs, _cells(plan, batch, Role.GENRES))
        if plan.kind is not Kind.SONGS:
            for role, values in self.of_playlists.items():
                column = self._of_playlist(plan, batch, role)
                if column is not None:
                    values.add(playlists, column, len(self.playlist_keys))
            if Role.TAGS in plan.roles:
                self.tags.add(playlists, _cells(plan, batch, Role.TAGS))
        for name, column in plan.fields.items():
            self._own(name, cleaned_values(batch.column(column)), songs, playlists)
        return self._count(plan, batch, songs, playlists)

    def _songs(self, plan: TablePlan, batch: Batch) -> Codes:
        if plan.kind is Kind.PLAYLISTS:
            return np.full(batch.rows, -1, np.int32)
        keys = pa.nulls(batch.rows, TEXT)
        if Role.TRACK in plan.roles:
            keys = cleaned_keys(batch.column(plan.roles[Role.TRACK]))
        if Role.NAME in plan.roles and keys.null_count:
            lacking = pc.is_null(keys)
            made = _made_keys(
                _cells(plan, batch, Role.NAME).filter(lacking),
                joined(_cells(plan, batch, Role.ARTISTS)).filter(lacking)
                if Role.ARTISTS in plan.roles
                else None,
            )
            keys = pc.replace_with_mask(keys, lacking, made)
            self.report.count(
                "row",
                "without a key of the song: it is made of artist and name",
                len(made) - made.null_count,
            )
        return self.song_keys.codes(keys)

    def _playlists(self, plan: TablePlan, batch: Batch) -> Codes:
        if plan.kind is Kind.SONGS:
            return np.full(batch.rows, -1, np.int32)
        if plan.kind is Kind.FILES and RECORD not in batch.columns:
            return self.playlist_keys.codes(batch.column(FILE_KEY))
        keys = pa.nulls(batch.rows, TEXT)
        if Role.PLAYLIST in plan.roles:
            keys = cleaned_keys(batch.column(plan.roles[Role.PLAYLIST]))
        if keys.null_count and RECORD in batch.columns:
            keys = pc.coalesce(keys, self._named_records(plan, batch))
        elif keys.null_count and Role.TITLE in plan.roles:
            keys = pc.coalesce(keys, _cells(plan, batch, Role.TITLE))
        return self.playlist_keys.codes(keys)

    def _named_records(self, plan: TablePlan, batch: Batch) -> Any:
        """Keys of playlists that hold their tracks: their titles, numbered if these repeat."""
        titles = batch.column(RECORD)
        if Role.TITLE in plan.roles:
            titles = pc.coalesce(_cells(plan, batch, Role.TITLE), titles)
        records = batch.column(RECORD).dictionary_encode()
        first = np.unique(np.asarray(records.indices), return_index=True)[1]
        keys = []
        for title in titles.take(pa.array(first)).to_pylist():
            self._titles[title] += 1
            number = self._titles[title]
            keys.append(title if number == 1 else f"{title} ({number})")
        return pa.array(keys, TEXT).take(records.indices)

    def _of_playlist(self, plan: TablePlan, batch: Batch, role: Role) -> Any:
        if role in plan.roles:
            return _cells(plan, batch, role)
        if role is Role.TITLE and plan.kind is Kind.FILES:
            return batch.column(FILE_TITLE)
        return None

    def _own(self, name: str, column: Any, songs: Codes, playlists: Codes) -> None:
        self.own.setdefault(name, FirstValues()).add(songs, column, len(self.song_keys))
        by_playlist = self._by_playlist.setdefault(name, FirstValues())
        if by_playlist is not None:
            by_playlist.add(playlists, column, len(self.playlist_keys))
            if by_playlist.conflicts:
                self._by_playlist[name] = None  # it is not of playlists, and need not be watched

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
            column = cleaned_values(batch.column(plan.roles[Role.POSITION]))
            places = _numbers(column)[both]
        self._entries.append((playlists[both], songs[both], places))
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
        for name in types.keys() - self.own.keys():
            raise BadImport(
                f"no column becomes the field {name!r}, whose type is given",
                hint=did_you_mean(name, self.own)
                or f"own fields are {', '.join(self.own) or 'none'}",
            )
        self.typed = frozenset(types)
        self._close_fields(types)
        for name, values in (
            ("updated", self.of_playlists[Role.UPDATED]),
            ("date", self.of_songs[Role.DATE]),
        ):
            if ticks := ticks_of(values.values):
                self._ticks[name] = ticks
                self.report.notes.append(f"{name}: {UNITS[ticks]} since 1970")
        self._drop_unreadable()
        self._tell_fields()
        self._close_entries()
        for role, values in self.of_songs.items():
            self.report.count(
                "song", f"with other {role} in later rows: the first stays", values.conflicts
            )
        for role, values in self.of_playlists.items():
            self.report.count(
                "playlist", f"with other {role} in later rows: the first stays", values.conflicts
            )
        self.tags.close(len(self.playlist_keys))
        self.genres.close(len(self.song_keys))
        self._complete_report()

    def _complete_report(self) -> None:
        report = self.report
        songs, tags = np.diff(self._song_offsets) > 0, np.diff(self.tags.offsets) > 0
        everyone = np.arange(len(songs))
        titles = np.asarray(pc.is_valid(self.of_playlists[Role.TITLE].of(everyone)))
        some = titles | songs | tags
        self.playlist_codes = everyone[some]
        report.playlists, report.songs = len(self.playlist_codes), len(self.song_keys)
        report.count("playlist", "without songs, title and tags: left out", int((~some).sum()))
        report.count(
            "playlist", "without songs: kept for title and tags", int((some & ~songs).sum())
        )
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

    def _close_fields(self, types: Mapping[str, OwnField]) -> None:
        fields = []
        several = len(self.playlist_keys) > 1
        for name, values in self.own.items():
            by_playlist = self._by_playlist[name]
            if not len(values.values):
                self.report.notes.append(f"{name} is empty, and left out")
                continue
            if by_playlist is not None and several and values.conflicts and name not in types:
                self.report.notes.append(
                    f"{name} is the same all over a playlist, and left out: playlists have no "
                    f"fields of their own"
                )
                continue
            one = types[name].field() if name in types else inferred_field(name, values.values)
            if _TIMELY.search(name) and (ticks := ticks_of(values.values)):
                self._ticks[name] = ticks
                if name not in types:
                    one = own_field(name, FieldType.DATETIME)
            fields.append(one)
            if one.many:
                values.split()
            else:
                values.values = joined(values.values)
        self.fields = tuple(fields)

    def _tell_fields(self) -> None:
        for one in self.fields:
            name, values = one.name, self.own[one.name]
            line = f"own field {name}: {one.type}{'[]' if one.many else ''}"
            if name in self._ticks:
                line += f", {UNITS[self._ticks[name]]} since 1970"
            line += f", of {counted(int(np.count_nonzero(values.at >= 0)), 'song')}"
            if values.conflicts:
                line += f" ({values.conflicts:,} with others in later rows: the first stays)"
            self.report.notes.append(line)

    def _close_entries(self) -> None:
        playlists = _joined([one for one, _, _ in self._entries])
        songs = _joined([one for _, one, _ in self._entries])
        if any(places is not None for _, _, places in self._entries):
            places = np.concatenate(
                [
                    np.full(len(one), np.nan) if places is None else places
                    for one, _, places in self._entries
                ]
            )
            order = np.lexsort((places, playlists))  # stable, and NaN last
        else:
            order = np.argsort(playlists, kind="stable")
        self._entries.clear()
        playlists, songs = playlists[order], songs[order]
        del order
        first = _first_in_playlists(playlists, songs)
        self.report.count(
            "entry",
            "of a song that its playlist has already: dropped",
            int(len(first) - first.sum()),
        )
        self._songs_of = songs[first]
        sizes = np.bincount(playlists[first], minlength=len(self.playlist_keys))
        self._song_offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.report.entries = len(self._songs_of)

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
            songs = self._songs_of[self._song_offsets[code] : self._song_offsets[code + 1]]
            yield Playlist(
                id=numbers[at],
                key=keys[at],
                title=clean_text(titles[at]),
                songs=tuple(song_ids[songs].tolist()),
                tags=tags[at],
                like_count=_like_count(likes[at]),
                updated=self._dated(updated[at], "updated", _updated),
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
        genres = self.genres.of(codes)
        numbers = ids[codes].tolist()
        own = [
            (one.name, self._own_values(one, self.own[one.name].of(codes)))
            for one in self.fields
            if one.name in self.own
        ]
        for at, number in enumerate(numbers):
            yield Song(
                id=number,
                key=keys[at],
                name=clean_text(names[at]),
                artists=split_cell(artists[at]),
                album=clean_text(albums[at]),
                genres=genres[at],
                issue_date=self._dated(dates[at], "date", _issued),
                more={name: values[at] for name, values in own if values[at] is not None},
            )

    def _own_values(self, field: Field, cells: Any) -> list[Any]:
        """The values of a field, None where there is none."""
        convert = self._conversion(field)
        if not field.many:
            return [None if cell is None else convert(cell) for cell in cells.to_pylist()]
        return [_converted(cell, convert) or None for cell in cells.to_pylist()]

    def _conversion(self, field: Field) -> Callable[[str], Any]:
        if field.type is FieldType.DATETIME and (ticks := self._ticks.get(field.name)):
            return lambda text: from_epoch(text, ticks)
        return conversion(field.type)

    def _dated(self, text: str | None, name: str, parse: Callable[[str], Any]) -> Any:
        if text is None:
            return None
        ticks = self._ticks.get(name)
        return parse(from_epoch(text, ticks).isoformat(" ") if ticks else text)

    def settle(self, fields: tuple[Field, ...]) -> None:
        """Take the own fields as a directory has them; cells of those of several are split."""
        single = {one.name for one in self.fields if not one.many}
        for one in fields:
            if one.many and one.name in single:
                self.own[one.name].split()
        self.fields = fields

    def unfit(self, field: Field) -> tuple[int, str]:
        """How many values of an own field are not of a type, and one of them."""
        number, example, _ = _unfit(self.own[field.name], self._conversion(field), field.many)
        return number, example

    def _drop_unreadable(self) -> None:
        """Drop and count the values that are not of their type."""
        checks: list[tuple[str, str, FirstValues, Callable[[str], Any], bool]] = [
            ("likes", "number", self.of_playlists[Role.LIKES], _like_count, False),
            ("updated", "date", self.of_playlists[Role.UPDATED], _updated, False),
            ("date", "date", self.of_songs[Role.DATE], _issued, False),
        ]
        checks = [one for one in checks if one[0] not in self._ticks]
        checks += [
            (one.name, one.type, self.own[one.name], self._conversion(one), one.many)
            for one in self.fields
            if one.type not in (FieldType.KEYWORD, FieldType.TEXT)
        ]
        for name, type, values, convert, many in checks:
            number, example, empty = _unfit(values, convert, many)
            self.report.count("value", f"of {name} that is no {type}: dropped", number, example)
            values.drop(empty)

    def preview(self) -> list[str]:
        """The first playlists as they were read, for people."""
        lines = []
        for code in range(min(PREVIEWED, len(self.playlist_keys))):
            songs = self._songs_of[self._song_offsets[code] : self._song_offsets[code + 1]]
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


def _issued(text: str) -> IssueDate | None:
    return _parsed(parse_issue_date, text.removesuffix(".0"))


def _updated(text: str) -> datetime | None:
    return _parsed(parse_updated, text)


def _parsed(parse: Callable[[str], T | None], text: str) -> T | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _says(text: str) -> bool:
    """Whether a text is not one of those that say that there is no value."""
    return bool(text.strip("0-:./ T"))


def _converted(cell: str | None, convert: Callable[[str], Any]) -> tuple[Any, ...]:
    return tuple(one for text in split_cell(cell) if (one := convert(text)) is not None)


def _unfit(
    values: FirstValues, convert: Callable[[str], Any], many: bool
) -> tuple[int, str, npt.NDArray[np.bool_]]:
    """How many texts are no value, and one of them; and which cells hold no value at all."""
    encoded = values.values.dictionary_encode()
    cells = encoded.dictionary.to_pylist()
    parts = [split_cell(cell) if many else (cell,) for cell in cells]
    bad = [[text for text in texts if convert(text) is None] for texts in parts]
    said = [list(filter(_says, texts)) for texts in bad]
    indices = np.asarray(encoded.indices)
    number = int(np.array([len(texts) for texts in said], np.int64)[indices].sum())
    example = next((repr(text) for texts in said for text in texts), "")
    empty = [len(b) == len(texts) for b, texts in zip(bad, parts, strict=True)]
    return number, example, np.array(empty, np.bool_)[indices]


def _like_count(text: str | None) -> int | None:
    number = conversion(FieldType.INTEGER)(text.replace(",", "")) if text else None
    return None if number is None or number < 0 else int(number)


_TIMELY = re.compile(r"(^|_)(at|on|ts|date|time|timestamp|added|updated|created)($|_)")


_KEYS = (
    ("song", (Role.TRACK, Role.NAME), (*OF_SONGS, Role.POSITION)),
    ("playlist", (Role.PLAYLIST, Role.TITLE), (Role.TITLE, Role.LIKES, Role.UPDATED)),
)
"""What cells may hold several keys of, and what may be said of each of them in its row."""


def _an_entry_each(
    plan: TablePlan, batch: Batch, column: str, lists: Any, others: Sequence[str]
) -> tuple[Batch, npt.NDArray[np.int64]]:
    """A row for each value of a column's lists, with what lists of the same length say of it.

    Raises:
        BadImport: lists that speak of the same things are of other lengths.
    """
    sizes = np.asarray(pc.list_value_length(lists)).astype(np.int64)
    at = np.repeat(np.arange(batch.rows), sizes)
    place = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    columns = {name: cells.take(pa.array(at)) for name, cells in batch.columns.items()}
    columns[column] = pc.list_flatten(lists)
    for name in others:
        cells = batch.column(name)
        are_lists = np.asarray(pc.fill_null(pc.ends_with(cells, JOINT), False))
        if not are_lists.any():
            continue
        values = apart(cells, None)
        lengths = np.asarray(pc.list_value_length(values)).astype(np.int64)
        if np.any(are_lists & (lengths != sizes)):
            if name in plan.fields.values():
                continue  # it says the same of all
            raise BadImport(
                f"lists of {name!r} are not as long as those of {column!r} in their rows",
                where=plan.table.label,
                hint=f"correct them, or leave the column out: --map {shlex.quote(name)}=",
            )
        first = np.cumsum(lengths) - lengths
        index = first[at] + np.where(are_lists[at], place, 0)
        columns[name] = pc.list_flatten(values).take(pa.array(index))
    return Batch(columns, len(at)), at


def _cells(plan: TablePlan, batch: Batch, role: Role) -> Any:
    """The column of a role, with the values of a cell apart from each other."""
    column = batch.column(plan.roles[role])
    if role not in SEVERAL:
        return cleaned(joined(column))
    return separated(cleaned(column), plan.marks.get(role))


def _first_in_playlists(playlists: Codes, songs: Codes) -> npt.NDArray[np.bool_]:
    """Where an entry is the first of its song in its playlist; entries are in the order of these.

    By slices that end where a playlist does: a hash table of all would take more than they do.
    """
    first = np.empty(len(playlists), np.bool_)
    start = 0
    while start < len(playlists):
        last = playlists[min(start + ENTRIES_AT_ONCE, len(playlists)) - 1]
        end = int(np.searchsorted(playlists, last, side="right"))
        pairs = playlists[start:end].astype(np.int64) << 32 | songs[start:end]
        first[start:end] = ~pd.Series(pairs).duplicated().to_numpy()
        start = end
    return first


def _joined(parts: Sequence[Codes]) -> Codes:
    return np.concatenate([np.empty(0, np.int32), *parts])


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    """The texts as numbers, NaN where they are none."""
    return np.asarray(pd.to_numeric(pd.Series(column.to_pandas()), errors="coerce"), np.float64)


def _made_keys(names: Any, artists: Any) -> Any:
    names = _folded(names)
    if artists is None:
        return names
    return pc.if_else(
        pc.is_valid(_folded(artists)),
        pc.binary_join_element_wise(_folded(artists), names, pa.scalar(" - ", TEXT)),
        names,
    )


def _folded(column: Any) -> Any:
    encoded = column.dictionary_encode()
    words = [name_key(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(words, TEXT).take(encoded.indices)
