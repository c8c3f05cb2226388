"""What becomes of the columns of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from melon.catalog.errors import UnclearColumns
from melon.catalog.importing.cells import are_lists
from melon.catalog.importing.names import OF_PLAYLISTS, Role, folded
from melon.catalog.importing.tables import Table
from melon.errors import counted


class Kind(StrEnum):
    """What the rows of a table are."""

    ENTRIES = "one row a playlist entry"
    FILES = "one row an entry of the playlist that has the file's name"
    PLAYLISTS = "one row a playlist"
    SONGS = "one row a song"


_MOST_NAMED = 40
"""Columns in an error."""

_MOST_LEFT = 10
"""Files that are said to be left aside."""

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
        return self.table.nested

    @property
    def names_playlists(self) -> bool:
        """Whether its rows say of which playlist they are."""
        return self.nested or self.has(OF_PLAYLISTS[:2])

    @property
    def names_songs(self) -> bool:
        """Whether its rows say of which song they are."""
        return self.has((Role.TRACK, Role.NAME))

    def holds_lists(self, column: str) -> bool:
        """Whether cells of a column hold several values, which may be keys."""
        if any(self.roles.get(role) == column and mark for role, mark in self.marks.items()):
            return True
        return are_lists(self.table.sampled(column), plural=folded(column).endswith("s"))

    def has(self, roles: Iterable[Role]) -> bool:
        """Whether a column has one of the roles."""
        return any(role in self.roles for role in roles)

    def give(self, role: Role, column: str, why: str = "") -> None:
        """Decide what a column is."""
        self.roles[role] = column
        if why:
            self.why[column] = why

    def unclear(self, what: str, *mapping: str) -> UnclearColumns:
        """An error that lists the columns, and proposes what to say of them."""
        return UnclearColumns(
            f"{what}; columns are {listed(self.table.columns)}",
            where=self.table.label,
            mapping=mapping,
        )

    def left_lines(self) -> list[str]:
        """For people who do not see all lines: the columns that nobody asked to leave out."""
        return [
            f"column {name!r} is left out: {why}"
            for name, why in self.left.items()
            if why != "--map"
        ]

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
        if files := len(self.table.joined):
            columns.append(f"  playlists of {counted(files, 'file')} are told by their titles")
        return [f"{self.table.label}: {self.kind}", *columns]


def listed(columns: Sequence[str]) -> str:
    """Columns, as errors name them."""
    if not columns:
        return "none"
    more = len(columns) - _MOST_NAMED
    return ", ".join(columns[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def plan_lines(plans: Sequence[TablePlan], left: Sequence[str]) -> list[str]:
    """For people: every table with its columns, and the files that were left aside."""
    lines = [line for plan in plans for line in plan.lines()]
    if left:
        shown = "; ".join(left[:_MOST_LEFT]) + ("; …" if len(left) > _MOST_LEFT else "")
        lines.append(f"left aside {counted(len(left), 'file')}: {shown}")
    return lines
