"""The data, filters and recall of the benchmarks of uploads and searches mean what they say."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from filtered_search import NEAREST, filters_of, questions, recall
from points import first, structs
from presets import share_found
from recording import recording
from scaled import scale

from melon.embedding import EmbeddingSpace
from melon.ingest.contents import SparseWeights, contents
from melon.retrieval import PlaylistQuery, Retriever
from melon.store import DENSE, Collection, Filter, Hits, ReleaseReader, VectorQuery, VectorStore

SONGS = Collection.SONGS


@pytest.mark.parametrize(("text", "part"), [("full", Fraction(1)), ("1/8", Fraction(1, 8))])
def test_scales(text: str, part: Fraction) -> None:
    assert scale(text) == part


@pytest.mark.parametrize("text", ["0", "3/2"])
def test_scales_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        scale(text)


def test_filters_leave_about_what_their_names_say(
    demo_space: EmbeddingSpace, demo_store: VectorStore
) -> None:
    filters = filters_of(demo_space)
    assert {"no filter", "genre, 10 %", "date, 10 %", "genre and date, 1 %"} <= set(filters)
    reader = demo_store.open()
    songs = len(demo_space.song_ids)
    shares = {name: reader.count(SONGS, filter or None) / songs for name, filter in filters.items()}
    assert shares["no filter"] == 1
    assert 0.05 < shares["genre, 10 %"] < 0.15
    assert 0.05 < shares["date, 10 %"] < 0.15
    assert shares["genre and date, 1 %"] < min(shares["genre, 10 %"], shares["date, 10 %"])
    excluding = [filter for filter in filters.values() if filter and not filter.must]
    assert excluding == [filters["all but the largest genre"]]
    held = Counter(code for song in demo_space.songs["genres"].to_pylist() for code in song)
    assert shares["all but the largest genre"] == pytest.approx(1 - max(held.values()) / songs)


class Forgetful:
    """A reader whose index does not find the best hit of each query."""

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader

    def query(self, collection: Collection, queries: list[VectorQuery]) -> list[Hits]:
        found = self._reader.query(collection, [replace(q, exact=True) for q in queries])
        if queries[0].exact:
            return found
        return [Hits(hits.ids[1:], hits.scores[1:]) for hits in found]


def test_recall_counts_what_is_missing(demo_space: EmbeddingSpace, demo_store: VectorStore) -> None:
    vectors = questions(demo_space, 5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    reader = demo_store.open()
    assert recall(reader, vectors, Filter()) == 1  # so few songs are scanned
    forgetful = Forgetful(reader)
    assert recall(forgetful, vectors, Filter()) == pytest.approx(1 - 1 / NEAREST)  # type: ignore[arg-type]


def test_points_are_those_that_melon_sends(demo_space: EmbeddingSpace) -> None:
    part = contents(demo_space, SparseWeights())[SONGS]
    made = list(structs(SONGS, part, 20))
    batch = part.batch(0, 20)
    assert [point.id for point in made] == list(batch.ids)
    assert [point.payload for point in made] == batch.payloads
    for row, point in enumerate(made):
        assert isinstance(point.vector, dict)
        if DENSE in point.vector:
            np.testing.assert_array_equal(np.float32(point.vector[DENSE]), batch.dense[row])
        else:
            assert not batch.dense[row].any()


def test_the_first_points_are_a_collection_of_their_own(demo_space: EmbeddingSpace) -> None:
    whole = contents(demo_space, SparseWeights())[SONGS]
    part = first(whole, 20)
    assert len(part) == 20
    one, other = part.batch(16, 32), whole.batch(16, 20)
    assert one.ids == other.ids
    assert one.payloads == other.payloads
    np.testing.assert_allclose(one.dense, other.dense, rtol=0.02)
    assert one.sparse is not None
    assert other.sparse is not None
    np.testing.assert_array_equal(one.sparse.indices, other.sparse.indices)
    assert len(first(whole, 10**9)) == len(whole)


def test_the_share_found_is_of_those_that_are_allowed() -> None:
    scores = np.arange(300, 0, -1, dtype=np.float32)[None] / 300
    row_of = {1000 + row: row for row in range(300)}
    everything, even = list(range(300)), list(range(0, 300, 2))
    nearest = [1000 + row for row in range(NEAREST)]
    assert share_found([nearest], scores, row_of, everything) == 1
    assert share_found([nearest[:90]], scores, row_of, everything) == pytest.approx(0.9)
    assert share_found([[*nearest[:90], *range(1290, 1300)]], scores, row_of, everything) == 0.9
    assert share_found([[1000 + row for row in even[:NEAREST]]], scores, row_of, even) == 1


def test_what_a_continuation_asks_is_recorded_and_asked_again(demo_store: VectorStore) -> None:
    retriever = Retriever(demo_store)
    query = PlaylistQuery(songs=(1, 2, 3))
    answer = retriever.recommend(query)
    with recording(retriever.engine_reader) as made:
        assert retriever.recommend(query) == answer
    assert len(made) >= 3
    assert all(request() is not None for request in made)
    assert retriever.recommend(query) == answer
