"""What is known of how many playlists hold each point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melon.store import Ids

MOST_IDS = 16_000_000
"""Ids up to this have a table, 64 MB at most."""

MOST_OTHERS = 1_000_000
"""Other points are remembered up to this, some 100 MB; past that, it begins anew."""


class Counts:
    """Counts of points by their ids: a table of small numbers, a dictionary of all others.

    A point's count never changes, but one may be learnt twice: a point that is in the table is not
    looked up there when it is asked for together with an id that is too large for the table.

    May be shared by threads: what one learns while another makes the table longer may be
    forgotten, and is then unknown.
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

    def learn(self, ids: Ids, counts: NDArray[np.int64]) -> None:
        """Remember the counts (n,) of n points."""
        if _has_table(ids):
            self._grown(ids)[ids] = counts + 1
            return
        if len(self._others) + len(ids) > MOST_OTHERS:
            self._others = {}
        self._others.update(zip(ids.tolist(), counts.tolist(), strict=True))

    def _grown(self, ids: Ids) -> NDArray[np.int32]:
        """The table, long enough for the ids."""
        end = int(ids.max(initial=-1)) + 1
        table = self._table
        if end > len(table):
            longer = np.zeros(max(end, min(2 * len(table), MOST_IDS)), np.int32)
            longer[: len(table)] = table
            self._table = table = longer
        return table


def _has_table(ids: Ids) -> bool:
    return ids.dtype.kind == "i" and int(ids.max(initial=0)) < MOST_IDS
