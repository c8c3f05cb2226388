"""Whole numbers, however a file writes them."""

from __future__ import annotations

import re
from decimal import Decimal

_WRITTEN = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII)

MAX_EXACT = 2**53
"""Up to here each whole number is a float; above, a float may stand for several."""


def whole_number(value: object) -> int | None:
    """The whole number that is meant by `12`, `12.0`, `1.2e1` or a text of one; None by others."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return int(value) if value.is_integer() and abs(value) <= MAX_EXACT else None
        case str() if _WRITTEN.fullmatch(value.strip()):
            number = Decimal(value.strip())
            return int(number) if number == number.to_integral_value() else None
        case _:
            return None
