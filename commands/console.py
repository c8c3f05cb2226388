"""The output of commands: results go to stdout, everything else to stderr."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import shlex
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, TextIO, cast

from melon.display import escaped, printable
from melon.errors import MelonError
from melon.progress import Progress, ignore

if TYPE_CHECKING:
    from melon.catalog import ReadReport

MOST_PADDED = 100
"""Columns of a cell up to which the others are padded, where none is cut: one long name does not
widen all lines."""

named_stores: set[str] = set()
"""The option by which the command was given its store; `melon copy` is given two."""

_TO_A_STORE = re.compile(r"\bmelon (?:find|ingest|map|releases)\b")


def prepare_streams() -> None:
    """Let the standard streams take anything: of any encoding or width, or closed.

    What stdout cannot encode becomes a question mark. If stdout is closed, printing a result is an
    error; if stderr is closed, notes are dropped.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    columns = os.environ.get("COLUMNS", "")
    if not columns.isdecimal() or int(columns) == 0:  # no width
        os.environ.pop("COLUMNS", None)
    # Python has None where a stream is closed, which `print` takes for stdout.
    if cast(TextIO | None, sys.stdout) is None:
        sys.stdout = _ClosedStdout()
    if cast(TextIO | None, sys.stderr) is None:
        sys.stderr = io.StringIO()


class _ClosedStdout(io.StringIO):
    def write(self, _: str, /) -> int:
        raise MelonError("stdout is closed, so the result cannot be printed")


def note(text: str) -> None:
    """One line for the person at the keyboard."""
    print(printable(text), file=sys.stderr)


def name_store(url: str | None, path: Path | None) -> None:
    """Remember the option that names the store, for `for_store`; no password."""
    if path is not None:
        named_stores.add(f"--path {shlex.quote(str(path))}")
    elif url is not None and "@" not in url:
        named_stores.add(f"--url {shlex.quote(url)}")


def for_store(advice: str) -> str:
    """Advice whose commands go to the store that this one was given, as far as it is one."""
    if len(named_stores) != 1:
        return advice
    [options] = named_stores
    return _TO_A_STORE.sub(lambda command: f"{command[0]} {options}", advice)


def note_error(error: Exception) -> None:
    """The error that ended a command, and its hint on the next line, which may be several."""
    if not isinstance(error, MelonError):
        note(f"error: {error}")
        return
    note(f"error: {error.where}: {error.what}" if error.where else f"error: {error.what}")
    for line in f"  hint: {for_store(error.hint)}".split("\n") if error.hint else ():
        note(line)


def guard_stderr() -> None:
    """Let log lines, warnings and tracebacks, too, reach stderr as notes do.

    They quote what servers, files and names say.
    """
    import logging
    import traceback
    import warnings

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            for line in self.format(record).split("\n"):
                note(line)

    def show_warning(message: Warning | str, *_: object, **__: object) -> None:
        note(f"warning: {message}")

    def show_traceback(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
            note(line)

    logging.lastResort = Notes(logging.WARNING)
    warnings.showwarning = show_warning
    sys.excepthook = show_traceback


@contextmanager
def reported(report: ReadReport) -> Iterator[None]:
    """Say at the end what was read and skipped, and before an error if that could explain it."""
    try:
        yield
    except MelonError:
        if report.counts:
            _note_all(report)
        raise
    _note_all(report)


def _note_all(report: ReadReport) -> None:
    for line in report.lines():
        note(line)


def print_json(value: object) -> None:
    """A result for programs; what a terminal would act upon is escaped in its strings."""
    encoding = codecs.lookup(sys.stdout.encoding or "utf-8").name
    text = json.dumps(value, ensure_ascii=not encoding.startswith("utf"), indent=2)
    sys.stdout.write(escaped(text) + "\n")


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    wide: Mapping[str, int] = MappingProxyType({}),
    wrapped: bool = False,
) -> None:
    """A result for people, one line for each row: what is too long for the terminal is cut.

    A file or a pipe, which has no width unless `COLUMNS` says one, gets all of it. Control
    characters are replaced. Columns whose name ends in `>` are numbers, set to the right and cut
    last. Columns that are empty in every row are left out. Where no column has a name, there is no
    header.

    Args:
        wide: columns with the width of terminal from which on they are shown, so that the numbers
            of the others are not cut.
        wrapped: what is too long goes on in the next line instead, as all of it must be read.
    """
    title, columns = printable(title), [*map(printable, columns)]
    cells = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    if cells:
        used = [any(column) for column in zip(*cells, strict=True)]
        columns = list(compress(columns, used))
        cells = [list(compress(row, used)) for row in cells]
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        _print_fitting(title, columns, cells, wide, wrapped)
    else:
        _print_whole(title, columns, cells)


def _print_fitting(
    title: str,
    columns: Sequence[str],
    rows: list[list[str]],
    wide: Mapping[str, int],
    wrapped: bool,
) -> None:
    from rich.console import Console, OverflowMethod
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        show_header=any(columns),
        box=None,
        pad_edge=False,
    )
    console = Console(highlight=False)
    kept = [console.width >= wide.get(name, 0) for name in columns]
    for name in compress(columns, kept):
        right = name.endswith(">")
        table.add_column(name.rstrip(">"), justify="right" if right else "left", no_wrap=right)
    for row in rows:
        cells = compress(row, kept)
        overflow: OverflowMethod = "fold" if wrapped else "ellipsis"
        table.add_row(*(Text(cell, no_wrap=not wrapped, overflow=overflow) for cell in cells))
    console.print(table)
    console.print()


def _print_whole(title: str, columns: Sequence[str], rows: list[list[str]]) -> None:
    """The whole table, as Rich would print it; importing Rich takes longer than a query."""
    header = [[name.rstrip(">") for name in columns]] if any(columns) else []
    lines = [*header, *rows]
    columnwise = zip(*lines, strict=True)
    widths = [min(MOST_PADDED, max(map(_width, column))) for column in columnwise]
    print(title)
    for line in lines:
        padded = [
            " " * (width - _width(cell)) + cell
            if name.endswith(">")
            else cell + " " * (width - _width(cell))
            for name, cell, width in zip(columns, line, widths, strict=True)
        ]
        print("  ".join(padded).rstrip())
    print()


def _width(text: str) -> int:
    """Columns that a text takes in a terminal: two for a letter of Hangul, none for an accent."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "FW")
        for char in text
    )


@contextmanager
def meter() -> Iterator[Progress]:
    """A progress bar for each step on stderr, with rate and time left; none without a terminal."""
    if not sys.stderr.isatty():
        yield ignore
        return
    from rich import progress as rich
    from rich.console import Console

    tasks: dict[str, rich.TaskID] = {}
    with rich.Progress(
        rich.TextColumn("{task.description:<20}", markup=False),
        rich.BarColumn(),
        rich.TaskProgressColumn(show_speed=True),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:

        def show(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                for before in tasks.values():
                    bars.stop_task(before)
                tasks[step] = bars.add_task(printable(step), total=None)
            # It pulses until something is done.
            bars.update(tasks[step], completed=done, total=total if done else None)

        yield show


def shown(values: Iterable[Any]) -> str:
    """A short list in a table's cell."""
    return ", ".join(map(str, values))
