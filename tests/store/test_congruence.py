"""Both engines answer alike, and as plain Python does, whatever the filter."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, reject
from hypothesis import settings as run_with
from hypothesis import strategies as st
from store_samples import (
    ARTISTS,
    DAY,
    DIM,
    FIRST_SONG,
    GENRES,
    MOODS,
    SONGS,
    BothReaders,
    manifest,
    sample,
)

from melon.store import (
    DENSE,
    Collection,
    Condition,
    DateRange,
    Filter,
    FilterError,
    HasId,
    HasValue,
    HasWords,
    MatchAny,
    NumberRange,
    VectorQuery,
)
from melon.store.filters import checked
from melon.word_index import asked_words

TIE = 1e-6
SAMPLE = sample()  # what the readers read
SCHEMA_OF_SAMPLE = manifest().schema(Collection.SONGS)


def match_any() -> st.SearchStrategy[Condition]:
    values: dict[str, tuple[Any, ...]] = {
        "genres": (*GENRES, "unheard of"),
        "artists": (*ARTISTS, ""),
        "vector_source": ("trained", "artist", "genre"),
        "detail_genres": ("never there",),
        "분위기": (*MOODS, "unheard of"),
        "artist_ids": (*range(12), 99),
        "popularity": tuple(range(8)),
        "loudness": tuple(range(-6, 6)),
        "explicit": (True, False),
    }
    return st.one_of(
        *(
            st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True).map(
                lambda chosen, field=field: MatchAny(field, tuple(chosen))
            )
            for field, values in values.items()
        )
    )


@st.composite
def ranges(
    draw: st.DrawFn, kind: type[NumberRange | DateRange], field: str, values: list[Any]
) -> Condition:
    """A lower bound, an upper one, or both, in order; each inclusive or strict."""
    low, high = sorted(draw(st.tuples(st.sampled_from(values), st.sampled_from(values))))
    lower, upper = draw(st.sampled_from([None, "gte", "gt"])), draw(st.sampled_from(["lte", "lt"]))
    bounds = {lower: low, upper: high} if lower else {upper: high}
    if lower and draw(st.booleans()):
        bounds.pop(upper)
    try:
        condition = kind(field, **bounds)
        checked(Filter(must=(condition,)), SCHEMA_OF_SAMPLE)
    except FilterError:  # nothing lies between
        reject()
    return condition


def has_words() -> st.SearchStrategy[Condition]:
    """Parts of names as people write them: in any order, words cut short, part of a compound."""
    texts = ["노래", "래", "노 1", "1 ba", "BALLAD", "soul b", "l", "b r", "힙합 노", "☕", "jazzy"]
    return st.one_of(
        st.sampled_from(texts).map(lambda text: HasWords("search_words", asked_words(text))),
        st.sampled_from(["artist 1", "1", "art 3 5", "x"]).map(
            lambda text: HasWords("artist_words", asked_words(text))
        ),
    )


def has_value() -> st.SearchStrategy[Condition]:
    """Of fields with an index and without."""
    fields = ["genres", "issue_date", "popularity", "bpm", "explicit", "search_words", "lyrics"]
    return st.sampled_from([*fields, "album"]).map(HasValue)


def number_range() -> st.SearchStrategy[Condition]:
    """Bounds at the very numbers of the sample, and beside them, for integers as for floats."""
    numbers: dict[str, list[float]] = {
        "popularity": [-1, 0, 1, 1.5, 2, 3, 3.999, 7, 50],
        "issue_year": [1999, 1999.5, 2000, 2001],
        "artist_ids": [-0.5, 0, 3, 3.5, 11, 1e30],
        "loudness": [-5.5, -5, -2.5, -2, -0.5, 0, 2, 2.5, 4],
        "bpm": [119, 119.5, 120, 120.1, 120.5, 121.1, 128, 1e300],
        "peaks": [0.1, 0.2, 0.25, 0.3, 119.5],
    }
    return st.one_of(*(ranges(NumberRange, field, values) for field, values in numbers.items()))


def date_range() -> st.SearchStrategy[Condition]:
    """Moments around those of the sample, at their very microsecond or beside it."""
    days = [DAY + timedelta(days=days) for days in (-2, 0, 1, 7, 20, 39, 42)]
    sides = [timedelta(seconds=-1), timedelta(), timedelta(microseconds=1), timedelta(hours=11)]
    moments = [day + side for day in days for side in sides]

    def shown(condition: Condition, zone: tzinfo | None) -> Condition:
        """The same range with its bounds in another zone, or in none: that is UTC, too."""
        assert isinstance(condition, DateRange)
        bounds = ((name, getattr(condition, name)) for name in ("gte", "lte", "gt", "lt"))
        return DateRange(
            condition.field,
            **{
                name: bound.astimezone(zone) if zone else bound.replace(tzinfo=None)
                for name, bound in bounds
                if bound
            },
        )

    found = st.one_of(*(ranges(DateRange, field, moments) for field in ("issue_date", "added_at")))
    return st.builds(shown, found, st.sampled_from([UTC, SEOUL, None]))


SEOUL = timezone(timedelta(hours=9))


def has_id() -> st.SearchStrategy[Condition]:
    ids = st.integers(FIRST_SONG - 2, FIRST_SONG + SONGS + 2)
    return st.lists(ids, min_size=1, max_size=20).map(lambda chosen: HasId(tuple(chosen)))


@st.composite
def filters(draw: st.DrawFn, depth: int = 2) -> Filter:
    """Conditions that hold, that may hold and that do not, of which some are filters again."""
    parts = [match_any(), number_range(), date_range(), has_id(), has_words(), has_value()]
    if depth:
        parts.append(filters(depth - 1))
    some = st.lists(st.one_of(parts), max_size=2).map(tuple)
    must, should, must_not = draw(some), draw(some), draw(some)
    if not must + should + must_not:
        must = (draw(st.one_of(parts)),)
    return Filter(must, should, must_not)


JAZZ = MatchAny("genres", ("jazz",))
EITHER, EITHER_TURNED = (
    MatchAny("genres", values) for values in (("jazz", "ballad"), ("ballad", "jazz"))
)
POPULAR = NumberRange("popularity", gte=3)
EXPLICIT = MatchAny("explicit", (True,))


# a server ignores in `must_not` what stands beside it, unless it is told in another way
@example(filter=Filter(must=(JAZZ,), must_not=(JAZZ,)))
@example(filter=Filter(should=(JAZZ, POPULAR), must_not=(JAZZ,)))
@example(filter=Filter(must=(EITHER,), must_not=(EITHER_TURNED,)))
@example(filter=Filter(must=(EXPLICIT,), must_not=(EXPLICIT,)))
# an index of integers would cut off what stands behind the point
@example(filter=Filter(must=(NumberRange("loudness", gte=2.5, lt=4.5),)))
@example(filter=Filter(must=(NumberRange("loudness", gt=-2.5, lte=-0.5),)))
@run_with(max_examples=100)
@given(filter=filters())
def test_filters_let_the_same_songs_pass(readers: BothReaders, filter: Filter) -> None:
    expected = SAMPLE.passing(filter)
    for engine, reader in readers.items():
        found = reader.find(Collection.SONGS, filter, SONGS, payload=False)
        assert {record.id for record in found} == expected, engine
        assert reader.count(Collection.SONGS, filter) == len(expected), engine


@run_with(max_examples=50)
@given(filter=filters(), seed=st.integers(0, 2**32 - 1))
def test_filtered_queries_find_what_a_scan_finds(
    readers: BothReaders, filter: Filter, seed: int
) -> None:
    vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    expected = SAMPLE.nearest(vector, filter)
    for engine, reader in readers.items():
        [hits] = reader.query(Collection.SONGS, [VectorQuery(vector, DENSE, SONGS, filter=filter)])
        assert {hit.id for hit in hits} == set(expected), engine
        for hit in hits:
            assert hit.score == pytest.approx(expected[hit.id], abs=1e-5), engine


def test_five_hundred_constrained_queries_have_the_same_answers(
    readers: BothReaders,
) -> None:
    rng = np.random.default_rng(500)
    queries = [
        VectorQuery(
            rng.normal(size=DIM).astype(np.float32),
            DENSE,
            limit=25,
            filter=random_constraints(rng),
            exact=True,
        )
        for _ in range(500)
    ]
    embedded, server = (
        [
            hits
            for start in range(0, 500, 100)
            for hits in reader.query(Collection.SONGS, queries[start : start + 100])
        ]
        for reader in readers.values()
    )
    assert sum(bool(hits) for hits in embedded) > 400
    for ours, theirs in zip(embedded, server, strict=True):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert a.score == pytest.approx(b.score, abs=TIE)
        # where the order differs, the scores tie
        score = {hit.id: hit.score for hit in theirs}
        for a, b in zip(ours, theirs, strict=True):
            assert a.id == b.id or abs(score.get(a.id, b.score) - b.score) <= TIE
        last = ours[-1].score if ours else 0
        certain = {hit.id for hit in ours if hit.score > last + TIE}
        assert certain <= set(score)


def random_constraints(rng: np.random.Generator) -> Filter:
    """As people combine them: some genres, an era, a popularity, artists or songs to avoid."""
    must: list[Condition] = []
    must_not: list[Condition] = []
    if rng.random() < 0.6:
        chosen = rng.choice(len(GENRES), int(rng.integers(1, 3)), replace=False)
        must.append(MatchAny("genres", tuple(GENRES[n] for n in chosen)))
    if rng.random() < 0.5:
        since = DAY + timedelta(days=int(rng.integers(0, 20)))
        must.append(DateRange("issue_date", since, since + timedelta(days=20)))
    if rng.random() < 0.4:
        must.append(NumberRange("popularity", gte=int(rng.integers(0, 4))))
    if rng.random() < 0.5:
        must_not.append(MatchAny("artists", (ARTISTS[int(rng.integers(len(ARTISTS)))],)))
    if rng.random() < 0.5 or not must:
        seeds = rng.integers(FIRST_SONG, FIRST_SONG + SONGS, size=10).tolist()
        must_not.append(HasId(tuple(seeds)))
    return Filter(must=tuple(must), must_not=tuple(must_not))
