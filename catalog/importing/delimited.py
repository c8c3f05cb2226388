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
from melon.errors import UnreadableFile

BLOCK_BYTES = 1 << 23
SAMPLE_BYTES = 1 << 20
DELIMITERS = ",;\t|"
LEGACY = ("cp949", "shift_jis", "big5", "gb18030", "cp1252")
"""Encodings that are proposed for a file that is not UTF-8, the stricter before the others."""

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
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
    text, encoding = _decoded(path, data, whole, encoding)
    text = text.removeprefix("\ufeff")
    declared = text[:4].lower() == "sep=" and len(text) > 5
    if declared:
        delimiter, text = text[4], text[5:].lstrip("\r\n")
    found = delimiter or _delimiter(path, text, whole)
    quoted = _quoted(text, found, whole)
    try:
        header = next(_rows(text, found, quoted=quoted, whole=True))
    except (StopIteration, csv.Error):
        return None
    return Dialect(encoding, found, quoted, tuple(distinct_names(header)), declared)


def _beginning(path: Path) -> tuple[bytes, bool]:
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            data = file.read(SAMPLE_BYTES)
            return data, not file.read(1)
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


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
        ask_for_encoding(path, data, encoding)
    return text, encoding


def ask_for_encoding(path: Path, data: bytes, tried: str) -> NoReturn:
    """Say which encodings a file may be in.

    Raises:
        BadImport: always.
    """
    if data[1::2].count(0) > len(data) // 4 or data[::2].count(0) > len(data) // 4:
        fitting = ["utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"]
    else:
        fitting = [name for name in LEGACY if name != tried and _fits(data, name)]
    first, *others = fitting or ["latin-1"]
    more = f" ({', '.join(others)} would be possible, too)" if others else ""
    raise BadImport(
        f"is not in {tried}",
        where=str(path),
        hint=f"say in which encoding it is: --encoding {first}{more}",
    )


def _fits(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(path: Path, text: str, whole: bool) -> str:
    """The delimiter by which the most rows are as long as the header, or which it has most of."""
    if ".tsv" in path.name.lower() and "\t" in text.partition("\n")[0]:
        return "\t"

    def agreement(mark: str) -> tuple[int, int]:
        try:
            rows = list(islice(_rows(text, mark, quoted=True, whole=whole), 50))
        except csv.Error:  # a cell of more than 128 KB
            rows = []
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

    def refuse(row: Any) -> str:
        part.refuse(
            f"{row.actual_columns} cells in place of {row.expected_columns}: "
            f"{' '.join(row.text.split())[:60]}"
        )
        return "skip"

    names = list(dialect.columns)
    last = 0
    try:
        with pa.OSFile(str(path)) as raw:
            file = pa.CompressedInputStream(raw, "gzip") if path.suffix.lower() == ".gz" else raw
            reader = pa.csv.open_csv(
                file,
                read_options=pa.csv.ReadOptions(
                    column_names=names,
                    skip_rows=int(dialect.declared),
                    skip_rows_after_names=1,
                    encoding=dialect.encoding,
                    block_size=SAMPLE_BYTES if part.sampling else BLOCK_BYTES,
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
                    _check_quotes(path, columns, dialect.delimiter)
                here = raw.tell()
                advance(here - last)
                last = here
                yield Batch(columns, batch.num_rows)
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as whole:
                ask_for_encoding(path, _around_fault(whole), dialect.encoding)
        raise BadImport(
            f"cannot be read as a table: {error}",
            where=str(path),
            hint="correct the file there, or say --delimiter or --encoding",
        ) from None
    except UnicodeDecodeError:
        ask_for_encoding(path, b"", dialect.encoding)
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


def _around_fault(file: Any) -> bytes:
    """What is around the first byte of a file that is not UTF-8, line by line."""
    for line in file:
        if not _fits(line, "utf-8"):
            return bytes(line)
    return b""


_MOST_LINES = 5


def _check_quotes(path: Path, columns: dict[str, Any], delimiter: str) -> None:
    """Notice a cell that has swallowed rows: its quote is not closed."""
    width = len(columns)
    for column in columns.values():
        broken = column.filter(pa.compute.match_substring(column, "\n"))
        for cell in broken.to_pylist() if len(broken) else ():
            lines = cell.splitlines()
            if len(lines) > _MOST_LINES and cell.count(delimiter) >= (len(lines) - 2) * (width - 1):
                raise BadImport(
                    f"a quote is not closed: one cell goes over {len(lines):,} lines, from "
                    f"{lines[0][:40]!r} on",
                    where=str(path),
                    hint='close it, or write " within a cell as ""',
                )
