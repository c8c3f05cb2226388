"""What can be wrong with a catalogue's files, and how errors show a value."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from melon.errors import InputError

if TYPE_CHECKING:
    from melon.catalog.report import Finding


class BadCorpus(InputError):
    """Paths that name no file of playlists, or several of song metadata, of genres or of fields."""


class BadGenres(InputError):
    """A file of genres that is not an object of texts."""


class BadFields(InputError):
    """A file that does not declare the fields of songs, or not in a way that can be used."""


class BadImport(InputError):
    """A source of an import that cannot be read, or of which too little could be used."""


class UnclearColumns(BadImport):
    """Columns of a source of which nobody can tell what they are.

    Attributes:
        mapping: What could be said of them, as `--map` takes it.
    """

    def __init__(self, what: str, *, where: str, mapping: tuple[str, ...]) -> None:
        self.mapping = mapping
        said = " ".join(f"--map {shlex.quote(one)}" for one in mapping)
        super().__init__(what, where=where, hint=f"say what they are, for example: {said}")


class BadRecord(InputError):
    """A record that would be skipped, were reading not strict."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(
            f"{finding.cause}: {finding.detail}",
            where=finding.place,
            hint="correct the record, or read without --strict to skip and count such records",
        )


def shortened(value: object, limit: int = 60) -> str:
    """Show a value as JSON that any terminal can print, cut to `limit` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:  # it was decoded with fewer calls on the stack
        text = f"a deeply nested {type(value).__name__}"
    text = text.encode(errors="backslashreplace").decode()  # a lone surrogate
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
