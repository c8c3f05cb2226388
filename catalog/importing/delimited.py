"""CSV and its relatives: which encoding, which delimiter, and the rows in batches of text."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.csv

from melon.catalog.errors import BadImport
from melon.catalog.importing.tables import Advance, Batch, Part, distinct_names
from melon.errors import UnreadableFile, counted

BLOCK_BYTES = 1 << 23
SAMPLE_BYTES = 1 << 20
DELIMITERS = ",;\t|"
LEGACY = ("cp949", "shift_jis", "big5", "gb18030", "cp1252")
"""Encodings that are proposed for a file that is not UTF-8, the stricter before the others."""

_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins like that of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NO_TEXT = {
    b"\x1f\x8b": ("compressed as gzip", "unpack it, or let its name end in .gz"),
    b"PK\x03\x04": ("a zip archive, as spreadsheets are", "unpack it, or save it as CSV"),
    b"PAR1": ("parquet", "let its name end in .parquet"),
    b"BZh": ("compressed as bzip2", "unpack it"),
    b"\xfd7zXZ": ("compressed as xz", "unpack it"),
    b"\x28\xb5\x2f\xfd": ("compressed as zstd", "unpack it"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str
    quoted: bool
    columns: tuple[str, ...]
    declared: bool
    """Whether the first line says the delimiter, as spreadsheets write it: `sep=;`."""


def dialect_of(path: Path, *, encoding: str | None, delimiter: str | None) -> Dialect | None:
    """Find out from its beginning how a file is written; None if it is empty.

    Raises:
        UnreadableFile: it cannot be opened.
        BadImport: its encoding is not plain, or not the one that is given.
    """
    if delimiter is not None and len(delimiter) != 1:
        raise BadImport(
            f"{delimiter!r} is no delimiter",
            where="--delimiter",
            hint="give one character, or tab",
        )
    data, whole = _beginning(path)
    if not data.strip():
        return None
    check_text(path, data)
    text, encoding = _decoded(path, data, whole, encoding)
    text = text.removeprefix("\ufeff")
    declared = text[:4].lower() == "sep=" and len(text) > 5
    if declared:
        delimiter, text = text[4], text[5:].lstrip("\r\n")
    found = delimiter or _delimiter(path, text, whole)
    quoted = _quoted(text, found, whole)
    try:
        header = next(_rows(text, found, quoted=quoted, whole=whole))
    except StopIteration:
        if whole:
            return None
        raise BadImport(
            f"its first row goes on for more than {SAMPLE_BYTES:,} bytes",
            where=str(path),
            hint="give a table whose first row names its columns, and close all quotes",
        ) from None
    return Dialect(encoding, found, quoted, tuple(distinct_names(header)), declared)


def _beginning(path: Path) -> tuple[bytes, bool]:
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            data = file.read(SAMPLE_BYTES)
            return data, not file.read(1)
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


def check_text(path: Path, data: bytes) -> None:
    """Make sure that what a file begins with is not of something other than text.

    Raises:
        BadImport: it is.
    """
    for magic, (what, hint) in _NO_TEXT.items():
        if data.startswith(magic):
            if path.suffix.lower() == ".gz":
                what, hint = f"{what}, inside of gzip", "unpack it once"
            raise BadImport(f"this is no text: it is {what}", where=str(path), hint=hint)


def unreadable(path: Path, error: Exception) -> UnreadableFile:
    """Say of a file, which may be compressed, that it cannot be read."""
    if isinstance(error, OSError) and error.errno:
        return UnreadableFile.from_os_error(path, error)
    return UnreadableFile(
        f"cannot be read: {str(error)[:200]}",
        where=str(path),
        hint="copy or download it again, or give another path",
    )


def _decoded(path: Path, data: bytes, whole: bool, encoding: str | None) -> tuple[str, str]:
    if encoding is None:
        encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        text = decoder.decode(data, final=whole)
    except LookupError:
        raise BadImport(
            f"no encoding is called {encoding!r}",
            where="--encoding",
            hint="name one that Python knows: utf-8, utf-16, cp949, latin-1",
        ) from None
    except UnicodeDecodeError:
        ask_for_encoding(path, data, encoding)
    if "\0" in text:
        if text.count("\0") > len(text) // 8:
            ask_for_encoding(path, data, encoding)
        at = text.index("\0")
        raise BadImport(
            f"line {text.count(chr(10), 0, at) + 1} holds a NUL character, as no text does",
            where=str(path),
            hint="remove it, or write the file again",
        )
    return text, encoding


def ask_for_encoding(path: Path, data: bytes, tried: str) -> NoReturn:
    """Say which encodings a file may be in.

    Raises:
        BadImport: always.
    """
    names: tuple[str, ...] = ("utf-8", *LEGACY, "latin-1")
    if 0 in data:
        little = data[1::2].count(0) > data[::2].count(0)
        names = ("utf-32-le", "utf-32-be", "utf-16-le" if little else "utf-16-be")
    fitting = [name for name in names if name != tried and _fits(data, name)]
    if len(fitting) > 1 and fitting[-1] == "latin-1":
        fitting.pop()  # which fits everything
    first, *others = fitting or [""]
    more = f" ({', '.join(others)} would be possible, too)" if others else ""
    told = f"say in which encoding it is: --encoding {first}{more}"
    raise BadImport(
        f"is not in {tried}",
        where=str(path),
        hint=told if first else "it may be no text at all: write it again, as UTF-8",
    )


def _fits(data: bytes, encoding: str) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False


def _delimiter(path: Path, text: str, whole: bool) -> str:
    """The delimiter by which the most rows are as long as the header, or which it has most of."""
    if ".tsv" in path.name.lower() and "\t" in text.partition("\n")[0]:
        return "\t"

    def agreement(mark: str) -> tuple[int, int]:
        rows = list(islice(_rows(text, mark, quoted=True, whole=whole), 50))
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) if width > 1 else 0, width)

    return max(DELIMITERS, key=agreement)


def _quoted(text: str, delimiter: str, whole: bool) -> bool:
    """Whether quotes enclose cells; in tables with tabs they often are a part of the text."""
    if delimiter != "\t":
        return True
    try:
        rows = list(_rows(text, delimiter, quoted=True, whole=whole, strict=True))
    except csv.Error:
        return False
    return all(len(row) == len(rows[0]) for row in rows)


def _rows(
    text: str, delimiter: str, *, quoted: bool, whole: bool, strict: bool = False
) -> Iterator[list[str]]:
    """The rows of the beginning of a file, without empty lines and without one that is cut."""
    csv.field_size_limit(max(csv.field_size_limit(), SAMPLE_BYTES))  # or else it is 128 KB
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=strict,
    )
    last: list[str] = []
    for row in rows:
        if last:
            yield last
        last = row or last
    if whole and last:
        yield last


def read_delimited(
    path: Path, dialect: Dialect | None, part: Part, advance: Advance
) -> Iterator[Batch]:
    """Read a file in batches; a row with more or fewer cells than the header is refused.

    Raises:
        UnreadableFile: it cannot be opened or decompressed.
        BadImport: it is in another encoding, or a quote is not closed.
    """

    if dialect is None:
        return

    open_quotes: list[str] = []

    def refuse(row: Any) -> str:
        text = row.text
        swallowed = _like_rows(text, dialect.delimiter, row.expected_columns)
        if "\n" in text.strip() and text.count('"') % 2:
            open_quotes.append(text)
        for _ in range(1 + swallowed):
            part.refuse(
                f"{row.actual_columns} cells in place of {row.expected_columns}: "
                f"{' '.join(text.split())[:60]}"
            )
        return "skip"

    names = list(dialect.columns)
    last, final = 0, ""
    try:
        with pa.OSFile(str(path)) as raw:
            file = pa.CompressedInputStream(raw, "gzip") if path.suffix.lower() == ".gz" else raw
            if dialect.encoding not in ("utf-8", "utf8"):
                file = pa.transcoding_input_stream(file, dialect.encoding, "utf-8")
            watched = _Watched(file)
            reader = pa.csv.open_csv(
                pa.PythonFile(watched, mode="r"),
                read_options=pa.csv.ReadOptions(
                    column_names=names,
                    skip_rows=int(dialect.declared),
                    skip_rows_after_names=1,
                    block_size=BLOCK_BYTES,
                    use_threads=not part.sampling,  # which would read on
                ),
                parse_options=pa.csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char='"' if dialect.quoted else False,
                    newlines_in_values=dialect.quoted,
                    invalid_row_handler=refuse,
                ),
                convert_options=pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.large_string())
                ),
            )
            for batch in reader:
                columns = dict(zip(names, batch.columns, strict=True))
                if dialect.quoted:
                    _check_quotes(path, part, columns, dialect)
                if batch.num_rows:
                    final = batch.columns[-1][-1].as_py()
                here = raw.tell()
                advance(here - last)
                last = here
                yield Batch(columns, batch.num_rows)
            if dialect.quoted and watched.ends_within(final, dialect.delimiter):
                open_quotes.append(final)
            if open_quotes:
                raise _not_closed(path, dialect, open_quotes[0])
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
            with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as whole:
                ask_for_encoding(path, _around_fault(whole, dialect.encoding), dialect.encoding)
        raise BadImport(
            f"cannot be read as a table: {error}",
            where=str(path),
            hint="correct the file there, or say --delimiter or --encoding",
        ) from None
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


def _around_fault(file: Any, encoding: str) -> bytes:
    """What is around the first byte of a file that is not in an encoding, line by line."""
    for line in file:
        if not _fits(line, encoding):
            return bytes(line)
    return b""


class _Watched:
    """A stream of UTF-8 of which the end is remembered."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._end = b""

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if data:
            self._end = (self._end + data[-_REMEMBERED:])[-_REMEMBERED:]
        return data

    def close(self) -> None:
        pass

    def ends_within(self, cell: str, delimiter: str) -> bool:
        """Whether the last cell, which is this, has a quote where it begins and none at its end."""
        written = cell.replace('"', '""').encode()
        if len(written) >= _REMEMBERED:
            return written.endswith(self._end)
        return any(self._end.endswith(b + b'"' + written) for b in (delimiter.encode(), b"\n"))


_REMEMBERED = 1 << 16
_MOST_LINES = 5


def _check_quotes(path: Path, part: Part, columns: dict[str, Any], dialect: Dialect) -> None:
    """Notice cells that have swallowed rows, and count those that look like it."""
    width = len(columns)
    for column in columns.values():
        broken = column.filter(pa.compute.match_substring(column, "\n"))
        for cell in broken.to_pylist() if len(broken) else ():
            swallowed = _like_rows(cell, dialect.delimiter, width)
            lines = cell.count("\n") + 1
            if lines > _MOST_LINES and swallowed >= lines - 2:
                raise _not_closed(path, dialect, cell)
            if swallowed:
                if not part.doubts:
                    part.doubtful = _placed(path, dialect, cell)
                part.doubts += 1


def _like_rows(text: str, delimiter: str, width: int) -> int:
    """How many lines of a text but the first have as many cells as rows have."""
    if width < 2:
        return 0
    return sum(line.count(delimiter) >= width - 1 for line in text.splitlines()[1:])


def _not_closed(path: Path, dialect: Dialect, text: str) -> BadImport:
    return BadImport(
        f"a quote is not closed: {_placed(path, dialect, text)}",
        where=str(path),
        hint='close it, or write " within a cell as ""',
    )


def _placed(path: Path, dialect: Dialect, text: str) -> str:
    """Where a cell, or a row, begins that goes over several lines."""
    first, lines = text.partition("\n")[0].rstrip("\r"), text.count("\n") + 1
    ends = first.replace('"', '""')
    with (
        gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as raw,
        io.TextIOWrapper(raw, dialect.encoding, errors="replace", newline="") as file,
    ):
        for number, line in enumerate(file, start=1):
            line = line.rstrip("\r\n")
            if line == first or line.endswith(f'"{ends}'):
                return f"{counted(lines, 'line')} from line {number} on, {line[:60]!r}"
    return f"{counted(lines, 'line')} from {first[:60]!r} on"
