"""What people say of columns, by `--map`: it is decided before anything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from melon.catalog.errors import BadImport, UnclearColumns
from melon.catalog.importing.cells import separator
from melon.catalog.importing.names import BY_NAME, KEY_OR_NAME, ROLES, Role, field_name, folded
from melon.catalog.importing.plan import TablePlan
from melon.catalog.importing.tables import Table
from melon.errors import InputError
from melon.fields import FieldType, own_field
from melon.text import near

_ALIKE = 0.8
"""As alike as `titel` and `title`; `rate` and `date` are less."""


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


def apply_mapping(plans: Sequence[TablePlan], mapped: Sequence[Mapped]) -> None:
    """Decide what is said; what is said of one source goes before what is said of all.

    A key may be of several columns: `playlist=user+title`.

    Raises:
        BadImport: a column or a source that is named is not there, a role is misspelt, or one is
            given two columns of a table.
        UnclearColumns: no own field can have a name.
    """
    given: dict[tuple[int, str, str | None], str] = {}
    for one in sorted(mapped, key=lambda one: one.source is not None):
        concerned = [plan for plan in plans if one.concerns(plan.table)]
        if ROLES.get(one.target) in (Role.PLAYLIST, Role.TRACK):
            for plan in concerned:
                plan.table.add_joined(one.column)
        wanted = one.column or (one.target if one.target not in ROLES else "")
        having = [plan for plan in concerned if not wanted or wanted in plan.table.columns]
        if not having:
            known = list(dict.fromkeys(name for p in concerned for name in p.table.columns))
            raise BadImport(
                f"there is no column {wanted!r}" if concerned else f"no source is {one.source!r}",
                where="--map",
                hint=f"columns are {', '.join(known)}" if known else "name a file as it was given",
            )
        for plan in having:
            what = one.target.removesuffix("[]")
            before = one.column and given.setdefault((id(plan), what, one.source), one.column)
            if before != one.column:
                raise BadImport(
                    f"{what} is given two columns: {before} and {one.column}",
                    where="--map",
                    hint="give one",
                )
            _map(plan, one)


def _map(plan: TablePlan, one: Mapped) -> None:
    role = ROLES.get(one.target.removesuffix("[]"))
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
        _check_field(plan, one)
        plan.fields[one.target] = one.column
    else:
        plan.left[one.target] = "--map"


def _check_meant(one: Mapped) -> None:
    """Notice that the name of an own field was meant to be that of a role.

    Raises:
        BadImport: it is almost one, or a usual name of what a key or a name is.
    """
    meant = [name for name in near(one.target, ROLES) if _alike(one.target, name)]
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


def _check_field(plan: TablePlan, one: Mapped) -> None:
    try:
        own_field(one.target, FieldType.TEXT)
    except InputError as error:
        better = re.sub(r"\W+", "_", f"own_{field_name(one.target) or 'field'}")
        raise UnclearColumns(
            f"the column {one.column!r} cannot be the field {one.target!r}: {error.what}",
            where=plan.table.label,
            mapping=(f"{better}={one.column}",),
        ) from None
