"""What was read of points, in arrays: rows are gathered by ids without a look-up for each.

A release never changes, so what was read once of it stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from melon.store import Collection, Ids, PointId, Record, ReleaseReader

MAX_TABLE_ID = 16_000_000
"""Ids up to this have a table of numbers, 64 MB at most."""

MAX_OTHERS = 1_000_000
"""Numbers of other ids are kept up to this, some 100 MB; past that, they are dropped."""

Numbers = NDArray[np.int64]

IntegerList = Sequence[int] | NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """n lists of integers, one after the other.

    Attributes:
        entries: (e,) int32.
        lengths: (n,) of each list.
    """

    entries: NDArray[np.int32]
    lengths: Numbers

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, lists: Sequence[IntegerList]) -> Lists:
        """The same lists in one array."""
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        parts = [np.asarray(one, np.int32) for one in lists]
        return cls(np.concatenate([np.empty(0, np.int32), *parts]), lengths)

    def rows(self, rows: Numbers, starts: Numbers) -> Lists:
        """Some lists alone; `starts` says where each of all begins."""
        lengths = self.lengths[rows]
        ends = np.cumsum(lengths)
        places = np.arange(int(ends[-1]) if len(ends) else 0)
        places += np.repeat(starts[rows] - (ends - lengths), lengths)
        return Lists(self.entries.take(places), lengths)


class ById:
    """A number for each id: a table for small ids, a dictionary for all others.

    May be shared by threads: a number that one adds while another makes the table longer may be
    lost, and is then not known.
    """

    def __init__(self) -> None:
        self._table = np.zeros(0, np.int32)  # one more than each number
        self._others: dict[int | str, int] = {}

    def of(self, ids: Ids) -> Numbers:
        """The number of each id, (n,) int64, -1 where it is not known."""
        small = _small(ids)
        if len(ids) and small.all():
            return self._grown(ids).take(ids).astype(np.int64) - 1
        numbers, get = np.empty(len(ids), np.int64), self._others.get
        numbers[~small] = [get(point, -1) for point in ids[~small].tolist()]
        if small.any():
            numbers[small] = self.of(ids[small])
        return numbers

    def add(self, ids: Ids, numbers: Numbers) -> None:
        """Keep the numbers (n,) of n ids, none below 0."""
        small = _small(ids)
        if small.any():
            self._grown(ids[small])[ids[small]] = numbers[small] + 1
        others = dict(zip(ids[~small].tolist(), numbers[~small].tolist(), strict=True))
        if len(self._others) + len(others) > MAX_OTHERS:
            self._others = {}
        self._others.update(others)

    def _grown(self, ids: Ids) -> NDArray[np.int32]:
        """The table, long enough for the ids."""
        end = int(ids.max(initial=-1)) + 1
        table = self._table
        if end > len(table):
            longer = np.zeros(max(end, min(2 * len(table), MAX_TABLE_ID)), np.int32)
            longer[: len(table)] = table
            self._table = table = longer
        return table


class Rows(Protocol):
    """What is kept of points, one row for each."""

    def __len__(self) -> int: ...

    def add(self, records: Sequence[Record]) -> None:
        """Append a row for each record."""


R = TypeVar("R", bound=Rows)


class PointTable(Generic[R]):
    """The rows of what was read of the points of a collection.

    May be shared by threads: each goes on with the rows that it began with, even where another
    thread has begun anew.

    Args:
        collection: which points.
        rows: makes empty rows.
        max_points: how many rows there are at most, or as many as are asked for at once; past
            that, they are dropped.
        payload: the fields that a row is taken from.
        vectors: whether it is taken from the dense vector.
        points: the ids of points, of the ids (n,) that they have here; otherwise they are these.
    """

    def __init__(
        self,
        collection: Collection,
        rows: Callable[[], R],
        max_points: int,
        *,
        payload: tuple[str, ...],
        vectors: bool = False,
        points: Callable[[Ids], Sequence[PointId]] = np.ndarray.tolist,
    ) -> None:
        self._collection, self._new, self._max_points = collection, rows, max_points
        self._payload, self._vectors, self._points = payload, vectors, points
        self._known = (ById(), rows())
        self._adding = Lock()

    def load(self, reader: ReleaseReader, ids: Ids) -> tuple[R, Numbers]:
        """The rows of at least these points, and which of them each has.

        One request reads those that are not known. The row of a point that is not in the release
        is as if nothing was known of it.
        """
        places, rows = self._known
        found = places.of(ids)
        if not (found < 0).any():
            return rows, found
        missing = np.unique(ids[found < 0])
        if len(rows) + len(missing) > self._max_points:
            places, rows, missing = ById(), self._new(), np.unique(ids)
        by_point = dict(zip(self._points(missing), missing.tolist(), strict=True))
        records = reader.retrieve(
            self._collection, list(by_point), payload=self._payload, vectors=self._vectors
        )
        absent = by_point.keys() - {record.id for record in records}
        records += [Record(point, {}) for point in absent]
        with self._adding:
            end = len(rows)
            rows.add(records)
            read = np.array([by_point[record.id] for record in records], missing.dtype)
            places.add(read, np.arange(end, len(rows)))
            self._known = places, rows
        return rows, places.of(ids)


class ArrayRows:
    """Rows of one array.

    Attributes:
        array: at least as long as there are rows.
    """

    def __init__(self, rows_of: Callable[[Sequence[Record]], NDArray[Any]]) -> None:
        self._rows_of = rows_of
        self.array = rows_of([])
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, rows: Numbers) -> NDArray[Any]:
        """These rows. Of records `take` copies whole ones, and an index each field by itself."""
        return self.array.take(rows, axis=0)

    def add(self, records: Sequence[Record]) -> None:
        """Append a row for each record."""
        self.array = _extended(self.array, self._count, self._rows_of(records))
        self._count += len(records)


class ListRows:
    """Rows that are lists of integers, of several kinds.

    Args:
        kinds: take the list of each kind from a record.
    """

    def __init__(self, *kinds: Callable[[Record], IntegerList]) -> None:
        self._kinds = kinds
        self._starts = [np.empty(0, np.int64) for _ in kinds]
        self._lists = [Lists.of([]) for _ in kinds]
        self._ends = [0 for _ in kinds]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, kind: int, rows: Numbers) -> Lists:
        """The lists of a kind in these rows."""
        return self._lists[kind].rows(rows, self._starts[kind])

    def add(self, records: Sequence[Record]) -> None:
        """Append a row for each record."""
        for kind, take in enumerate(self._kinds):
            more, end = Lists.of([take(record) for record in records]), self._ends[kind]
            starts = end + np.cumsum(more.lengths) - more.lengths
            lists = self._lists[kind]
            self._starts[kind] = _extended(self._starts[kind], self._count, starts)
            self._lists[kind] = Lists(
                _extended(lists.entries, end, more.entries),
                _extended(lists.lengths, self._count, more.lengths),
            )
            self._ends[kind] = end + len(more.entries)
        self._count += len(records)


def _extended(array: NDArray[Any], count: int, more: NDArray[Any]) -> NDArray[Any]:
    """The first of an array and then more; in place where there is room."""
    end = count + len(more)
    if end > len(array):
        longer = np.empty(max(end, 2 * len(array)), array.dtype)
        longer[:count] = array[:count]
        array = longer
    array[count:end] = more
    return array


def _small(ids: Ids) -> NDArray[np.bool_]:
    if ids.dtype.kind != "i":
        return np.zeros(len(ids), np.bool_)
    return np.asarray(ids < MAX_TABLE_ID)
