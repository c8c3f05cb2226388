"""Recall at the length of the list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def recall(hits: NDArray[np.bool_], hidden: NDArray[np.int64]) -> NDArray[np.float64]:
    """recall@k of n lists of k: hits / hidden, the share of the hidden items that are found.

    Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, 2008, chapter 8.

    Args:
        hits: (n, k) bool, whether the item at each rank is hidden in the playlist.
        hidden: (n,) int64, how many items are.

    Returns:
        (n,) float64; NaN where nothing is hidden.
    """
    found = hits.sum(axis=1).astype(np.float64)
    share: NDArray[np.float64] = found / np.where(hidden > 0, hidden, np.nan)
    return share
