"""What a collection has in common with that of the release before it: what need not be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from melon.embedding import differing_rows
from melon.ingest.contents import Contents
from melon.ingest.incidence import Ints
from melon.store import PointBatch, PointId

CHUNK = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """How a collection differs from the one before.

    Attributes:
        kept: the ids of the points that are as they were.
        gone: the ids of those that are not there any more.
        fresh: the points that are new, or otherwise.
    """

    kept: Sequence[PointId]
    gone: Sequence[PointId]
    fresh: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some points of a collection, by their rows."""

    contents: Contents
    rows: Ints

    @property
    def ids(self) -> Sequence[PointId]:
        """Of each row."""
        return [self.contents.ids[row] for row in self.rows.tolist()]

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, start: int, stop: int) -> PointBatch:
        """The points from row `start` to before row `stop`."""
        return self.contents.at(self.rows[start:stop])


def delta(before: Contents, now: Contents) -> Delta:
    """How a collection differs from what it was; both are of spaces that name genres alike."""
    kind = pa.int64() if before.ids and isinstance(before.ids[0], int) else pa.string()
    old_ids, ids = (pa.array(part.ids, kind) for part in (before, now))
    was = pc.fill_null(pc.index_in(ids, value_set=old_ids), -1).to_numpy().astype(np.int64)
    there = pc.is_in(old_ids, value_set=ids).to_numpy(zero_copy_only=False)
    both = np.flatnonzero(was >= 0)
    same = both[~_differing(before, now, was[both], both)]
    fresh = np.ones(len(now), np.bool_)
    fresh[same] = False
    return Delta(
        kept=ids.take(pa.array(same)).to_pylist(),
        gone=old_ids.filter(pa.array(~there)).to_pylist(),
        fresh=Rows(now, np.flatnonzero(fresh)),
    )


def _differing(before: Contents, now: Contents, was: Ints, rows: Ints) -> NDArray[np.bool_]:
    """(n,) bool: which rows are not what they were, by their vectors and by all that is known."""
    old_table, table = before.payloads.table.take(was), now.payloads.table.take(rows)
    differs = differing_rows(old_table, table, table.column_names)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        one, other = before.dense_at(was[part]), now.dense_at(rows[part])
        differs[part] |= (one != other).any(axis=1)
    if before.sparse is not None and now.sparse is not None:
        other_entries = before.matrix[was] != now.matrix[rows]
        differs |= np.diff(other_entries.tocsr().indptr) > 0
    return differs
