"""Songs in the order of a flow: neighbours alike, artists apart, and nothing lost or added."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melon import InputError
from melon.retrieval import Retriever, Variety
from melon.retrieval.flow import ARTIST_GAP, flow


def directions(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=30), st.integers(0, 99))
def test_songs_of_an_artist_stand_apart_where_that_can_be(artists: list[str], seed: int):
    order = flow(directions(len(artists), seed), [[one] for one in artists])
    assert order[0] == 0
    assert sorted(order) == list(range(len(artists)))
    most = max(Counter(artists).values())
    if most * ARTIST_GAP <= len(artists) - ARTIST_GAP:
        for place in range(len(order)):
            near = [artists[row] for row in order[place : place + ARTIST_GAP]]
            assert len(set(near)) == len(near)


def test_each_song_is_followed_by_the_nearest_one():
    angles = np.radians([0, 90, 10, 80, 30])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert flow(vectors, [()] * 5) == [0, 2, 4, 3, 1]
    assert flow(vectors, [["a"], ["b"], ["a", "c"], ["c"], ["d"]]) == [0, 3, 1, 4, 2]
    assert flow(vectors[:0], []) == []
    assert flow(np.zeros((3, 2), np.float32), [["a"], ["a"], ["a"]]) == [0, 1, 2]


@pytest.mark.parametrize("variety", [None, Variety(diversity=0.4)])
def test_a_flow_has_the_songs_of_the_list(retriever: Retriever, variety: Variety | None):
    listed = retriever.recommend(title="rainy day", limit=40, variety=variety, explain=True)
    flowing = retriever.recommend(
        title="rainy day", limit=40, variety=variety, explain=True, order="flow"
    )
    assert (listed.order, flowing.order) == ("score", "flow")
    assert flowing.songs[0] == listed.songs[0]
    assert flowing.songs != listed.songs
    assert {song.id: song for song in flowing.songs} == {song.id: song for song in listed.songs}
    names = [set(song.artists) for song in flowing.songs]
    close = [
        a & b for one in range(1, ARTIST_GAP) for a, b in zip(names, names[one:], strict=False)
    ]
    assert not any(close)
    assert flowing == retriever.recommend(
        title="rainy day", limit=40, variety=variety, explain=True, order="flow"
    )


def test_an_unknown_order_is_refused(retriever: Retriever):
    with pytest.raises(InputError, match="no order 'random'"):
        retriever.recommend(title="rain", order="random")  # type: ignore[arg-type]
