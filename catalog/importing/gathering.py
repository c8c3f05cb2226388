"""Columns of rows gathered by what they are of: values of a playlist or of a song, and entries."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.dates import known_date
from melon.catalog.importing.cells import TEXT, separated, separator, split_cell

Codes = npt.NDArray[np.int32]
NOTHING = pa.array([], TEXT)

_COMPACTED_AFTER = 1 << 21
_ENTRIES_AT_ONCE = 1 << 20


class Keys:
    """Distinct keys, numbered as they come: `values[code]` is a key."""

    def __init__(self) -> None:
        self.values: Any = NOTHING

    def __len__(self) -> int:
        return len(self.values)

    def codes(self, column: Any) -> Codes:
        """The code of each key, (n,) int32; -1 where it is missing."""
        encoded = column.dictionary_encode()
        at = pc.index_in(encoded.dictionary, self.values)
        new = encoded.dictionary.filter(pc.is_null(at))
        if len(new):
            known = np.asarray(pc.fill_null(at, -1)).copy()
            known[known < 0] = np.arange(len(self), len(self) + len(new))
            self.values = pa.concat_arrays([self.values, new])
        else:
            known = np.asarray(at)
        return taken(known.astype(np.int32), _local(encoded))


def _local(encoded: Any) -> Codes:
    return np.asarray(pc.fill_null(encoded.indices, -1)).astype(np.int32, copy=False)


def taken(values: Codes, at: Codes) -> Codes:
    """`values[at]`, and -1 where `at` is that."""
    if not len(values):
        return np.full(len(at), -1, np.int32)
    return np.where(at < 0, np.int32(-1), values[at])


def grown(values: npt.NDArray[Any], size: int, fill: int | bool) -> npt.NDArray[Any]:
    """The array with room for as many; it grows by doubling."""
    if len(values) >= size:
        return values
    room = np.full(max(size, 2 * len(values)), fill, values.dtype)
    room[: len(values)] = values
    return room


class FirstValues:
    """One value for each owner: the first that is not missing.

    Attributes:
        at: Place of each owner's value in `values`, or -1.
        differing: Whether an owner had other values later.
    """

    def __init__(self) -> None:
        self.values: Any = NOTHING
        self.at: Codes = np.empty(0, np.int32)
        self.differing: npt.NDArray[np.bool_] = np.empty(0, np.bool_)

    def add(self, owners: Codes, column: Any, count: int) -> None:
        """Take the values of some rows; `owners` are below `count`, or -1 for nobody."""
        self.at = grown(self.at, count, -1)
        self.differing = grown(self.differing, count, False)
        rows = np.flatnonzero(np.asarray(pc.is_valid(column)) & (owners >= 0))
        fresh = np.flatnonzero(self.at[owners[rows]] < 0)
        first = fresh[~pd.Series(owners[rows[fresh]]).duplicated().to_numpy()]
        new, rest = rows[first], np.delete(rows, first)
        if len(new):
            self.at[owners[new]] = np.arange(len(self.values), len(self.values) + len(new))
            self.values = pa.concat_arrays([self.values, column.take(pa.array(new))])
        if len(rest):
            stored = self.values.take(pa.array(self.at[owners[rest]]))
            other = np.asarray(pc.not_equal(column.take(pa.array(rest)), stored))
            self.differing[owners[rest[other]]] = True

    def unfit(self, convert: Callable[[str], Any], *, many: bool = False) -> tuple[int, str]:
        """How many texts say something, but no value, and one of them.

        Args:
            convert: makes a value of a text, or None.
            many: whether a cell may hold several texts.
        """
        number, example, _ = self._unfit(convert, many)
        return number, example

    def drop_unfit(self, convert: Callable[[str], Any], *, many: bool = False) -> tuple[int, str]:
        """Forget the cells that hold no value at all; returns what `unfit` does."""
        number, example, empty = self._unfit(convert, many)
        if empty.any():
            self.at[(self.at >= 0) & empty[self.at]] = -1
        return number, example

    def _unfit(
        self, convert: Callable[[str], Any], many: bool
    ) -> tuple[int, str, npt.NDArray[np.bool_]]:
        encoded = self.values.dictionary_encode()
        cells = encoded.dictionary.to_pylist()
        parts = [split_cell(cell) if many else (cell,) for cell in cells]
        bad = [[text for text in texts if convert(text) is None] for texts in parts]
        said = [list(filter(known_date, texts)) for texts in bad]
        indices = np.asarray(encoded.indices)
        number = int(np.array([len(texts) for texts in said], np.int64)[indices].sum())
        example = next((repr(text) for texts in said for text in texts), "")
        empty = [len(b) == len(texts) for b, texts in zip(bad, parts, strict=True)]
        return number, example, np.array(empty, np.bool_)[indices]

    def split(self) -> None:
        """Split cells of text at what separates values in them."""
        self.values = separated(self.values, separator(self.values, commas=True))

    @property
    def conflicts(self) -> int:
        """How many owners had more than one value."""
        return int(self.differing.sum())

    def of(self, owners: npt.NDArray[Any]) -> Any:
        """The values of owners, null where there is none."""
        self.at = grown(self.at, int(owners.max(initial=-1)) + 1, -1)
        at = self.at[owners]
        return self.values.take(pa.array(at, mask=at < 0))


class AllValues:
    """All distinct values of each owner, in the order in which they came.

    Attributes:
        offsets: (owners + 1,) where the cells of an owner begin and end; once it is closed.
    """

    def __init__(self) -> None:
        self._owners: list[Codes] = []
        self._cells: list[Any] = []
        self._pending = 0

    def add(self, owners: Codes, column: Any) -> None:
        """Take the values of some rows."""
        rows = np.flatnonzero(np.asarray(pc.is_valid(column)) & (owners >= 0))
        if len(rows):
            of, cells = _distinct_pairs(owners[rows], column.take(pa.array(rows)))
            self._owners.append(of)
            self._cells.append(cells)
            self._pending += len(of)
            if self._pending > _COMPACTED_AFTER:
                self._compact()

    def _compact(self) -> None:
        of, cells = _distinct_pairs(np.concatenate(self._owners), pa.concat_arrays(self._cells))
        self._owners, self._cells, self._pending = [of], [cells], 0

    def close(self, count: int) -> None:
        """Put everything in the order of the owners, of whom there are as many."""
        self.offsets = np.zeros(count + 1, np.int64)
        self._values = NOTHING
        if self._owners:
            self._compact()
            owners, cells = self._owners.pop(), self._cells.pop()
            np.cumsum(np.bincount(owners, minlength=count), out=self.offsets[1:])
            self._values = cells.take(pa.array(np.argsort(owners, kind="stable")))

    def of(self, owners: npt.NDArray[Any]) -> list[tuple[str, ...]]:
        """The values of each owner, those of one cell apart."""
        if not len(self._values):
            return [()] * len(owners)
        starts, sizes = self.offsets[owners], np.diff(self.offsets)[owners]
        ends = np.cumsum(sizes)
        rows = np.arange(sizes.sum()) + np.repeat(starts - (ends - sizes), sizes)
        cells = self._values.take(pa.array(rows)).to_pylist()
        return [
            _united(tuple(cells[end - size : end]))
            for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)
        ]


@lru_cache(maxsize=1 << 16)
def _united(cells: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for cell in cells for part in split_cell(cell)))


def _distinct_pairs(owners: Codes, cells: Any) -> tuple[Codes, Any]:
    local = np.asarray(cells.dictionary_encode().indices).astype(np.int64)
    pairs = owners.astype(np.int64) << 32 | local
    first = ~pd.Series(pairs).duplicated().to_numpy()
    return owners[first], cells.filter(pa.array(first))


class Entries:
    """The songs of each playlist, in order, each once.

    Attributes:
        songs: (entries,) codes of songs; once it is closed.
        offsets: (playlists + 1,) where those of a playlist begin and end; once it is closed.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Codes, Codes, npt.NDArray[np.float64] | None]] = []

    def add(
        self, playlists: Codes, songs: Codes, places: npt.NDArray[np.float64] | None = None
    ) -> None:
        """Take the entries of some rows; where `places` are known, these order a playlist."""
        self._parts.append((playlists, songs, places))

    def close(self, count: int) -> int:
        """Put everything in order, of as many playlists.

        Returns:
            How many entries were dropped, of songs that their playlists had already.
        """
        nothing = np.empty(0, np.int32)
        playlists = np.concatenate([nothing, *(one for one, _, _ in self._parts)])
        songs = np.concatenate([nothing, *(one for _, one, _ in self._parts)])
        if any(places is not None for _, _, places in self._parts):
            places = np.concatenate(
                [
                    np.full(len(one), np.nan) if places is None else places
                    for one, _, places in self._parts
                ]
            )
            order = np.lexsort((places, playlists))  # stable, and NaN last
        else:
            order = np.argsort(playlists, kind="stable")
        self._parts.clear()
        playlists, songs = playlists[order], songs[order]
        del order
        first = _first_in_playlists(playlists, songs)
        self.songs = songs[first]
        sizes = np.bincount(playlists[first], minlength=count)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return len(first) - len(self.songs)

    def of(self, playlist: int) -> Codes:
        """The songs of a playlist."""
        return self.songs[self.offsets[playlist] : self.offsets[playlist + 1]]


def _first_in_playlists(playlists: Codes, songs: Codes) -> npt.NDArray[np.bool_]:
    """Where an entry is the first of its song in its playlist; entries are in the order of these.

    By slices that end where a playlist does: a hash table of all would take more than they do.
    """
    first = np.empty(len(playlists), np.bool_)
    start = 0
    while start < len(playlists):
        last = playlists[min(start + _ENTRIES_AT_ONCE, len(playlists)) - 1]
        end = int(np.searchsorted(playlists, last, side="right"))
        pairs = playlists[start:end].astype(np.int64) << 32 | songs[start:end]
        first[start:end] = ~pd.Series(pairs).duplicated().to_numpy()
        start = end
    return first
