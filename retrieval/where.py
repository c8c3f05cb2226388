"""Conditions on fields of songs, as text (`bpm >= 120`) or as values (`{"bpm": {"gte": 120}}`).

What a field's values may be is known only by the release: see `field_filters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from melon.retrieval.errors import ConstraintError

Value = bool | int | float | str | date
"""Of a field: keywords and dates are text, dates may be `datetime.date` or `datetime` as well."""

Wanted = Value | Sequence[Value] | Mapping[str, Value | Sequence[Value]]
"""What is wanted of a field: a value, one of several, or bounds and lists by their names."""

IN, NOT_IN = "in", "not in"

OPERATORS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "in": IN, "not": NOT_IN}
"""The names of conditions in `Constraints.fields`, and how they are written."""

EXAMPLES = '"bpm >= 120", "language in (ko, en)", "explicit = true" or "label != \'A & M\'"'

_CLAUSE = re.compile(
    r"(?P<field>[^<>=!]+?)\s*(?P<operator><=|>=|==|!=|=|<|>|(?<=\s)(?:not\s+)?in(?=\s*\())"
    r"(?P<values>.*)",
    re.DOTALL | re.IGNORECASE,
)
_QUOTED = re.compile(
    r"""\s*(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)\s*""", re.DOTALL
)
_ONE_OF_SEVERAL = re.compile(r"""(?!\s*["'])[^,()]*|""")


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on one field.

    Attributes:
        field: its name.
        operator: `>=`, `>`, `<=`, `<`, `in` or `not in`.
        values: one bound, or one or more values.
        written: whether the values are text, to be read by the field's type.
    """

    field: str
    operator: str
    values: tuple[Any, ...]
    written: bool = False

    def __str__(self) -> str:
        shown = [value if self.written else _shown(value) for value in self.values]
        if self.operator in (IN, NOT_IN) and len(shown) > 1:
            return f"{self.field} {self.operator} ({', '.join(shown)})"
        return f"{self.field} {_SHORT.get(self.operator, self.operator)} {shown[0]}"


_SHORT = {IN: "=", NOT_IN: "!="}


def parse_where(text: str) -> Clause:
    """Read a condition like `bpm >= 120`, `language not in (ko, en)` or `label = "A & M"`.

    Operators are `=`, `!=`, `<`, `<=`, `>`, `>=`, `in (…)` and `not in (…)`. Values may stand in
    quotes, where a backslash makes the next character one of the text.

    Raises:
        ConstraintError: it is none, or a value is missing.
    """
    parts = _CLAUSE.fullmatch(text.strip())
    if parts is None or not parts["field"].strip():
        raise ConstraintError(f"{text!r} is not a condition on a field", hint=f"write {EXAMPLES}")
    field, operator = parts["field"].strip(), " ".join(parts["operator"].lower().split())
    if operator in (IN, NOT_IN):
        return Clause(field, operator, tuple(_listed(text, parts["values"])), written=True)
    operator = {"=": IN, "==": IN, "!=": NOT_IN}.get(operator, operator)
    return Clause(field, operator, (_single(text, parts["values"]),), written=True)


def _single(text: str, written: str) -> str:
    """The value after an operator, with or without quotes.

    Raises:
        ConstraintError: there is none, or it looks like a condition itself.
    """
    if quoted := _QUOTED.fullmatch(written):
        return _unquoted(quoted)
    value = written.strip()
    if not value:
        raise ConstraintError(f"{text!r} lacks a value", hint=f"write {EXAMPLES}")
    if value[0] in "\"'" or re.search("[<>=]", value):
        raise ConstraintError(
            f"{text!r} is not a condition on a field: {value!r} is no single value",
            hint="put the value in quotes; give each condition on its own, for all have to hold",
        )
    return value


def _listed(text: str, written: str) -> Iterator[str]:
    """The values of a list in parentheses.

    Raises:
        ConstraintError: there are none, one is empty, or the list is not closed.
    """
    rest = written.strip()[1:]
    while True:
        found = _QUOTED.match(rest) or _ONE_OF_SEVERAL.match(rest)
        assert found is not None
        value = _unquoted(found) if found.re is _QUOTED else found[0].strip()
        if not found[0].strip():
            raise ConstraintError(f"{text!r} lacks a value", hint=f"write {EXAMPLES}")
        yield value
        rest = rest[found.end() :]
        if rest.strip() == ")":
            return
        if not rest.startswith(","):
            raise ConstraintError(
                f"{text!r} does not end with one list of values",
                hint='write "language in (ko, en)", with quotes around a value that has , ( or )',
            )
        rest = rest[1:]


def _unquoted(quoted: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", quoted["text"], flags=re.DOTALL)


def clauses_of(fields: Mapping[str, Wanted]) -> Iterator[Clause]:
    """The conditions that values by fields' names stand for, as `Constraints.fields` has them.

    Raises:
        ConstraintError: one is of no form that is known, or empty.
    """
    for field, wanted in fields.items():
        if not isinstance(wanted, Mapping):
            yield Clause(field, IN, _values(field, wanted))
            continue
        if not wanted:
            raise ConstraintError("nothing is wanted of it", where=f"field {field}", hint=_FORMS)
        for name, value in wanted.items():
            if name == "all":
                yield from (Clause(field, IN, (each,)) for each in _values(field, value))
            elif name not in OPERATORS:
                raise ConstraintError(
                    f"{name!r} is no condition", where=f"field {field}", hint=_FORMS
                )
            elif name in ("in", "not"):
                yield Clause(field, OPERATORS[name], _values(field, value))
            elif isinstance(value, Mapping | list | tuple | set | frozenset):
                raise ConstraintError(
                    f"{name} takes one value, not {value!r}", where=f"field {field}", hint=_FORMS
                )
            else:
                yield Clause(field, OPERATORS[name], (value,))


_FORMS = (
    'write a value, a list of values, or {"gte": 120, "lt": 130} with gte, gt, lte, lt, in, not '
    "or all"
)


def _values(field: str, wanted: Any) -> tuple[Any, ...]:
    """One value or several.

    Raises:
        ConstraintError: there are none.
    """
    values = tuple(wanted) if isinstance(wanted, list | tuple | set | frozenset) else (wanted,)
    if not values:
        raise ConstraintError(
            "a list of values is empty: no song has one of none",
            where=f"field {field}",
            hint="leave the field out to allow every value",
        )
    return values


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
