"""Which vectors are nearest to which, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melon.progress import Progress, ignore

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BLOCK = 512
"""Rows of the matrix of similarities at a time: 100 MB for 50,000 points."""


def neighbours(vectors: Floats, count: int, progress: Progress = ignore) -> tuple[Ints, Floats]:
    """The nearest of n points to each of them, by the cosine of their vectors, exactly.

    Args:
        vectors: (n, dim) float32, unit rows.
        count: how many; there are fewer where the others are.
        progress: told how many points are done.

    Returns:
        Rows (n, k) int64, nearest first, of equal cosines the smaller row, and cosines (n, k).
    """
    n = len(vectors)
    k = max(min(count, n - 1), 0)
    rows, cosines = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
    for start in range(0, n if k else 0, BLOCK):
        progress("nearest", start, n)
        stop = min(start + BLOCK, n)
        near = vectors[start:stop] @ vectors.T
        near[np.arange(stop - start), np.arange(start, stop)] = -np.inf
        found = np.argpartition(near, n - k, axis=1)[:, n - k :]
        values = np.take_along_axis(near, found, axis=1)
        order = np.lexsort((found, -values), axis=1)
        rows[start:stop] = np.take_along_axis(found, order, axis=1)
        cosines[start:stop] = np.take_along_axis(values, order, axis=1)
    progress("nearest", n, n)
    return rows, cosines
