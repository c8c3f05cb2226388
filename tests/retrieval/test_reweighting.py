"""Reweighting is the same arithmetic whichever way songs are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melon.retrieval.settings import Reweighting
from melon.retrieval.strategies import reweighting
from melon.retrieval.strategies.reweighting import reweight

songs = st.lists(st.integers(0, 30), unique=True, max_size=12)


@given(
    held=st.lists(songs, min_size=1, max_size=6),
    seeds=st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=5),
)
def test_a_table_of_ids_and_a_sort_agree(held: list[list[int]], seeds: list[int]):
    """Beyond `MAX_TABLE_ID` ids are sorted; what lies in an old table must never be believed."""
    arrays = [np.array(own, np.int32) for own in held]
    weights = np.linspace(1, 0.2, len(held), dtype=np.float32)
    with_table = reweight(weights, arrays, seeds, Reweighting())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reweighting, "MAX_TABLE_ID", 0)
        with_sort = reweight(weights, arrays, seeds, Reweighting())
    np.testing.assert_array_equal(with_table, with_sort)


def test_neighbours_without_the_seeds_keep_their_weights():
    weights = np.array([1, 0.5], np.float32)
    held = [np.array([1, 2], np.int32), np.array([], np.int32)]
    assert reweight(weights, held, [7], Reweighting()) is weights


def test_a_neighbour_that_holds_much_else_loses_to_one_that_does_not():
    held = [np.array([1, 2], np.int32), np.arange(1, 200, dtype=np.int32)]
    close, wide = reweight(np.ones(2, np.float32), held, [1, 2], Reweighting(penalty=1))
    assert close > wide
