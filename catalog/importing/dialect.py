"""How a table of text is written: its encoding, its delimiter and its header, by its beginning."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import NoReturn, cast

from melon.catalog.errors import BadImport
from melon.catalog.importing.names import BY_NAME, folded
from melon.catalog.importing.tables import distinct_names
from melon.errors import UnreadableFile, counted, uncapitalized

SAMPLE_BYTES = 1 << 20
DELIMITERS = ",;\t|"
LEGACY = ("cp949", "shift_jis", "big5", "gb18030", "cp1252")
"""Encodings that are proposed for a file that is not UTF-8, the stricter before the others."""

_ESCAPED = re.compile(r'\\["\\]')
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


_OTHER_TEXT = (
    ("JSON", "let its name end in .json, or .jsonl", ("{", "[{", "[\n", "[\r")),
    ("HTML or XML", "export it again, as CSV or M3U8", ("<!", "<?", "<html")),
    ("PLS", "export it again, as CSV or M3U8", ("[playlist]",)),
)
"""What a file may be whose name says that it is a table or M3U, what to do, and how such begin."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str
    quoted: bool
    escaped: bool
    """Quotes within quoted cells are written `\\"`, as Spark and MySQL do, and not `""`."""
    columns: tuple[str, ...]
    before: int
    """Lines before the header: empty ones, and one that says the delimiter, as spreadsheets write
    it: `sep=;`."""


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
    text, encoding = decoded(path, data, whole, encoding)
    text = text.removeprefix("\ufeff")
    declared = text[:4].lower() == "sep=" and len(text) > 5
    if declared:
        delimiter, text = text[4], text[5:]
    empty = text[: len(text) - len(text.lstrip("\r\n"))]
    before = empty.count("\n") or empty.count("\r")
    text = text[len(empty) :]
    check_beginning(path, text, "table")
    found = delimiter or _delimiter(path, text, whole)
    quoted = found != "\t" or _is_table(text, found, whole)  # in others, often part of the text
    escaped = (
        quoted
        and '\\"' in text
        and "\\" not in _ESCAPED.sub("", text)
        and not _is_table(text, found, whole)
        and _is_table(text, found, whole, escaped=True)
    )
    try:
        header = next(_rows(text, found, quoted=quoted, escaped=escaped, whole=whole))
    except StopIteration:
        if whole:
            return None
        raise BadImport(
            f"its first row goes on for more than {SAMPLE_BYTES:,} bytes",
            where=str(path),
            hint="give a table whose first row names its columns, and close all quotes",
        ) from None
    for mark in found if delimiter or len(header) > 1 else DELIMITERS:
        rows = _rows(text, mark, quoted=quoted, escaped=escaped, whole=whole)
        _check_header(path, list(islice(rows, 51)), mark)
    return Dialect(encoding, found, quoted, escaped, tuple(distinct_names(header)), before)


def check_beginning(path: Path, text: str, what: str) -> None:
    """Make sure that a text does not begin as one of other formats.

    Raises:
        BadImport: it does.
    """
    for kind, hint, beginning in _OTHER_TEXT:
        if text.lstrip().startswith(beginning):
            raise BadImport(f"this is no {what}: it seems to be {kind}", where=str(path), hint=hint)


def _check_header(path: Path, table: list[list[str]], mark: str) -> None:
    """Notice a first line that does not name the columns of most lines.

    Raises:
        BadImport: most lines are of another length.
    """
    header, *rows = table
    lengths = Counter(map(len, rows))
    length, count = max(lengths.items(), key=lambda one: one[1], default=(1, 0))
    if length in (1, len(header)) or count < 2 or 2 * count <= len(rows):
        return
    likely = next(row for row in rows if len(row) == length)
    is_header = any(folded(name) in BY_NAME for name in likely)
    raise BadImport(
        f"its first line has {counted(len(header), 'cell')} and most others have {length}: "
        f"{mark.join(header)[:60]}",
        where=str(path),
        hint=f"remove what stands before the names of the columns, {mark.join(likely)[:60]}"
        if is_header
        else "let the first line name all columns",
    )


def _beginning(path: Path) -> tuple[bytes, bool]:
    try:
        with open_unpacked(path) as file:
            data = file.read(SAMPLE_BYTES)
            return data, not file.read(1)
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


def is_packed(path: Path) -> bool:
    """Whether the name of a file says that it is compressed as gzip."""
    return path.suffix.lower() == ".gz"


def open_unpacked(path: Path) -> BufferedReader:
    """Open a file to read its bytes, as they are before they are compressed."""
    return cast(BufferedReader, gzip.open(path)) if is_packed(path) else path.open("rb")


def check_text(path: Path, data: bytes) -> None:
    """Make sure that what a file begins with is not of something other than text.

    Raises:
        BadImport: it is.
    """
    for magic, (what, hint) in _NO_TEXT.items():
        if data.startswith(magic):
            if is_packed(path):
                what, hint = f"{what}, inside of gzip", "unpack it once"
            raise BadImport(f"this is no text: it is {what}", where=str(path), hint=hint)


def unreadable(path: Path, error: Exception) -> UnreadableFile:
    """Say of a file, which may be compressed, that it cannot be read."""
    if isinstance(error, OSError) and error.errno:
        return UnreadableFile.from_os_error(path, error)
    return UnreadableFile(
        f"cannot be read: {uncapitalized(str(error))[:200]}",
        where=str(path),
        hint="copy or download it again, or give another path",
    )


def decoded(path: Path, data: bytes, whole: bool, encoding: str | None) -> tuple[str, str]:
    """The text that a file, or its beginning, is, and its encoding.

    Raises:
        BadImport: it is not in the encoding that is given, and not Unicode.
    """
    marked = next((name for bom, name in _BOMS.items() if data.startswith(bom)), None)
    if marked or encoding is None or (not data.isascii() and fits(data, "utf-8")):
        encoding = marked or "utf-8"  # whatever others are: no text in a legacy one looks like it
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
    fitting = [name for name in names if name != tried and fits(data, name)]
    high = re.findall(rb"[\x80-\xff]+", data)
    if sum(len(run) == 1 for run in high) > len(high) / 2:  # letters of Asia take two bytes each
        fitting.sort(key=lambda name: name not in ("utf-8", "cp1252"))
    if len(fitting) > 1 and fitting[-1] == "latin-1":
        fitting.pop()  # which fits everything
    first, *others = fitting or [""]
    more = f" ({', '.join(others)} would be possible, too)" if others else ""
    told = f"say in which encoding it is: --encoding {first}{more}; others may be in Unicode"
    if tried != "utf-8":
        told += ", and those in a third need an import of their own, into the same directory"
    raise BadImport(
        f"is not in {tried}",
        where=str(path),
        hint=told if first else "it may be no text at all: write it again, as UTF-8",
    )


def fits(data: bytes, encoding: str) -> bool:
    """Whether bytes are text in an encoding; what is cut at their end does not count."""
    try:
        return "\0" not in codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False


def _delimiter(path: Path, text: str, whole: bool) -> str:
    """The delimiter by which the most rows are as long as the header, or which it has most of."""
    if ".tsv" in path.name.lower() and "\t" in text.partition("\n")[0]:
        return "\t"

    def agreement(mark: str) -> tuple[int, int]:
        rows = list(islice(_rows(text, mark, whole=whole), 50))
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) if width > 1 else 0, width)

    return max(DELIMITERS, key=agreement)


def _is_table(text: str, delimiter: str, whole: bool, *, escaped: bool = False) -> bool:
    """Whether quotes enclose cells well, and all rows are of one length."""
    lengths = set()
    try:
        for row in _rows(text, delimiter, escaped=escaped, whole=whole, strict=True):
            lengths.add(len(row))
    except csv.Error as error:
        if whole or "unexpected end" not in str(error):
            return False
    return len(lengths) < 2


def _rows(
    text: str,
    delimiter: str,
    *,
    whole: bool,
    quoted: bool = True,
    escaped: bool = False,
    strict: bool = False,
) -> Iterator[list[str]]:
    """The rows of the beginning of a file, without empty lines and without one that is cut."""
    csv.field_size_limit(max(csv.field_size_limit(), SAMPLE_BYTES))  # or else it is 128 KB
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        escapechar="\\" if escaped else None,
        doublequote=not escaped,
        strict=strict,
    )
    last: list[str] = []
    for row in rows:
        if last:
            yield last
        last = row or last
    if whole and last:
        yield last
