"""Every way of writing a date in Melon's files, and what is known of it."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from melon.catalog.dates import parse_issue_date, parse_updated
from melon.catalog.records import DatePrecision, IssueDate


@pytest.mark.parametrize(
    ("written", "day", "precision"),
    [
        ("20140819", date(2014, 8, 19), "day"),
        (20140819, date(2014, 8, 19), "day"),
        (" 20140819 ", date(2014, 8, 19), "day"),
        ("20160229", date(2016, 2, 29), "day"),
        ("2014-08-19", date(2014, 8, 19), "day"),
        ("2014.08.19", date(2014, 8, 19), "day"),
        ("2019-12-17 14:06:45.000", date(2019, 12, 17), "day"),
        ("20060800", date(2006, 8, 1), "month"),
        ("200608", date(2006, 8, 1), "month"),
        ("20150231", date(2015, 2, 1), "month"),
        ("20150229", date(2015, 2, 1), "month"),
        ("20060000", date(2006, 1, 1), "year"),
        (20060000, date(2006, 1, 1), "year"),
        ("20060015", date(2006, 1, 1), "year"),
        ("20061301", date(2006, 1, 1), "year"),
        ("2006", date(2006, 1, 1), "year"),
        ("18570000", date(1857, 1, 1), "year"),
        ("21001231", date(2100, 12, 31), "day"),
        ("20140819.0", date(2014, 8, 19), "day"),
        ("2014.0", date(2014, 1, 1), "year"),
        ("2014-08-19t10:00z", date(2014, 8, 19), "day"),
        ("2014-08-19T24:00", date(2014, 8, 19), "day"),
    ],
)
def test_issue_dates(written: str | int, day: date, precision: DatePrecision) -> None:
    assert parse_issue_date(written) == IssueDate(day, precision)


@pytest.mark.parametrize("written", ["", "  ", "0", 0, "00000000", "0000-00-00", None])
def test_no_date_is_no_date(written: str | int | None) -> None:
    assert parse_issue_date(written) is None
    assert parse_updated(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "18000000",
        "18561231",
        "21010101",
        "00000819",
        "soon",
        "2014081",
        "201408190",
        -1,
        "2019-12-31 99:99",
        "2019-12-31 24:01",
        "2019-12-31 23:59:60",
        "2019-12-31 10:00 or so",
        "2019-W01-1T25",
        "2019-12 10:00",
        "2019-12-31T",
    ],
)
def test_what_cannot_be_a_release_date_is_refused(written: str | int) -> None:
    with pytest.raises(ValueError, match=r"year|date|time"):
        parse_issue_date(written)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2019-12-17 14:06:45.000", datetime(2019, 12, 17, 14, 6, 45)),
        ("2019-12-17 14:06:45.250", datetime(2019, 12, 17, 14, 6, 45, 250_000)),
        ("2019-12-17", datetime(2019, 12, 17)),
        (20191217, datetime(2019, 12, 17)),
        ("2019-12-17T14:06:45Z", datetime(2019, 12, 17, 14, 6, 45)),
        ("2019-12-17T23:06:45+09:00", datetime(2019, 12, 17, 14, 6, 45)),
        ("2019-12-17t14:06:45z", datetime(2019, 12, 17, 14, 6, 45)),
        ("2019-12-17 14:06:45z", datetime(2019, 12, 17, 14, 6, 45)),
        ("2019-12-16T24:00", datetime(2019, 12, 17)),
        ("2019-12-16 24:00:00.000Z", datetime(2019, 12, 17)),
        ("20191216T240000+09:00", datetime(2019, 12, 16, 15)),
        ("20191217.0", datetime(2019, 12, 17)),
    ],
)
def test_updated(written: str | int, moment: datetime) -> None:
    assert parse_updated(written) == moment


@pytest.mark.parametrize(
    "written",
    [
        "2019-02-30 14:06:45.000",
        "2019-12-31 23:59:60",
        "2019-12-31 24:01",
        "9999-12-31 24:00",
        "0001-01-01 00:00:00+14:00",
        "9999-12-31 23:59:59-14:00",
    ],
)
def test_an_impossible_moment_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a date like"):
        parse_updated(written)
