"""R-precision, the first metric of the RecSys Challenge 2018 on playlist continuation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def r_precision(hits: NDArray[np.bool_], hidden: NDArray[np.int64]) -> NDArray[np.float64]:
    """R-precision of n lists of k: hits among the first R, over R, where R items are hidden.

    A list that is shorter than R counts as if misses followed. Only exact hits count, without
    the challenge's partial credit for the right artist.

    Zamani, Schedl, Lamere and Chen, *An analysis of approaches taken in the ACM RecSys Challenge
    2018 for automatic music playlist continuation*, 2019, doi:10.1145/3344257.

    Args:
        hits: (n, k) bool, whether the item at each rank is hidden in the playlist.
        hidden: (n,) int64, how many items are.

    Returns:
        (n,) float64; NaN where nothing is hidden.
    """
    among_first = np.arange(hits.shape[1]) < hidden[:, None]
    found = (hits & among_first).sum(axis=1).astype(np.float64)
    share: NDArray[np.float64] = found / np.where(hidden > 0, hidden, np.nan)
    return share
