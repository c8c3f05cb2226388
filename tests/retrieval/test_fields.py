"""Conditions on fields, as text and as values: what they let pass, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from keyed_demo import FIRST_DAY, LABELS, LANGUAGES, MOODS, OWN_FIELDS, own_values

from melon.embedding import EmbeddingSpace
from melon.errors import InputError
from melon.ingest import ingest
from melon.retrieval import ConstraintError, Constraints, Item, PlaylistQuery, Retriever
from melon.retrieval.where import Clause, parse_where
from melon.store import Collection, VectorStore


@pytest.fixture(scope="module")
def keyed(keyed_store: VectorStore) -> Retriever:
    return Retriever(keyed_store)


@pytest.mark.parametrize(
    ("text", "field", "operator", "values"),
    [
        ("bpm >= 120", "bpm", ">=", ("120",)),
        ("bpm<120.5", "bpm", "<", ("120.5",)),
        (" bpm  >  -3 ", "bpm", ">", ("-3",)),
        ("explicit = true", "explicit", "in", ("true",)),
        ("explicit == true", "explicit", "in", ("true",)),
        ("label != A & M", "label", "not in", ("A & M",)),
        ('label != "A & M"', "label", "not in", ("A & M",)),
        ("label = 'it\\'s'", "label", "in", ("it's",)),
        ('label = "it\'s"', "label", "in", ("it's",)),
        ('label = "a\\"b\\\\"', "label", "in", ('a"b\\',)),
        ('label = "a = b"', "label", "in", ("a = b",)),
        ("label = Rock 'n' Roll (live)", "label", "in", ("Rock 'n' Roll (live)",)),
        ("language in (ko, en)", "language", "in", ("ko", "en")),
        ("language in(ko)", "language", "in", ("ko",)),
        ("language NOT  IN (ko,en)", "language", "not in", ("ko", "en")),
        ("label in (\"x, y (z)\", 'a' , b c)", "label", "in", ("x, y (z)", "a", "b c")),
        ("label in (a=b, c>d)", "label", "in", ("a=b", "c>d")),
        ("언어 = 한국어", "언어", "in", ("한국어",)),
        ("분위기 in (밤, ☔)", "분위기", "in", ("밤", "☔")),
        ("added_at >= 2020-03", "added_at", ">=", ("2020-03",)),
        ("inner = into", "inner", "in", ("into",)),
    ],
)
def test_a_condition_as_text(text: str, field: str, operator: str, values: tuple[str, ...]):
    assert parse_where(text) == Clause(field, operator, values, written=True)


@pytest.mark.parametrize(
    "text",
    ["", " ", "bpm", "bpm 120", "bpm >=", "bpm >= ", "= 3", ">= 3", "bpm => 3", "bpm =< 3",
     "bpm >= 120 and bpm < 130", "label = 'a", "label = 'a' 'b'", "label in ()", "label in (a,)",
     "label in (,a)", "label in (a", "label in a, b", "label in (a) b", "label in ((a))",
     "label in ('a' b)", "label in ('a)", "label is a", "not explicit"],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str):
    with pytest.raises(ConstraintError) as refusal:
        Constraints(where=(text,))
    assert repr(text) in refusal.value.what
    assert refusal.value.hint


@pytest.mark.parametrize(
    "wanted",
    [[], (), {}, {"gte": [1]}, {"gte": {"lt": 3}}, {"in": []}, {"not": ()}, {"all": []},
     {"min": 3}, {"gte": 3, "of": 4}],
    ids=repr,
)  # fmt: skip
def test_values_of_no_known_form_are_refused(wanted: Any):
    with pytest.raises(ConstraintError, match="bpm"):
        Constraints(fields={"bpm": wanted})


def test_a_text_in_place_of_a_list_of_conditions_is_refused():
    with pytest.raises(InputError, match=r"write where=\['bpm >= 3'\]"):
        Constraints(where="bpm >= 3")


def test_fields_are_kept_as_they_were_given():
    given: dict[str, Any] = {"language": ["ko"]}
    limits = Constraints(fields=given)
    given["language"].append("en")
    assert limits == Constraints(fields={"language": ["ko"]})
    assert Constraints.model_validate(limits.model_dump()) == limits
    assert Constraints.model_validate_json(limits.model_dump_json()) == limits


# What passes, worked out from the records and nothing of melon's.

FIELDS: Mapping[str, list[Any]] = {
    "bpm": [99, 100, 110.5, 120, 125.25, 139.5, 200],
    "peaks": [-0.5, 0, 1.5, 3, 8.5],
    "loudness": [-9, -8, -2.5, 0, 0.5, 2],
    "added_at": [
        FIRST_DAY,
        FIRST_DAY + timedelta(hours=2),
        FIRST_DAY + timedelta(days=2, microseconds=1),
        FIRST_DAY + timedelta(days=9),
    ],
    "premiere": [FIRST_DAY.date() + timedelta(days=days) for days in (-1, 0, 2, 4)],
    "explicit": [True, False],
    "language": list(LANGUAGES),
    "label": list(LABELS),
    "분위기": list(MOODS),
}
ORDERED = ("bpm", "peaks", "loudness", "added_at", "premiere")


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A field, what is asked of it by name, and the values."""
    field = draw(st.sampled_from(list(FIELDS)))
    one = st.sampled_from(FIELDS[field])
    if field == "loudness":
        whole = st.sampled_from([-9, -8, 0, 2])
        several = st.lists(whole, min_size=1, max_size=3)
    else:
        several = st.lists(one, min_size=1, max_size=3)
    names = ("gte", "gt", "lte", "lt", "in", "not") if field in ORDERED else ("in", "not")
    name = draw(st.sampled_from(names))
    return field, name, draw(several if name in ("in", "not") else one)


def holds(condition: tuple[str, str, Any], values: Mapping[str, Any]) -> bool:
    field, name, wanted = condition
    there = values.get(field, [])
    there = there if isinstance(there, list) else [there]
    match name:
        case "gte":
            return any(value >= wanted for value in there)
        case "gt":
            return any(value > wanted for value in there)
        case "lte":
            return any(value <= wanted for value in there)
        case "lt":
            return any(value < wanted for value in there)
        case "in":
            return any(value in wanted for value in there)
        case _:
            return not any(value in wanted for value in there)


def as_text(condition: tuple[str, str, Any]) -> str:
    field, name, wanted = condition

    def value(one: Any) -> str:
        match one:
            case bool():
                return str(one).lower()
            case datetime():
                return f'"{one.isoformat(timespec="microseconds")}"'
            case str():
                return '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"'
            case _:
                return str(one)

    if name in ("in", "not"):
        some = ", ".join(map(value, wanted))
        return f"{field} {'in' if name == 'in' else 'not in'} ({some})"
    symbols = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
    return f"{field} {symbols[name]} {value(wanted)}"


@run_with(max_examples=60)
@given(some=st.lists(conditions(), min_size=1, max_size=3))
def test_random_conditions_let_pass_what_their_values_say(
    keyed: Retriever, some: list[tuple[str, str, Any]]
):
    reader = keyed.reader
    records = reader.find(Collection.SONGS, None, 10_000, payload=False)
    bounds_of_lists = [field for field, name, _ in some if field == "peaks" and name[0] in "gl"]
    if len(bounds_of_lists) > 1:
        return  # one value has to lie between both: see below
    expected = {
        record.id
        for record in records
        if all(holds(condition, own_values(int(record.id))) for condition in some)
    }
    texts = Constraints(where=[as_text(condition) for condition in some])
    typed = [Constraints(fields={field: {name: wanted}}) for field, name, wanted in some]
    release = keyed._source.open
    try:
        filter = release.filter(texts)
    except ConstraintError:  # the conditions contradict each other
        assert not expected
        return
    found = reader.find(Collection.SONGS, filter, 10_000, payload=False)
    assert {record.id for record in found} == expected
    one_by_one = release.filter(typed[0])
    for limits in typed[1:]:
        one_by_one = one_by_one & release.filter(limits)
    found = reader.find(Collection.SONGS, one_by_one, 10_000, payload=False)
    assert {record.id for record in found} == expected


def passing(keyed: Retriever, **limits: Any) -> set[int]:
    """The songs that constraints let pass."""
    filter = keyed._source.open.filter(Constraints(**limits))
    found = keyed.reader.find(Collection.SONGS, filter, 10_000, payload=False)
    return {int(record.id) for record in found}


def with_values(keyed: Retriever, field: str, test: Any) -> set[int]:
    """The songs of which a value of the field passes the test."""
    songs = keyed.reader.find(Collection.SONGS, None, 10_000, payload=False)
    known = {int(song.id): own_values(int(song.id)).get(field) for song in songs}
    return {song for song, value in known.items() if value is not None and test(value)}


@pytest.mark.parametrize(
    ("condition", "first", "after"),
    [
        ("added_at = 2020", date(2020, 1, 1), date(2021, 1, 1)),
        ("added_at = 2019-12", date(2019, 12, 1), date(2020, 1, 1)),
        ("added_at = 2020-1-1", date(2020, 1, 1), date(2020, 1, 2)),
        ("added_at > 2019", date(2020, 1, 1), date(2100, 1, 1)),
        ("added_at <= 2019", date(1, 1, 1), date(2020, 1, 1)),
        ("added_at < 2020-01-02", date(1, 1, 1), date(2020, 1, 2)),
        ("premiere > 2019-12-31", date(2020, 1, 1), date(2100, 1, 1)),
        ("premiere in (2020)", date(2020, 1, 1), date(2021, 1, 1)),
    ],
)
def test_a_date_lasts_as_long_as_it_is_written(
    keyed: Retriever, condition: str, first: date, after: date
):
    def day(value: date) -> date:
        return value.date() if isinstance(value, datetime) else value

    field = condition.split()[0]
    expected = with_values(keyed, field, lambda value: first <= day(value) < after)
    assert expected
    assert passing(keyed, where=[condition]) == expected


def test_a_time_lasts_as_long_as_it_is_written(keyed: Retriever):
    hour = datetime(2019, 12, 31, 3, tzinfo=UTC)
    expected = with_values(keyed, "added_at", lambda at: hour <= at < hour + timedelta(hours=1))
    assert expected
    for written in (
        "2019-12-31T03",
        "2019-12-31 03:00",
        "2019-12-31t03:00z",
        "2019-12-31T12:00+09",
    ):
        assert passing(keyed, where=[f"added_at = {written}"]) == expected, written
    exactly = with_values(keyed, "added_at", lambda at: at == hour + timedelta(microseconds=1))
    assert exactly < expected
    assert passing(keyed, where=["added_at = 2019-12-31T03:00:00.000001"]) == exactly


def test_bounds_of_a_list_are_those_of_one_value(keyed: Retriever):
    within = with_values(keyed, "peaks", lambda some: any(2 <= one < 3 for one in some))
    apart = with_values(keyed, "peaks", lambda some: max(some) >= 2 and min(some) < 3)
    assert within < apart
    assert passing(keyed, where=["peaks >= 2", "peaks < 3"]) == within


def test_a_song_may_have_to_have_several_values(keyed: Retriever):
    both = with_values(keyed, "분위기", lambda moods: {"calm", "wet"} <= {*moods})
    assert both
    assert passing(keyed, fields={"분위기": {"all": ["calm", "wet"]}}) == both
    assert passing(keyed, where=["분위기 = calm", "분위기 = wet"]) == both


def test_text_and_values_hold_together(keyed: Retriever):
    both = passing(keyed, where=["bpm >= 120"]) & passing(keyed, fields={"language": "ko"})
    assert both
    assert passing(keyed, where=["bpm >= 120"], fields={"language": "ko"}) == both


def test_what_is_not_known_passes_only_what_excludes(keyed: Retriever):
    every = passing(keyed)
    assert passing(keyed, where=["explicit != true"]) == every - passing(
        keyed, where=["explicit = true"]
    )
    known = passing(keyed, where=["explicit in (true, false)"])
    assert passing(keyed, where=["explicit != true", "explicit != false"]) == every - known


def test_declared_fields_may_be_named(keyed: Retriever):
    every = keyed.reader.find(Collection.SONGS, None, 10_000, payload=True)
    artist = every[0].payload["artists"][0]
    tests: dict[str, Any] = {
        "popularity > 3": lambda song: song["popularity"] > 3,
        "popularity = 2": lambda song: song["popularity"] == 2,
        "issue_date >= 2010": lambda song: song.get("issue_date", "") >= "2010",
        f'artists = "{artist}"': lambda song: artist in song.get("artists", ()),
        "key = demo:song:1": lambda song: song.get("key") == "demo:song:1",
    }
    for condition, test in tests.items():
        expected = {song.id for song in every if test(song.payload)}
        assert passing(keyed, where=[condition]) == expected, condition
        assert expected, condition


@pytest.mark.parametrize("name", ["bmp", "lyrics", "name", "Bpm ", "songs", "has a space"])
def test_a_field_that_is_not_there_is_answered_by_those_that_are(keyed: Retriever, name: str):
    for limits in (Constraints(fields={name: 3}), Constraints(where=[f"{name.strip()}=3"])):
        for ask in (
            lambda limits=limits: keyed.recommend(PlaylistQuery(), limits),
            lambda limits=limits: keyed.similar(Item(song=1), constraints=limits),
        ):
            with pytest.raises(ConstraintError, match=name.strip()) as refusal:
                ask()
            hint = refusal.value.hint or ""
            for field in ("bpm (float)", "분위기 (keyword)", "popularity (integer)"):
                assert field in hint
            assert "lyrics" not in hint
            assert hint.index("bpm (float)") < hint.index("popularity (integer)")
            assert ("did you mean bpm?" in hint) == (name in ("bmp", "Bpm "))


@pytest.mark.parametrize(
    ("field", "written", "values", "wanted"),
    [
        ("bpm", ["fast", "1,5", "1_0", "nan", "inf", "１２０", "true", "120bpm", "--1", "."],
         ["120", True, None, float("nan"), float("inf"), b"1", date(2020, 1, 1)], "a number"),
        ("loudness", ["loud", "0.5", "99999999999999999999"],
         ["1", False, 0.5, 2**63], "a whole number"),
        ("explicit", ["yes", "1", "0", "tru"], ["true", 1, 0, None], "true or false"),
        ("language", [], [1, True, 1.5, None, b"ko"], "a text"),
        ("added_at", ["yesterday", "20", "2020-13", "2020-02-30", "2020-01-01T25:00", "1577836800"],
         [2020, 1577836800.0, True, "soon"], "a date"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(
    keyed: Retriever, field: str, written: list[str], values: list[Any], wanted: str
):
    for limits in (
        *(Constraints(where=[f"{field} = {text}"]) for text in written),
        *(Constraints(where=[f"{field} != {text}"]) for text in written),
        *(Constraints(fields={field: value}) for value in values),
        *(Constraints(fields={field: {"not": [value]}}) for value in values),
    ):
        with pytest.raises(ConstraintError, match=wanted) as refusal:
            keyed.recommend(PlaylistQuery(), limits)
        assert field in refusal.value.what
        assert "popularity (integer)" in str(refusal.value.hint)


@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
@pytest.mark.parametrize("field", ["bpm", "language", "explicit", "added_at", "loudness"])
def test_an_empty_value_is_refused(keyed: Retriever, field: str, blank: str):
    for limits in (
        Constraints(where=[f'{field} = "{blank}"']),
        Constraints(where=[f"{field} not in ('{blank}')"]),
        Constraints(fields={field: blank}),
        Constraints(fields={field: [blank]}),
    ):
        with pytest.raises(ConstraintError, match=f"{field} is empty"):
            keyed.recommend(PlaylistQuery(), limits)


@pytest.mark.parametrize("condition", ["language >= ko", "explicit < true", "분위기 > 밤"])
def test_what_has_no_order_has_no_bounds(keyed: Retriever, condition: str):
    with pytest.raises(ConstraintError, match="no order"):
        keyed.recommend(PlaylistQuery(), Constraints(where=[condition]))


@pytest.mark.parametrize(
    "limits",
    [
        {"where": ["bpm >= 130", "bpm < 120"]},
        {"where": ["bpm > 120", "bpm < 120"]},
        {"where": ["bpm > 120", "bpm <= 120"]},
        {"where": ["loudness > -3", "loudness < -2"]},
        {"where": ["loudness >= -2.8", "loudness <= -2.2"]},
        {"where": ["bpm = 120", "bpm != 120"]},
        {"where": ["bpm >= 120", "bpm = 110"]},
        {"where": ["peaks >= 3", "peaks < 2"]},
        {"where": ["language = ko", "language = en"]},
        {"where": ["language in (ko, en)", "language not in (en, ko)"]},
        {"where": ["분위기 = 밤", "분위기 != 밤"]},
        {"where": ["explicit = true", "explicit = false"]},
        {"where": ["added_at >= 2020-03", "added_at < 2020-03"]},
        {"where": ["added_at = 2020-03-01", "added_at != 2020-03"]},
        {"where": ["added_at = 2020", "added_at = 2021"]},
        {"fields": {"language": {"all": ["ko", "en"]}}},
        {"where": ["language = ko"], "fields": {"language": "en"}},
        {"where": ["popularity < 3"], "min_popularity": 3},
        {"where": ["issue_date >= 2015"], "until": "2014"},
    ],
    ids=str,
)
def test_contradictions_are_refused(keyed: Retriever, limits: dict[str, Any]):
    with pytest.raises(ConstraintError, match="no song can have"):
        keyed.recommend(PlaylistQuery(), Constraints(**limits))


@pytest.mark.parametrize("condition", ["language = kor", "language not in (ko, kor)"])
def test_a_keyword_that_no_song_has_is_misspelt(keyed: Retriever, condition: str):
    for _ in range(2):
        with pytest.raises(ConstraintError, match="language 'kor'") as refusal:
            keyed.recommend(PlaylistQuery(), Constraints(where=[condition]))
        assert refusal.value.hint == "did you mean ko?"


def test_a_range_that_no_song_is_in_gives_none(keyed: Retriever):
    assert keyed.recommend(PlaylistQuery(), Constraints(where=["bpm >= 1000"])).songs == ()


def test_answers_satisfy_conditions_on_fields(keyed: Retriever):
    limits = Constraints(where=["bpm >= 120", "bpm < 130", "language in (ko, en)"])
    allowed = passing(keyed, where=limits.where)
    answer = keyed.recommend(PlaylistQuery(tags=("rain",)), limits)
    assert answer.songs
    assert {song.id for song in answer.songs} <= allowed
    for song in answer.songs:
        assert 120 <= song.more["bpm"] < 130
        assert song.to_json()["language"] in ("ko", "en")
    nearest = keyed.similar(Item(tag="rain"), to=["songs"], constraints=limits)
    assert {near.id for near in nearest[Collection.SONGS]} <= allowed


@pytest.mark.parametrize(
    ("field", "wanted", "plain"),
    [
        ("bpm", {"gte": np.float32(120)}, {"gte": 120}),
        ("bpm", {"lt": Decimal("120.5")}, {"lt": 120.5}),
        ("bpm", {"gt": Fraction(241, 2)}, {"gt": 120.5}),
        ("loudness", np.int64(-3), -3),
        ("loudness", [np.int8(1), Decimal(2)], [1, 2]),
        ("explicit", np.bool_(True), True),
    ],
)
def test_numbers_of_other_kinds(keyed: Retriever, field: str, wanted: Any, plain: Any):
    found = [
        keyed.rank_many([PlaylistQuery()], [Constraints(fields={field: value})], limit=50)
        for value in (wanted, plain)
    ]
    assert found[0] == found[1]
    assert found[0][0].songs


@pytest.mark.parametrize("wanted", [np.array([1.0, 2.0]), [[1]], Decimal("nan"), np.float64("inf")])
def test_what_is_no_number_is_refused(keyed: Retriever, wanted: Any):
    with pytest.raises(ConstraintError, match="is not a number"):
        keyed.recommend(constraints=Constraints(fields={"bpm": wanted}))


def test_the_date_of_pandas_that_is_none_is_refused(keyed: Retriever):
    """It is a `datetime` to Python."""
    with pytest.raises(ConstraintError, match="NaT is not a date"):
        keyed.recommend(constraints=Constraints(fields={"added_at": pd.NaT}))


def test_values_of_a_field_that_no_song_has(store: VectorStore, demo_space: EmbeddingSpace):
    """As of the genre: a catalogue without dates has no song that is younger than another."""
    dates = demo_space.songs.schema.get_field_index("issue_date")
    unknown = pa.nulls(len(demo_space.songs), demo_space.songs["issue_date"].type)
    songs = demo_space.songs.set_column(dates, "issue_date", unknown)
    ingest(replace(demo_space, songs=songs), store)
    retriever = Retriever(store)
    for limits in (
        Constraints(since="2000"),
        Constraints(until="2000"),
        Constraints(where=["issue_date > 2000"]),
        Constraints(fields={"issue_year": {"gte": 2000}}),
    ):
        with pytest.raises(ConstraintError, match="no song of this release has an issue_"):
            retriever.recommend(tags=["rain"], constraints=limits)


def test_own_fields_come_in_their_order(keyed: Retriever):
    """Whatever the order in which an engine gives them."""
    declared = [field.name for field in OWN_FIELDS]
    answer = keyed.recommend(tags=["rain"], limit=1)
    [near] = keyed.similar(Item(tag="rain"), to=["songs"], limit=1)[Collection.SONGS]
    shown = keyed.show("song", answer.songs[0].id, limit=1)
    for song in (answer.songs[0].to_json(), near.to_json(), shown.payload):
        own = [name for name in song if name in declared]
        assert own == sorted(own, key=declared.index)
        assert len(own) > 5
