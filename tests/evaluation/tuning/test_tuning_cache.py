"""The reader that keeps answers: the same ones as without it, and each asked for once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from evaluation_samples import HeldOut

from melon.evaluation.tuning.cache import ResponseCachingReader
from melon.store import DENSE, Collection, Filter, NumberRange, Record, ReleaseReader, VectorQuery
from melon.store.embedded import EmbeddedStore


@pytest.fixture(scope="module")
def reader(held_out: HeldOut) -> Iterator[ReleaseReader]:
    with EmbeddedStore(held_out.store) as store:
        yield store.open()


class Counting:
    """Counts what is asked of a real reader."""

    def __init__(self, reader: ReleaseReader) -> None:
        self.reader = reader
        self.queries = self.retrieved = 0

    def query(self, collection, queries):
        self.queries += len(queries)
        return self.reader.query(collection, queries)

    def retrieve(self, collection, ids, **options):
        self.retrieved += len(ids)
        return self.reader.retrieve(collection, ids, **options)


def some_queries(reader: ReleaseReader, count: int) -> list[VectorQuery]:
    ids = [record.id for record in reader.find(Collection.SONGS, None, count)]
    records = reader.retrieve(Collection.SONGS, ids, vectors=True)
    return [VectorQuery(np.array(r.vector, np.float32), DENSE, 5) for r in records]


def found(answers) -> list[list[tuple[object, float]]]:
    return [[(hit.id, hit.score) for hit in hits] for hits in answers]


def test_only_what_is_new_is_asked(reader: ReleaseReader) -> None:
    queries = some_queries(reader, 6)
    counting = Counting(reader)
    caching = ResponseCachingReader(counting)
    caching.query(Collection.SONGS, queries[:4])
    again = caching.query(Collection.SONGS, queries)
    assert counting.queries == 6
    assert found(again) == found(reader.query(Collection.SONGS, queries))


def test_whatever_changes_the_answer_makes_a_new_query(reader: ReleaseReader) -> None:
    [query] = some_queries(reader, 1)
    others = [
        replace(query, limit=4),
        replace(query, exact=True),
        replace(query, ef=500),
        replace(query, payload=("name",)),
        replace(query, vector=-query.vector),
        replace(query, filter=Filter(must=(NumberRange("popularity", gte=3),))),
    ]
    counting = Counting(reader)
    caching = ResponseCachingReader(counting)
    for asked in [query, *others]:
        assert found(caching.query(Collection.SONGS, [asked])) == found(
            reader.query(Collection.SONGS, [asked])
        )
    caching.query(Collection.TAGS, [query])
    assert counting.queries == len(others) + 2


def test_records_are_kept_by_what_is_asked_of_them(reader: ReleaseReader) -> None:
    ids = [record.id for record in reader.find(Collection.SONGS, None, 3)]
    counting = Counting(reader)
    caching = ResponseCachingReader(counting)
    for _ in range(2):
        named = caching.retrieve(Collection.SONGS, ids, payload=("name",))
        whole = caching.retrieve(Collection.SONGS, ids)
    assert counting.retrieved == 2 * len(ids)
    assert [record.id for record in named] == [record.id for record in whole] == ids
    assert all(len(one.payload) < len(two.payload) for one, two in zip(named, whole, strict=True))


def test_what_was_not_used_for_longest_goes_first(reader: ReleaseReader) -> None:
    first, second, third = some_queries(reader, 3)
    counting = Counting(reader)
    caching = ResponseCachingReader(counting, max_points=12)
    for asked in (first, second, first, third):  # third takes the place of second
        caching.query(Collection.SONGS, [asked])
    assert counting.queries == 3
    caching.query(Collection.SONGS, [first])
    assert counting.queries == 3
    caching.query(Collection.SONGS, [second])
    assert counting.queries == 4


def test_an_answer_without_points_takes_room_too(reader: ReleaseReader) -> None:
    """What was asked is kept with it."""
    counting = Counting(reader)
    caching = ResponseCachingReader(counting, max_points=2)
    for absent in (10**6, 10**6 + 1, 10**6 + 2, 10**6):
        assert caching.retrieve(Collection.SONGS, [absent]) == []
    assert counting.retrieved == 4


def test_hits_and_records_share_the_room(reader: ReleaseReader) -> None:
    [query] = some_queries(reader, 1)
    ids = [record.id for record in reader.find(Collection.SONGS, None, 5)]
    counting = Counting(reader)
    caching = ResponseCachingReader(counting, max_points=11)
    for _ in range(2):
        caching.query(Collection.SONGS, [query])
        caching.retrieve(Collection.SONGS, ids)
    assert (counting.queries, counting.retrieved) == (2, 10)


class Interrupted(list[Record]):
    """Records whose number takes so long to count that another thread gets its turn."""

    def __len__(self) -> int:
        time.sleep(0)
        return super().__len__()


class Ready:
    """Has three records for whatever is asked, and counts how often it is."""

    def __init__(self) -> None:
        self.asked = 0

    def retrieve(self, collection, ids, **options):
        self.asked += 1
        return Interrupted(Record(own, {}) for own in (*ids, *ids, *ids))


def test_threads_may_share_it() -> None:
    """Most answers go again while others are looked up; afterwards as many are kept as before."""
    ready = Ready()
    caching = ResponseCachingReader(ready, max_points=12)

    def ask(seed: int) -> None:
        for asked in np.random.default_rng(seed).integers(0, 8, 300).tolist():
            records = caching.retrieve(Collection.SONGS, [asked])
            assert {record.id for record in records} == {asked}

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))
    before = ready.asked
    for asked in (100, 101, 102, 100, 101, 102):
        caching.retrieve(Collection.SONGS, [asked])
    assert ready.asked == before + 3
    caching.retrieve(Collection.SONGS, [103])  # takes the place of 100
    caching.retrieve(Collection.SONGS, [100])
    assert ready.asked == before + 5
