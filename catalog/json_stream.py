"""The elements of a JSON array, read from a file of any size with little memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NoReturn

from melon.catalog.errors import MALFORMED_HINT, MalformedJson, not_utf8
from melon.errors import UnreadableFile, uncapitalized

CHUNK_BYTES = 1 << 20
MAX_ELEMENT_CHARS = 1 << 24
"""An element longer than this is taken for a missing quote or bracket, and ends the reading."""

# Longest token that the end of a chunk can cut (`\ud83d\ude00`, `-Infinity`): an error of the
# decoder further than this from the end of the text cannot be cured by reading more.
_LONGEST_TOKEN = 16

_NOT_WHITESPACE = re.compile(r"[^ \t\n\r]")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_NUMBER = (int, float)
_TRUNCATED_HINT = "the file is probably cut short: copy or download it again"


class JsonArray:
    """Iterates over the elements of a file that holds one JSON array.

    Each element is decoded by the C scanner of `json`, straight from a chunk of text; one that
    the chunk's end cuts is decoded again once more text is there. Reading takes a few chunks of
    memory, whatever the size of the file. `NaN` and `Infinity`, which JSON does not have, are
    malformed.

    Args:
        path: A file in UTF-8, with or without a byte order mark.
        advance: Called with the number of bytes, each time some were read.
        chunk_bytes: How many bytes to read at a time.

    Raises:
        UnreadableFile: when iterated, the file cannot be opened or read.
        MalformedJson: when iterated, the file is not one whole JSON array.
    """

    def __init__(
        self,
        path: Path,
        *,
        advance: Callable[[int], object] | None = None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.path = path
        self.number = 0
        self._advance = advance
        self._chunk_bytes = chunk_bytes
        self._decode = json.JSONDecoder(parse_constant=_reject_constant).raw_decode

    def __iter__(self) -> Iterator[object]:
        try:
            with self.path.open("rb") as file:
                yield from self._elements(file)
        except OSError as error:
            raise UnreadableFile.from_os_error(self.path, error) from error

    @property
    def offset(self) -> int:
        """Byte, from 0, at which the last element begins; to be asked before the next is read."""
        return self._offset_of(self._start)

    def _elements(self, file: IO[bytes]) -> Iterator[object]:
        self.number = 0
        self._file = file
        self._text = ""
        self._start = self._cursor = 0
        self._undecoded = b""
        self._decoded_bytes = 0
        self._ended = False
        # The byte offset of one character of the text, from which others are counted.
        self._mark, self._mark_offset = 0, 0

        self._open_array()
        if not self._at("]"):
            yield self._element()
            while self._comma():
                yield self._element()
            if not self._at("]"):
                self._fail_after_element()
        self._cursor += 1
        self._skip_whitespace()
        if self._cursor < len(self._text):
            self._fail("there is more after the end of the array", self._cursor, MALFORMED_HINT)

    def _open_array(self) -> None:
        self._skip_whitespace()
        if self._cursor == len(self._text):
            self._fail("the file is empty", 0, "give a file that holds a JSON array of records")
        if not self._at("["):
            kind = _KINDS.get(self._text[self._cursor], "not JSON")
            self._fail(
                f"the file's top level is {kind}, not an array",
                self._cursor,
                "a file in Melon's format is one JSON array of records: [{…}, {…}]",
            )
        self._cursor += 1
        self._skip_whitespace()

    def _element(self) -> object:
        """Decode the element at the cursor, reading on as long as it may be cut."""
        self.number += 1
        while True:
            try:
                value, end = self._decode(self._text, self._cursor)
            except json.JSONDecodeError as error:
                if not self._ended and (_is_open(error) or self._is_near_end(error.pos)):
                    self._refill()
                    continue
                if self._ended and self._is_truncated(error):
                    self._fail_truncated()
                self._fail_malformed(error.msg, error.pos)
            except RecursionError:
                self._fail_malformed("it is nested too deeply", self._cursor)
            except ValueError as error:  # a constant or a number that Python refuses
                self._fail_malformed(str(error), self._cursor)
            # At the end of the text, 12 may be the beginning of 123 or 12e5.
            if isinstance(value, _NUMBER) and self._is_near_end(end) and not self._ended:
                self._refill()
                continue
            self._start, self._cursor = self._cursor, end
            return value

    def _comma(self) -> bool:
        """Move past a comma and the whitespace round it, if they come next."""
        match = _COMMA.match(self._text, self._cursor)
        if match is None or match.end() == len(self._text):
            self._skip_whitespace()
            if not self._at(","):
                return False
            self._cursor += 1
            self._skip_whitespace()
            return True
        self._cursor = match.end()
        return True

    def _at(self, character: str) -> bool:
        return self._text.startswith(character, self._cursor)

    def _skip_whitespace(self) -> None:
        while True:
            match = _NOT_WHITESPACE.search(self._text, self._cursor)
            self._cursor = match.start() if match else len(self._text)
            if match or self._ended:
                return
            self._refill()

    def _refill(self) -> None:
        """Drop the text before the cursor and append what comes next in the file."""
        rest = self._text[self._cursor :]
        if len(rest) > MAX_ELEMENT_CHARS:
            self._fail_malformed(
                f"it goes on for more than {MAX_ELEMENT_CHARS} characters", self._cursor
            )
        self._mark, self._mark_offset = 0, self._decoded_bytes - _utf8_length(rest)
        self._text, self._start, self._cursor = rest, 0, 0

        # Reading as much again as is left makes a long element's retries few.
        chunk = self._file.read(max(self._chunk_bytes, len(rest)))
        self._ended = not chunk
        if self._advance is not None:
            self._advance(len(chunk))
        data = self._undecoded + chunk
        if self._decoded_bytes == 0 and data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8) :]
            self._decoded_bytes = self._mark_offset = len(codecs.BOM_UTF8)
        try:
            text, used = codecs.utf_8_decode(data, "strict", self._ended)
        except UnicodeDecodeError as error:
            offset = self._decoded_bytes + error.start
            raise not_utf8(self.path, data[error.start], offset) from None
        self._decoded_bytes += used
        self._undecoded = data[used:]
        self._text += text

    def _offset_of(self, position: int) -> int:
        """Count the bytes before a character; only what was not counted before is looked at."""
        if position < self._mark:
            return self._mark_offset - _utf8_length(self._text[position : self._mark])
        self._mark_offset += _utf8_length(self._text[self._mark : position])
        self._mark = position
        return self._mark_offset

    def _is_near_end(self, position: int) -> bool:
        return position >= len(self._text) - _LONGEST_TOKEN

    def _is_truncated(self, error: json.JSONDecodeError) -> bool:
        """Whether the file ends where the decoder wanted more, rather than holding a wrong byte."""
        rest = self._text[error.pos :].strip()
        return (
            _is_open(error)
            or any(token.startswith(rest) for token in ("true", "false", "null", "-"))
            or (error.msg.startswith("Invalid \\u") and '"' not in rest)
        )

    def _fail_after_element(self) -> NoReturn:
        if self._cursor == len(self._text):
            self._fail(
                f"the file ends after record {self.number}, before the array does",
                self._cursor,
                _TRUNCATED_HINT,
            )
        self._fail(
            f"a comma or the array's end should come after record {self.number}",
            self._cursor,
            MALFORMED_HINT,
        )

    def _fail_truncated(self) -> NoReturn:
        start = self._offset_of(self._cursor)
        raise MalformedJson(
            f"the file ends inside record {self.number}, which begins at byte {start}",
            path=self.path,
            offset=self._decoded_bytes,
            record=self.number,
            hint=_TRUNCATED_HINT,
        )

    def _fail_malformed(self, what: str, position: int) -> NoReturn:
        nearby = self._text[max(self._cursor, position - 20) : position + 20]
        raise MalformedJson(
            f"malformed JSON: {uncapitalized(what)}, near {nearby!r}",
            path=self.path,
            offset=self._offset_of(position),
            record=self.number,
            hint=MALFORMED_HINT,
        )

    def _fail(self, what: str, position: int, hint: str) -> NoReturn:
        raise MalformedJson(what, path=self.path, offset=self._offset_of(position), hint=hint)


_KINDS = {
    "{": "an object",
    '"': "a string",
    "t": "true",
    "f": "false",
    "n": "null",
    **dict.fromkeys("-0123456789", "a number"),
}


def _is_open(error: json.JSONDecodeError) -> bool:
    """Whether the text ended inside a string; the error's position is that of its quote."""
    return error.msg.startswith("Unterminated string")


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
