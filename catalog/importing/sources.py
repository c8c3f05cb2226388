"""The tables of what is to be imported: files, folders of files, or frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from melon.catalog.corpus import FIELDS_FILE, GENRE_FILE, PLAYLIST_FILES, SONG_FILE
from melon.catalog.errors import BadImport
from melon.catalog.importing.cells import TEXT, as_text, texts
from melon.catalog.importing.delimited import read_delimited
from melon.catalog.importing.dialect import dialect_of, is_packed, unreadable
from melon.catalog.importing.documents import elements_of
from melon.catalog.importing.m3u import M3U
from melon.catalog.importing.names import BARE, BY_NAME, KEY_OR_NAME, ROW_LABEL, Role, folded
from melon.catalog.importing.nested import OF_TRACK, batches_of, first_columns, read_nested
from melon.catalog.importing.objects import TRACKS
from melon.catalog.importing.tables import RECORD, Advance, Batch, Part, Read, Table, distinct_names
from melon.errors import MissingFile, WrongType, counted

if TYPE_CHECKING:
    import pandas as pd

DELIMITED = (".csv", ".tsv", ".txt", ".tab")
PARQUET = (".parquet", ".pq")
JSON = (".json", ".jsonl", ".ndjson", ".jspf")
ARCHIVES = (".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")
FORMATS = (*DELIMITED, *PARQUET, *JSON, *M3U)
BATCH_ROWS = 1 << 17
BATCH_RECORDS = 1 << 10
"""Of records that may hold many tracks each."""


def open_files(
    paths: Sequence[Path], *, encoding: str | None = None, delimiter: str | None = None
) -> tuple[list[Table], list[str]]:
    """The tables of files, and of the files in folders; and what was left aside, and why.

    Files with the same columns are one table.

    Raises:
        MissingFile: a path leads nowhere.
        UnreadableFile: a file cannot be opened.
        BadImport: a file is of no known format, or there is none; or a folder is a corpus already.
    """
    tables: dict[tuple[str, ...], Table] = {}
    left: list[str] = []
    for path in _distinct(paths):
        if not path.exists():
            raise MissingFile(
                "there is no such file or directory", where=str(path), hint="check the path"
            )
        if path.is_dir() and _is_corpus(path):
            raise BadImport(
                "it is in melon's own format, and needs no import",
                where=str(path),
                hint=f"melon train {path}",
            )
        files = list(_files_in(path, left)) if path.is_dir() else [path]
        for file in files:
            opened = _open(file, encoding, delimiter, _said_by_folders(path, file))
            if opened is None:
                left.append(f"{file}: it is empty")
                continue
            (group, columns), part = opened
            table = tables.setdefault(group, Table(str(file), columns, []))
            table.parts.append(part)
    for table in tables.values():
        if len(table.parts) > 1:
            table.label = f"{counted(len(table.parts), 'file')}, {table.parts[0].label} the first"
        table.take_sample()
    if not tables:
        raise BadImport(
            "there is nothing to import" + (f" ({'; '.join(left[:3])})" if left else ""),
            where=", ".join(map(str, paths)) or None,
            hint=f"give files, or folders of files, that end in {', '.join(FORMATS)}, maybe "
            "followed by .gz",
        )
    return list(tables.values()), left


def _distinct(paths: Sequence[Path]) -> list[Path]:
    names: dict[Path, Path] = {}
    for path in paths:
        names.setdefault(path.resolve(), path)
    return list(names.values())


def _is_corpus(folder: Path) -> bool:
    """Whether files of playlists and of what is beside them are there, by the names they have."""
    return any((folder / name).is_file() for name in PLAYLIST_FILES) and any(
        (folder / name).is_file() for name in (SONG_FILE, GENRE_FILE, FIELDS_FILE)
    )


def _files_in(folder: Path, left: list[str]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if _format(path) in FORMATS and (_format(path) != ".txt" or _is_table(path)):
            yield path
        else:
            packed = _format(path) in ARCHIVES
            left.append(
                f"{path}: {'unpack it to have it read' if packed else 'of no known format'}"
            )


def _is_table(path: Path) -> bool:
    """Whether a `.txt`, which may be a read-me, has a header of usual names, as iTunes writes."""
    try:
        dialect = dialect_of(path, encoding=None, delimiter=None)
    except BadImport:
        return False
    names = map(folded, dialect.columns if dialect else ())
    return sum(name in BY_NAME or name in KEY_OR_NAME or name in BARE for name in names) > 1


def _format(path: Path) -> str:
    return (path.with_suffix("") if is_packed(path) else path).suffix.lower()


def stem_of(path: Path) -> str:
    """The name of a file without what says its format."""
    name = path.name
    for suffix in (".gz", *FORMATS):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


def _said_by_folders(source: Path, file: Path) -> dict[str, str | None]:
    """The columns that are not in a file, but in names of folders, as `playlist=rock`."""
    said: dict[str, str | None] = {}
    for folder in file.relative_to(source).parent.parts if file != source else ():
        name, equals, value = folder.partition("=")
        if equals and name:
            said[name] = None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
    return said


def _read_with(
    read: Read, said: dict[str, str | None], part: Part, advance: Advance
) -> Iterator[Batch]:
    for batch in read(part, advance):
        more = {name: pa.repeat(pa.scalar(v, TEXT), batch.rows) for name, v in said.items()}
        yield Batch(more | batch.columns, batch.rows)


def _open(
    path: Path, encoding: str | None, delimiter: str | None, said: dict[str, str | None]
) -> tuple[Group, Part] | None:
    """How a file is read, and the columns that it begins with; None if it is empty."""
    kind = _format(path)
    read: Read = partial(read_nested, path, encoding)
    part = Part(str(path), stem_of(path), _size(path), read, path)
    columns: Sequence[str] | None
    if kind in PARQUET:
        columns, part.read = _parquet_columns(path, part), partial(_read_parquet, path)
    elif kind in (*JSON, *M3U):
        columns = first_columns(elements_of(path, encoding, part, lambda _: None), part)
    elif kind in DELIMITED:
        dialect = dialect_of(path, encoding=encoding, delimiter=delimiter)
        columns = dialect.columns if dialect else None
        part.read, part.has_header = partial(read_delimited, path, dialect), True
    else:
        raise BadImport(
            f"{kind or path.name!r} is no format that can be imported",
            where=str(path),
            hint="unpack it"
            if kind in ARCHIVES
            else f"give files that end in {', '.join(FORMATS)}, maybe followed by .gz",
        )
    if columns is None:
        return None
    if said:
        columns = list(dict.fromkeys((*columns, *said)))
        part.read = partial(_read_with, part.read, said)
    group = tuple(columns)
    if RECORD in columns:  # what is said of songs by the same names, though some lack some
        group = (RECORD, *sorted(filter(_tells_song, columns)))
    return (group, [name for name in columns if name != RECORD]), part


def _tells_song(name: str) -> bool:
    """Whether a column is plainly the key, the name or the artists of a playlist's tracks."""
    short = name.removeprefix(OF_TRACK)
    return short != name and any(
        BY_NAME.get(folded(one)) in (Role.TRACK, Role.NAME, Role.ARTISTS) for one in (name, short)
    )


Group = tuple[tuple[str, ...], list[str]]
"""What files of one table have in common, and columns of one of them."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from None


def _parquet_columns(path: Path, part: Part) -> list[str]:
    with _parquet(path) as file:
        names = distinct_names(file.schema_arrow.names)
        if _of_records(file.schema_arrow):
            return first_columns(_parquet_records(file, 1), part) or names
        kinds = zip(names, file.schema_arrow.types, strict=True)
        part.lists |= dict.fromkeys(name for name, kind in kinds if _lists_objects(kind))
        return names


def _parquet(path: Path) -> Any:
    try:
        if not is_packed(path):
            return pa.parquet.ParquetFile(path)
        with pa.OSFile(str(path)) as raw, pa.CompressedInputStream(raw, "gzip") as file:
            return pa.parquet.ParquetFile(pa.BufferReader(file.read()))
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def _read_parquet(path: Path, part: Part, advance: Advance) -> Iterator[Batch]:
    with _parquet(path) as file:
        rows = max(file.metadata.num_rows, 1)
        names = distinct_names(file.schema_arrow.names)
        done = 0
        try:
            if _of_records(file.schema_arrow):
                yield from batches_of(_parquet_records(file, BATCH_RECORDS), part)
                advance(part.size)
                return
            for batch in file.iter_batches(BATCH_ROWS):
                before, done = done, done + batch.num_rows
                advance(part.size * done // rows - part.size * before // rows)
                columns = dict(zip(names, map(as_text, batch.columns), strict=True))
                yield Batch(columns, batch.num_rows)
        except (OSError, pa.ArrowException) as error:
            raise unreadable(path, error) from None


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


def _parquet_records(file: Any, at_once: int) -> Iterator[dict[str, Any]]:
    names = distinct_names(file.schema_arrow.names)
    for batch in file.iter_batches(at_once):
        yield from batch.rename_columns(names).to_pylist()


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


_LISTS = (list, tuple, np.ndarray)


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
