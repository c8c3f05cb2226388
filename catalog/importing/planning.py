"""What becomes of every column of every table, of those that nobody recognises, too."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.errors import BadImport, UnclearColumns, shortened
from melon.catalog.importing.cells import (
    TEXT,
    are_keys,
    hold_objects,
    joined_lists,
    number_rows,
    separator,
)
from melon.catalog.importing.kinds import inferred
from melon.catalog.importing.mapping import Mapped, apply_mapping
from melon.catalog.importing.names import (
    FIELD_NAMES,
    LAST_RESORTS,
    ROLES,
    Role,
    field_name,
    folded,
    meaning,
)
from melon.catalog.importing.nested import OF_PLAYLIST, OF_TRACK
from melon.catalog.importing.objects import TRACKS
from melon.catalog.importing.plan import SEVERAL, Kind, TablePlan, listed
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
        plan.kind = _kind(plan, entries)
        _others(plan)
        if Role.TITLE in plan.roles and Role.PLAYLIST not in plan.roles and not plan.nested:
            title = plan.roles[Role.TITLE]
            _check_titles(plan, title)
            why = [plan.why[title]] if title in plan.why else []
            plan.why[title] = "; ".join([*why, "also the key: playlists of one title are one"])
        for role in SEVERAL & plan.roles.keys():
            plan.marks[role] = plan.marks.get(role) or _mark(plan, role)
        _check_objects(plan)
        _lists_of_keys(plan)
    _check_playlists(plans)
    taken: set[str] = set()
    for plan in plans:
        if plan.kind is Kind.FILES:
            plan.table.name_parts(taken)
    _join_files(plans)
    return plans


def plan_later(plan: TablePlan, columns: Iterable[str]) -> list[str]:
    """Decide what becomes of columns that were not among the first rows, and say it."""
    new = [n for n in columns if n not in plan.table.columns and not n.startswith("\0")]
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
        raise _lacking(plan, Role.PLAYLIST, Role.TRACK)
    if entries:
        return Kind.SONGS
    if all(part.stem for part in plan.table.parts):
        _check_files(plan)
        return Kind.FILES
    return Kind.SONGS


def _check_titles(plan: TablePlan, title: str) -> None:
    """Notice that playlists of one title are of several users, and would be one.

    Raises:
        BadImport: they are, and nobody said what the title is.
    """
    users = map(folded, LAST_RESORTS[Role.PLAYLIST])
    user = next((name for name in plan.table.columns if folded(name) in {*users}), None)
    if user is None or plan.why.get(title) == "--map" or user in plan.left:
        return
    titles, owners = (plan.table.sampled(name).to_pylist() for name in (title, user))
    rows = pd.DataFrame({"title": titles, "user": owners}).dropna().drop_duplicates()
    several = rows["title"][rows["title"].duplicated()]
    if len(several):
        raise BadImport(
            f"playlists of one title, such as {shortened(several.iloc[0])}, are of several "
            f"{user!r}, and no column is plainly their key",
            where=plan.table.label,
            hint="add a column playlist_id that tells them apart, or take those of one title for "
            f"one: --map {shlex.quote(f'{Role.TITLE}={title}')}",
        )


def _check_files(plan: TablePlan) -> None:
    """Notice that files hold more than a playlist each.

    Raises:
        UnclearColumns: a column may say which, or rows hold lists of songs, and none says of what.
    """
    files = len(plan.table.parts)
    for name in plan.open:
        values = plan.table.sampled(name).drop_null().unique()
        if not folded(name).startswith("playlist") or len(values) <= files:
            continue
        if inferred(values) is not FieldType.DATETIME:
            many = "[]" if separator(values, commas=True) else ""
            raise plan.unclear(
                f"the column {name!r} may be the {meaning(Role.PLAYLIST)}",
                f"{Role.PLAYLIST}{many}={name}",
            )
    track = plan.roles.get(Role.TRACK)
    if track and sum(batch.rows for batch in plan.table.sample) > files and plan.holds_lists(track):
        raise _lacking(plan, Role.PLAYLIST)


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


def _objects(plan: TablePlan) -> list[str]:
    """The columns that hold objects, in lists or as texts, or are of one in place of tracks."""
    lists = (name for part in plan.table.parts for name in part.lists)
    others = (
        name
        for name in plan.table.columns
        if name.startswith("tracks.") or hold_objects(plan.table.sampled(name))
    )
    return [*dict.fromkeys((*lists, *others))]


def _check_objects(plan: TablePlan) -> None:
    """Notice objects in place of keys, and tracks that are no more than a field of their own.

    Raises:
        BadImport: there are such.
    """
    keys = {plan.roles.get(role) for role in (Role.PLAYLIST, Role.TRACK)}
    own = {name for name in plan.fields.values() if name.rpartition(".")[2].lower() in TRACKS}
    if wrong := [name for name in _objects(plan) if name in keys | own]:
        raise _not_in_each(plan, wrong)


def _not_in_each(plan: TablePlan, objects: Sequence[str]) -> BadImport:
    return BadImport(
        f"there are objects ({listed(objects)}), but no playlists with a list of their tracks in "
        "each",
        where=plan.table.label,
        hint='write playlists as JSON, [{"name": …, "tracks": [{…}, …]}, …], or leave columns out: '
        f"--map {shlex.quote(f'{objects[0]}=')}",
    )


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


def _check_playlists(plans: Sequence[TablePlan]) -> None:
    """Make sure that there are playlists of songs.

    Raises:
        BadImport: there are playlists, but nothing is said of their songs.
        UnclearColumns: a column may say it.
    """
    if any(plan.kind in (Kind.ENTRIES, Kind.FILES) for plan in plans):
        return
    plan = next((p for p in plans if p.kind is Kind.SONGS), plans[0])
    if plan.kind is Kind.PLAYLISTS and set(plan.table.columns) <= set(plan.roles.values()):
        raise BadImport(
            f"its rows name no songs; columns are {listed(plan.table.columns)}",
            where=plan.table.label,
            hint=_lists_beside(plan)
            or "import it together with the table that has a row for each entry of a playlist",
        )
    raise _lacking(plan, Role.PLAYLIST if plan.kind is Kind.SONGS else Role.TRACK)


def _lists_beside(plan: TablePlan) -> str:
    """What to do about lists of a document that are not read, if there are any."""
    beside = next((part.beside for part in plan.table.parts if part.beside), "")
    return beside and (
        f"lists beside it are not read ({beside}): write each into a file of its own, and import "
        "them together"
    )


def _lacking(plan: TablePlan, *roles: Role) -> BadImport:
    """Proposes a column only if its values look like keys; else its name is left to say."""
    if objects := _objects(plan):
        return _not_in_each(plan, objects)
    table = plan.table.parts[0].has_header
    if table and not plan.roles and len(plan.table.columns) == 1:
        return BadImport(
            f"it has one column, {listed(plan.table.columns)}, and none for the {meaning(*roles)}",
            where=plan.table.label,
            hint="say what stands between cells by --delimiter, and begin it with a line of names, "
            "such as playlist_id,track_uri",
        )
    if table and not plan.roles and _looks_like_a_row(plan):
        return BadImport(
            f"its first line seems to be a row, where names of columns are wanted: "
            f"{listed(plan.table.columns)}",
            where=plan.table.label,
            hint="begin it with a line of names, such as playlist_id and track_uri",
        )
    keys = [name for name in plan.table.columns if _may_be_key(plan, name)]
    keys = ["COLUMN"] * (len(roles) - len(keys)) + keys  # songs are likelier to have some
    proposed = dict(zip(roles, keys, strict=False))
    mapping = [f"{role}={name}" for role, name in proposed.items()]
    if proposed.get(Role.PLAYLIST) == "COLUMN":
        mapping[0] = f"{Role.TITLE}=COLUMN"
    if proposed.get(Role.TRACK) == "COLUMN":
        lists = [f"track[]={name}" for name in plan.table.columns if _may_be_lists(plan, name)]
        mapping[-1:] = lists[:1] or ["name=COLUMN", "artists=COLUMN"]
    return plan.unclear(f"no column is plainly the {meaning(*roles)}", *mapping)


def _looks_like_a_row(plan: TablePlan) -> bool:
    """Whether names of columns are keys, or are among the values of their columns."""
    names = plan.table.columns
    return are_keys(pa.array(names, TEXT), words=False) or any(
        pc.any(pc.equal(plan.table.sampled(name), name)).as_py() for name in names
    )


def _may_be_lists(plan: TablePlan, name: str) -> bool:
    """Whether a column may be proposed as lists of keys: numbers may have commas in them, too."""
    free = name not in plan.roles.values() and folded(name).endswith("s")
    return free and joined_lists(plan.table.sampled(name)) is not None


def _may_be_key(plan: TablePlan, name: str) -> bool:
    """Whether a column may be proposed as keys: numbers may be anything, if it is not called id."""
    values = plan.table.sampled(name).drop_null()
    return (
        name not in plan.roles.values()
        and are_keys(values, words=False)
        and inferred(values) is not FieldType.DATETIME
        and (folded(name).endswith("id") or not pc.all(pc.utf8_is_digit(values)).as_py())
    )
