"""Which songs may be recommended: constraints on metadata, applied inside Qdrant."""

from __future__ import annotations

import difflib
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from pydantic import BaseModel, ConfigDict, Field

from melon.errors import InputError
from melon.store import Condition, DateRange, Filter, HasId, MatchAny, NumberRange, name_key


class ConstraintError(InputError):
    """A constraint that is empty, contradicts itself, or names what the store does not know."""


class Constraints(BaseModel):
    """What a recommended song must be. Without any, every song may be recommended.

    Genres are codes (`GN0100`, `GN0101`) or names; artists are names, whatever their case. Dates
    are inclusive. A song whose value is unknown passes no constraint on it but an excluding one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    genres: tuple[str, ...] = Field((), description="has at least one of these")
    all_genres: tuple[str, ...] = Field((), description="has every one of these")
    not_genres: tuple[str, ...] = Field((), description="has none of these")
    artists: tuple[str, ...] = Field((), description="is by at least one of these")
    not_artists: tuple[str, ...] = Field((), description="is by none of these")
    since: date | None = Field(None, description="issued on this day or later")
    until: date | None = Field(None, description="issued on this day or earlier")
    min_popularity: int | None = Field(None, ge=0, description="in at least so many playlists")
    max_popularity: int | None = Field(None, ge=0, description="in at most so many playlists")
    exclude_songs: tuple[int, ...] = Field((), description="song ids that never come back")

    def to_filter(self, genres: Mapping[str, str]) -> Filter:
        """The same, for the songs' collection.

        Args:
            genres: code to name of every genre, as the release's manifest has them.

        Raises:
            ConstraintError: a genre is not known, or a range is empty.
        """
        if self.since and self.until and self.since > self.until:
            raise ConstraintError(f"no day is since {self.since} and until {self.until}")
        low, high = self.min_popularity, self.max_popularity
        if low is not None and high is not None and low > high:
            raise ConstraintError(f"no popularity is at least {low} and at most {high}")
        must: list[Condition] = [
            *([_any_genre(self.genres, genres)] if self.genres else []),
            *(_any_genre((genre,), genres) for genre in self.all_genres),
        ]
        must_not: list[Condition] = []
        if self.not_genres:
            must_not.append(_any_genre(self.not_genres, genres))
        if self.artists:
            must.append(_any_artist(self.artists))
        if self.not_artists:
            must_not.append(_any_artist(self.not_artists))
        if self.since or self.until:
            must.append(DateRange("issue_date", _start(self.since), _end(self.until)))
        if low is not None or high is not None:
            must.append(NumberRange("popularity", low, high))
        if self.exclude_songs:
            must_not.append(HasId(self.exclude_songs))
        return Filter(must=tuple(must), must_not=tuple(must_not))


def parse_day(text: str, *, end: bool = False) -> date:
    """Read `2015`, `2015-03` or `2015-03-31`; a year or month is its first or (`end`) last day.

    Raises:
        ConstraintError: it is not a date.
    """
    try:
        parts = [int(part) for part in text.strip().split("-")]
        if len(parts) > 3 or not 1 <= len(text.strip().split("-")[0]) <= 4:
            raise ValueError
        year = parts[0]
        month = parts[1] if len(parts) > 1 else (12 if end else 1)
        last = monthrange(year, month)[1]
        return date(year, month, parts[2] if len(parts) > 2 else (last if end else 1))
    except ValueError:
        raise ConstraintError(
            f"{text!r} is not a date", hint="write 2015, 2015-03 or 2015-03-31"
        ) from None


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


def _codes(wanted: str, genres: Mapping[str, str]) -> list[str]:
    if wanted in genres:
        return [wanted]
    key = name_key(wanted)
    if not key:
        raise ConstraintError("a genre's name is empty")
    if found := [code for code, name in genres.items() if name_key(name) == key]:
        return found
    known = sorted({name for code, name in genres.items() if code.endswith("00")})
    close = difflib.get_close_matches(wanted, [*genres.values(), *genres], n=3)
    shown = close or known[:12]
    raise ConstraintError(
        f"there is no genre {wanted!r}",
        hint=f"genres are {', '.join(dict.fromkeys(shown))} …"
        if shown
        else "this release has none",
    )


def _any_artist(artists: tuple[str, ...]) -> Condition:
    keys = tuple(name_key(artist) for artist in artists)
    if not all(keys):
        raise ConstraintError("an artist's name is empty")
    return MatchAny("artist_keys", keys)


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def _end(day: date | None) -> datetime | None:
    return datetime.combine(day, time(23, 59, 59), UTC) if day else None
