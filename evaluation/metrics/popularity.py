"""Average recommendation popularity (ARP)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def average_popularity(popularity: NDArray[np.float64]) -> float:
    """The mean over n lists of the mean popularity of their items: how far a list keeps to hits.

    Yin, Cui, Li, Yao and Chen, *Challenging the long tail recommendation*, 2012,
    doi:10.14778/2311906.2311916.

    Args:
        popularity: (n, k) float64, how many training playlists hold the item at each rank.

    Returns:
        Playlists an item; NaN without lists.
    """
    return float(popularity.mean()) if popularity.size else float("nan")
