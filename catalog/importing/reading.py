"""Planned tables are read once, and each of their files is looked at for how much came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from melon.catalog.errors import BadImport
from melon.catalog.importing.catalogue import Catalogue
from melon.catalog.importing.plan import Kind, TablePlan
from melon.catalog.importing.report import ImportReport
from melon.catalog.importing.tables import ROWS_AT_ONCE, Advance, Batch, Part
from melon.errors import counted
from melon.fields import OwnField
from melon.progress import Progress, ignore

LEAST_SHARE = 0.5
"""Share of a source's rows that has to be of use."""


def gather(
    plans: Sequence[TablePlan],
    *,
    types: Mapping[str, OwnField],
    lenient: bool = False,
    progress: Progress = ignore,
) -> Catalogue:
    """Read all tables.

    Raises:
        BadImport: of a file nothing, or less than half, is of use, and that is not allowed.
        UnreadableFile: a file cannot be read.
    """
    catalogue = Catalogue()
    total = sum(part.size for plan in plans for part in plan.table.parts)
    done, told = 0, 0.0

    def advance(size: int) -> None:
        nonlocal done, told
        done += size
        if (now := time.monotonic()) > told + 0.1:
            told = now
            progress("reading", done, total)

    for plan in plans:
        _gather_table(catalogue, plan, advance)
        _check_parts(plan, catalogue.report, lenient)
    progress("reading", total, total)
    catalogue.close(types)
    return catalogue


def _gather_table(catalogue: Catalogue, plan: TablePlan, advance: Advance) -> None:
    """Read the parts of a table; small ones together, for a batch has its costs."""
    pending: list[tuple[Part, Batch]] = []

    def flush() -> None:
        if not pending:
            return
        useful = catalogue.take(plan, Batch.of([batch for _, batch in pending]))
        start = 0
        for part, batch in pending:
            part.rows += batch.rows
            part.useful += int(useful[start : start + batch.rows].sum())
            start += batch.rows
        pending.clear()

    for part in plan.table.parts:
        part.rows = part.useful = 0
        key, title = plan.table.playlist(part) if plan.kind is Kind.FILES else ("", "")
        for batch in part.read(part, advance):
            pending.append((part, batch.named(key, title) if plan.kind is Kind.FILES else batch))
            if sum(one.rows for _, one in pending) >= ROWS_AT_ONCE:
                flush()
        if plan.kind is Kind.FILES and not part.rows and all(one is not part for one, _ in pending):
            flush()  # playlists stay in their order
            catalogue.add_empty(key, title)
    flush()


def _check_parts(plan: TablePlan, report: ImportReport, lenient: bool) -> None:
    """Count what could not be read, and notice a file of which too little is of use.

    A file without rows is an error only if there are no rows in all of the table.
    """
    parts = plan.table.parts
    for part in parts:
        part.rows += part.refused
        report.rows += part.refused
        example = f"{part.label}: {part.example}"
        report.count("row", "that cannot be read: skipped", part.refused, example)
        report.count(
            "cell",
            "with lines that look like rows: is a quote missing?",
            part.doubts,
            f"{part.label}: {part.doubtful}",
        )
        for (noun, how), (number, first) in part.told.items():
            report.count(noun, how, number, first)
    if lenient:
        return
    for part in parts:
        if part.useful < LEAST_SHARE * part.rows:
            raise _too_little(part, part.rows, part.useful, report)
    if not any(part.rows for part in parts):
        raise _too_little(parts[0], 0, 0, report)


def _too_little(part: Part, rows: int, useful: int, report: ImportReport) -> BadImport:
    because = f" ({'; '.join(report.counted())})" if rows and report.counts else ""
    what = f"only {useful:,} of {counted(rows, 'row')} could be used" if rows else "it has no rows"
    return BadImport(
        what + because,
        where=part.label,
        hint="correct it, say what its columns are (--map), or take what there is (--lenient)",
    )
