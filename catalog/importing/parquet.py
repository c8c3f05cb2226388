"""The rows of parquet files, as tables or as documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from melon.catalog.importing.cells import as_text
from melon.catalog.importing.dialect import is_packed, unreadable
from melon.catalog.importing.nested import batches_of, first_columns
from melon.catalog.importing.objects import TRACKS
from melon.catalog.importing.tables import (
    BATCH_RECORDS,
    BATCH_ROWS,
    Advance,
    Batch,
    Part,
    distinct_names,
)


def parquet_columns(path: Path, part: Part) -> list[str]:
    """The columns of a file; `part` notes which of them list objects.

    Raises:
        UnreadableFile: it cannot be opened, or is not whole.
    """
    with _opened(path) as file:
        names = distinct_names(file.schema_arrow.names)
        if _of_records(file.schema_arrow):
            return first_columns(_records(file, 1), part) or names
        kinds = zip(names, file.schema_arrow.types, strict=True)
        part.lists |= dict.fromkeys(name for name, kind in kinds if _lists_objects(kind))
        return names


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        if is_packed(path):
            with pa.OSFile(str(path)) as raw, pa.CompressedInputStream(raw, "gzip") as unpacked:
                source = pa.BufferReader(unpacked.read())
        else:
            source = path
        with pa.parquet.ParquetFile(source) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def read_parquet(path: Path, part: Part, advance: Advance) -> Iterator[Batch]:
    """The rows of a file as text, or of one with objects as documents.

    Raises:
        UnreadableFile: it cannot be opened, or is not whole.
    """
    with _opened(path) as file:
        rows = max(file.metadata.num_rows, 1)
        names = distinct_names(file.schema_arrow.names)
        done = 0
        if _of_records(file.schema_arrow):
            yield from batches_of(_records(file, BATCH_RECORDS), part)
            advance(part.size)
            return
        for batch in file.iter_batches(BATCH_ROWS):
            before, done = done, done + batch.num_rows
            advance(part.size * done // rows - part.size * before // rows)
            columns = dict(zip(names, map(as_text, batch.columns), strict=True))
            yield Batch(columns, batch.num_rows)


def _of_records(schema: Any) -> bool:
    """Whether rows hold objects, the tracks of a playlist or playlists with such: as documents."""

    def holds(name: str, kind: Any) -> bool:
        return pa.types.is_struct(kind) or (name in TRACKS and pa.types.is_nested(kind))

    return any(
        holds(field.name, field.type)
        or (
            _lists_objects(field.type)
            and any(
                holds(one.name, one.type) for one in field.type.value_type if one.name in TRACKS
            )
        )
        for field in schema
    )


def _lists_objects(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))


def _records(file: Any, at_once: int) -> Iterator[dict[str, Any]]:
    names = distinct_names(file.schema_arrow.names)
    for batch in file.iter_batches(at_once):
        yield from batch.rename_columns(names).to_pylist()
