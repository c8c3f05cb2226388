"""Which songs may be recommended: constraints on metadata, applied inside Qdrant."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from melon.fields import parent_genre
from melon.retrieval.days import parse_day
from melon.retrieval.errors import ConstraintError
from melon.retrieval.field_filters import SongFields
from melon.retrieval.query import FrozenInput, Songs, Text, kept_as
from melon.retrieval.where import Clause, Wanted, clauses_of, parse_where
from melon.store import (
    SCHEMA,
    Collection,
    CollectionSchema,
    Condition,
    DateRange,
    Filter,
    HasId,
    MatchAny,
    NumberRange,
    ReleaseReader,
    genre_year,
)
from melon.text import did_you_mean, name_key

SHOWN_GENRES = 20
"""Genres that the message about an unknown one lists."""

MAX_GENRE_YEARS = 200
"""Genres times years up to which they are looked up together."""

POPULAR = 1000
"""Songs whose artists are looked through for the one that a misspelt name may mean."""


def _first_day(value: object) -> object:
    return parse_day(value) if isinstance(value, str) else _a_date(value)


def _last_day(value: object) -> object:
    return parse_day(value, end=True) if isinstance(value, str) else _a_date(value)


def _a_date(value: object) -> object:
    """Refuse numbers, which pydantic takes for seconds since 1970, and times of a day."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date()
    raise ConstraintError(f"{value!r} is not a date", hint='write "2015", or a `datetime.date`')


def _not_empty(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if values == ():
        raise ConstraintError(
            "a list of genres or artists is empty: no song has one of none",
            hint="leave the constraint out to allow every song",
        )
    return values


def _conditions(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        parse_where(text)
    return texts


def _wanted(fields: dict[str, Any]) -> dict[str, Any]:
    deque(clauses_of(fields), maxlen=0)
    try:
        return deepcopy(fields)
    except RecursionError:
        raise ConstraintError(
            "what is wanted of a field is nested too deeply",
            hint='give values, a list of them, or bounds, such as {"gte": 120}',
        ) from None


Names = Annotated[Sequence[str], kept_as(tuple[Text, ...])]
WantedNames = Annotated[Names | None, AfterValidator(_not_empty)]
Since = Annotated[date | str | None, BeforeValidator(_first_day)]
Until = Annotated[date | str | None, BeforeValidator(_last_day)]
Conditions = Annotated[Sequence[str], kept_as(tuple[Text, ...]), AfterValidator(_conditions)]
OfFields = Annotated[Mapping[str, Wanted], kept_as(dict[str, Any]), AfterValidator(_wanted)]


class Constraints(FrozenInput):
    """What a recommended song must be. Without any, every song may be recommended.

    Genres are codes (`GN0100`, `GN0101`) or names; artists are whole names; case does not matter.
    Dates are inclusive, and may be text: `since="2015"`, `until="2015-03"` are read as
    `datetime.date`. A song whose value is unknown passes only constraints that exclude by it.

    `where` and `fields` are about any indexed field of songs, the catalogue's own among them, as
    text and as values. These say the same:

        Constraints(where=["bpm >= 120", "bpm < 130", "language in (ko, en)", "label != X"])
        Constraints(
            fields={
                "bpm": {"gte": 120, "lt": 130},
                "language": ["ko", "en"],
                "label": {"not": "X"},
            }
        )

    A value alone is equal to the field's, or one of them; `gte`, `gt`, `lte` and `lt` are bounds
    of numbers and dates; `in` takes several values, one of which it has, `not` those of which it
    has none, and `all` those that it has every one of. A date is text (`2020`, `2020-03`,
    `2020-03-31T12:00`: all of the year, month, minute) or a `datetime.date` or `datetime`.

    Raises:
        ConstraintError: a list that would have to match is empty, a text is not a date, or a
            condition on a field is none.
        WrongType: a value is of the wrong kind, such as one genre in place of a list.
        InputError: a value is out of range, or a name is not valid Unicode.
    """

    genres: WantedNames = Field(default=None, description="has at least one of these")
    all_genres: WantedNames = Field(default=None, description="has every one of these")
    not_genres: Names = Field(default=(), description="has none of these")
    artists: WantedNames = Field(default=None, description="is by at least one of these")
    not_artists: Names = Field(default=(), description="is by none of these")
    since: Since = Field(default=None, description="issued on this day or later")
    until: Until = Field(default=None, description="issued on this day or earlier")
    min_popularity: int | None = Field(
        default=None, ge=0, description="in at least so many playlists"
    )
    max_popularity: int | None = Field(
        default=None, ge=0, description="in at most so many playlists"
    )
    exclude_songs: Songs = Field(
        default=(),
        description="songs that never come back, by id or key: unknown ones are said",
    )
    where: Conditions = Field(
        default=(), description="conditions on fields as text, all of which hold: `bpm >= 120`"
    )
    fields: OfFields = Field(
        default_factory=dict, description='conditions by field: `{"bpm": {"gte": 120}}`'
    )

    def resolve(self, genres: Genres, artists: Artists, fields: SongFields) -> Filter:
        """The constraints as a filter on the songs of a release, which knows all their names.

        Raises:
            ConstraintError: a genre, an artist or a field is not known, a value is not of its
                field's type, a name or a range is empty, or something is both wanted and excluded.
        """
        filter = self._filter(genres, fields)
        artists.check((*(self.artists or ()), *self.not_artists))
        return filter

    def to_filter(
        self, genres: Mapping[str, str], schema: CollectionSchema = SCHEMA[Collection.SONGS]
    ) -> Filter:
        """The constraints as a filter on songs. Without a release, any name may be an artist's.

        Args:
            genres: code to name of every genre, as a release's manifest has them.
            schema: of the songs, as a release's manifest has it.

        Raises:
            ConstraintError: as of `resolve`.
        """
        return self._filter(Genres(genres), SongFields(schema))

    def _filter(self, genres: Genres, fields: SongFields) -> Filter:
        since, until = _day(self.since), _day(self.until)
        if since and until and since > until:
            raise ConstraintError(f"no day is since {since} and until {until}")
        low, high = self.min_popularity, self.max_popularity
        if low is not None and high is not None and low > high:
            raise ConstraintError(f"no popularity is at least {low} and at most {high}")
        self._refuse_contradictions(genres)
        if since or until:
            fields.check_held("issue_date")
        must: list[Condition] = [
            *([_any_genre(self.genres, genres)] if self.genres else []),
            *(_any_genre((genre,), genres) for genre in self.all_genres or ()),
        ]
        if since or until:
            must = _issued(must, since, until)
        must_not: list[Condition] = []
        if self.not_genres:
            must_not.append(_any_genre(self.not_genres, genres))
        if self.artists:
            must.append(_any_artist(self.artists))
        if self.not_artists:
            must_not.append(_any_artist(self.not_artists))
        if low is not None or high is not None:
            must.append(NumberRange("popularity", low, high))
        ids = tuple(song for song in self.exclude_songs if isinstance(song, int))
        keys = tuple(song for song in self.exclude_songs if isinstance(song, str))
        must_not += [*([HasId(ids)] if ids else []), *([MatchAny("key", keys)] if keys else [])]
        of_fields = fields.filter(self._clauses())
        return Filter(must=tuple(must), must_not=tuple(must_not)) & of_fields

    def _clauses(self) -> list[Clause]:
        """The conditions on fields, and on the same fields what is wanted by other names."""
        clauses = [*map(parse_where, self.where), *clauses_of(self.fields)]
        named = {clause.field for clause in clauses}
        bounds = (
            ("issue_date", ">=", self.since),
            ("issue_date", "<=", self.until),
            ("popularity", ">=", self.min_popularity),
            ("popularity", "<=", self.max_popularity),
        )
        return clauses + [
            Clause(field, operator, (bound,))
            for field, operator, bound in bounds
            if field in named and bound is not None
        ]

    def _refuse_contradictions(self, genres: Genres) -> None:
        """Refuse to exclude everything that is wanted; to exclude some of several is fine.

        With a top genre, its detail genres are excluded.
        """

        def codes(names: Iterable[str]) -> set[str]:
            return {code for name in names for code in genres.codes(name)}

        def genres_left(wanted: Iterable[str], excluded: Iterable[str]) -> set[str]:
            out = codes(excluded)
            return {code for code in codes(wanted) if out.isdisjoint((code, parent_genre(code)))}

        def artists_left(wanted: Iterable[str], excluded: Iterable[str]) -> set[str]:
            return set(map(name_key, wanted)).difference(map(name_key, excluded))

        for kind, wanted, excluded, left in (
            ("genre", self.genres, self.not_genres, genres_left),
            *(("genre", (genre,), self.not_genres, genres_left) for genre in self.all_genres or ()),
            ("artist", self.artists, self.not_artists, artists_left),
        ):
            if wanted and excluded and not left(wanted, excluded):
                names = " or ".join(map(repr, wanted))
                raise ConstraintError(f"the {kind} {names} is both wanted and excluded")


class Genres:
    """The codes of a release's genres, by code or by name, whatever the case.

    Args:
        names: code to name of every genre, as the release's manifest has them.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._codes: dict[str, list[str]] = {}
        for code, name in names.items():
            for key in {name_key(code), name_key(name)}:
                self._codes.setdefault(key, []).append(code)

    def codes(self, wanted: str) -> list[str]:
        """The codes of the genres that have this name, or the code itself.

        Raises:
            ConstraintError: the name is empty, or there is no such genre.
        """
        key = name_key(wanted)
        if not key:
            raise ConstraintError("a genre's name is empty")
        if codes := self._codes.get(key):
            return codes
        if not self._names:
            raise ConstraintError(
                f"there is no genre {wanted!r}: no song of this release has a genre",
                hint="leave out the constraint on genres",
            )
        top = sorted({name for code, name in self._names.items() if not parent_genre(code)})
        listed = ", ".join(top[:SHOWN_GENRES]) + (" and others" if top[SHOWN_GENRES:] else "")
        raise ConstraintError(
            f"there is no genre {wanted!r}",
            hint=did_you_mean(wanted, [*self._names.values(), *self._names])
            or f"genres are {listed}",
        )


class Artists:
    """The artists of a release; remembers whom it has checked. May be shared by threads."""

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader
        self._known: set[str] = set()

    def check(self, names: Iterable[str]) -> None:
        """Refuse artists by whom the release holds no song: they are misspelt.

        Raises:
            ConstraintError: names the artist, and those that are written alike.
        """
        for name in names:
            key = name_key(name)
            if key in self._known:
                continue
            if not self._reader.count(Collection.SONGS, Filter(must=(_any_artist((name,)),))):
                raise ConstraintError(
                    f"there is no song by {name!r}",
                    hint=did_you_mean(name, self._popular()) or "give the artist's whole name",
                )
            self._known.add(key)

    def _popular(self) -> list[str]:
        songs = self._reader.top(Collection.SONGS, "popularity", POPULAR, payload=("artists",))
        return [artist for song in songs for artist in song.payload.get("artists", ())]


def _any_genre(wanted: Sequence[str], genres: Genres) -> Condition:
    codes = [code for name in wanted for code in genres.codes(name)]
    top = tuple(dict.fromkeys(code for code in codes if not parent_genre(code)))
    # Of codes that are not Melon's, none says whether songs have it as a genre or as a detail.
    detail = tuple(dict.fromkeys(code for code in codes if not _is_top_genre(code)))
    parts: list[Condition] = []
    if top:
        parts.append(MatchAny("genres", top))
    if detail:
        parts.append(MatchAny("detail_genres", detail))
    return parts[0] if len(parts) == 1 else Filter(should=tuple(parts))


def _issued(genres: list[Condition], since: date | None, until: date | None) -> list[Condition]:
    """Conditions on genres, and one that the song was issued from `since` until `until`.

    A genre and a few years are looked up as one value: for two conditions, an engine would go
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
    return MatchAny("genre_years", values) if len(values) <= MAX_GENRE_YEARS else genres


def _day(value: date | str | None) -> date | None:
    """The day of a field; its type allows text, which validation has turned into a date."""
    return parse_day(value) if isinstance(value, str) else value


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def _end(day: date | None) -> datetime | None:
    return datetime.combine(day, time(23, 59, 59), UTC) if day else None


def _is_top_genre(code: str) -> bool:
    """Whether a code is one of Melon's that are no detail genres."""
    return parent_genre(f"{code[:-2]}01") == code


def _any_artist(names: Sequence[str]) -> MatchAny:
    """A song is by one of these.

    Raises:
        ConstraintError: a name is empty.
    """
    keys = tuple(map(name_key, names))
    if not all(keys):
        raise ConstraintError("an artist's name is empty")
    return MatchAny("artist_keys", keys)
