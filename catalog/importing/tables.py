"""Files and frames become tables: streams of batches of text, under the names of their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.importing.cells import cleaned_keys

SAMPLE_ROWS = 10_000
"""Rows of a table by which its columns are recognised."""


RECORD, FILE_KEY, FILE_TITLE = "\0record", "\0file key", "\0file title"
"""Columns that no source has: what tells a playlist that holds its tracks from all others; the key
and title of the playlist that a file is."""

ROWS_AT_ONCE = 1 << 16
BATCH_ROWS = 1 << 17
BATCH_RECORDS = 1 << 10
"""Of records that may hold many tracks each."""


@dataclass
class Batch:
    """Some rows of a table: a column of text for each name."""

    columns: dict[str, Any]
    rows: int

    def column(self, name: str) -> Any:
        """A column; one that these rows lack is all null."""
        found = self.columns.get(name)
        return pa.nulls(self.rows, pa.large_string()) if found is None else found

    def head(self, rows: int) -> Batch:
        """The first rows."""
        if rows >= self.rows:
            return self
        return Batch({n: c.slice(0, rows) for n, c in self.columns.items()}, rows)

    def named(self, key: str, title: str) -> Batch:
        """The batch with the key and title of the playlist that its file is."""
        more = {FILE_KEY: key, FILE_TITLE: title}
        columns = {
            name: pa.repeat(pa.scalar(text, pa.large_string()), self.rows)
            for name, text in more.items()
        }
        return Batch({**self.columns, **columns}, self.rows)

    def joined(self, name: str, columns: Sequence[str]) -> Batch:
        """The batch with a column of what keys in several columns are together.

        A slash in any but the last is written `%2F`, as `a/b` and `c` are not `a` and `b/c`.
        """
        *keys, last = (cleaned_keys(self.column(one)) for one in columns)
        for mark, escape in (("%", "%25"), ("/", "%2F")):
            keys = [pc.replace_substring(key, mark, escape) for key in keys]
        joined = pc.binary_join_element_wise(*keys, last, pa.scalar("/", pa.large_string()))
        return Batch({**self.columns, name: joined}, self.rows)

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Batch:
        """One batch of several."""
        if len(batches) == 1:
            return batches[0]
        names = dict.fromkeys(name for batch in batches for name in batch.columns)
        columns = {
            name: pa.concat_arrays([batch.column(name) for batch in batches]) for name in names
        }
        return cls(columns, sum(batch.rows for batch in batches))


Advance = Callable[[int], None]
"""Called with the number of bytes or rows that were read since the last call."""

Read = Callable[["Part", Advance], Iterator[Batch]]


@dataclass
class Part:
    """One file of a table, or one frame.

    Attributes:
        label: What people call it.
        stem: Its name without suffixes, if it is a file: it may be a playlist's title.
        size: In bytes, or rows of a frame, as `read` counts what it has read.
        read: Yields the batches, and calls what it is given with what more of `size` is read.
        refused: Rows that could not be read, so far.
        example: The first of them.
        sampling: Whether no more than the first rows are wanted.
        has_header: Whether its first line names the columns.
        doubts: Cells, so far, that look as if they had swallowed rows; `doubtful` is the first.
        told: What else is worth a line, so far: how many of what in which way, and the first.
        beside: Lists of a document that are not read.
        lists: Columns of rows that hold lists of objects.
        rows: Rows that were read, and how many were of use.
    """

    label: str
    stem: str | None
    size: int
    read: Read
    path: Path | None = None
    refused: int = 0
    example: str = ""
    doubts: int = 0
    doubtful: str = ""
    told: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    beside: str = ""
    lists: dict[str, None] = field(default_factory=dict)
    rows: int = 0
    useful: int = 0
    sampling: bool = False
    has_header: bool = False

    def refuse(self, example: str) -> None:
        """Count a row that cannot be read."""
        self.refused += 1
        self.example = self.example or example

    def tell(self, noun: str, how: str, number: int, example: str) -> None:
        """Count something else that is worth a line."""
        before, first = self.told.get((noun, how), (0, example))
        self.told[noun, how] = before + number, first

    @property
    def title(self) -> str:
        """Its name as that of a playlist."""
        name = self.stem or self.label
        return name if " " in name else name.replace("_", " ")


@dataclass
class Table:
    """Parts with the same columns.

    Attributes:
        label: What people call it.
        columns: Their names, as far as they are known before all is read.
        parts: In order.
        sample: The first rows.
        keys: Label of a part -> its key as a playlist of its own.
        joined: Label of a part that is a playlist of another table -> its key and title there.
    """

    label: str
    columns: list[str]
    parts: list[Part]
    sample: list[Batch] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    joined: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take_sample(self) -> None:
        """Read the first rows, by which columns are recognised."""
        rows = 0
        for part in self.parts:
            part.sampling = True
            for batch in part.read(part, lambda _: None):
                head = batch.head(SAMPLE_ROWS - rows)
                self.sample.append(head)
                rows += head.rows
                names = dict.fromkeys((*self.columns, *head.columns))
                self.columns = [name for name in names if name != RECORD]
                if rows >= SAMPLE_ROWS:
                    break
            part.refused = part.doubts = 0
            part.told.clear()
            part.sampling = False
            if rows >= SAMPLE_ROWS:
                break
        if self.sample:  # the first record may be a playlist without the tracks that others hold
            there = {name for batch in self.sample for name in batch.columns}
            self.columns = [name for name in self.columns if name in there]

    def add_joined(self, name: str) -> None:
        """Add the column that a name such as `user+title` is of, if those are there."""
        columns = name.split("+")
        if name in self.columns or not {*columns} <= {*self.columns}:
            return
        for part in self.parts:
            part.read = partial(_joining, part.read, name, columns)
        self.sample = [batch.joined(name, columns) for batch in self.sample]
        self.columns.append(name)

    @property
    def nested(self) -> bool:
        """Whether playlists hold their tracks."""
        return any(RECORD in batch.columns for batch in self.sample)

    def name_parts(self, taken: set[str]) -> None:
        """Give each part a key as a playlist of its own: its name, with more of it if it is taken.

        Args:
            taken: the keys of other tables' parts; those that are given here are added.
        """
        for part in self.parts:
            key = part.stem or part.label
            for parent in part.path.parent.parts[::-1] if part.path else ():
                if key not in taken:
                    break
                key = f"{parent}/{key}"
            taken.add(key)
            self.keys[part.label] = key

    def playlist(self, part: Part) -> tuple[str, str]:
        """The key and the title of a part as a playlist of its own.

        The title is its name, with spaces if programs left none in any.
        """
        if part.label in self.joined:
            return self.joined[part.label]
        title = part.stem or part.label
        return self.keys[part.label], title if self._spaced else title.replace("_", " ")

    @cached_property
    def _spaced(self) -> bool:
        return any(" " in (part.stem or part.label) for part in self.parts)

    def sampled(self, name: str) -> Any:
        """The sample of one column."""
        if not self.sample:
            return pa.nulls(0, pa.large_string())
        return pa.concat_arrays([batch.column(name) for batch in self.sample])


def _joining(
    read: Read, name: str, columns: Sequence[str], part: Part, advance: Advance
) -> Iterator[Batch]:
    for batch in read(part, advance):
        yield batch.joined(name, columns)


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names of columns, with a number after one that came before, or that is empty."""
    seen: dict[str, int] = {}
    result = []
    for number, name in enumerate(names, start=1):
        name = name.strip().removeprefix("\ufeff").strip() or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return result
