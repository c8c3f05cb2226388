"""The cache of popularity, whatever the ids are."""

from __future__ import annotations

import tracemalloc
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melon.retrieval import tables
from melon.retrieval.tables import MAX_TABLE_ID, ById
from melon.store import id_array

small = st.integers(0, 5_000)
any_ids = st.one_of(
    st.lists(small, unique=True),
    st.lists(st.integers(0, 2**31 - 1), unique=True),
    st.lists(st.uuids().map(str), unique=True),
)


def count(point: int | str) -> int:
    """Of a point: a release never changes, so it is always the same."""
    return crc32(str(point).encode()) % 1000


@given(st.lists(any_ids, max_size=6))
def test_what_was_added_is_known_and_nothing_else_is(batches: list[list[int | str]]):
    known, added = ById(), set()
    for batch in batches:
        ids, counts = id_array(batch), [count(point) for point in batch]
        for point, found in zip(batch, known.of(ids).tolist(), strict=True):
            assert found == -1 or (found == count(point) and point in added)
        known.add(ids, np.array(counts, np.int64))
        added.update(batch)
        assert known.of(ids).tolist() == counts


@pytest.mark.parametrize("none", [np.array([], np.int64), np.array([], "<U36")])
def test_there_may_be_nothing_to_ask_for(none: np.ndarray):
    known = ById()
    known.add(none, np.array([], np.int64))
    assert known.of(none).tolist() == []


def test_a_count_of_zero_is_known():
    known = ById()
    known.add(np.array([7]), np.array([0]))
    assert known.of(np.array([6, 7, 8])).tolist() == [-1, 0, -1]


def test_ids_beyond_the_table_are_cached_too():
    known = ById()
    known.add(np.array([1, MAX_TABLE_ID + 1]), np.array([3, 4]))
    assert known.of(np.array([1, MAX_TABLE_ID + 1, MAX_TABLE_ID + 2])).tolist() == [3, 4, -1]


def test_one_id_beyond_the_table_takes_no_memory_for_those_below_it():
    known = ById()
    tracemalloc.start()
    try:
        known.add(np.array([MAX_TABLE_ID + 1]), np.array([4]))
        known.of(np.array([MAX_TABLE_ID + 2]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_others_are_dropped_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MAX_OTHERS", 3)
    known = ById()
    known.add(np.array(["a", "b"]), np.array([1, 2]))
    known.add(np.array(["c", "d"]), np.array([3, 4]))
    assert known.of(np.array(["a", "b", "c", "d"])).tolist() == [-1, -1, 3, 4]
