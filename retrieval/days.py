"""Days and moments as people write them, and how long what they write lasts."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from melon.retrieval.errors import ConstraintError

DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)

MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)

LASTS = (timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1), timedelta(microseconds=1))
"""What is written to the hour, the minute, the second, or more exactly."""


def parse_day(text: str, *, end: bool = False) -> date:
    """Read `2015`, `2015-03` or `2015-03-31`; a year or month is its first or (`end`) last day.

    Raises:
        ConstraintError: it is not a date.
    """
    parts = DAY.fullmatch(text.strip())
    try:
        if parts is None:
            raise ValueError
        year, month = int(parts[1]), int(parts[2] or (12 if end else 1))
        return date(year, month, int(parts[3] or (monthrange(year, month)[1] if end else 1)))
    except ValueError as error:
        raise ConstraintError(
            f"{text!r} is not a date" + (f": {error}" if parts else ""),
            hint="write 2015, 2015-03 or 2015-03-31",
        ) from None


def days(first: date, last: date) -> tuple[datetime, datetime]:
    """The first and the last moment of some days, in UTC."""
    return datetime.combine(first, time.min, UTC), datetime.combine(last, time.max, UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a zone is taken for that."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_period(text: str) -> tuple[datetime, datetime]:
    """The first and the last moment of what is written: a year, a month, a day, an hour, …

    A time without a zone is taken for UTC.

    Raises:
        ValueError: it is none.
        ConstraintError: the calendar has no such day.
    """
    text = text.strip().upper()
    if (parts := MOMENT.fullmatch(text)) is None:
        if not DAY.fullmatch(text):
            raise ValueError(text)
        return days(parse_day(text), parse_day(text, end=True))
    first = in_utc(datetime.fromisoformat(text))
    exactly = sum(part is not None for part in parts.group(1, 2, 3))
    return first, first + (LASTS[exactly] - LASTS[-1])
