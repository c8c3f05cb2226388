"""`melon update`: what is new in a catalogue joins its space and store, without training."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.console import meter, note, print_json, print_table, reported
from melon.commands.ingest import report as report_ingest
from melon.commands.options import (
    JsonOption,
    LenientOption,
    PathOption,
    StrictOption,
    UrlOption,
    check_strictness,
    chosen_store,
    path_argument,
    path_option,
)
from melon.commands.train import READING
from melon.errors import counted

if TYPE_CHECKING:
    from melon.embedding import Change, Changes

KINDS = ("songs", "tags", "playlists")
COLUMNS = ("added", "changed", "unchanged", "gone")


def update(
    corpus: Annotated[
        list[Path],
        path_argument("Directory in Melon's format, or playlist files: all, or what is new."),
    ],
    space: Annotated[
        Path | None,
        path_option("--space", help="Space to update, in its place. [default: .melon/space]"),
    ] = None,
    url: UrlOption = None,
    path: PathOption = None,
    remove_gone: Annotated[
        bool,
        typer.Option(
            "--remove-gone", help="Remove the songs and playlists that are not in the files."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what has changed, and write nothing.")
    ] = False,
    strict: StrictOption = False,
    lenient: LenientOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take up new and changed playlists, songs and tags, without training again.

    The files are read as `melon train` reads them, and compared with the space. What is new or has
    changed gets its place by what it holds, its metadata, or its playlists; all else stays where it
    is, and so does what was learned of how to rank. Then a release is built of the space and made
    live, as `melon ingest` does, by the preset of the one that is live.

    What is not in the files is gone. It is kept, so that the files may be what is new alone, unless
    --remove-gone says that they are all. The same files again change nothing, and an update that
    was interrupted can simply be run again.
    """
    from melon.catalog import ReadReport
    from melon.embedding import update_corpus
    from melon.ingest import ingest
    from melon.settings import load_settings

    check_strictness(strict, lenient)
    store = None if dry_run else chosen_store(url, path, to_write=True)
    if store:
        store.live()  # one that does not answer says so before anything is written
    report = ReadReport()
    with ExitStack() as reading, meter() as bar:
        reading.enter_context(reported(report))

        def progress(step: str, done: int, total: int | None) -> None:
            if step not in READING:
                reading.close()
            bar(step, done, total)

        before, updated, changes = update_corpus(
            corpus,
            space or load_settings().space_dir,
            remove_gone=remove_gone,
            write=not dry_run,
            report=report,
            strict=strict,
            lenient=lenient,
            progress=progress,
        )
        started = time.perf_counter()
        result = ingest(updated, store, before=before, progress=bar) if store else None
        seconds = time.perf_counter() - started
    if as_json:
        made = {"release": result.manifest.release, "outcome": result.outcome} if result else {}
        print_json(_to_json(changes) | {"space": updated.hash} | made)
    else:
        _print(changes)
    if not changes.any:
        note("nothing has changed since the space was made")
    if result:
        report_ingest(result, seconds)
    else:
        note("nothing is written: --dry-run")


def _to_json(changes: Changes) -> dict[str, object]:
    counts = {kind: asdict(_of(changes, kind)) for kind in KINDS}
    return {**counts, "gone_removed": changes.gone_removed}


def _print(changes: Changes) -> None:
    rows = [
        [kind, *(f"{getattr(_of(changes, kind), name):,}" for name in COLUMNS)] for kind in KINDS
    ]
    print_table("Changes", ["", *(f"{name}>" for name in COLUMNS)], rows)
    gone = [
        counted(_of(changes, kind).gone, kind.removesuffix("s"))
        for kind in ("songs", "playlists")
        if _of(changes, kind).gone
    ]
    if gone:
        what = "removed" if changes.gone_removed else "kept, unless --remove-gone is given"
        note(f"not in the files: {' and '.join(gone)}, {what}")


def _of(changes: Changes, kind: str) -> Change:
    change: Change = getattr(changes, kind)
    return change
