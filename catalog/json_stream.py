"""The elements of a JSON array, read from a file of any size with little memory.

`ijson` reads as fast, but not as exactly: its parser, YAJL, changes half a surrogate pair into a
question mark or into another character without a word, and knows no position to report.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import NoReturn

from melon.errors import MalformedJson, UnreadableFile, uncapitalized
from melon.files import named_once

CHUNK_BYTES = 1 << 16
CHECKED = 10_000
"""Elements in which no key may be repeated, more than people write: it takes a tenth more time."""

MAX_ELEMENT_CHARS = 1 << 24
"""An element longer than this is taken for a missing quote or bracket, and ends the reading."""

# Longest token that the end of a chunk can cut (`\ud83d\ude00`, `-Infinity`): an error of the
# decoder further than this from the end of the text cannot be cured by reading more.
_LONGEST_TOKEN = 16

_NOT_WHITESPACE = re.compile(r"[^ \t\n\r]")
_SPACED = {mark: re.compile(rf"[ \t\n\r]*\{mark}[ \t\n\r]*") for mark in "[,]{:}"}
_TRUNCATED_HINT = "the file is probably cut short: copy or download it again"


def _opened(path: Path) -> BufferedReader:
    return path.open("rb")


class JsonArray:
    """Iterates over the elements of a file that holds one JSON array.

    Each element is decoded by the C scanner of `json`, straight from a chunk of text; one that
    the chunk's end may have cut is decoded again once more text is there. Reading takes a few
    chunks of memory, whatever the size of the file.

    Args:
        path: A file in UTF-8, with or without a byte order mark.
        advance: Called with the number of bytes, each time some were read.
        chunk_bytes: How many bytes to read at a time.
        opened: Opens the file, for instance a compressed one.
        hint: What to do about a file that is no array.
        constants: Take `NaN` and `Infinity`, which JSON does not have, for the floats that Python
            writes so; otherwise they are malformed.
        wanted: Where the file holds an object, the elements are those of all its members that are
            arrays and wanted, by their names and first elements; without it, an object is
            malformed.

    Attributes:
        number: Of the last element, from 1.
        names: Of a file that holds an object, the members whose elements were wanted.
        around: All its other members; where some were wanted, no more than the first element of
            arrays.
        lengths: Of these arrays.

    Raises:
        UnreadableFile: when iterated, the file cannot be opened or read.
        MalformedJson: when iterated, the file is not one whole JSON array, or repeats a key in one
            of the first `CHECKED` elements.
    """

    def __init__(
        self,
        path: Path,
        *,
        advance: Callable[[int], object] | None = None,
        chunk_bytes: int = CHUNK_BYTES,
        opened: Callable[[Path], BufferedReader] = _opened,
        hint: str = "give a file of one JSON array of records: [{…}, {…}]",
        constants: bool = False,
        wanted: Callable[[str, object], bool] | None = None,
    ) -> None:
        self.path = path
        self.number = 0
        self.names: list[str] = []
        self.around: dict[str, object] = {}
        self.lengths: dict[str, int] = {}
        self._opened = opened
        self._hint = hint
        self._wanted = wanted
        self._advance = advance
        self._chunk_bytes = chunk_bytes
        constant = None if constants else _reject_constant
        self._decode = json.JSONDecoder(parse_constant=constant).raw_decode
        self._decode_checked = json.JSONDecoder(
            parse_constant=constant, object_pairs_hook=named_once
        ).raw_decode

    def __iter__(self) -> Iterator[object]:
        try:
            with self._opened(self.path) as file:
                yield from self._elements(file)
        except OSError as error:
            raise UnreadableFile.from_os_error(self.path, error) from error

    @property
    def offset(self) -> int:
        """Byte, from 0, at which the last element begins; to be asked before the next is read."""
        return self._offset_of(self._start)

    def _elements(self, file: BufferedReader) -> Iterator[object]:
        self.number = 0
        self._file = file
        self._undecoded = b""
        self._text, self._text_offset = "", 0
        self._start = self._cursor = 0
        self._ended = False
        if file.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
            self._text_offset = len(self._read(len(codecs.BOM_UTF8)))

        whole = "array"
        if self._wanted and self._take("{"):
            whole = "object"
            yield from self._members(self._wanted)
        elif self._take("["):
            yield from self._array()
        else:
            first = self._text[self._cursor : self._cursor + 1]
            what = f"the file begins with {first!r}, not with the '[' of an array"
            self._fail(what if first else "the file is empty", self._cursor, self._hint)
        if self._cursor < len(self._text):
            hint = "write one array of all: [{…}, {…}]; or an object a line"
            self._fail(
                f"there is more after the end of the {whole}",
                self._cursor,
                hint if self._wanted else None,
            )

    def _array(self) -> Iterator[object]:
        """The elements of an array that is begun."""
        closed = self._take("]")
        while not closed:
            yield self._element()
            closed = self._closes("]", f"record {self.number}", "array")

    def _members(self, wanted: Callable[[str, object], bool]) -> Iterator[object]:
        """The elements of the arrays that are wanted, of an object that is begun."""
        closed = self._take("}")
        while not closed:
            name = self._element()
            if not (isinstance(name, str) and self._take(":")):
                self._fail("this is no member of an object", self._cursor)
            if name in self.around or name in self.names:
                self._fail(f"the key {name!r} is repeated", self._start)
            if self._take("["):
                yield from self._member(name, wanted)
            else:
                self.around[name] = self._element()
            closed = self._closes("}", f"the member {name!r}", "object")

    def _member(self, name: str, wanted: Callable[[str, object], bool]) -> Iterator[object]:
        elements = self._array()
        kept: list[object] = []
        length = 0
        for length, element in enumerate(elements, start=1):
            if length == 1 and wanted(name, element):
                if not self.names:
                    self.number = 1
                    for value in self.around.values():
                        if isinstance(value, list):
                            del value[1:]
                self.names.append(name)
                yield element
                yield from elements
                return
            if length == 1 or not self.names:
                kept.append(element)
        self.around[name], self.lengths[name] = kept, length

    def _closes(self, bracket: str, after: str, whole: str) -> bool:
        """Whether an array or object ends here; it goes on after a comma."""
        if self._take(","):
            return False
        if not self._take(bracket):
            if self._cursor == len(self._text):
                what = f"the file ends after {after}, before the {whole} does"
                self._fail(what, self._cursor, _TRUNCATED_HINT)
            self._fail(f"a comma or the {whole}'s end should come after {after}", self._cursor)
        return True

    def _take(self, character: str) -> bool:
        """Move past whitespace, and past the character if it comes next and what follows it."""
        match = _SPACED[character].match(self._text, self._cursor)
        if match and match.end() < len(self._text):
            self._cursor = match.end()
            return True
        self._skip_whitespace()
        is_next = self._text.startswith(character, self._cursor)
        if is_next:
            self._cursor += 1
            self._skip_whitespace()
        return is_next

    def _skip_whitespace(self) -> None:
        while not (match := _NOT_WHITESPACE.search(self._text, self._cursor)):
            self._cursor = len(self._text)
            if self._ended:
                return
            self._refill()
        self._cursor = match.start()

    def _element(self) -> object:
        """Decode what comes next, reading on as long as it may be cut."""
        self.number += 1
        decode = self._decode_checked if self.number <= CHECKED else self._decode
        while True:
            try:
                value, end = decode(self._text, self._cursor)
                problem = ""
            except json.JSONDecodeError as error:
                value, problem, end = None, error.msg, error.pos
            except RecursionError:
                self._fail_in_element("it is nested too deeply", self._cursor)
            except ValueError as error:  # a constant or number that Python refuses, a repeated key
                self._fail_in_element(str(error), self._cursor)
            # At the end of the text, even 12 may be the beginning of 123 or 12e5.
            is_cut = not self._ended and end >= len(self._text) - _LONGEST_TOKEN
            if not (problem or is_cut):
                self._start, self._cursor = self._cursor, end
                return value
            is_open = problem.startswith("Unterminated string")  # the position is its quote's
            if is_cut or (is_open and not self._ended):
                self._refill()
                continue
            if self._ended and (is_open or "]" not in self._text[end:]):
                self._fail(
                    f"the file ends inside record {self.number}, which begins at byte "
                    f"{self._offset_of(self._cursor)}",
                    len(self._text),
                    _TRUNCATED_HINT,
                )
            self._fail_in_element(problem, end)

    def _refill(self) -> None:
        """Drop the text before the cursor and append what comes next in the file."""
        rest = self._text[self._cursor :]
        if len(rest) > MAX_ELEMENT_CHARS:
            self._fail_in_element(
                f"it goes on for more than {MAX_ELEMENT_CHARS} characters", self._cursor
            )
        self._text_offset = self._offset_of(self._cursor)
        self._text, self._start, self._cursor = rest, 0, 0

        # Reading as much again as is left makes a long element's retries few.
        chunk = self._read(max(self._chunk_bytes, len(rest)))
        self._ended = not chunk
        data = self._undecoded + chunk
        try:
            text, used = codecs.utf_8_decode(data, "strict", self._ended)
        except UnicodeDecodeError as error:
            byte = self._offset_of(len(rest)) + error.start
            raise MalformedJson.not_utf8(self.path, data[error.start], byte) from None
        self._undecoded = data[used:]
        self._text += text

    def _read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        if self._advance is not None:
            self._advance(len(chunk))
        return chunk

    def _offset_of(self, position: int) -> int:
        """Which byte of the file a character of the text begins at."""
        before = self._text[:position]
        return self._text_offset + (len(before) if before.isascii() else len(before.encode()))

    def _fail_in_element(self, what: str, position: int) -> NoReturn:
        nearby = self._text[max(self._cursor, position - 20) : position + 20]
        raise MalformedJson(
            f"malformed JSON: {uncapitalized(what)}, near {nearby!r}",
            path=self.path,
            record=self.number,
            byte=self._offset_of(position),
        )

    def _fail(self, what: str, position: int, hint: str | None = None) -> NoReturn:
        raise MalformedJson(what, path=self.path, hint=hint, byte=self._offset_of(position))


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
