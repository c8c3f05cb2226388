"""What can be wrong with the files of a catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from melon.errors import InputError

if TYPE_CHECKING:
    from melon.catalog.report import Finding


MALFORMED_HINT = "correct the file at that byte, or write it again with a JSON encoder"


class NoPlaylists(InputError):
    """A directory that holds none of the playlist files."""


class AmbiguousCorpus(InputError):
    """Paths that name more than one file of song metadata, or of genres."""


class BadGenres(InputError):
    """A file of genres that is not an object of texts."""


class MalformedJson(InputError):
    """A file that is not the JSON it should be.

    Args:
        what: What is wrong.
        path: The file.
        offset: The byte, from 0, where it is wrong.
        record: The record, from 1, that holds that byte; None outside of any.
        hint: What the reader can do about it.
    """

    def __init__(
        self, what: str, *, path: Path, offset: int, record: int | None = None, hint: str
    ) -> None:
        self.path = path
        self.offset = offset
        self.record = record
        place = f"byte {offset}" if record is None else f"record {record}, byte {offset}"
        super().__init__(what, where=f"{path}, {place}", hint=hint)


class BadRecord(InputError):
    """A record that would be skipped, were reading not strict."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(
            f"{finding.cause}: {finding.detail}",
            where=finding.place,
            hint="correct the record, or read without --strict to skip and count such records",
        )


def not_utf8(path: Path, byte: int, offset: int) -> MalformedJson:
    """The error for a byte of a file that is not part of any UTF-8 text."""
    return MalformedJson(
        f"byte 0x{byte:02x} is not valid UTF-8",
        path=path,
        offset=offset,
        hint="save the file as UTF-8",
    )


def shortened(value: object, limit: int = 60) -> str:
    """Show a value as JSON that any terminal can print, cut to `limit` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:  # it could be decoded, a few calls higher up
        text = f"a deeply nested {type(value).__name__}"
    text = text.encode(errors="backslashreplace").decode()  # a lone surrogate
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
