"""The own fields of songs in an import's sources: which there are, and of which types."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from melon.catalog.errors import BadImport
from melon.catalog.importing.cells import joined
from melon.catalog.importing.gathering import Codes, FirstValues
from melon.catalog.importing.kinds import (
    UNITS,
    conversion,
    converted,
    inferred_field,
    moment_counted,
    ticks_of,
)
from melon.catalog.importing.report import ImportReport
from melon.errors import counted
from melon.fields import Field, FieldType, OwnField, own_field
from melon.text import did_you_mean

_TIMELY = re.compile(r"(^|_)(at|on|ts|date|time|timestamp|added|updated|created)($|_)")
"""Names of fields whose counts are of what has passed since 1970."""


class OwnColumns:
    """The values of each own field, the first of each song.

    Attributes:
        fields: Known once all is read.
        typed: Names of those whose type was given.
    """

    def __init__(self) -> None:
        self.fields: tuple[Field, ...] = ()
        self.typed: frozenset[str] = frozenset()
        self._by_song: dict[str, FirstValues] = {}
        self._by_playlist: dict[str, FirstValues | None] = {}
        self._ticks: dict[str, int] = {}
        self._of_none: Counter[str] = Counter()

    def add(
        self, name: str, column: Any, songs: tuple[Codes, int], playlists: tuple[Codes, int]
    ) -> None:
        """Take a column of cleaned values.

        Args:
            songs: code of each row's song, -1 for none, and how many songs there are by now.
            playlists: likewise.
        """
        self._by_song.setdefault(name, FirstValues()).add(songs[0], column, songs[1])
        self._of_none[name] += len(column.filter(pa.array(songs[0] < 0)).drop_null())
        by_playlist = self._by_playlist.setdefault(name, FirstValues())
        if by_playlist is not None:
            by_playlist.add(playlists[0], column, playlists[1])
            if by_playlist.conflicts:
                self._by_playlist[name] = None  # it is not of playlists, and need not be watched

    def close(self, types: Mapping[str, OwnField], playlists: int) -> list[str]:
        """Decide on the fields; for people, what is left out, and why.

        Args:
            types: by name, where they are given.
            playlists: how many there are.

        Raises:
            BadImport: a type is of a field that no song has.
        """
        for name in types.keys() - self._by_song.keys():
            raise BadImport(
                f"no column becomes the field {name!r}, whose type is given",
                hint=did_you_mean(name, self._by_song)
                or f"own fields are {', '.join(self._by_song) or 'none'}",
            )
        self.typed = frozenset(types)
        fields, notes = [], []
        for name, values in self._by_song.items():
            if not len(values.values):
                some = counted(self._of_none[name], "value")
                what = f"says nothing of a track ({some})" if self._of_none[name] else "is empty"
                notes.append(f"{name} {what}, and is left out")
                continue
            same_in_playlists = self._by_playlist[name] is not None and playlists > 1
            if same_in_playlists and values.conflicts and name not in types:
                notes.append(
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
        return notes

    def drop_unreadable(self, report: ImportReport) -> None:
        """Drop and count the values that are not of their field's type."""
        for one in self.fields:
            if one.type not in (FieldType.KEYWORD, FieldType.TEXT):
                unfit = self._by_song[one.name].drop_unfit(self._conversion(one), many=one.many)
                report.count(
                    "value", f"of {one.name} that cannot be read as {one.type}: dropped", *unfit
                )

    def lines(self) -> list[str]:
        """For people: each field with its type, and of how many songs it is known."""
        lines = []
        for one in self.fields:
            name, values = one.name, self._by_song[one.name]
            line = f"own field {name}: {one.type}{'[]' if one.many else ''}"
            if name in self._ticks:
                line += f", {UNITS[self._ticks[name]]} since 1970"
            line += f", of {counted(int(np.count_nonzero(values.at >= 0)), 'song')}"
            if values.conflicts:
                line += f" ({values.conflicts:,} with others in later rows: the first stays)"
            lines.append(line)
        return lines

    def settle(self, fields: tuple[Field, ...]) -> None:
        """Take the fields as a directory has them; cells of those of several are split."""
        single = {one.name for one in self.fields if not one.many}
        for one in fields:
            if one.many and one.name in single:
                self._by_song[one.name].split()
        self.fields = fields

    def unfit(self, field: Field) -> tuple[int, str]:
        """How many values of a field are not of a type, and one of them."""
        return self._by_song[field.name].unfit(self._conversion(field), many=field.many)

    def of(self, songs: npt.NDArray[Any]) -> list[tuple[str, list[Any]]]:
        """The values of each field by the songs of these codes, None where there is none."""
        return [
            (one.name, self._values(one, self._by_song[one.name].of(songs).to_pylist()))
            for one in self.fields
            if one.name in self._by_song
        ]

    def _values(self, field: Field, cells: list[str | None]) -> list[Any]:
        convert = self._conversion(field)
        if field.many:
            return [converted(cell, convert) or None for cell in cells]
        return [None if cell is None else convert(cell) for cell in cells]

    def _conversion(self, field: Field) -> Callable[[str], Any]:
        if field.type is FieldType.DATETIME and (ticks := self._ticks.get(field.name)):
            return moment_counted(ticks)
        return conversion(field.type)
