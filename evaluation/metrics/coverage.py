"""Catalogue coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
