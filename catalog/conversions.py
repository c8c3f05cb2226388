"""What the values of a file become in records, and what of them is dropped and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from melon.catalog.corpus_keys import Keys
from melon.catalog.dates import from_epoch, parse_issue_date, parse_updated, ticks_per_second
from melon.catalog.errors import shortened
from melon.catalog.json_stream import JsonArray
from melon.catalog.numbers import whole_number
from melon.catalog.records import IssueDate
from melon.catalog.report import Cause
from melon.catalog.source import RecordSource
from melon.fields import Field, FieldType
from melon.text import clean_text

DateT = TypeVar("DateT")

GENRE_FIELDS = {"genres", "detail_genres"}
"""Fields whose values have to be among the genres, where these are known."""


def conversion(
    field: Field, source: RecordSource, keys: Keys, genres: frozenset[str] | None
) -> Callable[[Any], Any]:
    """A function that turns a value of the file into the record's."""
    name = str(field.source)
    if field.name in GENRE_FIELDS:
        return lambda codes: _codes(codes, name, genres, source)
    if field.name == "songs":
        return lambda songs: _song_ids(songs, keys, source)
    match field.type:
        case FieldType.TEXT | FieldType.KEYWORD:
            return _texts if field.many else clean_text
        case FieldType.DATE if field.name == "issue_date":
            return _dates(parse_issue_date, _issued, name, source)
        case FieldType.DATE:
            return _each(field, _dates(_parse_day, datetime.date, name, source))
        case FieldType.DATETIME:
            return _each(field, _dates(parse_updated, _same, name, source))
        case _:
            return _tuple if field.many else _same


def _each(field: Field, convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The conversion of a value, or of each of the values where the field holds a list of them."""
    if not field.many:
        return convert
    return lambda values: tuple(
        made for value in values or () if (made := convert(value)) is not None
    )


def _parse_day(value: str | int | None) -> date | None:
    issued = parse_issue_date(value)
    return issued.day if issued else None


def _song_ids(songs: list[int | str], keys: Keys, source: RecordSource) -> tuple[int, ...]:
    try:
        sum(songs)  # type: ignore[arg-type]  # the quickest way to tell that none is a string
        return tuple(songs)  # type: ignore[arg-type]
    except TypeError:
        return tuple(_ids_of(songs, keys, source))


def _ids_of(songs: list[int | str], keys: Keys, source: RecordSource) -> Iterator[int]:
    for place, song in enumerate(songs):
        if isinstance(song, int):
            yield song
        elif key := clean_text(song):
            yield keys.song(key)
        else:
            source.note(Cause.BLANK_SONG, f"songs[{place}]", "the song's key is blank")


def _tuple(values: list[Any] | None) -> tuple[Any, ...]:
    return tuple(values or ())


def _same(value: Any) -> Any:
    return value


def _texts(texts: Iterable[str] | None) -> tuple[str, ...]:
    """The texts, cleaned, without those that are blank."""
    if not texts:
        return ()
    return tuple([clean for text in texts if (clean := clean_text(text))])


# There are few combinations of codes, and every song holds two: equal ones share one body.
@lru_cache(maxsize=65536)
def _distinct_codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_texts(codes)))


def _codes(
    written: list[str] | None, field: str, known: frozenset[str] | None, source: RecordSource
) -> tuple[str, ...]:
    if not written:
        return ()
    codes = _distinct_codes(tuple(written))
    if known is None or known.issuperset(codes):
        return codes
    for code in codes:
        if code not in known:
            source.note(Cause.UNKNOWN_GENRE, field, f"{shortened(code)} is not among the genres")
    return _distinct_codes(tuple(code for code in codes if code in known))


def _dates(
    parse: Callable[[str | int | None], DateT | None],
    of_moment: Callable[[datetime], DateT],
    field: str,
    source: RecordSource,
) -> Callable[[str | int | None], DateT | None]:
    """A function that reads the dates of a field, as `parse` does or as what counts from 1970."""
    column = _Column(source.path, field)

    def read(value: str | int | None) -> DateT | None:
        try:
            return parse(value)
        except ValueError as error:
            if ticks_per_second([value]) and (ticks := column.ticks):
                return of_moment(from_epoch(value, ticks))
            source.note(Cause.UNREADABLE_DATE, field, f"{shortened(value)}: {error}")
            return None

    return read


def _issued(moment: datetime) -> IssueDate:
    return IssueDate(moment.date(), "day")


class _Column:
    """All values of a field of a file, which is read for them when they are first needed."""

    def __init__(self, path: Path, field: str) -> None:
        self._path = path
        self._field = field

    @cached_property
    def ticks(self) -> int | None:
        """What the values count, if all of them count from 1970; see `ticks_per_second`."""
        return ticks_per_second(self._values())

    def _values(self) -> Iterator[object]:
        for record in JsonArray(self._path, constants=True):
            value = record.get(self._field) if isinstance(record, dict) else None
            for one in value if isinstance(value, list) else [value]:
                number = whole_number(one)
                yield one if number is None else number
