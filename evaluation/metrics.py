"""What a ranking is worth, one metric after the other, each with its formula and source.

The metrics of accuracy take the hits of n lists, `(n, k) bool`, best rank first, and how many
items are hidden in each, `(n,) int64`; they return `(n,) float64` in 0..1, NaN where nothing is
hidden. Those of the whole catalogue take what was recommended at all.
"""

from __future__ import annotations

from typing import Any

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


def recall(hits: NDArray[np.bool_], hidden: NDArray[np.int64]) -> NDArray[np.float64]:
    """recall@k of n lists of k: hits / hidden, the share of the hidden items that are in the list.

    Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, 2008, chapter 8.

    Args:
        hits: (n, k) bool, whether the item at each rank is hidden in the playlist.
        hidden: (n,) int64, how many items are.

    Returns:
        (n,) float64; NaN where nothing is hidden.
    """
    return np.asarray(hits.sum(axis=1) / np.where(hidden > 0, hidden, np.nan))


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
    return np.asarray((hits & among_first).sum(axis=1) / np.where(hidden > 0, hidden, np.nan))


def coverage(recommended: NDArray[Any], catalogue: int) -> float:
    """The share of the catalogue's items that are recommended in at least one list.

    Ge, Delgado-Battenfeld and Jannach, *Beyond accuracy: evaluating recommender systems by
    coverage and serendipity*, 2010, doi:10.1145/1864708.1864761.

    Args:
        recommended: items of the catalogue, of any shape, with repeats.
        catalogue: how many items there are to recommend.

    Returns:
        0..1; NaN for an empty catalogue.
    """
    return len(np.unique(recommended)) / catalogue if catalogue else float("nan")


def average_popularity(popularity: NDArray[np.float64]) -> float:
    """The mean popularity of what n lists of one length hold: how far they keep to hits.

    Yin, Cui, Li, Yao and Chen, *Challenging the long tail recommendation*, 2012,
    doi:10.14778/2311906.2311916.

    Args:
        popularity: of any shape, float64, how many training playlists hold each item of the lists.

    Returns:
        Playlists an item; NaN without items.
    """
    return float(popularity.mean()) if popularity.size else float("nan")
