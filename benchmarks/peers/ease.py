"""EASE: a linear item-item model in closed form, Steck (2019), doi:10.1145/3308558.3313710."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from peers.bags import Bags, Matrix
from peers.ranking import Scores

PENALTY = 200.0

ITEMS = 10_000
"""Items that it knows, those in most playlists: it takes the square of their number."""


class Ease:
    """Ridge regression of each item on all others, with a diagonal of zeros."""

    def __init__(self, bags: Bags) -> None:
        self._known = np.sort(np.argsort(-bags.counts, kind="stable")[:ITEMS])
        held = bags.matrix[:, self._known]
        gram = (held.T @ held).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += PENALTY
        inverse = linalg.inv(gram, overwrite_a=True, check_finite=False)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0)
        self._weights = weights.astype(np.float32)
        self._items = bags.matrix.shape[1]

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: the regressions' sums over what a question gives."""
        scores = np.zeros((rows.shape[0], self._items), np.float32)
        scores[:, self._known] = rows[:, self._known] @ self._weights
        return scores
