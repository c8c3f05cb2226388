"""A space in memory answers as the release that is made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from melon.embedding import EmbeddingSpace
from melon.learning import MemoryReader
from melon.store import (
    DENSE,
    SCHEMA,
    Collection,
    Filter,
    HasId,
    HasValue,
    Hits,
    MatchAny,
    NumberRange,
    ReleaseReader,
    RequestRefused,
    SparseVector,
    VectorQuery,
    VectorStore,
)

CLOSE = 2e-5
COUNTS = {
    Collection.SONGS: "popularity",
    Collection.TAGS: "popularity",
    Collection.PLAYLISTS: "song_count",
    Collection.WORDS: "popularity",
}
MATCHING = {
    Collection.SONGS: Filter(must=(MatchAny("genres", ("GN0100", "GN0200", "none")),)),
    Collection.TAGS: Filter(must_not=(MatchAny("popularity", (3, 4)),)),
    Collection.PLAYLISTS: Filter(must=(MatchAny("tags", ("rain", "night")),)),
    Collection.WORDS: Filter(must=(MatchAny("kind", ("bigram",)),)),
}
SEARCHED = (Collection.SONGS, Collection.TAGS, Collection.PLAYLISTS)


@pytest.fixture(scope="module")
def memory(demo_space: EmbeddingSpace) -> MemoryReader:
    return MemoryReader(demo_space)


@pytest.fixture(scope="module")
def engine(demo_store: VectorStore) -> ReleaseReader:
    return demo_store.open()


def ids_of(reader: ReleaseReader, collection: Collection) -> list[int | str]:
    return [record.id for record in reader.find(collection, None, 10_000, payload=False)]


def test_it_says_of_itself_what_the_release_says(memory, engine):
    unlike = {"release", "created", "preset", "evidence"}
    assert memory.manifest.model_dump(exclude=unlike) == engine.manifest.model_dump(exclude=unlike)


@pytest.mark.parametrize("collection", Collection)
def test_every_point_is_read_as_the_engine_has_it(memory, engine, collection):
    ids = ids_of(engine, collection)
    assert ids_of(memory, collection) == ids
    asked = [*ids[::-3], ids[0], 999_999_999 if isinstance(ids[0], int) else "no id"]
    known = asked[:-1]
    ours = memory.retrieve(collection, asked, vectors=True, sparse=True)
    theirs = engine.retrieve(collection, known, vectors=True, sparse=True)
    assert [(one.id, one.payload) for one in ours] == [(one.id, one.payload) for one in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert (our.vector is None) == (their.vector is None)
        if our.vector is not None:
            np.testing.assert_allclose(our.vector, their.vector, atol=CLOSE)
        assert (our.sparse is None) == (their.sparse is None)
        if our.sparse is not None:
            ours_by_dimension, their_by_dimension = (
                dict(zip(one.sparse.indices.tolist(), one.sparse.values.tolist(), strict=True))
                for one in (our, their)
            )
            assert ours_by_dimension == pytest.approx(their_by_dimension)


@pytest.mark.parametrize("collection", Collection)
def test_some_fields_alone_are_read_alike(memory, engine, collection):
    ids = ids_of(engine, collection)[:20]
    for names in (("popularity",), ("songs",), ("tag", "popularity"), ("search_words",), False):
        ours, theirs = (
            [record.payload for record in reader.retrieve(collection, ids, payload=names)]
            for reader in (memory, engine)
        )
        assert ours == theirs


@pytest.mark.parametrize("collection", Collection)
def test_counts_are_filtered_and_sorted_alike(memory, engine, collection):
    field = COUNTS[collection]
    ids = ids_of(engine, collection)
    assert memory.values(collection, field, ids) == engine.values(collection, field, ids)
    for filter in (
        None,
        Filter(must=(NumberRange(field, gte=4),)),
        Filter(must=(NumberRange(field, gt=2, lt=9),), must_not=(HasId(tuple(ids[:30])),)),
        MATCHING[collection],
        Filter(should=(HasId(tuple(ids[:3])), NumberRange(field, lte=3))),
        Filter(must=(Filter(must=(NumberRange(field, gte=3),), must_not=(HasId((ids[1],)),)),)),
    ):
        assert memory.count(collection, filter) == engine.count(collection, filter)
        assert [record.id for record in memory.find(collection, filter, 7)] == [
            record.id for record in engine.find(collection, filter, 7)
        ]
        ours, theirs = (
            [record.payload[field] for record in reader.top(collection, field, 25, filter)]
            for reader in (memory, engine)
        )
        assert ours == theirs


def test_values_are_counted_alike(memory, engine):
    for collection, field in ((Collection.PLAYLISTS, "tags"), (Collection.SONGS, "genres")):
        assert memory.facet(collection, field, 9) == engine.facet(collection, field, 9)


def test_what_is_not_kept_in_memory_is_refused(memory):
    with pytest.raises(RequestRefused, match="not filtered by"):
        memory.count(Collection.SONGS, Filter(must=(HasValue("genres"),)))


def same(ours: Hits, theirs: Hits) -> None:
    """The same hits, but for the order and the choice of equally good ones."""
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=CLOSE, rtol=CLOSE)
    if not len(ours):
        return
    last = theirs.scores[-1] + 2 * CLOSE * max(1, abs(theirs.scores[-1]))
    certain = [set(hits.ids[hits.scores > last].tolist()) for hits in (ours, theirs)]
    assert certain[0] <= set(theirs.ids.tolist())
    assert certain[1] <= set(ours.ids.tolist())


def queries(collection: Collection, ids: Sequence[int | str]) -> st.SearchStrategy[VectorQuery]:
    numbers = st.builds(
        NumberRange, st.just(COUNTS[collection]), gte=st.integers(0, 12), lte=st.just(400)
    )
    excluded = st.lists(st.sampled_from(ids), min_size=1, max_size=9, unique=True)
    filters = st.builds(
        Filter,
        must=st.lists(numbers, max_size=1).map(tuple),
        must_not=st.lists(excluded.map(tuple).map(HasId), max_size=1).map(tuple),
    )
    vectors = st.integers(0, 10_000).map(np.random.default_rng)
    sparse = SCHEMA[collection].sparse
    return st.builds(
        lambda rng, is_sparse, filter, limit: VectorQuery(
            sparse_vector(rng) if is_sparse else rng.normal(size=16).astype(np.float32),
            sparse if is_sparse else DENSE,
            limit,
            filter or None,
            exact=True,
        ),
        vectors,
        st.booleans() if sparse else st.just(False),
        filters,
        st.sampled_from([1, 5, 40, 1_000]),
    )


DIMENSIONS: list[int] = []


def sparse_vector(rng: np.random.Generator) -> SparseVector:
    chosen = np.unique(rng.choice(DIMENSIONS, int(rng.integers(1, 30))))
    values = rng.uniform(0.1, 1, len(chosen)) * rng.choice([1, 1, 1, -1], len(chosen))
    return SparseVector(chosen.astype(np.uint32), values.astype(np.float32))


@pytest.mark.parametrize("collection", SEARCHED)
@run_with(max_examples=40)
@given(data=st.data())
def test_any_search_finds_what_the_engine_finds(memory, engine, collection, data):
    ids = ids_of(engine, collection)
    records = memory.retrieve(collection, ids, payload=False, sparse=True)
    # dimensions of the points, and some that no point has
    DIMENSIONS[:] = [
        *{int(i) for one in records if one.sparse for i in one.sparse.indices},
        77,
        2**31 + 5,
    ]
    asked = data.draw(st.lists(queries(collection, ids), min_size=1, max_size=6))
    together = memory.query(collection, asked)
    for our, their in zip(together, engine.query(collection, asked), strict=True):
        same(our, their)
    for query, ours in zip(asked, together, strict=True):
        [alone] = memory.query(collection, [query])
        same(ours, alone)
