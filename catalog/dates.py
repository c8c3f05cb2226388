"""Dates as Melon's files write them, and how much of each is known."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from melon.catalog.records import IssueDate

EARLIEST_YEAR = 1857
"""Year of the first sound recording: a song cannot have been issued before it."""

LATEST_YEAR = 2100

# The separators make room for `2014-08-19` and `2014.08`; a time of day may follow a whole date.
_ISSUE_DATE = re.compile(r"(\d{4})(?:[-./]?(\d\d)(?:[-./]?(\d\d)(?:[ T]\d\d:.*)?)?)?")


@lru_cache(maxsize=65536)
def parse_issue_date(value: str | int | None) -> IssueDate | None:
    """Read a release date such as `20140819`, `20060800`, `20060000` or `2006`.

    A part that is `00` or impossible is unknown, and so is what follows it: `20150231` is
    February 2015 and `20151301` is 2015. `""`, `0` and `00000000` are no date at all.

    Raises:
        ValueError: the value is no date, or its year lies outside 1857..2100.
    """
    text = _known(value)
    if text is None:
        return None
    match = _ISSUE_DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a date like 20140819")
    year, month, day = (int(part or 0) for part in match.groups())
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError(f"the year is not in {EARLIEST_YEAR}..{LATEST_YEAR}")
    if not 1 <= month <= 12:
        return IssueDate(date(year, 1, 1), "year")
    try:
        return IssueDate(date(year, month, day), "day")
    except ValueError:
        return IssueDate(date(year, month, 1), "month")


def parse_updated(value: str | int | None) -> datetime | None:
    """Read when a playlist was changed, such as `2019-12-17 14:06:45.000`, as a naive time in UTC.

    Any form of ISO 8601 may be used; a time without a zone is taken for UTC. `""`, `0` and
    `0000-00-00 00:00:00` are no date at all.

    Raises:
        ValueError: the value is no date.
    """
    text = _known(value)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):  # UTC may be before the year 1, or after 9999
        raise ValueError("not a date like 2019-12-17 14:06:45.000") from None


def _known(value: str | int | None) -> str | None:
    """Strip a written date; None if it is empty or all zeros."""
    text = "" if value is None else str(value).strip()
    return text if text.strip("0-:./ T") else None
