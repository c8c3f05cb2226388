"""The neighbours of a query, liked and disliked."""

from __future__ import annotations

import numpy as np
import pytest

from melon.retrieval.hops import Neighbours


def test_a_playlist_that_is_like_both_stands_once_in_the_query() -> None:
    near = Neighbours(np.array([4, 9, 4], np.uint32), np.array([1, 0.5, -0.25], np.float32), 2)
    assert near.vector().indices.tolist() == [4, 9]
    assert near.vector().values.tolist() == [0.75, 0.5]


def test_neighbours_have_no_length_that_could_be_taken_for_that_of_their_columns() -> None:
    near = Neighbours(np.array([4, 9, 4], np.uint32), np.array([1, 0.5, -0.25], np.float32), 2)
    with pytest.raises(TypeError, match="has no len"):
        len(near)  # type: ignore[arg-type]
