"""The tables of pandas' frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from melon.catalog.importing.cells import as_text, texts
from melon.catalog.importing.names import ROW_LABEL
from melon.catalog.importing.nested import batches_of
from melon.catalog.importing.objects import TRACKS
from melon.catalog.importing.tables import (
    BATCH_RECORDS,
    BATCH_ROWS,
    Advance,
    Batch,
    Part,
    Table,
    distinct_names,
)
from melon.errors import WrongType

if TYPE_CHECKING:
    import pandas as pd

_LISTS = (list, tuple, np.ndarray)


def open_frames(frames: Sequence[pd.DataFrame]) -> list[Table]:
    """The tables of frames.

    Raises:
        WrongType: something is no frame, or there is none.
    """
    if not frames:
        raise WrongType("there is no frame", hint="give a pandas.DataFrame")
    tables = []
    for number, frame in enumerate(frames, start=1):
        label = "the frame" if len(frames) == 1 else f"frame {number}"
        if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
            raise WrongType(
                f"{type(frame).__name__} is no frame",
                where=label,
                hint="give a pandas.DataFrame, as .to_pandas() or .to_frame() makes",
            )
        frame = _with_index(frame)
        names = distinct_names([str(name) for name in frame.columns])
        part = Part(label, None, len(frame), partial(_read_frame, frame, names))
        if _holds_records(frame, names):
            part.read = partial(_read_records, frame, names)
            names = []
        else:
            part.lists |= dict.fromkeys(n for at, n in enumerate(names) if _objects_in(frame, at))
        table = Table(label, names, [part])
        table.take_sample()
        tables.append(table)
    return tables


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with its index as columns: as far as it has names, or else texts, which are keys."""
    names = [name for name in frame.index.names if name is not None]
    if not names and frame.index.inferred_type == "string":
        records = _holds_records(frame, [str(name) for name in frame.columns])
        names = ["identifier" if records else ROW_LABEL]
        frame = frame.rename_axis(names)
    levels = [name for name in names if name not in frame.columns]
    return frame.reset_index(level=levels) if levels else frame


def _read_frame(
    frame: pd.DataFrame, names: list[str], _: Part, advance: Advance
) -> Iterator[Batch]:
    for start in range(0, len(frame), BATCH_ROWS):
        piece = frame.iloc[start : start + BATCH_ROWS]
        columns = {name: _series(piece.iloc[:, at]) for at, name in enumerate(names)}
        advance(len(piece))
        yield Batch(columns, len(piece))


def _holds_records(frame: pd.DataFrame, names: list[str]) -> bool:
    return any(
        isinstance(_first_in(frame, at), (dict, *_LISTS) if name in TRACKS else dict)
        for at, name in enumerate(names)
    )


def _first_in(frame: pd.DataFrame, at: int) -> Any:
    """The first value of a column that is not missing, if these may be objects or lists."""
    series = frame.iloc[:, at]
    return None if series.dtype.kind in "biufMm" else next(iter(series.dropna().head(1)), None)


def _objects_in(frame: pd.DataFrame, at: int) -> bool:
    first = _first_in(frame, at)
    return isinstance(first, _LISTS) and len(first) > 0 and isinstance(first[0], dict)


def _read_records(
    frame: pd.DataFrame, names: list[str], part: Part, advance: Advance
) -> Iterator[Batch]:
    def records() -> Iterator[dict[str, Any]]:
        for start in range(0, len(frame), BATCH_RECORDS):
            piece = frame.iloc[start : start + BATCH_RECORDS]
            columns = [piece.iloc[:, at].tolist() for at in range(len(names))]
            for row in zip(*columns, strict=True):
                yield {name: _plain(value) for name, value in zip(names, row, strict=True)}
            advance(len(piece))

    return batches_of(records(), part)


def _plain(value: Any) -> Any:
    """A value with lists in place of arrays and tuples."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(one) for one in value]
    return value


def _series(series: Any) -> Any:
    try:
        column = pa.array(series, from_pandas=True)
        if not isinstance(column.type, pa.BaseExtensionType):  # pandas numbers periods, for one
            return as_text(column)
        return texts(series.tolist())
    except (pa.ArrowException, UnicodeEncodeError):
        return texts(series.tolist())
