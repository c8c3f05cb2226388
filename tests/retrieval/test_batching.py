"""Queries as they are put to an engine: the same answers, and those with equal filters together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from melon.retrieval import Retriever
from melon.retrieval.batching import MAX_EXCLUDED_IDS, query_grouped, search_ef
from melon.store import (
    DENSE,
    Collection,
    Filter,
    HasId,
    Hits,
    MatchAny,
    NumberRange,
    PointId,
    SparseVector,
    VectorQuery,
)

POPULAR = NumberRange("popularity", gte=3)


def without(*ids: PointId) -> Filter:
    return Filter(must=(POPULAR,), must_not=(HasId(ids),))


def query(filter: Filter | None, number: int = 0, **options: object) -> VectorQuery:
    vector = np.random.default_rng(number).normal(size=4).astype(np.float32)
    return VectorQuery(vector, DENSE, **({"limit": 5, "filter": filter} | options))


class Engine:
    """Answers every query with the points 0, 1, 2 ..., and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[VectorQuery] = []

    def __call__(self, queries: Sequence[VectorQuery]) -> list[Hits]:
        self.asked = list(queries)
        return [Hits(np.arange(q.limit), -np.arange(float(q.limit))) for q in queries]


def test_ids_are_dropped_from_the_answer_and_not_from_the_search() -> None:
    engine = Engine()
    [hits] = query_grouped(engine, [query(without(1, 3))])
    assert engine.asked[0].filter == Filter(must=(POPULAR,))
    assert hits.ids.tolist() == [0, 2, 4, 5, 6]
    assert hits.scores.tolist() == [0, -2, -4, -5, -6]


def test_an_answer_without_them_is_as_long_as_was_asked() -> None:
    [hits] = query_grouped(Engine(), [query(without(100, 101, 102))])
    assert hits.ids.tolist() == [0, 1, 2, 3, 4]


def test_payloads_stay_with_their_points() -> None:
    def ask(queries: Sequence[VectorQuery]) -> list[Hits]:
        count = queries[0].limit
        payloads = [{"number": row} for row in range(count)]
        return [Hits(np.arange(count), np.zeros(count), payloads)]

    [hits] = query_grouped(ask, [query(without(0), payload=True)])
    assert [hit.payload["number"] for hit in hits] == hits.ids.tolist() == [1, 2, 3, 4, 5]


def test_too_many_ids_and_sparse_queries_are_asked_as_they_are() -> None:
    sparse = SparseVector(np.array([7], np.uint32), np.ones(1, np.float32))
    asked = [
        query(without(*range(MAX_EXCLUDED_IDS + 1))),
        VectorQuery(sparse, "playlists", 5, without(1)),
        query(None),
    ]
    engine = Engine()
    query_grouped(engine, asked)
    assert engine.asked == asked


def test_queries_with_equal_filters_follow_each_other_and_answers_come_back_in_order() -> None:
    filters = [without(1), Filter(must=(POPULAR,)), without(2), Filter(must=(POPULAR,))]
    asked = [query(filter, number) for number, filter in enumerate(filters)]
    engine = Engine()
    answers = query_grouped(engine, asked)
    assert [own.limit for own in engine.asked] == [6, 6, 5, 5]
    assert [hits.ids.tolist() for hits in answers] == [
        [0, 2, 3, 4, 5],
        [0, 1, 2, 3, 4],
        [0, 1, 3, 4, 5],
        [0, 1, 2, 3, 4],
    ]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_engines_answer_the_same_as_by_the_filter(retriever: Retriever, count: int) -> None:
    reader = retriever.reader
    ids = [record.id for record in reader.find(Collection.SONGS, None, 60)]
    records = reader.retrieve(Collection.SONGS, ids, vectors=True)
    own = [
        VectorQuery(record.vector, DENSE, 10, without(*(r.id for r in records[:count])), exact=True)
        for record in records[:8]
    ]
    by_filter = retriever.engine_reader.query(Collection.SONGS, own)
    for expected, found in zip(by_filter, reader.query(Collection.SONGS, own), strict=True):
        assert found.ids.tolist() == expected.ids.tolist()
        assert found.scores == pytest.approx(expected.scores)


def test_only_a_search_without_conditions_is_narrower_than_the_stores_own() -> None:
    excluding = Filter(must_not=(HasId((1,)), MatchAny("genres", ("GN0100",))))
    for filter in (Filter(must=(POPULAR,)), Filter(should=(POPULAR,)), excluding):
        assert search_ef(200, filter) is None
    assert search_ef(100, None) == search_ef(100, Filter(must_not=(HasId((1,)),))) == 128
    assert search_ef(401, None) == 401
