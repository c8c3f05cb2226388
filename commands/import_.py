"""`melon import`: tables and exports become a directory that `melon train` reads."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from melon.commands.console import meter, note
from melon.commands.options import READING, not_empty, path_argument, path_option
from melon.errors import InputError


def import_(
    sources: Annotated[list[Path], path_argument("Files, or folders of files.")],
    out: Annotated[
        Path | None,
        path_option("--out", "-o", help="Directory to make, or to add to if an import made it."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NAME=COLUMN",
            help="What a column is: title=COLUMN for a role, bpm=COLUMN for a field of your own, "
            "COLUMN= to leave it out; FILE:track=COLUMN for one file alone.",
            rich_help_panel=READING,
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="FIELD=TYPE",
            help="Type of a field of your own, such as bpm=float or moods=keyword[].",
            rich_help_panel=READING,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and report, and write nothing.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Begin anew instead of adding. Keys keep their ids."),
    ] = False,
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient",
            help="Take what there is of a file of which less than half is.",
            rich_help_panel=READING,
        ),
    ] = False,
    encoding: Annotated[
        str | None,
        typer.Option(
            help="Encoding of the files that are not UTF-8, or do not begin as UTF-16 does.",
            callback=not_empty,
            rich_help_panel=READING,
        ),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(
            help="Between the cells of a table. [default: what its header has most of]",
            callback=not_empty,
            rich_help_panel=READING,
        ),
    ] = None,
) -> None:
    """Turn playlists in other formats into a directory that `melon train` reads.

    Sources are CSV or TSV with a row for each entry of a playlist, folders of such files with one
    for each playlist, parquet, JSON, slices of the Million Playlist Dataset, JSPF, and M3U8; each
    maybe compressed as .gz. Further tables may have a row for each song or playlist. What the
    columns are is told by their usual names, and shown.
    """
    from melon.catalog import UnclearColumns, check_import, plan_import, write_import

    if out is None and not dry_run:
        raise InputError(
            "it is missing",
            where="--out",
            hint="name a directory to make, or read without writing by --dry-run",
        )
    try:
        plan = plan_import(
            sources,
            mapping=mapping or (),
            types=types or (),
            encoding=encoding,
            delimiter="\t" if delimiter in ("tab", "\\t") else delimiter,
        )
    except UnclearColumns as error:
        error.hint = f"say what they are: {_corrected(error.mapping)}"
        raise
    for line in plan.lines():
        note(line)
    if out and not dry_run:
        check_import(out, plan.inputs)
    with meter() as bar:
        catalogue = plan.read(lenient=lenient, progress=bar)
    note("the first playlists:")
    for line in [*catalogue.preview(), *catalogue.report.lines()]:
        note(line)
    if out is None or dry_run:
        note("nothing is written: --dry-run")
        return
    with meter() as bar:
        changes = write_import(catalogue, out, anew=replace, progress=bar)
    for line in changes.lines():
        note(line)
    note(f"{out}: `{shlex.join(['melon', 'train', str(out)])}` takes it from there")


def _corrected(mapping: tuple[str, ...]) -> str:
    """The command as it was given, with what would correct it."""
    more = [word for one in mapping for word in ("--map", one)]
    return shlex.join(["melon", *sys.argv[1:], *more])
