"""Texts become values: of a type that is known, or that the values of an own field tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from melon.catalog.dates import from_epoch, parse_issue_date, parse_updated, ticks_per_second
from melon.catalog.importing.cells import TEXT, hold_lists, split_cell
from melon.catalog.records import IssueDate
from melon.fields import MAX_INTEGER, Field, FieldType, own_field

_INTEGER = r"^[+-]?\d+(\.0+)?$"
_LEADING_ZERO = r"^[+-]?0\d"
_FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_TRUTH = r"^(?i:true|false)$"
_INFINITE = r"^[+-]?(?i:inf|infinity)$"
_DATED = r"^\d{4}[-./]\d\d([-./]\d\d([ T]\d\d.*)?)?$"
_LONGEST_KEYWORD = 255
_MOSTLY = 0.99
"""Share of values that have to be dates: there is no mistaking these for something else."""

UNITS = {1: "seconds", 1000: "milliseconds"}
"""Of a count since 1970, by how many of them make a second."""


def matches(values: Any, pattern: str) -> bool:
    """Whether all values match."""
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _share(values: Any, pattern: str) -> float:
    return float(pc.mean(pc.match_substring_regex(values, pattern)).as_py())


def inferred(values: Any) -> FieldType:
    """The narrowest type that all values have; there is at least one."""
    finite = values.filter(pc.invert(pc.match_substring_regex(values, _INFINITE)))
    if 0 < len(finite) < len(values) and matches(finite, _FLOAT):
        values = finite  # no number is that, but the others are numbers all the same
    if matches(values, _TRUTH):
        return FieldType.BOOL
    if matches(values, _INTEGER):
        if pc.any(pc.match_substring_regex(values, _LEADING_ZERO)).as_py():
            return FieldType.KEYWORD  # a code: its zeros mean something
        return FieldType.INTEGER if _fit(values) else FieldType.KEYWORD
    if matches(values, _FLOAT):
        return FieldType.FLOAT
    if _share(values, _DATED) >= _MOSTLY:
        distinct = values.unique().to_pylist()
        if sum(_moment(text) is not None for text in distinct) >= _MOSTLY * len(distinct):
            return FieldType.DATETIME
    longest = pc.max(pc.utf8_length(values)).as_py()
    return FieldType.TEXT if longest > _LONGEST_KEYWORD else FieldType.KEYWORD


def _fit(values: Any) -> bool:
    longest = pc.max(pc.utf8_length(values)).as_py()
    return longest <= 18 or all(_integer(text) is not None for text in values.to_pylist())


def ticks_of(values: Any) -> int | None:
    """How many of what a column counts since 1970 make a second; None if it does not."""
    if not len(values) or not matches(values, r"^\d{9,13}$"):
        return None
    return ticks_per_second(values.unique().to_pylist())


def moment_counted(ticks: int) -> Callable[[str], datetime]:
    """What makes a moment of a text that counts since 1970; so many ticks make a second."""
    return lambda text: from_epoch(text, ticks)


def day_counted(ticks: int) -> Callable[[str], IssueDate]:
    """Likewise, a day."""
    return lambda text: IssueDate(from_epoch(text, ticks).date(), "day")


def converted(cell: str | None, convert: Callable[[str], Any]) -> tuple[Any, ...]:
    """The values in a cell of several texts, without those that are none."""
    return tuple(one for text in split_cell(cell) if (one := convert(text)) is not None)


def issue_date(text: str) -> IssueDate | None:
    """The date that a text writes, None if it is none."""
    try:
        return parse_issue_date(text.removesuffix(".0"))
    except ValueError:
        return None


def like_count(text: str) -> int | None:
    """The number of likes that a text writes, None if it is none."""
    number = _integer(text.replace(",", ""))
    return None if number is None or number < 0 else number


@lru_cache(maxsize=65536)
def _moment(text: str) -> datetime | None:
    try:
        return parse_updated(text)
    except ValueError:
        return None


def conversion(type: FieldType) -> Callable[[str], Any]:
    """What makes a value of that type of a text, and None if it is none."""
    return _CONVERSIONS.get(type, str)


def _truth(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def _day(text: str) -> date | None:
    return moment.date() if (moment := _moment(text)) else None


def _integer(text: str) -> int | None:
    try:
        value = int(text)
    except ValueError:
        number = _float(text)
        if number is None or number != int(number):
            return None
        value = int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else int(number)
    return value if abs(value) <= MAX_INTEGER else None


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


_TRUE = {"true", "t", "yes", "y", "1", "ja", "j", "oui", "sí", "si"}
_FALSE = {"false", "f", "no", "n", "0", "nein", "non"}
_WHOLE = re.compile(_INTEGER)
_CONVERSIONS: dict[FieldType, Callable[[str], Any]] = {
    FieldType.BOOL: _truth,
    FieldType.INTEGER: _integer,
    FieldType.FLOAT: _float,
    FieldType.DATETIME: _moment,
    FieldType.DATE: _day,
}


def inferred_field(name: str, cells: Any) -> Field:
    """An own field of the type that its cells tell; of several values where any cell has them."""
    if not hold_lists(cells):
        return own_field(name, inferred(cells))
    values = pa.array([part for cell in cells.to_pylist() for part in split_cell(cell)], TEXT)
    return own_field(name, inferred(values) if len(values) else FieldType.KEYWORD, many=True)
