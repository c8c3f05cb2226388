"""A neutral filter over payloads; each engine translates it.

An empty list of values is an error here: translated, it would match everything or nothing,
depending on the engine. So is a field that the collection does not have, or has no index for
(`checked`): one engine would refuse it, the other would find nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from melon.fields import Field, FieldType, indexed_fields, payload_fields, stored_float
from melon.store.errors import FilterError
from melon.store.schema import CollectionSchema


@dataclass(frozen=True, slots=True)
class MatchAny:
    """The field, of keywords, integers or truth values, holds at least one of the values."""

    field: str
    values: tuple[str, ...] | tuple[int, ...] | tuple[bool, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise FilterError("a condition needs at least one value", where=f"field {self.field}")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """The number, an integer or a float, lies between the bounds: inclusive, or strict."""

    field: str
    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None

    def __post_init__(self) -> None:
        for bound in (self.gte, self.lte, self.gt, self.lt):
            if bound is not None and not _is_exact(bound):
                raise FilterError(
                    f"{bound} is no bound: engines compare with floats of 64 bits",
                    where=f"field {self.field}",
                )
        _check_bounds(self.field, self.gte, self.lte, self.gt, self.lt)


@dataclass(frozen=True, slots=True)
class DateRange:
    """The moment lies between the bounds: inclusive, or strict. Naive datetimes are UTC."""

    field: str
    gte: datetime | None = None
    lte: datetime | None = None
    gt: datetime | None = None
    lt: datetime | None = None

    def __post_init__(self) -> None:
        bounds = (self.gte, self.lte, self.gt, self.lt)
        _check_bounds(self.field, *(utc(bound) if bound else None for bound in bounds))


@dataclass(frozen=True, slots=True)
class HasWords:
    """Each of these words begins a word of the indexed text, in whatever order.

    `words` is what `melon.word_index` makes of a text to ask for.
    """

    field: str
    words: str

    def __post_init__(self) -> None:
        if not any(map(str.isalnum, self.words)):
            raise FilterError("there is no word to look for", where=f"field {self.field}")


@dataclass(frozen=True, slots=True)
class HasValue:
    """The field is known. It need not have an index; without one, every payload is read."""

    field: str


@dataclass(frozen=True, slots=True)
class HasId:
    """The point is one of these."""

    ids: tuple[int | str, ...]

    def __post_init__(self) -> None:
        if not self.ids:
            raise FilterError("a condition on ids needs at least one id")


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that all hold (`must`), one of which holds (`should`), none of which holds."""

    must: tuple[Condition, ...] = ()
    should: tuple[Condition, ...] = ()
    must_not: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        for part in self.must + self.should + self.must_not:
            if isinstance(part, Filter) and not part:
                raise FilterError("a filter inside another needs at least one condition")

    def __bool__(self) -> bool:
        return bool(self.must or self.should or self.must_not)

    def __and__(self, other: Filter) -> Filter:
        """Both filters at once."""
        parts = [part for part in (self, other) if part]
        if len(parts) == 1:
            return parts[0]
        if any(part.should for part in parts):
            return Filter(must=tuple(parts))
        return Filter(must=self.must + other.must, must_not=self.must_not + other.must_not)


Condition = MatchAny | NumberRange | DateRange | HasWords | HasValue | HasId | Filter


def utc(moment: datetime) -> datetime:
    """The same moment with a time zone; a naive one is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def checked(filter: Filter, schema: CollectionSchema) -> Filter:
    """The same filter, of which each condition is one that the collection has an index for.

    Ranges of integers come back with whole bounds: engines cut off what stands behind the point,
    so that `gte=2.5` would let 2 pass. Those of floats lie between the values
    that payloads may have.

    Raises:
        FilterError: a field is not there or has no index (it names those that have), or is of
            another type; or no integer lies in a range of them.
    """
    fields = {field.name: field for field in payload_fields(schema.fields)}
    return replaced(filter, lambda condition: _checked(condition, fields))


def is_scanned(filter: Filter | None, schema: CollectionSchema) -> bool:
    """Whether a search under the filter is to look at every point that passes."""
    names = {field.name for field in schema.indexed if field.index and field.index.scanned}
    return filter is not None and not names.isdisjoint(_field_names(filter))


def _field_names(filter: Filter) -> Iterator[str]:
    for condition in (*filter.must, *filter.should, *filter.must_not):
        match condition:
            case Filter():
                yield from _field_names(condition)
            case HasId():
                pass
            case _:
                yield condition.field


def replaced(filter: Filter, change: Callable[[Condition], Condition]) -> Filter:
    """The same filter with each condition changed, and those of the filters in it."""

    def one(condition: Condition) -> Condition:
        return replaced(condition, change) if isinstance(condition, Filter) else change(condition)

    return Filter(
        *(tuple(map(one, part)) for part in (filter.must, filter.should, filter.must_not))
    )


def _checked(condition: Condition, fields: Mapping[str, Field]) -> Condition:
    if isinstance(condition, HasId | Filter):
        return condition
    field = fields.get(condition.field)
    if field is not None and isinstance(condition, HasValue):
        return condition
    if field is None or field.index is None:
        indexed = [field.name for field in indexed_fields(fields.values())]
        raise FilterError(
            f"there is no field {condition.field!r} to filter by",
            hint=f"fields with an index: {', '.join(indexed)}",
        )
    allowed, name = _ALLOWED[type(condition)]
    if field.type not in allowed or (isinstance(condition, MatchAny) and not _of(field, condition)):
        raise FilterError(
            f"{name} is not what {field.type} values are filtered by", where=f"field {field.name}"
        )
    if isinstance(condition, NumberRange):
        return (_whole if field.type is FieldType.INTEGER else _apart)(condition)
    return condition


_ALLOWED: Mapping[type, tuple[tuple[FieldType, ...], str]] = {
    MatchAny: ((FieldType.KEYWORD, FieldType.INTEGER, FieldType.BOOL), "a list of such values"),
    NumberRange: ((FieldType.INTEGER, FieldType.FLOAT), "a range of numbers"),
    DateRange: ((FieldType.DATE, FieldType.DATETIME), "a range of moments"),
    HasWords: ((FieldType.TEXT,), "words"),
}
"""The types of the fields that each kind of condition may be about, and what it is called."""

_Rounding = Callable[[float], float]

NOISE = 4e-16
"""Share of a float: more than engines misread it by, and less than half of its 15th digit."""

_PYTHON_TYPES = {FieldType.KEYWORD: str, FieldType.INTEGER: int, FieldType.BOOL: bool}


def _of(field: Field, condition: MatchAny) -> bool:
    """Whether the values are of the field's type; to Python, a truth value is an integer."""
    return all(type(value) is _PYTHON_TYPES[field.type] for value in condition.values)


def _whole(range: NumberRange) -> NumberRange:
    """The same range of integers, with whole bounds."""
    return _bounded(range, gte=math.ceil, lte=math.floor, gt=math.floor, lt=math.ceil)


def _apart(range: NumberRange) -> NumberRange:
    """The same range of floats, whose bounds lie between values that payloads may have.

    These have 15 digits, and engines read some as the float beside.
    """

    def above(bound: float) -> float:
        return min(stored_float(bound) + NOISE * abs(bound), sys.float_info.max)

    def below(bound: float) -> float:
        return max(stored_float(bound) - NOISE * abs(bound), -sys.float_info.max)

    return _bounded(range, gte=below, lte=above, gt=above, lt=below)


def _bounded(
    range: NumberRange, *, gte: _Rounding, lte: _Rounding, gt: _Rounding, lt: _Rounding
) -> NumberRange:
    def bound(value: float | None, rounded: _Rounding) -> float | None:
        return None if value is None else rounded(value)

    return NumberRange(
        range.field,
        gte=bound(range.gte, gte),
        lte=bound(range.lte, lte),
        gt=bound(range.gt, gt),
        lt=bound(range.lt, lt),
    )


def _is_exact(bound: float) -> bool:
    """Whether a float of 64 bits is this very number."""
    try:
        return math.isfinite(bound) and float(bound) == bound
    except OverflowError:
        return False


_BoundT = TypeVar("_BoundT", float, datetime)


def _check_bounds(
    field: str,
    gte: _BoundT | None,
    lte: _BoundT | None,
    gt: _BoundT | None,
    lt: _BoundT | None,
) -> None:
    lows, highs = (
        [bound for bound in bounds if bound is not None] for bounds in ((gte, gt), (lte, lt))
    )
    if not lows and not highs:
        raise FilterError("a range needs a lower or an upper bound", where=f"field {field}")
    if not lows or not highs:
        return
    low, high = max(lows), min(highs)
    if low > high or (low == high and (low == gt or high == lt)):
        raise FilterError(f"nothing lies between {low} and {high}", where=f"field {field}")
