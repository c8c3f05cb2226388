"""The rows of a batch, with one key in each cell of keys, and what they are of."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.errors import BadImport
from melon.catalog.importing.cells import (
    BRACKETED,
    JOINT,
    TEXT,
    WRITTEN_LIST,
    apart,
    cleaned,
    cleaned_keys,
    hold_lists,
    joined,
    separated,
)
from melon.catalog.importing.names import OF_SONGS, Role
from melon.catalog.importing.plan import SEVERAL, Kind, TablePlan
from melon.catalog.importing.report import ImportReport
from melon.catalog.importing.tables import FILE_KEY, RECORD, Batch
from melon.text import name_key

_KEYS = (
    ("song", (Role.TRACK, Role.NAME), (*OF_SONGS, Role.POSITION)),
    ("playlist", (Role.PLAYLIST, Role.TITLE), (Role.TITLE, Role.LIKES, Role.UPDATED)),
)
"""What cells may hold several keys of, and what may be said of each of them in its row."""


def cells_of(plan: TablePlan, batch: Batch, role: Role) -> Any:
    """The column of a role, with the values of a cell apart from each other."""
    column = batch.column(plan.roles[role])
    if role not in SEVERAL:
        return cleaned(joined(column))
    return separated(cleaned(column), plan.marks.get(role))


def unrolled(
    plan: TablePlan, batch: Batch, report: ImportReport
) -> tuple[Batch, npt.NDArray[np.int64] | None]:
    """The rows with one key in each cell of keys, and which row each is of, if that changes.

    Raises:
        BadImport: lists that speak of the same things are of other lengths.
    """
    row_of = None
    for noun, (key, called), beside in _KEYS:
        for role in (key, called):
            if role not in plan.roles:
                continue
            column = plan.roles[role]
            written = role is key or hold_lists(plan.table.sampled(column))
            lists = apart(batch.column(column), plan.marks.get(role), written=written)
            sizes = np.asarray(pc.list_value_length(lists))
            if sizes.max(initial=1) == 1:
                if (
                    written
                    and pc.any(pc.match_substring_regex(batch.column(column), WRITTEN_LIST)).as_py()
                ):
                    columns = {**batch.columns, column: pc.list_flatten(lists)}
                    batch = Batch(columns, batch.rows)
                continue
            others = [plan.roles[one] for one in beside if one in plan.roles and one != role]
            others += plan.fields.values() if key is Role.TRACK else ()
            report.count(
                "row",
                f"with several {noun}s in a cell: there is an entry for each",
                int((sizes > 1).sum()),
            )
            batch, at = _an_entry_each(plan, batch, role, lists, others)
            row_of = at if row_of is None else row_of[at]
            break
    return batch, row_of


def _an_entry_each(
    plan: TablePlan, batch: Batch, role: Role, lists: Any, others: Sequence[str]
) -> tuple[Batch, npt.NDArray[np.int64]]:
    """A row for each value of a role's lists, with what lists of the same length say of it."""
    column = plan.roles[role]
    sizes = _lengths(lists)
    at = np.repeat(np.arange(batch.rows), sizes)
    place = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    columns = {name: cells.take(pa.array(at)) for name, cells in batch.columns.items()}
    columns[column] = pc.list_flatten(lists)
    for name in others:
        values, are_lists = _lists_beside(batch.column(name), plan.marks.get(role), sizes)
        if not are_lists.any():
            continue
        lengths = _lengths(values)
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


def _lists_beside(
    cells: Any, mark: str | None, sizes: npt.NDArray[np.int64]
) -> tuple[Any, npt.NDArray[np.bool_]]:
    """The values of cells beside lists of these sizes, and which of the cells are lists.

    Texts are, if all have as many values between the marks as the lists.
    """
    if mark and np.array_equal(_lengths(values := apart(cells, mark)), sizes):
        return values, np.ones(len(sizes), np.bool_)
    written = hold_lists(cells)
    lists = pc.match_substring_regex(cells, rf"{JOINT}$|{BRACKETED}" if written else f"{JOINT}$")
    return apart(cells, None, written=written), np.asarray(pc.fill_null(lists, False))


def _lengths(lists: Any) -> npt.NDArray[np.int64]:
    return np.asarray(pc.list_value_length(lists)).astype(np.int64)


def song_keys(plan: TablePlan, batch: Batch, report: ImportReport) -> Any:
    """The key of each row's song, null where there is none; of artist and name if need be."""
    keys = pa.nulls(batch.rows, TEXT)
    if plan.kind is Kind.PLAYLISTS:
        return keys
    if Role.TRACK in plan.roles:
        keys = _keys_of(batch.column(plan.roles[Role.TRACK]), report)
    if Role.NAME in plan.roles and keys.null_count:
        lacking = pc.is_null(keys)
        made = _folded(cells_of(plan, batch, Role.NAME).filter(lacking))
        if Role.ARTISTS in plan.roles:
            artists = _folded(joined(cells_of(plan, batch, Role.ARTISTS)).filter(lacking))
            both = pc.binary_join_element_wise(artists, made, pa.scalar(" - ", TEXT))
            made = pc.if_else(pc.is_valid(artists), both, made)
        keys = pc.replace_with_mask(keys, lacking, made)
        report.count(
            "row",
            "without a key of the song: it is made of artist and name",
            len(made) - made.null_count,
        )
    return keys


def _keys_of(column: Any, report: ImportReport) -> Any:
    """Keys, and a count of those of which a spreadsheet or a float has left some digits out."""
    keys = cleaned_keys(column)
    cut = keys.filter(
        pc.fill_null(pc.match_substring_regex(keys, r"^\d(\.\d+[eE]\+?|[eE]\+)\d+$"), False)
    )
    example = cut[0].as_py() if len(cut) else ""
    report.count(
        "key", "shortened, as by spreadsheets or floats: several may be one now", len(cut), example
    )
    return keys


def _folded(column: Any) -> Any:
    encoded = column.dictionary_encode()
    words = [name_key(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(words, TEXT).take(encoded.indices)


def playlist_keys(plan: TablePlan, batch: Batch, titles: Counter[str], report: ImportReport) -> Any:
    """The key of each row's playlist, null where there is none; its title if need be.

    Args:
        titles: how many playlists that hold their tracks have gone by each title; counted here.
        report: told of keys that are not as they were.
    """
    keys = pa.nulls(batch.rows, TEXT)
    if plan.kind is Kind.SONGS:
        return keys
    if plan.kind is Kind.FILES and RECORD not in batch.columns:
        return batch.column(FILE_KEY)
    if Role.PLAYLIST in plan.roles:
        keys = _keys_of(batch.column(plan.roles[Role.PLAYLIST]), report)
    if keys.null_count and RECORD in batch.columns:
        return pc.coalesce(keys, _named_records(plan, batch, titles))
    if keys.null_count and Role.TITLE in plan.roles:
        return pc.coalesce(keys, cells_of(plan, batch, Role.TITLE))
    return keys


def _named_records(plan: TablePlan, batch: Batch, titles: Counter[str]) -> Any:
    """Keys of playlists that hold their tracks: their titles, numbered if these repeat."""
    named = pc.replace_substring_regex(batch.column(RECORD), r"(?s)^.*\x00", "")
    if Role.TITLE in plan.roles:
        named = pc.coalesce(cells_of(plan, batch, Role.TITLE), named)
    records = batch.column(RECORD).dictionary_encode()
    first = np.unique(np.asarray(records.indices), return_index=True)[1]
    keys = []
    for title in named.take(pa.array(first)).to_pylist():
        titles[title] += 1
        number = titles[title]
        keys.append(title if number == 1 else f"{title} ({number})")
    return pa.array(keys, TEXT).take(records.indices)
