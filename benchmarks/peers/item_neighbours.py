"""Item-item neighbourhoods of the library `implicit`: songs, tags and title words alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from peers.bags import Bags, Matrix
from peers.ranking import Scores

NEIGHBOURS = 1000
"""Most similar items that are kept of each. The library's default, 20, finds songs no tag."""

LEAST = 20
"""Playlists that must hold an item: rare songs are each other's nearest, and crowd out the rest."""


class _ItemNeighbours:
    """A question's items add up their similarities to what is like them."""

    def __init__(self, model: Any, bags: Bags) -> None:
        frequent = (bags.counts >= LEAST).astype(np.float32)
        model.fit((bags.matrix @ sparse.diags(frequent)).tocsr(), show_progress=False)
        self._similarity = model.similarity

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: what the library's `recommend` ranks by, for all items."""
        return np.asarray((rows @ self._similarity).toarray(), np.float32)


class CosineNeighbours(_ItemNeighbours):
    """Cosine between the items' columns of the playlists."""

    def __init__(self, bags: Bags) -> None:
        from implicit.nearest_neighbours import CosineRecommender

        super().__init__(CosineRecommender(K=NEIGHBOURS), bags)


class Bm25Neighbours(_ItemNeighbours):
    """BM25 between the items' columns, with the library's k1 and b."""

    def __init__(self, bags: Bags) -> None:
        from implicit.nearest_neighbours import BM25Recommender

        super().__init__(BM25Recommender(K=NEIGHBOURS), bags)
