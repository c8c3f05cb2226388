"""The neighbourhood formula of the challenge's second place, without its reranking.

An item is a song, a tag or a word of a title. Between a seed i and a candidate j,

    s(i, j) = |i|^-α · |j|^(α-1) · Σ over the playlists p that hold both: w(p)
    w(p)    = ( Σ over the seeds that p holds: |p|^(β-1) )^θ

with |i| the playlists that hold an item and |p| the items that a playlist holds; a candidate's
score is the sum over the seeds. So a playlist counts more the more of the question it
shares, as in Kelen et al. (2018), doi:10.1145/3267471.3267477, on the asymmetric cosine of Aiolli
(2013), doi:10.1145/2507157.2507189. The team's exponents are α .9, β .7, θ .99. It then learned
a support vector classifier for each question, over the vectors s(., j), to weigh the seeds
(Zhu et al. 2018, doi:10.1145/3267471.3267481): hours of work for all questions, left out here.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from peers.bags import Bags, Matrix
from peers.ranking import Scores

ALPHA, BETA, THETA = 0.9, 0.7, 0.99
OFFSET = 0.1
"""Added to every count before its power, as the team did."""


class SecondPlace:
    """Item-item similarities, summed over the seeds, in two products with the playlists."""

    def __init__(self, bags: Bags) -> None:
        self._bags, self._holders = bags.matrix, bags.matrix.T.tocsr()
        self._playlists = (OFFSET + bags.sizes()) ** (BETA - 1)
        self._seeds = (OFFSET + bags.counts) ** -ALPHA
        self._candidates = (OFFSET + bags.counts) ** (ALPHA - 1)

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: the summed similarities to the seeds."""
        weights = (rows @ self._holders @ sparse.diags(self._playlists)).tocsr()
        weights.data **= THETA
        shared = rows @ sparse.diags(self._seeds) @ self._holders
        summed = weights.multiply(shared).tocsr() @ self._bags
        return np.asarray((summed @ sparse.diags(self._candidates)).toarray(), np.float32)
