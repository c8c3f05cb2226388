"""Sums over who holds what, whichever way items are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melon.retrieval.strategies import holdings
from melon.retrieval.strategies.holdings import Holdings
from melon.retrieval.tables import Lists

items = st.lists(st.integers(0, 30), unique=True, max_size=12)
held_by_some = st.lists(items, min_size=1, max_size=6)


def made(held: list[list[int]], also: list[int]) -> tuple[Holdings, np.ndarray]:
    return Holdings.of(Lists.of(held), np.array(also, np.int64))


@given(held=held_by_some, also=st.lists(st.integers(0, 40), max_size=5))
def test_the_sums_are_those_of_plain_python(held: list[list[int]], also: list[int]):
    made_of, rows = made(held, also)
    assert made_of.ids[rows].tolist() == also
    weights = np.linspace(1, 0.2, len(held))
    sums = dict(zip(made_of.ids.tolist(), made_of.sums_by_item(weights).tolist(), strict=True))
    for item in {*also, *(item for own in held for item in own)}:
        expected = sum(w for w, own in zip(weights, held, strict=True) if item in own)
        assert sums[item] == pytest.approx(expected)
    values = made_of.ids.astype(float)
    assert made_of.sums_by_playlist(values).tolist() == [sum(own) for own in held]
    half = len(held) // 2
    np.testing.assert_allclose(
        made_of.sums_by_item(weights[:half]), made_of.head(half).sums_by_item(weights[:half])
    )


@given(held=held_by_some, chosen=st.lists(st.integers(0, 30), unique=True, max_size=5))
def test_some_items_alone_have_the_same_sums(held: list[list[int]], chosen: list[int]):
    whole, rows = made(held, chosen)
    some = whole.of_items(rows)
    weights = np.linspace(1, 0.2, len(held))
    assert some.ids.tolist() == chosen
    np.testing.assert_allclose(some.sums_by_item(weights), whole.sums_by_item(weights)[rows])


@given(held=held_by_some, also=st.lists(st.integers(0, 40), unique=True, max_size=5))
def test_a_table_of_ids_and_a_sort_agree(held: list[list[int]], also: list[int]):
    """Beyond `MAX_TABLE_ID` ids are sorted; what lies in an old table must never be believed."""

    def sums() -> dict[int, float]:
        made_of, _ = made(held, also)
        weighted = made_of.sums_by_item(np.arange(1.0, len(held) + 1))
        return dict(zip(made_of.ids.tolist(), weighted.tolist(), strict=True))

    with_table = sums()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(holdings, "MAX_TABLE_ID", 0)
        assert sums() == with_table
