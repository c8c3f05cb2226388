"""The neighbours of a query, liked and disliked."""

from __future__ import annotations

import numpy as np

from melon.retrieval import PlaylistQuery, Retriever
from melon.retrieval.settings import Hops
from melon.retrieval.strategies.hops import Playlists, disliked_seeds, liked_seeds
from melon.retrieval.strategies.ranking import ResolvedQuery
from melon.store import Filter


def test_a_playlist_that_is_like_both_stands_once_in_the_query() -> None:
    near = Playlists(np.array([4, 9, 4], np.uint32), np.array([1, 0.5, -0.25], np.float32), 2)
    assert near.vector().indices.tolist() == [4, 9]
    assert near.vector().values.tolist() == [0.75, 0.5]


def test_each_seed_has_its_kind(retriever: Retriever) -> None:
    """An explanation names a seed by its kind, wherever in the lists it stands."""
    query = PlaylistQuery(
        songs=(1, 2), tags=("rain",), title="winter", not_songs=(9,), not_tags=("party",)
    )
    [seeds] = retriever._source.open.seeds([query])
    resolved = ResolvedQuery(query, seeds, Filter(), Filter(), song_limit=10, tag_limit=10)
    parts = (*liked_seeds(resolved, Hops()), *disliked_seeds(resolved, Hops()))
    named = {(part.kind, key) for part in parts for key in part.seeds.keys}
    assert {("song", 1), ("song", 2), ("song", 9), ("tag", "rain"), ("tag", "winter")} < named
    assert {("tag", "party"), ("word", "rain"), ("bigram", "ra")} < named
    assert all(len(part.values) == len(part) for part in parts)
