"""The elements of a JSON array, read from a file of any size with little memory.

`ijson` reads as fast, but not as exactly: its parser, YAJL, changes half a surrogate pair into a
question mark or into another character without a word, and knows no position to report.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterator
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
        constants: Take `NaN` and `Infinity`, which JSON does not have, for the floats that Python
            writes so; otherwise they are malformed.
        members: Where the file holds an object, the array is the first member of it that has one
            of these names and is an array; without any, an object is malformed.

    Attributes:
        number: Of the last element, from 1.
        around: Of a file that holds an object, the members before the array; all of them, if no
            member is the array, and so there are no elements.

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
        constants: bool = False,
        members: Collection[str] = (),
    ) -> None:
        self.path = path
        self.number = 0
        self.around: dict[str, object] = {}
        self._opened = opened
        self._members = frozenset(members)
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

        if self._members and self._take("{"):
            if not self._skip_to_member():
                return
        elif not self._take("["):
            first = self._text[self._cursor : self._cursor + 1]
            what = f"the file begins with {first!r}, not with the '[' of an array"
            hint = "give a file of one JSON array of records: [{…}, {…}]"
            self._fail(what if first else "the file is empty", self._cursor, hint)
        closed = self._take("]")
        while not closed:
            yield self._element()
            if self._take(","):
                continue
            closed = self._take("]")
            if not closed and self._cursor == len(self._text):
                what = f"the file ends after record {self.number}, before the array does"
                self._fail(what, self._cursor, _TRUNCATED_HINT)
            if not closed:
                what = f"a comma or the array's end should come after record {self.number}"
                self._fail(what, self._cursor)
        if self._cursor < len(self._text) and not self._members:
            self._fail("there is more after the end of the array", self._cursor)

    def _skip_to_member(self) -> bool:
        """Move past the members of an object and into the first that is the array."""
        while not self._take("}"):
            name = self._element()
            if not (isinstance(name, str) and self._take(":")):
                self._fail("this is no member of an object", self._cursor)
            if name in self._members and self._take("["):
                self.number = 0
                return True
            self.around[name] = self._element()
            self._take(",")
        self.number = 0
        return False

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
