"""Dates as Melon's files write them, and how much of each is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from melon.catalog.records import IssueDate

EARLIEST_YEAR = 1857
"""Year of the first sound recording: a song cannot have been issued before it."""

LATEST_YEAR = 2100

# The separators make room for `2014-08-19` and `2014.08`.
_ISSUE_DATE = re.compile(r"(\d{4})(?:[-./]?(\d\d)(?:[-./]?(\d\d))?)?", re.ASCII)
# Of ISO 8601 also `2014-W34`, `2014-W34-2` and `2014-231`: a week, its day, a day of the year.
_WEEK_DATE = re.compile(r"(\d{4})-?W(\d\d)(?:-?(\d))?", re.ASCII | re.IGNORECASE)
_ORDINAL_DATE = re.compile(r"(\d{4})-(\d{3})", re.ASCII)

_MIDNIGHT = re.compile(r"24(?::?00){0,2}(?:[.,]0+)?(?![\d:.,])", re.ASCII)
"""The end of a day."""

_EPOCH = re.compile(r"\d{9,10}|\d{12,13}", re.ASCII)
"""Seconds or milliseconds since 1970, from the 70s on; no other date has so many digits."""


@lru_cache(maxsize=65536)
def parse_issue_date(value: str | int | None) -> IssueDate | None:
    """Read a release date such as `20140819`, `20060800`, `20060000` or `2006`.

    A part that is `00` or impossible is unknown, and so is what follows it: `20150231` is
    February 2015 and `20151301` is 2015. Days of a week (`2014-W34-2`) and of a year (`2014-231`)
    are read, too; a week without a day is known by its first. A time may follow a day, as in
    `parse_updated`. `""`, `0` and `00000000` are no date at all.

    Raises:
        ValueError: the value is no date, or its year lies outside 1857..2100.
    """
    text = known_date(value)
    if text is None:
        return None
    written, time = _parts(text)
    if (day := _day_by_number(written)) is not None:
        _check_year(day.year)
        return IssueDate(day, "day")
    match = _ISSUE_DATE.fullmatch(written)
    if match is None or (time and match[3] is None):
        raise ValueError("not a date like 20140819")
    year, month, number = (int(part or 0) for part in match.groups())
    _check_year(year)
    if not 1 <= month <= 12:
        return IssueDate(date(year, 1, 1), "year")
    try:
        return IssueDate(date(year, month, number), "day")
    except ValueError:
        return IssueDate(date(year, month, 1), "month")


def parse_updated(value: str | int | None) -> datetime | None:
    """Read when a playlist was changed, such as `2019-12-17 14:06:45.000`, as a naive time in UTC.

    A date alone is its first moment: a day, written in any of the ways of `parse_issue_date`, or
    a month or a year. A time may follow a day, after a space or a `T`, in any form of ISO 8601;
    one without a zone is taken for UTC. `""`, `0` and `0000-00-00 00:00:00` are no date at all.

    Raises:
        ValueError: the value is no date.
    """
    text = known_date(value)
    if text is None:
        return None
    try:
        try:
            is_usual = text[4:11:3] in ("-- ", "--T")  # a fourth of the time of an expression
            moment = datetime.fromisoformat(text) if is_usual else _moment(text)
        except ValueError:
            moment = _moment(text)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):  # UTC may be before the year 1, or after 9999
        raise ValueError("not a date like 2019-12-17 14:06:45.000") from None


def _moment(text: str) -> datetime:
    """The moment that a day and maybe a time write.

    Raises:
        ValueError: it is no moment.
    """
    written, time = _parts(text)
    day = _day(written, whole=bool(time))
    if _MIDNIGHT.match(time):
        day, time = day + timedelta(1), f"00{time[2:]}"
    return datetime.fromisoformat(f"{day.isoformat()}T{time or '00'}")


def _parts(text: str) -> tuple[str, str]:
    """The day and the time, "" where there is none.

    Raises:
        ValueError: there is no such time.
    """
    day, *times = re.split("[ Tt]", _digits(text), maxsplit=1)
    if not times:
        return day, ""
    time = times[0].upper()
    midnight = _MIDNIGHT.match(time)
    try:
        datetime.fromisoformat(f"2000-01-01T{f'00{time[2:]}' if midnight else time}")
    except ValueError:
        raise ValueError(f"{times[0]!r} is no time of day") from None
    return day, time


def ticks_per_second(values: Iterable[object]) -> int | None:
    """How many of what a column counts since 1970 make a second: 1, or 1000; None for no count.

    Each value that is there, and not all zeros, has to be a whole number, or written like one, of
    as many digits as moments from 1973 to 2100 have in one of the two units: no other date has.
    """
    there = (value for value in values if value == value)  # NaN is not
    units = {_unit(text) for value in there if (text := known_date(value)) is not None}
    return units.pop() if len(units) == 1 else None


def from_epoch(value: object, ticks: int) -> datetime:
    """The moment so many ticks after the beginning of 1970, naive, in UTC."""
    return datetime(1970, 1, 1) + timedelta(
        milliseconds=int(_digits(str(value).strip())) * (1000 // ticks)
    )


def _unit(text: str) -> int | None:
    text = _digits(text)
    if not _EPOCH.fullmatch(text):
        return None
    ticks = 1 if len(text) <= 10 else 1000
    return ticks if from_epoch(text, ticks).year <= LATEST_YEAR else None


def _day(text: str, *, whole: bool) -> date:
    """The first day of what is written; it has to be a `whole` day where a time follows.

    Raises:
        ValueError: it is no date.
    """
    if (day := _day_by_number(text)) is not None:
        return day
    if (match := _ISSUE_DATE.fullmatch(text)) is None:
        raise ValueError
    if whole and match[3] is None:
        raise ValueError
    return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))


def _day_by_number(text: str) -> date | None:
    """The day that a week or a year counts; None where the text is written in another way.

    Raises:
        ValueError: there is no such week or day.
    """
    if match := _WEEK_DATE.fullmatch(text):
        year, week, day = (int(part or 1) for part in match.groups())
        return date.fromisocalendar(year, week, day)
    if match := _ORDINAL_DATE.fullmatch(text):
        year, number = map(int, match.groups())
        first = date(year, 1, 1)
        if not 1 <= number <= (date(year + 1, 1, 1) - first).days:
            raise ValueError(f"{year} has no day {number}")
        return first + timedelta(number - 1)
    return None


def _check_year(year: int) -> None:
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError(f"the year is not in {EARLIEST_YEAR}..{LATEST_YEAR}")


def _digits(text: str) -> str:
    """A whole number without its `.0`; anything else as it is."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text


def known_date(value: object) -> str | None:
    """Strip a written date; None if it is empty or all zeros."""
    text = "" if value is None else str(value).strip()
    return text if text.strip("0-:./ T") else None
