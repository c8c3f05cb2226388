"""Normalised discounted cumulative gain, the metric of the *Melon Playlist Continuation* task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ndcg(hits: NDArray[np.bool_], hidden: NDArray[np.int64]) -> NDArray[np.float64]:
    """nDCG@k of n lists of k: the gain of the hits over the gain of the best possible list.

    DCG = Σ over hits at 0-based rank i of 1 / ln(i + 2); the ideal list begins with min(k, hidden)
    hits. The logarithm's base cancels out.

    Järvelin and Kekäläinen, *Cumulated gain-based evaluation of IR techniques*, 2002,
    doi:10.1145/582415.582418; with binary gains, as the Kakao Arena scores playlists.

    Args:
        hits: (n, k) bool, whether the item at each rank is hidden in the playlist.
        hidden: (n,) int64, how many items are.

    Returns:
        (n,) float64; NaN where nothing is hidden.
    """
    k = hits.shape[1]
    gains = 1 / np.log(np.arange(k) + 2)
    ideal = np.concatenate([[np.nan], np.cumsum(gains)])
    return np.asarray(hits @ gains / ideal[np.minimum(hidden, k)])
