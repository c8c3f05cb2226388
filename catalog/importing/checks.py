"""What is refused of a plan, or asked about, with what to do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.errors import BadImport, shortened
from melon.catalog.importing.cells import TEXT, are_keys, hold_objects, joined_lists, separator
from melon.catalog.importing.kinds import inferred
from melon.catalog.importing.names import BY_NAME, KEY_OR_NAME, LAST_RESORTS, Role, folded, meaning
from melon.catalog.importing.nested import short_name
from melon.catalog.importing.objects import TRACKS
from melon.catalog.importing.plan import Kind, TablePlan, listed
from melon.fields import FieldType

_LEAST_SEVERAL = 0.5
"""Share of keys with several names from which on they are no keys."""


def check_numbered(plan: TablePlan) -> None:
    """Notice `track_1`, `track_2`: of a column for each song, no more than one would be read.

    Raises:
        BadImport: there are such, and nothing else is plainly the song.
    """
    track = plan.roles.get(Role.TRACK)
    families: dict[str, list[str]] = {}
    for name in (*plan.open, *filter(None, [track])):
        families.setdefault(folded(name).rstrip("0123456789"), []).append(name)
    for called, names in families.items():
        key = KEY_OR_NAME.get(called, (None,))[0] or BY_NAME.get(called)
        if key is not Role.TRACK or track not in (None, *names):
            continue
        first, *others = (plan.table.sampled(name) for name in names)
        if not all(map(first.equals, others)):
            raise BadImport(
                f"there is a column for each song, not a row: {listed(names)}",
                where=plan.table.label,
                hint="write a row for each song of a playlist, or leave all columns out but one: "
                f"--map {shlex.quote(f'{names[-1]}=')}",
            )


def check_keys(plan: TablePlan) -> None:
    """Notice that a column `track` or `song` has the numbers of songs on their albums.

    Raises:
        UnclearColumns: its values are integers that count up, or that go with several names each,
            and no integer comes again with its name.
    """
    key, called = plan.roles.get(Role.TRACK, ""), plan.roles.get(Role.NAME)
    if called is None or folded(short_name(key)) not in KEY_OR_NAME or plan.why.get(key) == "--map":
        return
    columns = {"key": key, "name": called}
    frame = pd.DataFrame({k: plan.table.sampled(v).to_pylist() for k, v in columns.items()})
    frame = frame.dropna()
    numbers = pd.to_numeric(frame["key"], errors="coerce")
    if len(frame) < 2 or numbers.isna().any():
        return
    names = frame.groupby("key")["name"].nunique()
    counting = ((numbers.diff().fillna(numbers) == 1) | (numbers == 1)).all()
    if len(names) < len(frame) and names.max() == 1:
        return
    if counting or (names > 1).mean() > _LEAST_SEVERAL:
        raise plan.unclear(
            f"the column {key!r} seems to number the songs of an album; if it is the key of the "
            f"song, {Role.TRACK}={key}",
            f"track_number={key}",
        )


def check_titles(plan: TablePlan, title: str) -> None:
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
            hint=f"take both for the key: --map {shlex.quote(f'{Role.PLAYLIST}={user}+{title}')}; "
            f"or those of one title for one: --map {shlex.quote(f'{Role.TITLE}={title}')}",
        )


def check_files(plan: TablePlan) -> None:
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
        raise lacking(plan, Role.PLAYLIST)


def check_objects(plan: TablePlan) -> None:
    """Notice objects in place of keys, and tracks that are no more than a field of their own.

    Raises:
        BadImport: there are such.
    """
    keys = {plan.roles.get(role) for role in (Role.PLAYLIST, Role.TRACK)}
    own = {name for name in plan.fields.values() if name.rpartition(".")[2].lower() in TRACKS}
    if wrong := [name for name in _objects(plan) if name in keys | own]:
        raise _not_in_each(plan, wrong)


def check_playlists(plans: Sequence[TablePlan]) -> None:
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
    raise lacking(plan, Role.PLAYLIST if plan.kind is Kind.SONGS else Role.TRACK)


def lacking(plan: TablePlan, *roles: Role) -> BadImport:
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


def _objects(plan: TablePlan) -> list[str]:
    """The columns that hold objects, in lists or as texts, or are of one in place of tracks."""
    lists = (name for part in plan.table.parts for name in part.lists)
    others = (
        name
        for name in plan.table.columns
        if name.startswith("tracks.") or hold_objects(plan.table.sampled(name))
    )
    return [*dict.fromkeys((*lists, *others))]


def _not_in_each(plan: TablePlan, objects: Sequence[str]) -> BadImport:
    return BadImport(
        f"there are objects ({listed(objects)}), but no playlists with a list of their tracks in "
        "each",
        where=plan.table.label,
        hint='write playlists as JSON, [{"name": …, "tracks": [{…}, …]}, …], or leave columns out: '
        f"--map {shlex.quote(f'{objects[0]}=')}",
    )


def _lists_beside(plan: TablePlan) -> str:
    """What to do about lists of a document that are not read, if there are any."""
    beside = next((part.beside for part in plan.table.parts if part.beside), "")
    return beside and (
        f"lists beside it are not read ({beside}): write each into a file of its own, and import "
        "them together"
    )


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
