"""Lists in two arrays behave as Python's lists do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from melon.embedding.ragged import Ragged, has_direction, unit_rows

lists_of_numbers = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)


def ragged(lists: list[list[int]]) -> Ragged:
    lengths = np.array([len(each) for each in lists], np.int64)
    return Ragged.of_lengths(lengths, np.array([v for each in lists for v in each], np.int64))


def as_lists(lists: Ragged) -> list[list[int]]:
    return [lists[row].tolist() for row in range(len(lists))]


@given(lists_of_numbers, st.data())
def test_every_operation_equals_its_plain_python(lists, data):
    subject = ragged(lists)
    assert as_lists(subject) == lists
    assert as_lists(subject.unique()) == [sorted(set(each)) for each in lists]
    assert as_lists(subject.keep(subject.values % 2 == 0)) == [
        [v for v in each if v % 2 == 0] for each in lists
    ]
    holders = [[row for row, each in enumerate(lists) for v in each if v == w] for w in range(10)]
    assert as_lists(subject.inverse(10)) == holders
    assert as_lists(Ragged.side_by_side([subject, subject])) == [each + each for each in lists]
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=5) if lists else st.just([]))
    assert as_lists(subject.select(np.array(rows, np.int64))) == [lists[row] for row in rows]


@given(lists_of_numbers, st.lists(st.lists(st.integers(0, 9)), min_size=10, max_size=10))
def test_through_replaces_values_by_their_lists_once_each(lists, inner):
    found = ragged(lists).through(ragged(inner))
    assert as_lists(found) == [sorted({w for v in each for w in inner[v]}) for each in lists]


@given(lists_of_numbers)
def test_sums_are_those_of_the_named_rows(lists):
    vectors = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    expected = [vectors[each].sum(axis=0) if each else np.zeros(3) for each in lists]
    sums = ragged(lists).sum_of(vectors)
    assert sums.dtype == np.float32
    np.testing.assert_allclose(sums, np.array(expected).reshape(-1, 3), atol=1e-5)


def test_rows_without_a_direction_stay_zero():
    units = unit_rows(np.array([[3, 4], [0, 0], [1e30, 0]], np.float32))
    np.testing.assert_allclose(units, [[0.6, 0.8], [0, 0], [1, 0]], rtol=1e-6)
    assert has_direction(units).tolist() == [True, False, True]
