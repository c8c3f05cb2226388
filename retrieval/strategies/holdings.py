"""What playlists hold, as a matrix of zeros and ones."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Scores
from melon.retrieval.batching import excluded_ids
from melon.retrieval.strategies.ranking import Ranked
from melon.retrieval.tables import Lists, Numbers
from melon.store import Filter, Hits, Ids

MAX_TABLE_ID = 4_000_000
"""Ids up to this have a table, 16 MB at most; where there are larger ones, they are sorted."""

_THREAD = threading.local()


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """Which of n playlists holds which of c items.

    Attributes:
        ids: (c,) the items, in any order.
        entries: (e,) the item of each entry, as its row in `ids`, playlist by playlist.
        lengths: (n,) the entries of each playlist.
    """

    ids: Ids
    entries: Numbers
    lengths: Numbers

    @classmethod
    def of(cls, held: Lists, also: Ids | None = None) -> tuple[Holdings, Numbers]:
        """What each playlist holds, and the rows of other items, which need not be held.

        Args:
            held: for each playlist the ids of its items, without repeats.
            also: (m,) ids of the other items.

        Returns:
            the holdings, and (m,) the row of each other item in their `ids`.
        """
        also = np.empty(0, np.int32) if also is None else also
        ids, rows = _numbered(np.concatenate([held.entries, also]))
        end = len(held.entries)
        return cls(ids, rows[:end], held.lengths), rows[end:]

    def __len__(self) -> int:
        return len(self.lengths)

    def head(self, count: int) -> Holdings:
        """The first playlists alone, with the items of all."""
        lengths = self.lengths[:count]
        return Holdings(self.ids, self.entries[: lengths.sum()], lengths)

    def of_items(self, rows: Numbers) -> Holdings:
        """Some items alone, those in these rows, in their order."""
        places = np.full(len(self.ids), -1)
        places[rows] = np.arange(len(rows))
        entries = places.take(self.entries)
        kept = np.flatnonzero(entries >= 0)
        playlists = np.repeat(np.arange(len(self)), self.lengths)
        lengths = np.bincount(playlists.take(kept), minlength=len(self))
        return Holdings(self.ids[rows], entries.take(kept), lengths)

    def sums_by_item(self, weights: Scores) -> Scores:
        """(c,) for each item the sum of the weights (k,) of those of the first k that hold it."""
        part = self if len(weights) == len(self) else self.head(len(weights))
        sums = np.bincount(part.entries, np.repeat(weights, part.lengths), len(self.ids))
        return sums.astype(np.float64, copy=False)

    def sums_by_playlist(self, values: Scores) -> Scores:
        """(n,) for each playlist the sum of the values (c,) of its items."""
        sums = np.zeros(len(self))
        some = self.lengths > 0  # `reduceat` knows no empty sum
        starts = np.cumsum(self.lengths) - self.lengths
        if some.any():
            sums[some] = np.add.reduceat(values.take(self.entries), starts[some])
        return sums


def best_songs(held: Holdings, weights: Scores, filter: Filter, limit: int) -> Hits:
    """The songs with the largest sums of the weights (n,) of the playlists that hold them.

    Args:
        filter: of excluded songs alone.
    """
    sums = held.sums_by_item(weights)
    excluded = excluded_ids(filter)
    rows = np.flatnonzero(sums > 0)
    if len(rows) > limit + len(excluded):
        rows = rows[np.argpartition(-sums[rows], limit + len(excluded) - 1)]
        rows = rows[: limit + len(excluded)]
    if excluded:
        rows = rows[~np.isin(held.ids[rows], excluded)]
    ranked = Ranked.of(held.ids[rows].astype(np.int64), sums[rows]).head(limit)
    return Hits(ranked.ids, ranked.scores)


def _numbered(ids: Ids) -> tuple[Ids, Numbers]:
    """The different ones (c,) among n ids, and the place of each there (n,).

    Without a sort: a table says for each id where it stands last, and then which of the different
    ones it is. What the table says of other ids does not matter, so that it need not be cleared.
    """
    end = int(ids.max(initial=-1)) + 1
    if end > MAX_TABLE_ID:
        distinct, places = np.unique(ids, return_inverse=True)
        return distinct, places
    table, wide = _scratch(end), ids.astype(np.int64)  # numpy is quickest with such an index
    numbers = np.arange(len(ids), dtype=np.int32)
    table[wide] = numbers
    last = np.flatnonzero(table.take(wide) == numbers)
    table[wide.take(last)] = numbers[: len(last)]
    return ids.take(last), table.take(wide).astype(np.int64)


def _scratch(end: int) -> NDArray[np.int32]:
    """This thread's table, made longer if it must be: new memory would cost more than its use."""
    table: NDArray[np.int32] | None = getattr(_THREAD, "table", None)
    if table is None or len(table) < end:
        table = _THREAD.table = np.zeros(end, np.int32)
    return table
