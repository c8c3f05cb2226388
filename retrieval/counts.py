"""A cache of how many playlists hold each point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melon.store import Ids

MAX_TABLE_ID = 16_000_000
"""Ids up to this have a table, 64 MB at most."""

MAX_OTHERS = 1_000_000
"""Other points are cached up to this, some 100 MB; past that, their cache is emptied."""


class Counts:
    """Counts of points by their ids: a table of small numbers, a dictionary of all others.

    A point's count never changes, but one may be loaded twice: a point that is in the table is not
    looked up there when it is asked for together with an id that is too large for the table.

    May be shared by threads: what one adds while another makes the table longer may be lost,
    and is then loaded again.
    """

    def __init__(self) -> None:
        self._table = np.zeros(0, np.int32)  # one more than each count
        self._others: dict[int | str, int] = {}

    def of(self, ids: Ids) -> NDArray[np.int64]:
        """The count of each point, (n,) int64, -1 where it is not known."""
        if _has_table(ids):
            return self._grown(ids)[ids].astype(np.int64) - 1
        others = self._others
        return np.array([others.get(point, -1) for point in ids.tolist()], np.int64)

    def add(self, ids: Ids, counts: NDArray[np.int64]) -> None:
        """Cache the counts (n,) of n points."""
        if _has_table(ids):
            self._grown(ids)[ids] = counts + 1
            return
        if len(self._others) + len(ids) > MAX_OTHERS:
            self._others = {}
        self._others.update(zip(ids.tolist(), counts.tolist(), strict=True))

    def _grown(self, ids: Ids) -> NDArray[np.int32]:
        """The table, long enough for the ids."""
        end = int(ids.max(initial=-1)) + 1
        table = self._table
        if end > len(table):
            longer = np.zeros(max(end, min(2 * len(table), MAX_TABLE_ID)), np.int32)
            longer[: len(table)] = table
            self._table = table = longer
        return table


def _has_table(ids: Ids) -> bool:
    return ids.dtype.kind == "i" and int(ids.max(initial=0)) < MAX_TABLE_ID
