"""What becomes of every column of every table, of those that nobody recognises, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from melon.catalog.errors import BadImport, UnclearColumns
from melon.catalog.importing.cells import joined_lists, number_rows, separator
from melon.catalog.importing.checks import (
    check_files,
    check_objects,
    check_playlists,
    check_titles,
    lacking,
)
from melon.catalog.importing.mapping import Mapped, apply_mapping
from melon.catalog.importing.names import FIELD_NAMES, ROLES, ROW_LABELS, Role, field_name, folded
from melon.catalog.importing.nested import OF_PLAYLIST, OF_TRACK
from melon.catalog.importing.plan import SEVERAL, Kind, TablePlan
from melon.catalog.importing.roles import by_usual_names, give_roles
from melon.catalog.importing.tables import Table
from melon.errors import InputError
from melon.fields import RESERVED, FieldType, own_field

_ROW_NUMBERS = {"id", "unnamed0", "column1"}
"""Columns that databases and pandas write beside those of a table; the last had no name."""


def plan_tables(tables: Sequence[Table], mapped: Sequence[Mapped]) -> list[TablePlan]:
    """Decide what becomes of every column.

    Raises:
        UnclearColumns: of some it cannot be told.
        BadImport: a column that is mapped is not there.
    """
    plans = [TablePlan(table) for table in tables]
    apply_mapping(plans, mapped)
    give_roles(plans)
    entries = any(plan.names_playlists and plan.names_songs for plan in plans)
    for plan in plans:
        try:
            plan.kind = _kind(plan, entries)
        except BadImport as error:
            if len(plans) > 1:
                error.hint = f"{error.hint}; or import the others without it"
            raise
        _others(plan)
        if Role.TITLE in plan.roles and Role.PLAYLIST not in plan.roles and not plan.nested:
            title = plan.roles[Role.TITLE]
            check_titles(plan, title)
            why = [plan.why[title]] if title in plan.why else []
            plan.why[title] = "; ".join([*why, "also the key: playlists of one title are one"])
        for role in SEVERAL & plan.roles.keys():
            plan.marks[role] = plan.marks.get(role) or _mark(plan, role)
        check_objects(plan)
        _lists_of_keys(plan)
    check_playlists(plans)
    taken: set[str] = set()
    for plan in plans:
        if plan.kind is Kind.FILES:
            plan.table.name_parts(taken)
    _join_files(plans)
    return plans


def plan_later(plan: TablePlan, columns: Iterable[str]) -> list[str]:
    """Decide what becomes of columns that were not among the first rows, and say it."""
    known = {*plan.table.columns}
    new = [n for n in columns if n not in known and not n.startswith("\0")]
    if not new:
        return []
    plan.table.columns += new
    by_usual_names(plan)
    _others(plan)
    lines = dict(zip(plan.table.columns, plan.lines()[1:], strict=True))
    return [f"{lines[name].strip()}, in some rows only" for name in new]


def _join_files(plans: Sequence[TablePlan]) -> None:
    """Files that are a playlist each go by its key, where another table has their names for titles.

    YouTube has `Title-videos.csv` beside `playlists.csv`.
    """
    keys: dict[str, str] = {}
    for plan in plans:
        if plan.kind is Kind.PLAYLISTS and {Role.PLAYLIST, Role.TITLE} <= plan.roles.keys():
            columns = (plan.table.sampled(plan.roles[r]) for r in (Role.TITLE, Role.PLAYLIST))
            for title, key in zip(*(column.to_pylist() for column in columns), strict=True):
                if title and key:
                    keys.setdefault(title, key)
    for plan in plans:
        for part in plan.table.parts if plan.kind is Kind.FILES else ():
            for title in (part.stem or "", (part.stem or "").removesuffix("-videos")):
                if title in keys:
                    plan.table.joined[part.label] = keys[title], title


def _kind(plan: TablePlan, entries: bool) -> Kind:
    """What the rows of a table are; `entries` says whether those of any are entries.

    Raises:
        UnclearColumns: they are of no playlist and no song.
    """
    if plan.names_playlists:
        return Kind.ENTRIES if plan.names_songs else Kind.PLAYLISTS
    if not plan.names_songs:
        raise lacking(plan, Role.PLAYLIST, Role.TRACK)
    if entries:
        return Kind.SONGS
    if all(part.stem for part in plan.table.parts):
        check_files(plan)
        return Kind.FILES
    return Kind.SONGS


def _others(plan: TablePlan) -> None:
    """What nobody recognises is an own field of songs, where the rows have songs.

    Raises:
        UnclearColumns: no own field can have a column's name.
    """
    unclear: list[str] = []
    reasons: list[str] = []
    for name in plan.open:
        if plan.kind is Kind.PLAYLISTS or name.startswith(OF_PLAYLIST):
            plan.left[name] = "playlists have no fields of their own"
        elif folded(name) in _ROW_NUMBERS and number_rows(plan.table.sampled(name)):
            plan.left[name] = "it numbers the rows"
        elif folded(name) in ROW_LABELS:
            plan.left[name] = "it labels the rows"
        else:
            short = name.removeprefix(OF_TRACK)
            own = FIELD_NAMES.get(folded(short)) or field_name(short)
            if own in RESERVED and short != name:  # nobody chose it
                own = field_name(name)
            try:
                own_field(own, FieldType.TEXT)
                if own in plan.fields:
                    raise InputError(f"so would {plan.fields[own]!r}")
            except InputError as error:
                unclear.append(f"own_{own or 'field'}={name}")
                role = ROLES.get(own)
                taken = (
                    f", and {plan.roles[role]!r} is the {role} already"
                    if role in plan.roles
                    else ""
                )
                reasons.append(
                    f"the column {name!r} would be the field {own!r}: {error.what}{taken}"
                )
            else:
                plan.fields[own] = name
    if unclear:
        raise UnclearColumns("; ".join(reasons), where=plan.table.label, mapping=tuple(unclear))


def _mark(plan: TablePlan, role: Role) -> str | None:
    name = plan.roles[role]
    commas = role is not Role.ARTISTS or folded(name).endswith("s")
    return separator(plan.table.sampled(name), commas=commas)


def _lists_of_keys(plan: TablePlan) -> None:
    """Cells of texts that look like lists of keys: split if the column's name is a plural.

    Raises:
        UnclearColumns: it is not.
    """
    for role in (Role.PLAYLIST, Role.TRACK):
        name = plan.roles.get(role)
        if name is None or role in plan.marks or plan.why.get(name) == "--map":
            continue
        if plan.nested or name.startswith(OF_TRACK):  # an element each
            continue
        mark = joined_lists(plan.table.sampled(name))
        if mark is None:
            continue
        if not folded(name).endswith("s"):
            raise UnclearColumns(
                f"cells of the column {name!r} look like lists of keys with {mark!r} between "
                f"them; if each is one key, {role}={name}",
                where=plan.table.label,
                mapping=(f"{role}[]={name}",),
            )
        plan.marks[role] = mark
