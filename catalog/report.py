"""The report of reading a catalogue: how many records, and what was wrong with which of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from melon.errors import counted

RecordKind = Literal["playlist", "song"]

EXAMPLES_PER_CAUSE = 3


class Cause(StrEnum):
    """What can be wrong with a record of well-formed JSON."""

    NOT_AN_OBJECT = "not an object"
    MISSING_FIELD = "missing field"
    WRONG_TYPE = "wrong type"
    OUT_OF_RANGE = "number out of range"
    INVALID_TEXT = "text that is not Unicode"
    REPEATED_ID = "repeated id"

    UNREADABLE_VALUE = "unreadable value"
    REPEATED_KEY = "key of another record"
    SECOND_KEY = "second key"
    BLANK_SONG = "song without a name"
    REPEATED_SONG = "song repeated in its playlist"
    REPEATED_TAG = "tag repeated in its playlist"
    UNKNOWN_GENRE = "unknown genre code"
    UNREADABLE_DATE = "unreadable date"

    @property
    def skips(self) -> bool:
        """Whether the record is left out; otherwise only the value is."""
        return self not in _KEEPS

    @property
    def stops(self) -> bool:
        """Whether strict reading ends there."""
        return self.skips or self is Cause.UNREADABLE_VALUE

    @property
    def loses(self) -> bool:
        """Whether a value of a field is lost that is in no other place."""
        return not self.skips and self not in _REPEATS


_KEEPS = {
    Cause.UNREADABLE_VALUE,
    Cause.REPEATED_KEY,
    Cause.SECOND_KEY,
    Cause.BLANK_SONG,
    Cause.REPEATED_SONG,
    Cause.REPEATED_TAG,
    Cause.UNKNOWN_GENRE,
    Cause.UNREADABLE_DATE,
}

_REPEATS = {Cause.SECOND_KEY, Cause.REPEATED_SONG, Cause.REPEATED_TAG}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one record.

    `record` counts from 1, `offset` is the byte at which the record begins, `field` names the
    place inside it (`songs[3]`), and `detail` says what is wrong with which value.
    """

    kind: RecordKind
    cause: Cause
    path: Path
    record: int
    offset: int
    field: str | None
    detail: str

    @property
    def place(self) -> str:
        """File, record, byte and field, for people."""
        place = f"{self.path}, record {self.record} (byte {self.offset})"
        return f"{place}, field {self.field!r}" if self.field else place


@dataclass
class ReadReport:
    """Counts the records of one or more files, and what is wrong with them.

    Several readers may share one report. `remarks` are about whole files.
    """

    playlists: int = 0
    songs: int = 0
    remarks: list[str] = field(default_factory=list)
    counts: Counter[tuple[RecordKind, Cause]] = field(default_factory=Counter)
    examples: defaultdict[tuple[RecordKind, Cause], list[Finding]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @property
    def skipped(self) -> int:
        """How many records were left out."""
        return sum(count for (_, cause), count in self.counts.items() if cause.skips)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it if it is among the first of its cause."""
        key = (finding.kind, finding.cause)
        self.counts[key] += 1
        if len(self.examples[key]) < EXAMPLES_PER_CAUSE:
            self.examples[key].append(finding)

    def lines(self) -> list[str]:
        """Summarise for people: what was read, then each cause with its count and examples.

        Causes for which records were skipped come first, the most frequent before the others.
        """
        songs = f" and {counted(self.songs, 'song')}" if self.songs else ""
        lines = [f"read {counted(self.playlists, 'playlist')}{songs}", *self.remarks]
        by_weight = sorted(
            self.counts.items(), key=lambda item: (not item[0][1].skips, -item[1], item[0])
        )
        for (kind, cause), count in by_weight:
            if cause.skips:
                lines.append(f"skipped {counted(count, kind)}: {cause}")
            else:
                lines.append(f"left out {counted(count, 'value')} of {kind}s: {cause}")
            lines += [f"  {one.place}: {one.detail}" for one in self.examples[kind, cause]]
        return lines
