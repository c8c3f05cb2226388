"""The nearest playlists by cosine vote for what they hold.

The baseline that most teams of the challenge began with: Bonnin & Jannach (2014),
doi:10.1145/2652481, with items weighted by their inverse document frequency.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from peers.bags import Bags, Matrix
from peers.ranking import Scores

NEIGHBOURS = 500
POWER = 2
"""Exponent of a neighbour's similarity in its vote."""


class PlaylistKnn:
    """Cosine with IDF, `NEIGHBOURS` playlists, similarity^`POWER`."""

    def __init__(self, bags: Bags) -> None:
        self._bags = bags.matrix
        self._idf = np.log(len(bags.sizes()) / np.maximum(bags.counts, 1)).astype(np.float32)
        weighted = _scaled(bags.matrix, self._idf)
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        self._unit = (sparse.diags(1 / np.maximum(lengths, 1e-9)) @ weighted).T.tocsr()

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: the summed votes. A question's length scales them all alike."""
        similar = (_scaled(rows, self._idf) @ self._unit).tocsr()
        for start, end in zip(similar.indptr, similar.indptr[1:], strict=False):
            values = similar.data[start:end]
            if len(values) > NEIGHBOURS:
                values[np.argpartition(-values, NEIGHBOURS)[NEIGHBOURS:]] = 0
        similar.eliminate_zeros()
        similar.data **= POWER
        return np.asarray((similar @ self._bags).toarray(), np.float32)


def _scaled(rows: Matrix, weights: Scores) -> Matrix:
    return (rows @ sparse.diags(weights)).astype(np.float32).tocsr()
