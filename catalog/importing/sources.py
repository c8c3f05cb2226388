"""The tables of files, and of the files in folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from melon.catalog.corpus import FIELDS_FILE, GENRE_FILE, PLAYLIST_FILES, SONG_FILE
from melon.catalog.errors import BadImport
from melon.catalog.importing.cells import TEXT
from melon.catalog.importing.delimited import read_delimited
from melon.catalog.importing.dialect import dialect_of, is_packed, unreadable
from melon.catalog.importing.documents import elements_of
from melon.catalog.importing.m3u import M3U
from melon.catalog.importing.names import BARE, BY_NAME, KEY_OR_NAME, Role, folded
from melon.catalog.importing.nested import OF_TRACK, first_columns, read_nested
from melon.catalog.importing.parquet import parquet_columns, read_parquet
from melon.catalog.importing.tables import RECORD, Advance, Batch, Part, Read, Table
from melon.errors import MissingFile, counted

DELIMITED = (".csv", ".tsv", ".txt", ".tab")
PARQUET = (".parquet", ".pq")
JSON = (".json", ".jsonl", ".ndjson", ".jspf")
ARCHIVES = (".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")
FORMATS = (*DELIMITED, *PARQUET, *JSON, *M3U)

Group = tuple[tuple[str, ...], list[str]]
"""What files of one table have in common, and columns of one of them."""


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
        columns, part.read = parquet_columns(path, part), partial(read_parquet, path)
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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from None
