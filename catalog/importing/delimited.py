"""CSV and its relatives: the rows in batches of text, and quotes that are not closed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from melon.catalog.errors import BadImport
from melon.catalog.importing.dialect import (
    Dialect,
    ask_for_encoding,
    fits,
    is_packed,
    open_unpacked,
    unreadable,
)
from melon.catalog.importing.tables import Advance, Batch, Part, distinct_names
from melon.errors import counted

BLOCK_BYTES = 1 << 23

_REMEMBERED = 1 << 16
_MOST_LINES = 5


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
                f"{counted(row.actual_columns, 'cell')} in place of {row.expected_columns}: "
                f"{' '.join(text.split())[:60]}"
            )
        return "skip"

    names = list(dialect.columns)
    last, final = 0, ""
    try:
        with pa.OSFile(str(path)) as raw:
            file = pa.CompressedInputStream(raw, "gzip") if is_packed(path) else raw
            if dialect.encoding not in ("utf-8", "utf8"):
                file = pa.transcoding_input_stream(file, dialect.encoding, "utf-8")
            watched = _Watched(file)
            reader = pa.csv.open_csv(
                pa.PythonFile(watched, mode="r"),
                read_options=pa.csv.ReadOptions(
                    column_names=names,
                    skip_rows=dialect.before,
                    skip_rows_after_names=1,
                    block_size=BLOCK_BYTES,
                    use_threads=not part.sampling,  # which would read on
                ),
                parse_options=pa.csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char='"' if dialect.quoted else False,
                    escape_char="\\" if dialect.escaped else False,
                    newlines_in_values=dialect.quoted,
                    invalid_row_handler=refuse,
                ),
                convert_options=pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.large_string())
                ),
            )
            for batch in reader:
                batch = _without_headers(batch, names, part)
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
            with open_unpacked(path) as whole:
                ask_for_encoding(path, _around_fault(whole, dialect.encoding), dialect.encoding)
        if "straddling" in str(error):
            raise BadImport(
                f"a row has no end, or goes on for more than {BLOCK_BYTES:,} bytes",
                where=str(path),
                hint="close all quotes, and leave out what is longer",
            ) from None
        raise BadImport(
            f"cannot be read as a table: {error}",
            where=str(path),
            hint="correct the file there, or say --delimiter or --encoding",
        ) from None
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


def _without_headers(batch: Any, names: list[str], part: Part) -> Any:
    """Rows without those that name the columns again, as files do that are several in one."""
    at = pa.compute.indices_nonzero(pa.compute.ends_with(batch.columns[0], names[0]))
    again = [
        row
        for row in at.to_pylist()
        if distinct_names([column[row].as_py() for column in batch.columns]) == names
    ]
    if not again:
        return batch
    part.tell("row", "with the header again: skipped", len(again), part.label)
    stays = np.ones(batch.num_rows, np.bool_)
    stays[again] = False
    return batch.filter(pa.array(stays))


def _around_fault(file: Any, encoding: str) -> bytes:
    """What is around the first byte of a file that is not in an encoding, line by line."""
    for line in file:
        if not fits(line, encoding):
            return bytes(line)
    return b""


class _Watched:
    """A stream of UTF-8 of which the end is remembered; its last line ends, too."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._end = b""

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (more := self._file.read(size - len(data))):
            data += more
        if len(data) < size and not (data or self._end or b"\n").endswith((b"\n", b"\r")):
            data += b"\n"  # or else a header that is alone cannot be read
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
        open_unpacked(path) as raw,
        io.TextIOWrapper(raw, dialect.encoding, errors="replace", newline="") as file,
    ):
        for number, line in enumerate(file, start=1):
            line = line.rstrip("\r\n")
            if line == first or line.endswith(f'"{ends}'):
                return f"{counted(lines, 'line')} from line {number} on, {line[:60]!r}"
    return f"{counted(lines, 'line')} from {first[:60]!r} on"
