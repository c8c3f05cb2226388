"""Item-item neighbourhoods of the library `implicit`: songs, tags and title words alike.

The library's default of 20 neighbours finds a song hardly any tag. Each model has the better of two
settings by its score on Melon: 200 neighbours among all items, or 1,000 among frequent ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from peers.bags import Bags, Matrix
from peers.ranking import Scores


class _ItemNeighbours:
    """A question's items add up their similarities to what is like them.

    Args:
        model: one of the library's, not fitted yet.
        bags: what it is fitted on.
        least: playlists that must hold an item for it to take part.
    """

    def __init__(self, model: Any, bags: Bags, *, least: int) -> None:
        frequent = (bags.counts >= least).astype(np.float32)
        model.fit((bags.matrix @ sparse.diags(frequent)).tocsr(), show_progress=False)
        self._similarity = model.similarity

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: what the library's `recommend` ranks by, for all items."""
        return np.asarray((rows @ self._similarity).toarray(), np.float32)


class CosineNeighbours(_ItemNeighbours):
    """Cosine between the items' columns of the playlists.

    Among all items, rare songs are each other's nearest, and crowd out tags and the rest.
    """

    def __init__(self, bags: Bags) -> None:
        from implicit.nearest_neighbours import CosineRecommender

        super().__init__(CosineRecommender(K=1000), bags, least=20)


class Bm25Neighbours(_ItemNeighbours):
    """BM25 between the items' columns, with the library's k1 and b."""

    def __init__(self, bags: Bags) -> None:
        from implicit.nearest_neighbours import BM25Recommender

        super().__init__(BM25Recommender(K=200), bags, least=1)
