"""Which column of a table has which role: by its name, or where that is not enough, its values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from melon.catalog.errors import UnclearColumns
from melon.catalog.importing.cells import are_keys, are_numbers, number_rows
from melon.catalog.importing.checks import check_keys, check_numbered
from melon.catalog.importing.names import (
    BARE,
    BY_NAME,
    KEY_OR_NAME,
    LAST_RESORTS,
    OF_PLAYLISTS,
    OF_SONGS,
    ROW_LABELS,
    Role,
    folded,
    meaning,
)
from melon.catalog.importing.nested import OF_PLAYLIST, OF_TRACK, short_name
from melon.catalog.importing.plan import TablePlan

_LEAST_SHARED = 0.5
"""Share of a table's keys that another has, from which on they are of the same things."""


def give_roles(plans: Sequence[TablePlan]) -> None:
    """Find the roles of what is still open.

    Raises:
        UnclearColumns: a column may have one of several, or stands for what no column plainly is.
        BadImport: there is a column for each song of a playlist.
    """
    for plan in plans:
        by_usual_names(plan)
        _key_or_name(plan)
        check_numbered(plan)
    for plan in plans:
        _bare_names(plan, plans)
    _last_resorts(plans)
    for plan in plans:
        _bare_names(plan, plans)
        check_keys(plan)


def by_usual_names(plan: TablePlan) -> None:
    """Give columns the roles that their names say; of several for one role the most usual."""
    for spelled in _SPELLINGS:
        found: dict[Role, list[str]] = {}
        for name in plan.open:
            role = BY_NAME.get(folded(spelled(name)))
            if role and role not in plan.roles and role not in _impossible(name):
                found.setdefault(role, []).append(name)
        for role, names in found.items():
            plan.give(role, min(names, key=_rank))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


_SPELLINGS: tuple[Callable[[str], str], ...] = (str, short_name, _last)
_RANK = {name: rank for rank, name in enumerate(BY_NAME)}


def _rank(name: str) -> int:
    return min(_RANK.get(folded(spelled(name)), 999) for spelled in _SPELLINGS)


def _impossible(name: str) -> tuple[Role, ...]:
    """What a column cannot be, for in a document it is of the playlist, or of its tracks."""
    if name.startswith(OF_PLAYLIST):
        return (*OF_SONGS, Role.POSITION)
    return OF_PLAYLISTS if name.startswith(OF_TRACK) else ()


def _key_or_name(plan: TablePlan) -> None:
    """`playlist`, `track`, `song`: a key if another column is the name, or if its values say so."""
    for name in plan.open:
        pair = KEY_OR_NAME.get(folded(short_name(name)))
        if pair is None or pair[0] in _impossible(name):
            continue
        key, called = pair
        if key in plan.roles and called in plan.roles:
            continue
        if key in plan.roles:
            if not (key is Role.TRACK and are_numbers(plan.table.sampled(name))):  # on an album
                plan.give(called, name)
        elif called in plan.roles:
            plan.give(key, name)
        elif are_keys(plan.table.sampled(name), words=key is Role.TRACK):
            plan.give(key, name, "its values are keys")
        else:
            plan.give(called, name, "its values are names")


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
    labels = folded(name) in ROW_LABELS
    if labels and are_numbers(plan.table.sampled(name)):
        return None
    for key, member, owner in (
        (Role.TRACK, of_song, of_playlist),
        (Role.PLAYLIST, of_playlist, of_song),
    ):
        if not plan.nested and key in plan.roles and plan.holds_lists(plan.roles[key]):
            return member if plan.holds_lists(name) else owner
    playlists = plan.has(OF_PLAYLISTS)
    songs = plan.has((*OF_SONGS, Role.POSITION))
    if playlists and not songs:
        return of_playlist
    if songs and not playlists:
        return of_song
    if not songs:
        return _by_the_others(plan, plans, name, pair)
    if labels:
        return None  # of entries
    free = [role for role in pair if role not in plan.roles]
    if of_song is Role.TRACK and free == [Role.TRACK]:
        if number_rows(plan.table.sampled(name)) and Role.NAME in plan.roles:
            raise _unclear(plan, name, free)
        return Role.TRACK
    if free == [of_song]:
        return of_song
    if not free or of_song is Role.TRACK:
        return None
    level = _level(plan, name)
    if level is None:
        raise _unclear(plan, name, free)
    return of_playlist if level == "playlist" and of_playlist in free else of_song


def _unclear(plan: TablePlan, name: str, roles: Sequence[Role]) -> UnclearColumns:
    return plan.unclear(f"the column {name!r} may be the {meaning(*roles)}", f"{roles[0]}={name}")


def _by_the_others(
    plan: TablePlan, plans: Sequence[TablePlan], name: str, pair: tuple[Role, Role]
) -> Role | None:
    """The table's name tells whose its rows are: `artists.csv` beside a column `artistID`.

    So do keys that are those of other tables, but for numbers, which may be of anything.
    """
    keys = plan.table.sampled(name).unique()
    if Role.TRACK in pair and not are_numbers(keys):
        shared = [role for role in pair if any(_share(keys, one, role) for one in plans)]
        if len(shared) == 1:
            return shared[0]
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


def _share(keys: Any, plan: TablePlan, role: Role) -> bool:
    """Whether at least half of the keys are those that a column of a table has."""
    if role not in plan.roles:
        return False
    known = plan.table.sampled(plan.roles[role])
    return (pc.mean(pc.is_in(keys, known)).as_py() or 0) >= _LEAST_SHARED


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
    entries = [plan for plan in plans if plan.names_playlists]
    if not entries:
        entries = [plan for plan in plans if _last_resort(plan, Role.PLAYLIST, asked)]
    if not any(plan.names_songs for plan in entries):
        for plan in entries:
            _last_resort(plan, Role.TRACK, asked)
    if asked:
        roles = " or the ".join(one.partition("=")[0] for one in asked)
        plan = next(iter(asked.values()))
        raise plan.unclear(f"no column is plainly the {roles}", *asked)


def _last_resort(plan: TablePlan, role: Role, asked: dict[str, TablePlan]) -> bool:
    usual = [folded(name) for name in LAST_RESORTS[role]]
    columns = [name for name in plan.open if folded(name) in usual]
    if columns:
        best = min(columns, key=lambda name: usual.index(folded(name)))
        asked.setdefault(f"{role}={best}", plan)
    return bool(columns)
