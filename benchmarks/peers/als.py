"""Matrix factorisation by the library `implicit`: songs, tags and title words in one matrix.

Hu, Koren & Volinsky (2008), doi:10.1109/ICDM.2008.22, by conjugate gradients (Takács et al. 2011,
doi:10.1145/2043932.2043987).
"""

from __future__ import annotations

import numpy as np

from peers.bags import Bags, Matrix
from peers.ranking import Scores

FACTORS, ITERATIONS, REGULARIZATION, CONFIDENCE, SEED = 128, 15, 0.01, 10.0, 1


class AlternatingLeastSquares:
    """A question's factors are solved for from what it gives, as a playlist's are."""

    def __init__(self, bags: Bags) -> None:
        from implicit.cpu.als import AlternatingLeastSquares as Model

        self._model = Model(
            factors=FACTORS,
            iterations=ITERATIONS,
            regularization=REGULARIZATION,
            alpha=CONFIDENCE,
            random_state=SEED,
        )
        self._model.fit(bags.matrix, show_progress=False)

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: inner products of the factors."""
        factors = self._model.recalculate_user(np.arange(rows.shape[0]), rows)
        return np.asarray(factors @ self._model.item_factors.T, np.float32)
