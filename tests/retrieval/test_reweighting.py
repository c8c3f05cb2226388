"""Reweighting is ridge regression, early stopped, whichever way songs are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from melon.retrieval.settings import Reweighting
from melon.retrieval.strategies.holdings import Holdings
from melon.retrieval.strategies.reweighting import conjugate_gradients, reweight
from melon.retrieval.tables import Lists

HELD = [[1, 2, 3], [2, 3, 4, 5], [1, 6], [], [7, 8, 9], [3, 4, 1, 9, 10, 11]]
SEEDS = [1, 3, 12]


def reweighted(
    weights: np.ndarray, held: list[list[int]], seeds: list[int], settings: Reweighting
) -> np.ndarray:
    holdings, rows = Holdings.of(Lists.of(held), np.array(seeds, np.int32))
    return reweight(weights, holdings, rows, settings)


def ridge(weights: np.ndarray, settings: Reweighting) -> np.ndarray:
    """The regression of `HELD` and `SEEDS`, whole and solved at once."""
    songs = np.unique(np.concatenate(HELD)).astype(int)
    holds = np.array([[song in own for own in HELD] for song in songs], float)
    is_seed = np.isin(songs, SEEDS)
    counts = np.diag(np.where(is_seed, settings.seen, settings.unseen))
    prior = weights * (0.5 / (holds @ weights)[is_seed].mean())
    scale = np.diag(np.sqrt(prior / prior.mean()))
    normal = settings.penalty * np.eye(len(prior)) + scale @ holds.T @ counts @ holds @ scale
    target = scale @ holds.T @ counts @ (is_seed - holds @ prior)
    return prior + scale @ np.linalg.solve(normal, target)


@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": 0.5},
        {"penalty": 50},
        {"penalty": 1, "seen": 3, "unseen": 0.2},
        {"penalty": 1, "seen": 1, "unseen": 5},
    ],
    ids=str,
)
def test_with_enough_iterations_it_is_ridge_regression(settings: dict[str, float]):
    weights = np.array([1, 0.8, 0.5, 0.4, 0.3, 0.1], np.float32)
    whole = Reweighting(**settings, iterations=len(HELD))
    expected = ridge(weights.astype(float), whole)
    np.testing.assert_allclose(reweighted(weights, HELD, SEEDS, whole), expected, rtol=1e-5)


class TestConjugateGradients:
    matrix = np.array([[4.0, 1, 0], [1, 3, 1], [0, 1, 2]])
    target = np.array([1.0, 2, 3])

    def test_solve_n_equations_in_n_steps(self):
        solved = conjugate_gradients(self.matrix.dot, self.target, 3)
        np.testing.assert_allclose(solved, np.linalg.solve(self.matrix, self.target), rtol=1e-10)

    def test_the_first_step_is_the_steepest_descent(self):
        step = self.target @ self.target / (self.target @ self.matrix @ self.target)
        first = conjugate_gradients(self.matrix.dot, self.target, 1)
        np.testing.assert_allclose(first, step * self.target)

    def test_two_steps_are_the_best_of_what_they_span(self):
        """Among all x of the plane of b and Ab, the error is least in the norm of A."""
        plane = np.stack([self.target, self.matrix @ self.target], axis=1)
        best = np.linalg.solve(plane.T @ self.matrix @ plane, plane.T @ self.target)
        second = conjugate_gradients(self.matrix.dot, self.target, 2)
        np.testing.assert_allclose(second, plane @ best, rtol=1e-10)

    def test_nothing_is_solved_by_nothing(self):
        assert not conjugate_gradients(self.matrix.dot, np.zeros(3), 5).any()


def test_neighbours_without_the_seeds_keep_their_weights():
    weights = np.array([1, 0.5], np.float32)
    assert reweighted(weights, [[1, 2], []], [7], Reweighting()) is weights


def test_a_neighbour_that_holds_much_else_loses_to_one_that_does_not():
    held = [[1, 2], [*range(1, 200)]]
    close, wide = reweighted(np.ones(2, np.float32), held, [1, 2], Reweighting(penalty=1))
    assert close > wide
