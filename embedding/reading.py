"""Reads the tables and vectors of a space, and takes nothing that is not as training writes it.

A space may come from anywhere, and its hashes only say that it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from melon.embedding.columns import ARROW_TYPES, arrow_type, file_columns, unknown_column
from melon.embedding.errors import DamagedSpace
from melon.embedding.ragged import Vectors
from melon.errors import counted
from melon.fields import MAX_ID, MAX_INTEGER, PLAYLISTS, SONGS, Field, FieldType
from melon.files import open_regular

TRAIN_AGAIN = "train the space again, or restore it from a copy"
BATCH = 1_000
MAX_EXPANSION = 64
"""Bytes that a byte of a table's file may become: it is compressed, and repeats are counted."""

UNPACKED_BYTES = 64 << 20
"""So many bytes a table may have, whatever the length of its file."""

_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<f4', 'fortran_order': False, "
    rb"'shape': \(([0-9]{1,12}), ([0-9]{1,6})\), \} *\n",
    re.DOTALL,
)
_NPY_HEADER = 128
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""Of Python's calendar, as days from 1970."""

_DAY_MICROSECONDS = 86_400_000_000
_UNIT_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a space's table holds.

    Attributes:
        type: Arrow's.
        least: the smallest integer.
        most: the largest.
        needed: whether it is there, and has a value in each row.
        distinct: whether no two rows have the same.
    """

    type: pa.DataType
    least: int = 0
    most: int = MAX_INTEGER
    needed: bool = False
    distinct: bool = False

    @classmethod
    def of(cls, field: Field) -> Column:
        """The column of a field that files may have."""
        needed = field.name == "id"
        return cls(arrow_type(field), field.minimum, field.maximum, needed, needed)


_TEXT = Column(ARROW_TYPES[FieldType.TEXT])
_POPULARITY = Column(ARROW_TYPES[FieldType.INTEGER], most=MAX_ID, needed=True)
_NAME = Column(ARROW_TYPES[FieldType.KEYWORD], needed=True, distinct=True)
_WORDS = Column(pa.list_(pa.string()))


def columns_of(part: str, fields: Iterable[Field]) -> Mapping[str, Column]:
    """The columns of a table, in their order.

    Args:
        part: song, playlist, tag or word.
        fields: the songs' own.
    """
    if part == "song":
        read = {one.name: Column.of(one) for one in file_columns((*SONGS, *fields))}
        return read | {"popularity": _POPULARITY, "vector_source": _TEXT}
    if part == "playlist":
        read = {one.name: Column.of(one) for one in file_columns(PLAYLISTS)}
        return read | {"words": _WORDS, "vector_source": _TEXT}
    return {part: _NAME, "popularity": _POPULARITY, "vector_source": _TEXT}


def read_table(path: Path, columns: Mapping[str, Column], rows: int) -> pa.Table:
    """Read a table of so many rows. A column that it lacks is unknown in each of them.

    Raises:
        DamagedSpace: it is not as training writes it.
    """
    try:
        with open_regular(path) as opened, pq.ParquetFile(opened) as file:
            batches = list(_batches(path, file, columns, rows))
            empty = file.schema_arrow.empty_table()
        table = pa.Table.from_batches(batches) if batches else empty
        table.validate(full=True)
    except (pa.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise DamagedSpace(str(error), where=str(path), hint=TRAIN_AGAIN) from error
    table = pa.table(
        {
            name: table[name].combine_chunks()
            if name in table.column_names
            else unknown_column(column.type, rows)
            for name, column in columns.items()
        }
    )
    for name, column in columns.items():
        if wrong := _wrong(table[name], column):
            damaged(path, f"column {name!r} {wrong}")
    return table


def _batches(
    path: Path, file: pq.ParquetFile, columns: Mapping[str, Column], rows: int
) -> Iterator[pa.RecordBatch]:
    """The rows, as long as they are as many and as large as they may be."""
    schema = file.schema_arrow
    for name, column in columns.items():
        there = [one.type for one in schema if one.name == name]
        if len(there) > 1 or (there and there[0] != column.type):
            damaged(path, f"column {name!r} is {there[0]}, not one of {column.type}")
        if column.needed and not there:
            damaged(path, f"column {name!r} is missing")
    if file.metadata.num_rows != rows:
        damaged(path, f"holds {counted(file.metadata.num_rows, 'row')} in place of {rows:,}")
    known = [name for name in schema.names if name in columns]
    room = UNPACKED_BYTES + MAX_EXPANSION * path.stat().st_size
    for group in range(file.metadata.num_row_groups):
        meta = file.metadata.row_group(group)
        values = max((meta.column(i).num_values for i in range(meta.num_columns)), default=0)
        if max(values, meta.total_byte_size) > room:
            damaged(path, "unpacked, it would be too large")
    for batch in file.iter_batches(BATCH, columns=known):
        room -= batch.nbytes
        if room < 0:
            damaged(path, "unpacked, it is too large")
        yield batch


def _wrong(values: pa.ChunkedArray, column: Column) -> str:
    """What is wrong with the values of a column, if anything is."""
    if values.null_count and (column.needed or pa.types.is_list(column.type)):
        return "lacks a value"
    if pa.types.is_list(column.type):
        values = pc.list_flatten(values)
        if values.null_count:
            return "holds a list that lacks a value"
    kind = values.type
    if pa.types.is_integer(kind) and not _within(values, column.least, column.most):
        return f"holds a number that is not between {column.least} and {column.most}"
    if pa.types.is_floating(kind) and pc.all(pc.is_finite(values)).as_py() not in (True, None):
        return "holds a number that is not finite"
    if pa.types.is_date(kind) and not _within(values.cast(pa.int32()), _FIRST_DAY, _LAST_DAY):
        return "holds a day that no calendar has"
    if pa.types.is_timestamp(kind):
        last = (_LAST_DAY + 1) * _DAY_MICROSECONDS - 1
        if not _within(values.cast(pa.int64()), _FIRST_DAY * _DAY_MICROSECONDS, last):
            return "holds a time that no calendar has"
    if column.distinct:
        if pc.count_distinct(values).as_py() < len(values):
            return "holds a value twice"
        if pa.types.is_string(kind) and pc.any(pc.equal(values, "")).as_py():
            return "holds an empty text"
        if pa.types.is_integer(kind) and (np.diff(values.to_numpy()) < 0).any():
            return "is not in order"
    return ""


def _within(values: pa.ChunkedArray, least: int, most: int) -> bool:
    ends = pc.min_max(values).as_py()
    return ends["min"] is None or (least <= ends["min"] and ends["max"] <= most)


def check_members(path: Path, name: str, lists: pa.ChunkedArray, known: pa.ChunkedArray) -> None:
    """Refuse lists that hold what no other table has.

    Raises:
        DamagedSpace: names the first such value.
    """
    values = pc.list_flatten(lists)
    unknown = pc.filter(values, pc.invert(pc.is_in(values, value_set=known.combine_chunks())))
    if len(unknown):
        damaged(path, f"column {name!r} holds {unknown[0].as_py()!r}, which no table has")


def read_vectors(path: Path, rows: int, dim: int) -> Vectors:
    """Map an array (rows, dim) float32 of unit or zero rows, as `numpy.save` writes it.

    Its header is compared, not evaluated, and nothing is unpickled.

    Raises:
        DamagedSpace: it is something else.
    """
    with open_regular(path) as file:
        found = _NPY.match(file.read(_NPY_HEADER))
    if found is None:
        damaged(path, f"is not an array of float32 of shape ({rows}, {dim})")
    shape = (int(found[1]), int(found[2]))
    if shape != (rows, dim):
        damaged(path, f"holds float32 of shape {shape}, not of shape ({rows}, {dim})")
    start = found.end()
    if path.stat().st_size != start + 4 * rows * dim:
        damaged(path, f"is not as long as an array of shape ({rows}, {dim})")
    if not rows:
        return np.empty(shape, np.float32)
    vectors: Vectors = np.memmap(path, np.dtype("<f4"), "r", start, shape)
    for first in range(0, rows, BATCH):
        part = vectors[first : first + BATCH]
        squares = np.einsum("ij,ij->i", part, part, dtype=np.float64)
        right = (squares == 0) | (np.abs(squares - 1) < _UNIT_TOLERANCE)  # and not NaN
        if not right.all():
            damaged(path, f"row {first + int(np.argmin(right))} is not a unit vector")
    return vectors


def damaged(path: Path, what: str) -> NoReturn:
    """Refuse a file of a space."""
    raise DamagedSpace(what, where=str(path), hint=TRAIN_AGAIN)
