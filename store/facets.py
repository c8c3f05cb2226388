"""Counting the points that hold each value of a field, the same on every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from melon.fields import Field, FieldType
from melon.store.errors import RequestRefused

FacetValue = str | int | bool
Facets = list[tuple[FacetValue, int]]

ALL_VALUES = 2**31 - 1
"""As the limit of a facet: more values than a field can have."""


def facet_fields(fields: Sequence[Field]) -> list[str]:
    """Names of the fields whose values can be counted: those that are looked up by value."""
    return [field.name for field in fields if _is_counted(field)]


def check_facet(fields: Sequence[Field], name: str, limit: int) -> None:
    """Refuse what one engine would answer and another not.

    Raises:
        RequestRefused: the values of the field cannot be counted, or `limit` is below 1.
    """
    if limit < 1:
        raise RequestRefused(f"{limit} values were asked for", hint="ask for 1 at least")
    if name not in (counted := facet_fields(fields)):
        raise RequestRefused(
            "the values of this field cannot be counted",
            where=f"field {name}",
            hint=f"fields with an index of whole values are {', '.join(counted)}",
        )


def most_frequent(ask: Callable[[int], Facets], limit: int) -> Facets:
    """The `limit` values that most points hold; of equal counts, the smaller values.

    An engine cuts equal counts off as it likes, so it is asked for more values until the count
    changes.

    Args:
        ask: at most so many values, with exact counts, those of the largest counts first.
    """
    asked = limit + 1
    while True:
        found = sorted(ask(asked), key=lambda pair: (-pair[1], pair[0]))
        if len(found) <= limit or len(found) < asked or found[-1][1] < found[limit - 1][1]:
            return found[:limit]
        asked *= 4


def _is_counted(field: Field) -> bool:
    if field.index is None or field.index.range_only:
        return False
    return field.type in (FieldType.KEYWORD, FieldType.INTEGER, FieldType.BOOL)
