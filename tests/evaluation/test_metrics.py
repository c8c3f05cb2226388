"""The metrics: by worked numbers, by their properties, and against NIST's trec_eval."""

from __future__ import annotations

from math import isnan, log

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from melon.evaluation.metrics import average_popularity, coverage, ndcg, r_precision, recall

METRICS = {"ndcg": ndcg, "recall": recall, "r_precision": r_precision}


def hits_at(*ranks: int, k: int = 100) -> NDArray[np.bool_]:
    """One list of `k`, with hits at these 0-based ranks."""
    return np.isin(np.arange(k), ranks)[None]


def counts(*hidden: int) -> NDArray[np.int64]:
    return np.array(hidden, np.int64)


@pytest.mark.parametrize(
    ("ranks", "hidden", "expected"),
    [
        ((0,), 1, 1.0),
        ((1,), 1, log(2) / log(3)),
        # 1/ln 2 + 1/ln 5 of an ideal 1/ln 2 + 1/ln 3 + 1/ln 4
        ((0, 3), 3, 0.6713860725233041),
        # the last rank still counts: 1/ln 101 of 1/ln 2
        ((99,), 1, log(2) / log(101)),
        ((), 5, 0.0),
        (range(100), 100, 1.0),
        # no more than 100 can be found
        (range(100), 140, 1.0),
    ],
)
def test_ndcg_is_the_challenges(
    ranks: range | tuple[int, ...], hidden: int, expected: float
) -> None:
    assert ndcg(hits_at(*ranks), counts(hidden)) == pytest.approx([expected])


def test_ndcg_by_the_formula_as_the_challenge_states_it() -> None:
    def official(hits: list[bool], hidden: int) -> float:
        gain = sum(1 / log(i + 2) for i, hit in enumerate(hits) if hit)
        return gain / sum(1 / log(i + 2) for i in range(hidden))

    rng = np.random.default_rng(0)
    hits = rng.random((50, 100)) < 0.2
    hidden = hits.sum(axis=1) + rng.integers(0, 20, 50)
    expected = [official(row.tolist(), int(n)) for row, n in zip(hits, hidden, strict=True)]
    assert ndcg(hits, hidden) == pytest.approx(expected)


def test_recall_and_r_precision_by_worked_numbers() -> None:
    hits = np.vstack([hits_at(0, 2, 50), hits_at(1, 9)])
    assert recall(hits, counts(4, 2)) == pytest.approx([3 / 4, 1.0])
    # of the first four, two; of the first two, one
    assert r_precision(hits, counts(4, 2)) == pytest.approx([2 / 4, 1 / 2])


def test_r_precision_of_a_short_list_counts_what_is_not_there_as_missed() -> None:
    assert r_precision(hits_at(*range(10), k=10), counts(20)) == pytest.approx([0.5])


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_playlist_that_hides_nothing_has_no_accuracy(metric) -> None:
    found, missed = metric(np.vstack([hits_at(0), hits_at()]), counts(1, 0))
    assert found == 1
    assert isnan(missed)


def test_coverage_counts_each_item_once() -> None:
    assert coverage(np.array([[1, 2, 3], [3, 2, 9]]), 8) == 0.5
    assert coverage(np.array([["a", "b"], ["b", "a"]], object), 2) == 1.0
    assert isnan(coverage(np.array([], np.int64), 0))


def test_average_popularity_is_the_mean_of_the_lists_means() -> None:
    assert average_popularity(np.array([[1.0, 3.0], [10.0, 0.0]])) == 3.5
    assert isnan(average_popularity(np.empty((0, 10))))


lists = st.lists(st.booleans(), min_size=1, max_size=20)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@given(hits=lists, more=st.integers(0, 30))
def test_accuracy_lies_between_nothing_and_all(metric, hits: list[bool], more: int) -> None:
    hidden = sum(hits) + more
    if hidden:
        [value] = metric(np.array([hits]), counts(hidden))
        assert 0 <= value <= 1 + 1e-12
        assert (value == 0) == (not any(hits[:hidden] if metric is r_precision else hits))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@given(k=st.integers(1, 30), hidden=st.integers(1, 30))
def test_the_best_possible_list_scores_what_is_possible(metric, k: int, hidden: int) -> None:
    best = hits_at(*range(min(k, hidden)), k=k)
    possible = 1 if metric is ndcg else min(k, hidden) / hidden
    assert metric(best, counts(hidden)) == pytest.approx([possible])


@given(hits=lists.filter(any), data=st.data())
def test_a_hit_that_moves_up_is_worth_more_to_ndcg_and_the_same_to_recall(
    hits: list[bool], data: st.DataObject
) -> None:
    pairs = [(i, j) for j, hit in enumerate(hits) if hit for i in range(j) if not hits[i]]
    if not pairs:
        return
    up, down = data.draw(st.sampled_from(pairs))
    better = hits.copy()
    better[up], better[down] = True, False
    both, hidden = np.array([hits, better]), counts(sum(hits), sum(hits))
    before, after = ndcg(both, hidden)
    assert after > before
    before, after = recall(both, hidden)
    assert after == before
    before, after = r_precision(both, hidden)
    assert after >= before


@given(rows=st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=6))
def test_each_list_is_measured_for_itself(rows: list[list[bool]]) -> None:
    hits, hidden = np.array(rows), np.arange(1, len(rows) + 1)
    for metric in METRICS.values():
        alone = [metric(hits[[i]], hidden[[i]])[0] for i in range(len(rows))]
        assert metric(hits, hidden) == pytest.approx(alone)


def test_trec_eval_agrees() -> None:
    """On lists of 100 with up to 100 hidden items, by an implementation that is not ours."""
    rng = np.random.default_rng(7)
    qrels: dict[str, dict[str, int]] = {}
    runs: dict[str, dict[str, float]] = {}
    rows, hidden = [], []
    for number in range(60):
        ranked = rng.choice(2_000, 100, replace=False)
        wanted = set(rng.choice(ranked, rng.integers(0, 40), replace=False).tolist())
        wanted |= set(rng.integers(2_000, 4_000, rng.integers(1, 60)).tolist())
        qrels[str(number)] = {str(item): 1 for item in wanted}
        runs[str(number)] = {str(item): float(100 - rank) for rank, item in enumerate(ranked)}
        rows.append([int(item) in wanted for item in ranked])
        hidden.append(len(wanted))
    measures = {"ndcg_cut_100": ndcg, "recall_100": recall, "Rprec": r_precision}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, set(measures)).evaluate(runs)
    for name, metric in measures.items():
        expected = [theirs[str(number)][name] for number in range(60)]
        assert metric(np.array(rows), counts(*hidden)) == pytest.approx(expected, abs=1e-9), name
