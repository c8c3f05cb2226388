"""The neighbours of a query, liked and disliked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from melon.retrieval import PlaylistQuery, Retriever
from melon.retrieval.settings import Feedback, Hops
from melon.retrieval.strategies.first_hop import (
    FirstHop,
    Playlists,
    disliked_seeds,
    liked_seeds,
    search,
)
from melon.retrieval.strategies.ranking import ResolvedQuery
from melon.store import Filter, HasId


def test_a_playlist_that_is_like_both_stands_once_in_the_query() -> None:
    near = Playlists(np.array([4, 9, 4], np.uint32), np.array([1, 0.5, -0.25], np.float32), 2)
    assert near.vector().indices.tolist() == [4, 9]
    assert near.vector().values.tolist() == [0.75, 0.5]


def test_each_seed_has_its_kind(retriever: Retriever) -> None:
    """An explanation names a seed by its kind, wherever in the lists it stands."""
    query = PlaylistQuery(
        songs=(1, 2), tags=("rain",), title="winter", not_songs=(9,), not_tags=("party",)
    )
    resolved = resolve(retriever, query)
    parts = (*liked_seeds(resolved, Hops()), *disliked_seeds(resolved, Hops()))
    named = {(part.kind, key) for part in parts for key in part.seeds.keys}
    assert {("song", 1), ("song", 2), ("song", 9), ("tag", "rain"), ("tag", "winter")} < named
    assert {("tag", "party"), ("word", "rain"), ("bigram", "ra")} < named
    assert all(len(part.values) == len(part) for part in parts)


def test_feedback_asks_for_songs_that_a_title_leads_to(retriever: Retriever) -> None:
    """More playlists hold these songs than say the title's words."""
    query, reader = (
        resolve(retriever, PlaylistQuery(title="rainy dawn")),
        retriever._source.open.reader,
    )
    words = Hops(word_weight=1, playlists=500)
    hop = FirstHop(query, words, disliked=False)
    widened = Hops(word_weight=1, playlists=500, feedback=Feedback(songs=5, weight=2))
    (same, wide), (by_words, by_both) = search(reader, [hop, FirstHop(query, widened, False)])
    assert same is hop
    assert set(by_both.ids) > set(by_words.ids)
    assert hop.vector is not None
    assert wide.expected is not None
    assert len(wide.expected.indices) == 5
    np.testing.assert_allclose(wide.expected.values.sum(), 2 * hop.vector.values.sum(), rtol=1e-5)


def test_feedback_never_asks_for_what_a_query_excludes(retriever: Retriever) -> None:
    reader, hops = retriever._source.open.reader, Hops(word_weight=1, feedback=Feedback(songs=5))
    query = resolve(retriever, PlaylistQuery(title="rainy dawn"))
    [hop], _ = search(reader, [FirstHop(query, hops, disliked=False)])
    assert hop.expected is not None
    first = int(hop.expected.indices[0])
    without = replace(query, song_filter=Filter(must_not=(HasId((first,)),)))
    [hop], _ = search(reader, [FirstHop(without, hops, disliked=False)])
    assert hop.expected is not None
    assert first not in hop.expected.indices
    assert len(hop.expected.indices) == 5


def resolve(retriever: Retriever, query: PlaylistQuery) -> ResolvedQuery:
    [seeds] = retriever._source.open.seeds([query])
    return ResolvedQuery(query, seeds, Filter(), Filter(), song_limit=10, tag_limit=10)
