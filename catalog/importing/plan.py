"""Which column of a source becomes what: by its name, or where that is not enough, its values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from melon.catalog.errors import BadImport, UnclearColumns
from melon.catalog.importing.cells import cleaned_keys, joined_lists, separator
from melon.catalog.importing.names import (
    BARE,
    BY_NAME,
    FIELD_NAMES,
    KEY_OR_NAME,
    LAST_RESORTS,
    MEANINGS,
    OF_PLAYLISTS,
    OF_SONGS,
    Role,
    field_name,
    folded,
)
from melon.catalog.importing.nested import OF_PLAYLIST, OF_TRACK
from melon.catalog.importing.tables import Table
from melon.errors import InputError, counted
from melon.fields import RESERVED, FieldType, own_field
from melon.text import near


class Kind(StrEnum):
    """What the rows of a table are."""

    ENTRIES = "one row a playlist entry"
    FILES = "one row an entry of the playlist that has the file's name"
    PLAYLISTS = "one row a playlist"
    SONGS = "one row a song"


SEVERAL = {Role.ARTISTS, Role.GENRES, Role.TAGS}
"""Roles of which a cell may hold several values."""


@dataclass
class TablePlan:
    """What becomes of the columns of a table.

    Attributes:
        kind: What its rows are.
        roles: Role -> column.
        fields: Own field -> column.
        left: Column -> why it is left out.
        marks: Role -> what separates several values in a cell.
        why: Column -> what about its role is not plain from its name.
    """

    table: Table
    kind: Kind = Kind.ENTRIES
    roles: dict[Role, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    marks: dict[Role, str | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        """The columns of which nothing has been decided."""
        taken = {*self.roles.values(), *self.fields.values(), *self.left}
        return [name for name in self.table.columns if name not in taken]

    @property
    def nested(self) -> bool:
        """Whether each of its playlists holds its tracks."""
        return any(name.startswith(OF_PLAYLIST) for name in self.table.columns)

    def give(self, role: Role, column: str, why: str = "") -> None:
        """Decide what a column is."""
        self.roles[role] = column
        if why:
            self.why[column] = why

    def lines(self) -> list[str]:
        """For people: the table, and each column with what becomes of it."""
        by_column: dict[str, str] = {}
        for role, name in self.roles.items():
            mark = self.marks.get(role)
            more = f", split at {mark!r}" if mark else ""
            why = self.why.get(name)
            by_column[name] = f"{role}{more}" + (f" ({why})" if why else "")
        by_column |= {name: f"own field {own}" for own, name in self.fields.items()}
        by_column |= {name: f"left out: {why}" for name, why in self.left.items()}
        width = max(map(len, self.table.columns), default=0)
        columns = [f"  {name:<{width}}  -> {by_column[name]}" for name in self.table.columns]
        return [f"{self.table.label}: {self.kind}", *columns]


@dataclass(frozen=True, slots=True)
class Mapped:
    """One `--map`: a role or the name of an own field, and a column; of one source, or of all."""

    target: str
    column: str
    source: str | None = None

    @classmethod
    def parse(cls, text: str) -> Mapped:
        """Read `role=column`, `role=`, or `file:role=column`.

        Raises:
            BadImport: it is none of these.
        """
        target, equals, column = text.partition("=")
        source, colon, name = target.rpartition(":")
        if not equals or not (name or target).strip():
            raise BadImport(
                f"{text!r} names no column for anything",
                where="--map",
                hint="write title=COLUMN, or COLUMN= to leave a column out",
            )
        return cls(name.strip(), column.strip(), source if colon else None)

    def concerns(self, table: Table) -> bool:
        """Whether it is of that table."""
        return self.source is None or any(
            self.source in (part.label, part.path.name if part.path else part.label)
            for part in table.parts
        )


def plan_tables(tables: Sequence[Table], mapped: Sequence[Mapped]) -> list[TablePlan]:
    """Decide what becomes of every column.

    Raises:
        UnclearColumns: of some it cannot be told.
        BadImport: a column that is mapped is not there.
    """
    plans = [TablePlan(table) for table in tables]
    _apply(plans, mapped)
    for plan in plans:
        _by_usual_names(plan)
        _key_or_name(plan)
    for plan in plans:
        _bare_names(plan, plans)
    _last_resorts(plans)
    for plan in plans:
        _bare_names(plan, plans)
    entries = any(_has(p, OF_PLAYLISTS[:2]) and _names_songs(p) for p in plans)
    for plan in plans:
        plan.kind = _kind(plan, entries)
        _others(plan)
        if Role.TITLE in plan.roles and Role.PLAYLIST not in plan.roles and not plan.nested:
            title = plan.roles[Role.TITLE]
            why = [plan.why[title]] if title in plan.why else []
            plan.why[title] = "; ".join([*why, "also the key: playlists of one title are one"])
        for role in SEVERAL & plan.roles.keys():
            plan.marks[role] = plan.marks.get(role) or _mark(plan, role)
        _lists_of_keys(plan)
    _check_playlists(plans)
    return plans


def _apply(plans: Sequence[TablePlan], mapped: Sequence[Mapped]) -> None:
    for one in mapped:
        concerned = [plan for plan in plans if one.concerns(plan.table)]
        wanted = one.column or (one.target if one.target not in _ROLES else "")
        having = [plan for plan in concerned if not wanted or wanted in plan.table.columns]
        if not having:
            known = list(dict.fromkeys(name for p in concerned for name in p.table.columns))
            raise BadImport(
                f"there is no column {wanted!r}" if concerned else f"no source is {one.source!r}",
                where="--map",
                hint=f"columns are {', '.join(known)}" if known else "name a file as it was given",
            )
        for plan in having:
            _map(plan, one)


_ROLES = {role.value: role for role in Role}


def _map(plan: TablePlan, one: Mapped) -> None:
    role = _ROLES.get(one.target.removesuffix("[]"))
    if role and one.column:
        if one.target.endswith("[]"):
            plan.marks[role] = separator(plan.table.sampled(one.column), commas=True)
        plan.give(role, one.column, "--map")
    elif role:
        for name in plan.table.columns:
            if BY_NAME.get(folded(name)) is role or folded(name) == role.value:
                plan.left[name] = "--map"
    elif one.column:
        _check_meant(one)
        plan.fields[_checked_field(plan, one.target, one.column)] = one.column
    else:
        plan.left[one.target] = "--map"


def _check_meant(one: Mapped) -> None:
    """Notice that the name of an own field was meant to be that of a role.

    Raises:
        BadImport: it is almost one, or a usual name of what a key or a name is.
    """
    meant = [name for name in near(one.target, _ROLES) if _alike(one.target, name)]
    if usual := BY_NAME.get(folded(one.target)):
        meant += [usual] if any(usual in pair for pair in KEY_OR_NAME.values()) else []
    if meant:
        raise BadImport(
            f"{one.target!r} is no role",
            where=f"--map {one.target}={one.column}",
            hint=f"did you mean {meant[0]}={one.column}? A field of your own needs another name",
        )


def _alike(wanted: str, name: str) -> bool:
    return SequenceMatcher(None, wanted.casefold(), name).ratio() >= _ALIKE


_ALIKE = 0.8
"""As alike as `titel` and `title`; `rate` and `date` are less."""


def _by_usual_names(plan: TablePlan) -> None:
    """Give columns the roles that their names say; of several for one role the most usual."""
    for spelled in (_whole, _short, _last):
        found: dict[Role, list[str]] = {}
        for name in plan.open:
            role = BY_NAME.get(folded(spelled(name)))
            if role and role not in plan.roles and role not in _impossible(name):
                found.setdefault(role, []).append(name)
        for role, names in found.items():
            plan.give(role, min(names, key=_rank))


def _whole(name: str) -> str:
    return name


def _short(name: str) -> str:
    """The name without what says that it is of the playlist, or of a track."""
    return name.removeprefix(OF_PLAYLIST).removeprefix(OF_TRACK)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _impossible(name: str) -> tuple[Role, ...]:
    """What a column cannot be, for in a document it is of the playlist, or of its tracks."""
    if name.startswith(OF_PLAYLIST):
        return (*OF_SONGS, Role.POSITION)
    return OF_PLAYLISTS if name.startswith(OF_TRACK) else ()


_RANK = {name: rank for rank, name in enumerate(BY_NAME)}


def _rank(name: str) -> int:
    return min(_RANK.get(folded(spelled(name)), 999) for spelled in (_whole, _short, _last))


def _key_or_name(plan: TablePlan) -> None:
    """`playlist`, `track`, `song`: a key if another column is the name, or if its values say so."""
    for name in plan.open:
        spelled = folded(name)
        pair = KEY_OR_NAME.get(spelled)
        if pair is None:
            continue
        key, called = pair
        if key in plan.roles and called in plan.roles:
            continue
        if key in plan.roles:
            plan.give(called, name)
        elif called in plan.roles:
            plan.give(key, name)
        elif _are_keys(plan.table.sampled(name), words=key is Role.TRACK):
            plan.give(key, name, "its values are keys")
        else:
            plan.give(called, name, "its values are names")


_CODE = r"^(?:[A-Za-z_-]*\d+|\S+[:/]\S+|(?:[0-9a-f]{8,}-?)+|[A-Za-z0-9_-]{16,})$"


def _are_keys(values: Any, *, words: bool) -> bool:
    """Whether all values look like keys; with `words`, whatever has no spaces does."""
    values = cleaned_keys(values).drop_null()
    if not len(values):
        return False
    if words:
        return not pc.any(pc.match_substring_regex(values, r"\s")).as_py()
    return bool(pc.all(pc.match_substring_regex(values, _CODE)).as_py())


def _has(plan: TablePlan, roles: Iterable[Role]) -> bool:
    return any(role in plan.roles for role in roles)


def _names_songs(plan: TablePlan) -> bool:
    return _has(plan, (Role.TRACK, Role.NAME))


def _bare_names(plan: TablePlan, plans: Sequence[TablePlan]) -> None:
    """`id`, `name`, `title`: whose they are, what else there is in the table tells."""
    for name in plan.open:
        pair = BARE.get(folded(name))
        if pair is None or (folded(name) == "key" and Role.TRACK in plan.roles):
            continue
        role = _whose(plan, plans, name, pair)
        if role and role not in plan.roles:
            plan.give(role, name)


def _whose(
    plan: TablePlan, plans: Sequence[TablePlan], name: str, pair: tuple[Role, Role]
) -> Role | None:
    of_playlist, of_song = pair
    playlists = _has(plan, OF_PLAYLISTS)
    songs = _has(plan, (*OF_SONGS, Role.POSITION))
    if playlists and not songs:
        return of_playlist
    if songs and not playlists:
        return of_song
    if playlists and songs:
        free = [role for role in pair if role not in plan.roles]
        if of_song is Role.TRACK and free == [Role.TRACK]:
            if _numbers_rows(plan.table.sampled(name)) and Role.NAME in plan.roles:
                raise _unclear(plan, name, [f"track={name}", f"{name}="])
            return Role.TRACK
        if free == [of_song]:
            return of_song
        if not free or of_song is Role.TRACK:
            return None
        level = _level(plan, name)
        if level is None:
            raise _unclear(plan, name, [f"{role}={name}" for role in free])
        return of_playlist if level == "playlist" and of_playlist in free else of_song
    return _by_the_others(plan, plans, pair)


def _by_the_others(
    plan: TablePlan, plans: Sequence[TablePlan], pair: tuple[Role, Role]
) -> Role | None:
    """The table's name tells whose its rows are: `artists.csv` beside a column `artistID`."""
    stems = {folded(part.stem or "").rstrip("s") for part in plan.table.parts} - {""}
    for role, usual in zip(pair, ("playlist", "track"), strict=True):
        key = Role.PLAYLIST if usual == "playlist" else Role.TRACK
        columns = {
            folded(other.roles[key]) for other in plans if other is not plan and key in other.roles
        }
        names = {usual, "song"} if usual == "track" else {usual}
        if any(stem in names or any(c.startswith(stem) for c in columns) for stem in stems):
            return role
    return None


def _numbers_rows(values: Any) -> bool:
    """Whether values are integers that do not repeat, as the ids of a table's rows."""
    values = values.drop_null()
    if len(values) < 2 or len(values.unique()) < len(values):
        return False
    return bool(pc.all(pc.match_substring_regex(values, r"^\d+$")).as_py())


def _level(plan: TablePlan, name: str) -> str | None:
    """Whether a column is the same all over a playlist, or differs; None if nothing tells."""
    key = plan.roles.get(Role.PLAYLIST) or plan.roles.get(Role.TITLE)
    if key is None:
        return None
    frame = pd.DataFrame(
        {
            "playlist": plan.table.sampled(key).to_pylist(),
            "value": plan.table.sampled(name).to_pylist(),
        }
    ).dropna()
    grouped = frame.groupby("playlist")["value"]
    several = grouped.size() > 1
    if not several.any():
        return None
    return "playlist" if (grouped.nunique()[several] == 1).all() else "song"


def _last_resorts(plans: Sequence[TablePlan]) -> None:
    """A user may stand for a playlist, an artist for a song, where no table has anything better.

    Raises:
        UnclearColumns: one may.
    """
    asked: dict[str, TablePlan] = {}
    entries = [plan for plan in plans if _has(plan, OF_PLAYLISTS[:2])]
    if not entries:
        entries = [plan for plan in plans if _last_resort(plan, Role.PLAYLIST, asked)]
    if not any(map(_names_songs, entries)):
        for plan in entries:
            _last_resort(plan, Role.TRACK, asked)
    if asked:
        roles = " or the ".join(one.partition("=")[0] for one in asked)
        plan = next(iter(asked.values()))
        raise UnclearColumns(
            f"no column is plainly the {roles}; columns are {', '.join(plan.table.columns)}",
            where=plan.table.label,
            mapping=tuple(asked),
        )


def _last_resort(plan: TablePlan, role: Role, asked: dict[str, TablePlan]) -> bool:
    usual = [folded(name) for name in LAST_RESORTS[role]]
    columns = [name for name in plan.open if folded(name) in usual]
    if columns:
        best = min(columns, key=lambda name: usual.index(folded(name)))
        asked.setdefault(f"{role}={best}", plan)
    return bool(columns)


def _kind(plan: TablePlan, entries: bool) -> Kind:
    playlists, songs = _has(plan, OF_PLAYLISTS[:2]), _names_songs(plan)
    if playlists:
        return Kind.ENTRIES if songs else Kind.PLAYLISTS
    if not songs:
        raise _lacking(plan, Role.PLAYLIST, Role.TRACK)
    if entries:
        return Kind.SONGS
    if all(part.stem for part in plan.table.parts):
        return Kind.FILES
    return Kind.SONGS


def _check_playlists(plans: Sequence[TablePlan]) -> None:
    if any(plan.kind in (Kind.ENTRIES, Kind.FILES) for plan in plans):
        return
    plan = next((p for p in plans if p.kind is Kind.SONGS), plans[0])
    if plan.kind is Kind.PLAYLISTS and set(plan.table.columns) <= set(plan.roles.values()):
        raise BadImport(
            f"its rows name no songs; columns are {', '.join(plan.table.columns)}",
            where=plan.table.label,
            hint="import it together with the table that has a row for each entry of a playlist",
        )
    raise _lacking(plan, Role.PLAYLIST if plan.kind is Kind.SONGS else Role.TRACK)


def _may_be_key(plan: TablePlan, name: str) -> bool:
    """Whether a column may be proposed as keys: numbers may be anything, if it is not called id."""
    values = plan.table.sampled(name).drop_null()
    return (
        name not in plan.roles.values()
        and _are_keys(values, words=False)
        and (folded(name).endswith("id") or not pc.all(pc.utf8_is_digit(values)).as_py())
    )


def _lacking(plan: TablePlan, *roles: Role) -> UnclearColumns:
    """Proposes a column only if its values look like keys; else its name is left to say."""
    keys = [name for name in plan.table.columns if _may_be_key(plan, name)]
    keys = ["COLUMN"] * (len(roles) - len(keys)) + keys  # songs are likelier to have some
    proposed = dict(zip(roles, keys, strict=False))
    mapping = [f"{role}={name}" for role, name in proposed.items()]
    if proposed.get(Role.TRACK) == "COLUMN":
        mapping[-1:] = ["name=COLUMN", "artists=COLUMN"]
    said = " or the ".join(f"{MEANINGS[role]} ({role})" for role in roles)
    return UnclearColumns(
        f"no column is plainly the {said}; columns are {', '.join(plan.table.columns)}",
        where=plan.table.label,
        mapping=tuple(mapping),
    )


def _unclear(plan: TablePlan, name: str, mapping: list[str]) -> UnclearColumns:
    roles = [_ROLES[one.partition("=")[0]] for one in mapping if not one.endswith("=")]
    said = " or the ".join(f"{MEANINGS[role]} ({role})" for role in roles)
    return UnclearColumns(
        f"the column {name!r} may be the {said}; columns are {', '.join(plan.table.columns)}",
        where=plan.table.label,
        mapping=tuple(mapping[:1]),
    )


_ROW_NUMBERS = {"id", "unnamed0", "column1"}
"""Columns that databases and pandas write beside those of a table; the last had no name."""


def _others(plan: TablePlan) -> None:
    """What nobody recognises is an own field of songs, where the rows have songs."""
    unclear: list[str] = []
    reasons: list[str] = []
    for name in plan.open:
        if plan.kind is Kind.PLAYLISTS or name.startswith(OF_PLAYLIST):
            plan.left[name] = "playlists have no fields of their own"
        elif folded(name) in _ROW_NUMBERS and _numbers_rows(plan.table.sampled(name)):
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
                role = _ROLES.get(own)
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


def _checked_field(plan: TablePlan, own: str, column: str) -> str:
    try:
        own_field(own, FieldType.TEXT)
    except InputError as error:
        better = re.sub(r"\W+", "_", f"own_{field_name(own) or 'field'}")
        raise UnclearColumns(
            f"the column {column!r} cannot be the field {own!r}: {error.what}",
            where=plan.table.label,
            mapping=(f"{better}={column}",),
        ) from None
    return own


def plan_later(plan: TablePlan, columns: Iterable[str]) -> list[str]:
    """Decide what becomes of columns that were not among the first rows, and say it."""
    new = [n for n in columns if n not in plan.table.columns and not n.startswith("\0")]
    if not new:
        return []
    plan.table.columns += new
    _by_usual_names(plan)
    _others(plan)
    lines = dict(zip(plan.table.columns, plan.lines()[1:], strict=True))
    return [f"{lines[name].strip()}, in some rows only" for name in new]


def _mark(plan: TablePlan, role: Role) -> str | None:
    name = plan.roles[role]
    spelled = folded(name)
    commas = role is not Role.ARTISTS or spelled.endswith("s")
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


def plan_lines(plans: Sequence[TablePlan], left: Sequence[str]) -> list[str]:
    """For people: every table with its columns, and the files that were left aside."""
    lines = [line for plan in plans for line in plan.lines()]
    if left:
        shown = "; ".join(left[:3]) + ("; …" if len(left) > 3 else "")
        lines.append(f"left aside {counted(len(left), 'file')}: {shown}")
    return lines
