"""An impossible, empty or misspelt constraint is an error, and never a wider search."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from demo_catalogue import Catalogue

from melon.errors import InputError
from melon.retrieval import (
    ConstraintError,
    Constraints,
    Item,
    PlaylistQuery,
    Retriever,
    constraints,
    parse_day,
)
from melon.store import Collection, Condition, DateRange, Filter, MatchAny, VectorStore

GENRES = {"GN0100": "Jazz", "GN0101": "Bossa Nova", "GN0200": "Rock", "GN0201": "Indie Rock"}


def refused(text: str, **constraints: Any) -> str | None:
    """The hint of the refusal."""
    with pytest.raises(ConstraintError, match=text) as refusal:
        Constraints(**constraints).to_filter(GENRES)
    return refusal.value.hint


@pytest.mark.parametrize("field", ["genres", "all_genres", "not_genres"])
def test_an_unknown_genre_is_an_error_with_a_suggestion(field: str):
    assert refused("no genre 'jaz'", **{field: ("Rock", "jaz")}) == "did you mean Jazz?"
    assert refused("no genre 'zzz'", **{field: ("zzz",)}) == "genres are Jazz, Rock"


@pytest.mark.parametrize("field", ["genres", "all_genres", "not_genres"])
@pytest.mark.parametrize("blank", ["", "  ", "\u3000"])
def test_a_blank_genre_is_an_error(field: str, blank: str):
    refused("genre's name is empty", **{field: ("Jazz", blank)})


@pytest.mark.parametrize("field", ["artists", "not_artists"])
def test_a_blank_artist_is_an_error(field: str):
    refused("artist's name is empty", **{field: ("somebody", " ")})


@pytest.mark.parametrize("field", ["genres", "all_genres", "artists"])
def test_a_list_of_none_is_an_error(field: str):
    """A program whose user chose no genre must not be given songs of every genre."""
    refused("is empty", **{field: ()})


@pytest.mark.parametrize("field", ["not_genres", "not_artists", "exclude_songs"])
def test_excluding_nothing_excludes_nothing(field: str):
    assert not Constraints(**{field: ()}).to_filter(GENRES)


def test_no_constraint_is_no_filter():
    assert not Constraints().to_filter(GENRES)
    assert Constraints(**Constraints().model_dump()) == Constraints()


def test_empty_ranges_are_errors():
    refused("no day is since", since="2016", until="2015")
    refused("no popularity is at least", min_popularity=5, max_popularity=4)


@pytest.mark.parametrize(
    "constraints",
    [
        {"genres": ("Jazz",), "not_genres": ("Rock", "JAZZ")},
        {"all_genres": ("Rock", "Jazz"), "not_genres": ("jazz",)},
        {"genres": ("Jazz", "GN0201"), "not_genres": ("gn0100", "Indie Rock")},
        {"genres": ("Bossa Nova",), "not_genres": ("Jazz",)},
        {"all_genres": ("Rock", "GN0101"), "not_genres": ("gn0100",)},
        {"artists": ("IU",), "not_artists": ("iu",)},
    ],
    ids=str,
)
def test_what_is_wanted_and_excluded_is_an_error(constraints: dict[str, Any]):
    refused("both wanted and excluded", **constraints)


@pytest.mark.parametrize(
    ("wanted", "excluded"),
    [(("Jazz", "Rock"), "Jazz"), (("GN0101", "Rock"), "Jazz"), (("Jazz",), "Bossa Nova")],
    ids=str,
)
def test_of_what_is_wanted_some_may_be_excluded(wanted: tuple[str, ...], excluded: str):
    assert Constraints(genres=wanted, not_genres=(excluded,)).to_filter(GENRES)


def test_a_popularity_of_zero_is_a_constraint():
    """Falsy, and yet meant: songs that no playlist holds."""
    assert Constraints(max_popularity=0).to_filter(GENRES)
    assert Constraints(min_popularity=0).to_filter(GENRES)


@pytest.mark.parametrize("name", ["GN0100", "gn0100", "Jazz", " jazz ", "ＪＡＺＺ"])
def test_a_genre_is_known_by_code_and_by_name(name: str):
    [condition] = Constraints(genres=(name,)).to_filter(GENRES).must
    assert condition == MatchAny("genres", ("GN0100",))


def test_without_names_of_genres_codes_still_work():
    codes = {code: code for code in ("GN0100", "GN0101", "trip hop")}
    [condition] = Constraints(genres=("GN0101",)).to_filter(codes).must
    assert condition == MatchAny("detail_genres", ("GN0101",))
    with pytest.raises(ConstraintError, match="no genre 'Jazz'"):
        Constraints(genres=("Jazz",)).to_filter(codes)
    with pytest.raises(ConstraintError, match="'GN0101' is both wanted and excluded"):
        Constraints(genres=("GN0101",), not_genres=("GN0100",)).to_filter(codes)


def test_any_string_may_be_the_code_of_a_genre():
    """As a genre or as a detail genre, for only Melon's own codes tell."""
    [condition] = Constraints(genres=("Trip Hop",)).to_filter({"trip hop": "trip hop"}).must
    parts = MatchAny("genres", ("trip hop",)), MatchAny("detail_genres", ("trip hop",))
    assert condition == Filter(should=parts)


@pytest.mark.parametrize("name", ["Jazz", "GN0100"])
def test_without_genres_none_can_be_wanted(name: str):
    for limits in (Constraints(genres=(name,)), Constraints(not_genres=(name,))):
        with pytest.raises(ConstraintError, match="no song of this release has a genre"):
            limits.to_filter({})


JAZZ, ROCK = MatchAny("genres", ("GN0100",)), MatchAny("genres", ("GN0200",))
SPRINGS = DateRange(
    "issue_date", datetime(2014, 3, 1, tzinfo=UTC), datetime(2015, 5, 31, 23, 59, 59, tzinfo=UTC)
)


def test_a_genre_and_a_few_years_are_looked_up_together():
    def must(**constraints: Any) -> tuple[Condition, ...]:
        return Constraints(**constraints).to_filter(GENRES).must

    jazz_then = MatchAny("genre_years", ("GN0100/2014", "GN0100/2015"))
    rock_then = MatchAny("genre_years", ("GN0200/2014", "GN0200/2015"))
    assert must(genres=("Jazz",), since="2014", until="2015") == (jazz_then,)
    days = {"since": "2014-03", "until": "2015-05"}
    assert must(genres=("Jazz",), **days) == (jazz_then, SPRINGS)
    assert must(all_genres=("Jazz", "Rock"), **days) == (jazz_then, rock_then, SPRINGS)


@pytest.mark.parametrize(
    ("constraints", "genre"),
    [
        ({"genres": ("Jazz",), "since": "2014"}, JAZZ),
        ({"genres": ("Rock",), "until": "2015"}, ROCK),
        ({"genres": ("Jazz",), "since": "1200", "until": "2015"}, JAZZ),
        ({"genres": ("GN0101",), "since": "2014", "until": "2015"},
         MatchAny("detail_genres", ("GN0101",))),
    ],
    ids=str,
)  # fmt: skip
def test_a_genre_and_many_years_are_not(constraints: dict[str, Any], genre: Condition):
    found, days = Constraints(**constraints).to_filter(GENRES).must
    assert found == genre
    assert isinstance(days, DateRange)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2015-2", date(2015, 2, 1), date(2015, 2, 28)),
        (" 2015-03-31 ", date(2015, 3, 31), date(2015, 3, 31)),
    ],
)
def test_a_day_may_be_less_than_precise(text: str, first: date, last: date):
    assert parse_day(text) == Constraints(since=text).since == first
    assert parse_day(text, end=True) == Constraints(until=text).until == last


@pytest.mark.parametrize(
    "text",
    ["", "x", "15", "20150331", "2015-13", "2015-00", "2015-02-30", "2015-1-1-1", "2_15", "-2015",
     "2015-", "２０１５", "0000", "1e3", "2015/03"],
)  # fmt: skip
def test_what_is_not_a_date_is_refused(text: str):
    for end in (False, True):
        with pytest.raises(ConstraintError, match="is not a date"):
            parse_day(text, end=end)
    refused("is not a date", since=text)


@pytest.mark.parametrize("text", ["2015-13", "2015-00", "2015-02-30", "0000"])
def test_what_no_calendar_has_is_refused_with_the_reason(text: str):
    refused(r"is not a date: .*(day|month|year)", since=text)
    refused(r"is not a date: .*(day|month|year)", where=[f"issue_date >= {text}"])


@pytest.mark.parametrize("number", [0, 2015, 1.5])
def test_a_number_is_no_date(number: float):
    """Pydantic would take it for seconds since 1970."""
    refused("is not a date", since=number)


@pytest.mark.parametrize("moment", [b"2015", datetime(2015, 3, 1, 12)])
def test_a_date_is_text_or_a_day(moment: object):
    refused("is not a date", until=moment)
    for day in ("2015-03-01", date(2015, 3, 1), datetime(2015, 3, 1)):
        limits = Constraints.model_validate({"since": day, "until": day})
        assert type(limits.since) is type(limits.until) is date
        assert limits.since == limits.until == date(2015, 3, 1)


@pytest.mark.parametrize(
    "given",
    [{"genres": "Jazz"}, {"genre": ("Jazz",)}, {"exclude_songs": (-1,)}, {"min_popularity": -1}],
    ids=str,
)
def test_what_has_the_wrong_shape_is_refused(given: dict[str, Any]):
    with pytest.raises(InputError, match=next(iter(given))):
        Constraints(**given)


@pytest.mark.parametrize("field", ["artists", "not_artists"])
def test_a_misspelt_artist_is_an_error_with_a_suggestion(
    retriever: Retriever, catalogue: Catalogue, field: str
):
    song = max(catalogue.songs.values(), key=lambda song: catalogue.popularity[song.id])
    artist = song.artists[0]
    limits = Constraints(**{field: (artist[:-1] + "zq",)})
    for ask in (
        lambda: retriever.recommend(PlaylistQuery(tags=("rain",)), limits),
        lambda: retriever.similar(Item(tag="rain"), constraints=limits),
    ):
        with pytest.raises(ConstraintError, match="no song by") as refusal:
            ask()
        assert artist in str(refusal.value.hint)


def test_an_artist_is_known_whatever_the_case(retriever: Retriever, catalogue: Catalogue):
    artist = next(name for name in catalogue.artists if name.isascii())
    limits = Constraints(artists=(f" {artist.upper()} ",))
    found = retriever.recommend(PlaylistQuery(tags=("rain",)), limits)
    assert found.songs
    assert all(artist in song.artists for song in found.songs)


def test_constraints_that_nothing_meets_give_no_song(retriever: Retriever):
    """Possible, but met by none: an empty answer, and not the popular songs."""
    for query in (PlaylistQuery(tags=("rain",)), PlaylistQuery()):
        found = retriever.recommend(query, Constraints(since="2100"))
        assert found.songs == ()
        assert found.tags


@pytest.fixture
def asking(demo_store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> tuple[Retriever, Counter]:
    """A retriever that has answered nothing yet, and what it has asked for and worked out."""
    reader, spent = demo_store.open(), Counter[str]()
    count, key = reader.count, constraints.name_key

    def counted(*arguments: Any) -> int:
        spent["counts"] += 1
        return count(*arguments)

    def keyed(name: str) -> str:
        spent["keys"] += 1
        return key(name)

    monkeypatch.setattr(reader, "count", counted)
    monkeypatch.setattr(constraints, "name_key", keyed)
    return Retriever(demo_store).with_reader(reader), spent


def test_what_is_nested_without_end_is_an_error():
    value: list[Any] = []
    for _ in range(700):
        value = [value]
    with pytest.raises(ConstraintError, match="nested too deeply"):
        Constraints(fields={"bpm": value})


def test_names_are_looked_up_once_a_release(
    asking: tuple[Retriever, Counter], catalogue: Catalogue
):
    """Equal constraints of many queries, or of one after the other, cost one request."""
    retriever, spent = asking
    artist = next(name for name in catalogue.artists if name.isascii())
    query = PlaylistQuery(tags=("rain",))
    one = Constraints(artists=(artist,), genres=("Ballad", "GN0200"))
    same = Constraints(not_artists=(artist.upper(),), not_genres=("ballad",))

    def ask(limits: Constraints) -> None:
        retriever.rank_many([query] * 5, [limits] * 5, strategy="neighbours")

    ask(one)
    assert spent["counts"] == 1
    assert len(catalogue.genres) > 20
    spent.clear()
    ask(same)
    retriever.similar(Item(tag="rain"), constraints=one)
    assert spent["counts"] == 0
    assert spent["keys"] < 50  # a few for each query, and not one for each genre


def test_a_misspelt_artist_stays_an_error(asking: tuple[Retriever, Counter]):
    retriever, _ = asking
    for _ in range(2):
        with pytest.raises(ConstraintError, match="no song by 'nobody at all'"):
            retriever.recommend(PlaylistQuery(), Constraints(artists=("nobody at all",)))


def test_constraints_are_checked_whatever_is_looked_for(retriever: Retriever):
    with pytest.raises(ConstraintError, match="no genre"):
        retriever.similar(
            Item(tag="rain"), to=(Collection.TAGS,), constraints=Constraints(genres=("Jaz",))
        )
