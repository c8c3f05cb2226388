"""No method at all: every list is filled with what is most popular."""

from __future__ import annotations

import numpy as np

from peers.bags import Bags, Matrix
from peers.ranking import Scores


class Nothing:
    """Scores nothing, so that popularity fills everything."""

    def __init__(self, bags: Bags) -> None:
        self._items = len(bags.counts)

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32 zeros."""
        return np.zeros((rows.shape[0], self._items), np.float32)
