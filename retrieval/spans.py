"""What values of fields stand for: spans of a field's order.

`2020-03` lasts a month, a keyword from itself to itself. What several conditions on one field let
pass together is then an intersection.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from melon.fields import MAX_INTEGER, FieldType
from melon.retrieval.days import days, in_utc, parse_period
from melon.text import clean_text

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

End = tuple[Any, int]
"""A value where a span ends, and 0 where it belongs to the span: else 1 if that is above it, or
-1 if it is below."""


class Span(NamedTuple):
    """What lies between two ends; None is no end."""

    low: End | None
    high: End | None

    def __and__(self, other: Span) -> Span:
        """What lies in both."""
        lows = [end for end in (self.low, other.low) if end is not None]
        highs = [end for end in (self.high, other.high) if end is not None]
        return Span(max(lows, default=None), min(highs, default=None))

    def __bool__(self) -> bool:
        """Whether anything may lie in it."""
        return self.low is None or self.high is None or self.low <= self.high

    def is_within(self, other: Span) -> bool:
        """Whether all of it lies in another."""
        return self & other == self

    @property
    def value(self) -> Any:
        """The only value that lies in it, or None."""
        return self.low[0] if self.low is not None and self.low == self.high else None


class ValueKind(NamedTuple):
    """How values of a type are taken from programs and read from text; both raise ValueErrors."""

    wanted: str
    ordered: bool
    take: Callable[[Any], Span]
    read: Callable[[str], Span]


def _point(value: Any) -> Span:
    return Span((value, 0), (value, 0))


def _keyword(value: Any) -> Span:
    text = clean_text(value) if isinstance(value, str) else None
    if text is None:
        raise ValueError(value)
    return _point(text)


def _bool(value: Any) -> Span:
    if not isinstance(value, bool | np.bool_):
        raise ValueError(value)
    return _point(bool(value))


def _read_bool(text: str) -> Span:
    return _bool({"true": True, "false": False}.get(text.casefold()))


def _number(value: Any) -> Span:
    if isinstance(value, bool) or not (isinstance(value, Real | Decimal) and math.isfinite(value)):
        raise ValueError(value)
    return _point(int(value) if isinstance(value, Integral) else float(value))


def _read_number(text: str) -> Span:
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return _number(int(text) if text.lstrip("+-").isdigit() else float(text))


def _period(value: Any) -> Span:
    if isinstance(value, str):
        return _read_period(value)
    if value != value:  # pandas' NaT, which is a datetime
        raise ValueError(value)
    if isinstance(value, datetime):
        return _point(in_utc(value))
    if isinstance(value, date):
        return _lasting(*days(value, value))
    raise ValueError(value)


def _read_period(text: str) -> Span:
    return _lasting(*parse_period(text))


def _lasting(first: datetime, last: datetime) -> Span:
    return Span((first, 0), (last, 0))


_DATES = ValueKind("a date like 2020, 2020-03-31 or 2020-03-31T12:00", True, _period, _read_period)

KINDS: Mapping[FieldType, ValueKind] = {
    FieldType.KEYWORD: ValueKind("a text", False, _keyword, _keyword),
    FieldType.BOOL: ValueKind("true or false", False, _bool, _read_bool),
    FieldType.INTEGER: ValueKind("a whole number", True, _number, _read_number),
    FieldType.FLOAT: ValueKind("a number", True, _number, _read_number),
    FieldType.DATE: _DATES,
    FieldType.DATETIME: _DATES,
}


def between(operator: str, span: Span) -> Span:
    """What lies beyond a span, or from it on; itself for a list."""
    assert span.low is not None
    assert span.high is not None
    match operator:
        case ">=":
            return Span(span.low, None)
        case ">":
            return Span((span.high[0], 1), None)
        case "<=":
            return Span(None, span.high)
        case "<":
            return Span(None, (span.low[0], -1))
        case _:
            return span


def whole_numbers(span: Span) -> Span:
    """The integers of a span.

    Raises:
        ValueError: an end is beyond what a payload can hold.
    """

    def end(bound: End | None, rounded: Callable[[float], int]) -> End | None:
        if bound is None:
            return None
        value, side = bound
        whole = rounded(value)
        whole += side if whole == value else 0
        if abs(whole) > MAX_INTEGER:
            raise ValueError(whole)
        return whole, 0

    return Span(end(span.low, math.ceil), end(span.high, math.floor))


def intersection(groups: Sequence[Sequence[Span]]) -> list[Span]:
    """What lies in a span of every group."""
    first, *others = groups
    for group in others:
        first = [both for one in first for other in group if (both := one & other)]
    return list(dict.fromkeys(first))
