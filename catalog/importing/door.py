"""From files or frames to a directory that `melon train` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melon.catalog.errors import BadImport, UnclearColumns
from melon.errors import InputError
from melon.fields import FieldType, OwnField
from melon.progress import Progress, ignore

if TYPE_CHECKING:
    import os

    import pandas as pd

    from melon.catalog.importing.catalogue import Catalogue
    from melon.catalog.importing.directory import Changes
    from melon.catalog.importing.plan import TablePlan
    from melon.catalog.importing.report import ImportReport


@dataclass
class ImportPlan:
    """Sources of an import, and what becomes of their columns.

    Attributes:
        tables: Each with its columns and what they become.
        left: Files that were left aside, and why.
    """

    tables: list[TablePlan]
    left: list[str]
    types: dict[str, OwnField]
    inputs: list[Path]

    def lines(self) -> list[str]:
        """For people: which column becomes what."""
        from melon.catalog.importing.plan import plan_lines

        return plan_lines(self.tables, self.left)

    def read(self, *, lenient: bool = False, progress: Progress = ignore) -> Catalogue:
        """Read everything, in a memory that does not grow with the entries' metadata.

        Raises:
            BadImport: of a file nothing, or less than half, is of use, and `lenient` is not set.
            UnreadableFile: a file cannot be read.
        """
        from melon.catalog.importing.reading import gather

        return gather(self.tables, types=self.types, lenient=lenient, progress=progress)


def plan_import(
    sources: Sequence[Path],
    *,
    mapping: Sequence[str] = (),
    types: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
) -> ImportPlan:
    """Look at files, and tell what their columns are.

    Args:
        sources: files, and folders of files.
        mapping: corrections, such as `title=COLUMN`, `bpm=COLUMN`, `COLUMN=` or
            `artists.tsv:track=id`.
        types: of own fields, such as `bpm=float` or `moods=keyword[]`.
        encoding: of files of text that are not UTF-8, and do not begin as UTF-16 does.
        delimiter: of tables; by default what their headers have most of.

    Raises:
        UnclearColumns: of some columns it cannot be told.
        BadImport: a file is of no known format, or a correction means nothing.
        UnreadableFile: a file is missing or cannot be opened.
    """
    from melon.catalog.importing.mapping import Mapped
    from melon.catalog.importing.planning import plan_tables
    from melon.catalog.importing.sources import open_files

    mapped, typed = [Mapped.parse(one) for one in mapping], _types(types)
    tables, left = open_files(sources, encoding=encoding, delimiter=delimiter)
    inputs = [part.path for table in tables for part in table.parts if part.path]
    return ImportPlan(plan_tables(tables, mapped), left, typed, inputs)


def check_import(out: Path, inputs: Sequence[Path] = ()) -> None:
    """Make sure that an import can be written into a directory.

    Raises:
        UnwritableFile: it cannot be made or written to.
        ForeignFile: something is there that no import made.
        ReplacedInput: it holds what is to be imported.
    """
    from melon.catalog.importing.directory import check_out

    check_out(out, inputs)


def write_import(
    catalogue: Catalogue, out: Path, *, anew: bool = False, progress: Progress = ignore
) -> Changes:
    """Write what was read into a directory, beside what an import wrote there before.

    What is said of a playlist or a song takes the place of what was known, and what nothing is said
    of stays. All keys keep their ids. With `anew`, nothing of before stays but the ids. One import
    at a time writes into a directory; others wait.

    Raises:
        ForeignFile: something is there that no import made.
        UnwritableFile: a file cannot be written.
    """
    from melon.catalog.importing.directory import write

    return write(catalogue, out, anew=anew, progress=progress)


def _types(texts: Iterable[str]) -> dict[str, OwnField]:
    found: dict[str, OwnField] = {}
    for name, field in map(_typed, texts):
        if found.setdefault(name, field) != field:
            raise BadImport(
                f"the field {name!r} is given two types", where="--type", hint="give one"
            )
    return found


def _typed(text: str) -> tuple[str, OwnField]:
    name, _, type = text.partition("=")
    many = type.endswith("[]")
    try:
        field = OwnField(name=name, type=FieldType(type.removesuffix("[]")), many=many)
        field.field()
    except InputError as error:
        raise BadImport(error.what, where=f"--type {text}", hint=error.hint) from None
    except ValueError:
        raise BadImport(
            f"{type!r} is no type",
            where=f"--type {text}",
            hint=f"types are {', '.join(FieldType)}; [] after one says that a cell has several",
        ) from None
    return name, field


def from_frame(
    *frames: pd.DataFrame,
    mapping: Mapping[str, str] | Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    lenient: bool = False,
    progress: Progress = ignore,
) -> Catalogue:
    """Take playlists and songs from frames, as `melon import` takes them from files.

    Args:
        frames: one row a playlist entry; others may have a row for each song, playlist or tag.
        mapping: role or own field -> column, where the name of a column does not say what it is;
            an empty column leaves one out.
        types: own field -> type, where it is not to be inferred.
        lenient: take what there is where less than half of a frame is of use.
        progress: told how many rows are read, and of how many.

    Raises:
        WrongType: something is no frame.
        UnclearColumns: of some columns it cannot be told.
        BadImport: of a frame less than half is of use.
    """
    from melon.catalog.importing.frames import open_frames
    from melon.catalog.importing.mapping import Mapped
    from melon.catalog.importing.planning import plan_tables
    from melon.catalog.importing.reading import gather

    said = [f"{k}={v}" for k, v in mapping.items()] if isinstance(mapping, Mapping) else mapping
    try:
        typed = dict(_typed(f"{name}={type}") for name, type in (types or {}).items())
        plans = plan_tables(open_frames(frames), [Mapped.parse(one) for one in said])
        catalogue = gather(plans, types=typed, lenient=lenient, progress=progress)
        catalogue.report.notes += [line for plan in plans for line in plan.left_lines()]
        return catalogue
    except BadImport as error:
        _in_python(error)
        raise


def _in_python(error: BadImport) -> None:
    """Name arguments where the error names options of the command."""
    if isinstance(error, UnclearColumns):
        error.hint = f"say what they are, for example: mapping={list(error.mapping)}"
    for option, argument in (
        ("--lenient", "lenient=True"),
        ("--map", "mapping"),
        ("--type", "types"),
    ):
        error.where = error.where and error.where.replace(option, argument)
        error.hint = error.hint and error.hint.replace(option, argument)


def import_frame(
    *frames: pd.DataFrame,
    out: str | os.PathLike[str],
    mapping: Mapping[str, str] | Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    lenient: bool = False,
    replace: bool = False,
    progress: Progress = ignore,
) -> ImportReport:
    """Make a directory that `melon train` reads of frames, and report what came in.

    Args:
        frames: one row a playlist entry; others may have a row for each song, playlist or tag.
        out: a directory that is new or empty, or that an import made: what is there stays, and
            keys keep their ids.
        mapping: role or own field -> column, where the name of a column does not say what it is;
            an empty column leaves one out.
        types: own field -> type, where it is not to be inferred.
        lenient: take what there is where less than half of a frame is of use.
        replace: begin anew; keys keep their ids all the same.
        progress: told how many rows are read, and records written, and of how many.

    Raises:
        WrongType: something is no frame.
        UnclearColumns: of some columns it cannot be told.
        BadImport: of a frame less than half is of use.
        ForeignFile: something else is in the directory.
        UnwritableFile: it cannot be written.
    """
    target = Path(out)
    check_import(target)
    catalogue = from_frame(
        *frames, mapping=mapping, types=types, lenient=lenient, progress=progress
    )
    changes = write_import(catalogue, target, anew=replace, progress=progress)
    catalogue.report.notes += changes.notes
    return catalogue.report
