"""What a space holds and what was read of its catalogue since, joined by id and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from melon.embedding.columns import column, ragged_column, unknown_column
from melon.embedding.errors import ForeignCatalogue
from melon.embedding.ragged import Ints
from melon.fields import MAX_ID

ENOUGH = 10
"""Songs, or playlists, of one id that can tell another catalogue by what they are."""

ID_BITS = MAX_ID.bit_length()

Mask = NDArray[np.bool_]
Pair = tuple[pa.Table, pa.Table]


@dataclass(frozen=True, slots=True)
class Change:
    """How many songs, tags or playlists are new, have changed, are the same, and are not there.

    A tag has changed if more playlists carry it than before, or fewer.
    """

    added: int
    changed: int
    unchanged: int
    gone: int


class Merged(NamedTuple):
    """Rows that were known, and those that were read, as one table.

    Attributes:
        table: ordered by id.
        before: (n,) int64, the row where it was known, -1 where it is new.
        moved: (n,) bool, whether what says where it is has changed.
        change: the counts.
    """

    table: pa.Table
    before: Ints
    moved: Mask
    change: Change


def with_columns_of(table: pa.Table, read: pa.Table) -> pa.Table:
    """The columns that were read, as a table of a space has them; unknown where it has none."""
    rows = len(table)
    return pa.table(
        {
            one.name: table[one.name]
            if one.name in table.column_names
            else unknown_column(one.type, rows)
            for one in read.schema
        }
    )


def merged(
    known: pa.Table,
    read: pa.Table,
    counts: Mask,
    placed_by: Sequence[str],
    remove_gone: bool,
) -> Merged:
    """Join both by id.

    Args:
        known: what there was, ordered by id.
        read: what was read, likewise, with the same columns.
        counts: (n,) bool, which of the latter count where both have one.
        placed_by: the columns that say where something is.
        remove_gone: whether what was not read is left out.
    """
    old, new = column(known, "id"), column(read, "id")
    ids = new if remove_gone else np.union1d(old, new)
    before, row = _rows(old, ids), _rows(new, ids)
    news = (row >= 0) & ((before < 0) | counts[row])
    both = np.flatnonzero(news & (before >= 0))
    table = pa.concat_tables([known, _with_keys(read, known, _rows(old, new))]).combine_chunks()
    table = table.take(np.where(news, len(known) + row, before))
    was, now = known.take(before[both]), table.take(both)
    moved = np.zeros(len(ids), np.bool_)
    moved[both] = differing_rows(was, now, placed_by)
    added = int((before < 0).sum())
    changed = int(differing_rows(was, now, known.column_names).sum())
    change = Change(
        added=added,
        changed=changed,
        unchanged=len(new) - added - changed,
        gone=int((_rows(new, old) < 0).sum()),
    )
    return Merged(table, before, moved, change)


def _rows(ids: Ints, wanted: Ints) -> Ints:
    """The rows of some ids among ascending ones, -1 where they are not there."""
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    rows = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[rows] == wanted, rows, -1)


def _with_keys(read: pa.Table, known: pa.Table, before: Ints) -> pa.Table:
    """What was read, with the keys that it had before where it has none."""
    keys = known["key"].take(pa.array(before, mask=before < 0))
    place = read.column_names.index("key")
    return read.set_column(place, "key", pc.coalesce(read["key"], keys))


def differing_rows(one: pa.Table, other: pa.Table, columns: Sequence[str]) -> Mask:
    """(n,) bool: which rows of two tables differ in some columns."""
    differs = np.zeros(len(one), np.bool_)
    for name in columns:
        a, b = (table[name].combine_chunks() for table in (one, other))
        if pa.types.is_list(a.type):
            lengths = [pc.list_value_length(lists).to_numpy() for lists in (a, b)]
            long = lengths[0] != lengths[1]
            differs |= long
            same = np.flatnonzero(~long)
            flat = [pc.list_flatten(lists.take(pa.array(same))) for lists in (a, b)]
            rows = np.repeat(same, lengths[0][same])
            differs[rows[_unequal(*flat)]] = True
        else:
            differs |= _unequal(a, b)
    return differs


def _unequal(one: pa.Array, other: pa.Array) -> Mask:
    """(n,) bool: where two arrays differ; what is unknown is the same as itself alone."""
    differ = pc.fill_null(pc.not_equal(one, other), True).to_numpy(zero_copy_only=False)
    both_unknown = pc.and_(pc.is_null(one), pc.is_null(other)).to_numpy(zero_copy_only=False)
    unequal: Mask = differ & ~both_unknown
    return unequal


def check_fits(songs: Pair, playlists: Pair) -> None:
    """Refuse a catalogue in which ids and keys mean other songs, or playlists, than in the space.

    Args:
        songs: what the space holds, and what was read.
        playlists: likewise.

    Raises:
        ForeignCatalogue: says what does not fit.
    """
    shared = [
        _check_names(kind, *pair) for kind, pair in (("song", songs), ("playlist", playlists))
    ]
    if not any(len(was) for was, _ in shared):
        raise _foreign("none of its songs and playlists is in the space")
    (same, told), (alike, with_songs) = _same_names(*shared[0]), _alike(*shared[1])
    if told >= ENOUGH and 2 * same < told:
        raise _foreign(f"{same:,} of {told:,} songs have the name that their id has in the space")
    if with_songs >= ENOUGH and 2 * alike < with_songs:
        raise _foreign(
            f"{alike:,} of {with_songs:,} playlists have the title, or hold a song, of the one that"
            " has their id in the space"
        )


def _check_names(kind: str, known: pa.Table, read: pa.Table) -> Pair:
    """The rows of both whose id is in both, after making sure that so is their key."""
    old, new = column(known, "id"), column(read, "id")
    before = _rows(old, new)
    there = pc.index_in(read["key"], value_set=known["key"].combine_chunks(), skip_nulls=True)
    place = pc.fill_null(there, -1).to_numpy()
    moved = np.flatnonzero((place >= 0) & (old[place] != new))
    if len(moved):
        row = int(moved[0])
        raise _foreign(
            f"{kind} {read['key'][row].as_py()!r} has the id {new[row]}, and in the space"
            f" {old[place[row]]}"
        )
    both = np.flatnonzero(before >= 0)
    was, now = known.take(before[both]), read.take(both)
    others = np.flatnonzero(pc.fill_null(pc.not_equal(was["key"], now["key"]), False).to_numpy())
    if len(others):
        row = int(others[0])
        keys = [table["key"][row].as_py() for table in (now, was)]
        raise _foreign(f"{kind} {new[both[row]]} is {keys[0]!r}, and in the space {keys[1]!r}")
    return was, now


def _same_names(was: pa.Table, now: pa.Table) -> tuple[int, int]:
    """How many songs have the name that they had, of those that have one."""
    same = pc.equal(was["name"], now["name"])
    return int(pc.sum(same).as_py() or 0), len(same) - same.null_count


def _alike(was: pa.Table, now: pa.Table) -> tuple[int, int]:
    """How many playlists still hold a song or have the title that they had, and of how many."""
    alike = pc.fill_null(pc.equal(was["title"], now["title"]), False).to_numpy().copy()
    held = [ragged_column(table["songs"]) for table in (was, now)]
    before, after = (songs.rows << ID_BITS | songs.values for songs in held)
    alike[held[0].rows[np.isin(before, after)]] = True
    emptied = (held[0].lengths == 0) | (held[1].lengths == 0)
    told = alike | ~emptied
    return int(alike.sum()), int(told.sum())


def _foreign(what: str) -> ForeignCatalogue:
    return ForeignCatalogue(
        what,
        hint="update a space with the catalogue that it was trained on, whose ids and keys stay; "
        "train another one with `melon train`",
    )
