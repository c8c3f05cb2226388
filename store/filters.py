"""A neutral filter over payloads; each engine translates it.

An empty list of values is an error here: translated, it would match everything or nothing,
depending on the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from melon.store.errors import FilterError


@dataclass(frozen=True, slots=True)
class MatchAny:
    """The field holds at least one of the values."""

    field: str
    values: tuple[str, ...] | tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise FilterError("a condition needs at least one value", where=f"field {self.field}")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """The number lies between the bounds, both inclusive."""

    field: str
    gte: int | None = None
    lte: int | None = None

    def __post_init__(self) -> None:
        _check_bounds(self.field, self.gte, self.lte)


@dataclass(frozen=True, slots=True)
class DateRange:
    """The moment lies between the bounds, both inclusive. Naive datetimes are UTC."""

    field: str
    gte: datetime | None = None
    lte: datetime | None = None

    def __post_init__(self) -> None:
        _check_bounds(
            self.field,
            utc(self.gte) if self.gte else None,
            utc(self.lte) if self.lte else None,
        )


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


Condition = MatchAny | NumberRange | DateRange | HasId | Filter


def utc(moment: datetime) -> datetime:
    """The same moment with a time zone; a naive one is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_BoundT = TypeVar("_BoundT", int, datetime)


def _check_bounds(field: str, low: _BoundT | None, high: _BoundT | None) -> None:
    if low is None and high is None:
        raise FilterError("a range needs a lower or an upper bound", where=f"field {field}")
    if low is not None and high is not None and low > high:
        raise FilterError(
            f"the range ends ({high}) before it starts ({low})", where=f"field {field}"
        )
