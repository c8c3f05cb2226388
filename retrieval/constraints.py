"""Which songs may be recommended: constraints on metadata, applied inside Qdrant."""

from __future__ import annotations

import difflib
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from melon.errors import InputError
from melon.retrieval.query import SongIds, Text
from melon.store import (
    Collection,
    Condition,
    DateRange,
    Filter,
    HasId,
    MatchAny,
    NumberRange,
    ReleaseReader,
    genre_year,
    name_key,
)

DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
GENRE_CODE = re.compile(r"GN\d{4}", re.ASCII)
POPULAR = 1000
"""Songs whose artists are looked through for the one that a misspelt name may mean."""

MOST_GENRE_YEARS = 200
"""Genres times years up to which they are looked up together."""


class ConstraintError(InputError):
    """A constraint that is empty, contradicts itself, or names what the store does not know."""


def parse_day(text: str, *, end: bool = False) -> date:
    """Read `2015`, `2015-03` or `2015-03-31`; a year or month is its first or (`end`) last day.

    Raises:
        ConstraintError: it is not a date.
    """
    try:
        if (found := DAY.fullmatch(text.strip())) is None:
            raise ValueError
        year, month = int(found[1]), int(found[2] or (12 if end else 1))
        return date(year, month, int(found[3] or (monthrange(year, month)[1] if end else 1)))
    except ValueError:
        raise ConstraintError(
            f"{text!r} is not a date", hint="write 2015, 2015-03 or 2015-03-31"
        ) from None


def _first_day(value: object) -> object:
    return parse_day(value) if isinstance(value, str) else _not_a_number(value)


def _last_day(value: object) -> object:
    return parse_day(value, end=True) if isinstance(value, str) else _not_a_number(value)


def _not_a_number(value: object) -> object:
    """Refuse what pydantic would take for seconds since 1970."""
    if isinstance(value, int | float):
        raise ConstraintError(f"{value!r} is not a date", hint='write "2015", or a `datetime.date`')
    return value


def _not_empty(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if values == ():
        raise ConstraintError(
            "a list of genres or artists is empty: no song has one of none",
            hint="leave the constraint out to allow every song",
        )
    return values


Names = Annotated[tuple[Text, ...] | None, AfterValidator(_not_empty)]
Since = Annotated[date | None, BeforeValidator(_first_day)]
Until = Annotated[date | None, BeforeValidator(_last_day)]


class Constraints(BaseModel):
    """What a recommended song must be. Without any, every song may be recommended.

    Genres are codes (`GN0100`, `GN0101`) or names; artists are whole names; case does not matter.
    Dates are inclusive, and may be given as text: `since="2015"`, `until="2015-03"`. A song whose
    value is unknown passes no constraint on it but an excluding one.

    Raises:
        ConstraintError: a list that would have to match is empty, or a date is none.
        InputError: a name is not valid Unicode.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    genres: Names = Field(None, description="has at least one of these")
    all_genres: Names = Field(None, description="has every one of these")
    not_genres: tuple[Text, ...] = Field((), description="has none of these")
    artists: Names = Field(None, description="is by at least one of these")
    not_artists: tuple[Text, ...] = Field((), description="is by none of these")
    since: Since = Field(None, description="issued on this day or later")
    until: Until = Field(None, description="issued on this day or earlier")
    min_popularity: int | None = Field(None, ge=0, description="in at least so many playlists")
    max_popularity: int | None = Field(None, ge=0, description="in at most so many playlists")
    exclude_songs: SongIds = Field((), description="song ids that never come back")

    def to_filter(self, genres: Mapping[str, str]) -> Filter:
        """The same, for the songs' collection.

        Args:
            genres: code to name of every genre, as the release's manifest has them.

        Raises:
            ConstraintError: a genre is not known, a name is empty, or a range is, or something
                is wanted and excluded.
        """
        if self.since and self.until and self.since > self.until:
            raise ConstraintError(f"no day is since {self.since} and until {self.until}")
        low, high = self.min_popularity, self.max_popularity
        if low is not None and high is not None and low > high:
            raise ConstraintError(f"no popularity is at least {low} and at most {high}")
        self._check_names(genres)
        must: list[Condition] = [
            *([_any_genre(self.genres, genres)] if self.genres else []),
            *(_any_genre((genre,), genres) for genre in self.all_genres or ()),
        ]
        if self.since or self.until:
            must = _issued(must, self.since, self.until)
        must_not: list[Condition] = []
        if self.not_genres:
            must_not.append(_any_genre(self.not_genres, genres))
        if self.artists:
            must.append(_any_artist(self.artists))
        if self.not_artists:
            must_not.append(_any_artist(self.not_artists))
        if low is not None or high is not None:
            must.append(NumberRange("popularity", low, high))
        if self.exclude_songs:
            must_not.append(HasId(self.exclude_songs))
        return Filter(must=tuple(must), must_not=tuple(must_not))

    def _check_names(self, genres: Mapping[str, str]) -> None:
        """Refuse what is wanted and excluded at once; that of several, one is left is possible."""

        def codes(names: Iterable[str]) -> set[str]:
            return {code for name in names for code in _codes(name, genres)}

        def keys(names: Iterable[str]) -> set[str]:
            return set(map(name_key, names))

        for kind, wanted, excluded, meant in (
            ("genre", self.genres, self.not_genres, codes),
            *(("genre", (genre,), self.not_genres, codes) for genre in self.all_genres or ()),
            ("artist", self.artists, self.not_artists, keys),
        ):
            if wanted and excluded and meant(wanted) <= meant(excluded):
                names = " or ".join(map(repr, wanted))
                raise ConstraintError(f"the {kind} {names} is both wanted and excluded")


def check_artists(reader: ReleaseReader, constraints: Iterable[Constraints]) -> None:
    """Refuse artists by whom the release holds no song: they are misspelt.

    Raises:
        ConstraintError: names the artist, and those that are written alike.
    """
    named = {name: None for c in constraints for name in (*(c.artists or ()), *c.not_artists)}
    for artist in named:
        if not reader.count(Collection.SONGS, Filter(must=(_any_artist((artist,)),))):
            raise ConstraintError(
                f"there is no song by {artist!r}",
                hint=_meant(artist, _popular_artists(reader)) or "give the artist's whole name",
            )


def _popular_artists(reader: ReleaseReader) -> list[str]:
    songs = reader.top(Collection.SONGS, "popularity", POPULAR, payload=("artists",))
    return [artist for song in songs for artist in song.payload.get("artists", ())]


def _any_genre(wanted: tuple[str, ...], genres: Mapping[str, str]) -> Condition:
    codes = [code for name in wanted for code in _codes(name, genres)]
    top = tuple(dict.fromkeys(code for code in codes if code.endswith("00")))
    detail = tuple(dict.fromkeys(code for code in codes if not code.endswith("00")))
    parts: list[Condition] = []
    if top:
        parts.append(MatchAny("genres", top))
    if detail:
        parts.append(MatchAny("detail_genres", detail))
    return parts[0] if len(parts) == 1 else Filter(should=tuple(parts))


def _issued(genres: list[Condition], since: date | None, until: date | None) -> list[Condition]:
    """Conditions on genres, and one that the song was issued from `since` until `until`.

    A genre and a few years are looked up as one value: given two conditions, an engine would go
    through all songs of the genre and check the date of each.
    """
    days = DateRange("issue_date", _start(since), _end(until))
    if since is None or until is None:
        return [*genres, days]
    years = range(since.year, until.year + 1)
    together = [_in_years(condition, years) for condition in genres]
    whole_years = since == date(since.year, 1, 1) and until == date(until.year, 12, 31)
    if whole_years and together != genres:
        return together
    return [*together, days]


def _in_years(genres: Condition, years: range) -> Condition:
    """Songs of those genres and of those years, where there are few; of any year otherwise."""
    if not isinstance(genres, MatchAny) or genres.field != "genres":
        return genres
    values = tuple(genre_year(str(code), year) for code in genres.values for year in years)
    return MatchAny("genre_years", values) if len(values) <= MOST_GENRE_YEARS else genres


def _codes(wanted: str, genres: Mapping[str, str]) -> list[str]:
    key = name_key(wanted)
    if not key:
        raise ConstraintError("a genre's name is empty")
    if found := [code for code, name in genres.items() if key in (name_key(code), name_key(name))]:
        return found
    if not genres:  # the catalogue came without names: codes are all that there is
        if GENRE_CODE.fullmatch(wanted.strip().upper()):
            return [wanted.strip().upper()]
        raise ConstraintError(
            f"there is no genre {wanted!r}",
            hint="this release knows no names of genres: give a code like GN0100",
        )
    known = sorted({name for code, name in genres.items() if code.endswith("00")})
    raise ConstraintError(
        f"there is no genre {wanted!r}",
        hint=_meant(wanted, [*genres.values(), *genres]) or f"genres are {', '.join(known)}",
    )


def _meant(wanted: str, known: Iterable[str]) -> str | None:
    """A hint at the names that are written like `wanted`, or None."""
    by_key = {name_key(name): name for name in known}
    close = difflib.get_close_matches(name_key(wanted), by_key, n=3)
    return f"did you mean {' or '.join(by_key[key] for key in close)}?" if close else None


def _any_artist(artists: tuple[str, ...]) -> Condition:
    keys = tuple(name_key(artist) for artist in artists)
    if not all(keys):
        raise ConstraintError("an artist's name is empty")
    return MatchAny("artist_keys", keys)


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def _end(day: date | None) -> datetime | None:
    return datetime.combine(day, time(23, 59, 59), UTC) if day else None
