"""Two builds of one space answer the same to the last digit, and in the same order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from places import Place, ServerPlace, place_on

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval import STRATEGIES, PlaylistQuery, Retriever
from melon.store import (
    DENSE,
    SCHEMA,
    Collection,
    Filter,
    NumberRange,
    SparseVector,
    VectorQuery,
    VectorStore,
)

LIMITS = (1, 3, 10, 40)

Twins = tuple[VectorStore, VectorStore]


@pytest.fixture(scope="module")
def twins(
    demo_place: Place, demo_store: VectorStore, demo_space: EmbeddingSpace
) -> Iterator[Twins]:
    """The demo's release, and another build of it."""
    server = demo_place.server if isinstance(demo_place, ServerPlace) else None
    with place_on(demo_place.engine, server) as place, place.open() as store:
        made = ingest(demo_space, store).manifest.release
        assert made == demo_store.live()
        assert made.startswith("r")
        yield demo_store, store


def queries(space: EmbeddingSpace, collection: Collection) -> list[VectorQuery]:
    """Of each kind of vector, with filters and without; many of the sparse ones tie."""
    rng = np.random.default_rng(5)
    field = "song_count" if collection is Collection.PLAYLISTS else "popularity"
    filters = [None, Filter(must=(NumberRange(field, gte=2),))]
    vectors: list[tuple[np.ndarray | SparseVector, str]] = [
        (vector, DENSE) for vector in (*space.song_vectors[::97], *space.tag_vectors[::13])
    ]
    sparse = SCHEMA[collection].sparse
    dimensions = space.song_ids if sparse == "items" else space.playlist_ids
    for held in (1, 1, 1, 2, 5, 200, 200) if sparse else ():
        chosen = np.sort(rng.choice(dimensions, held, replace=False)).astype(np.uint32)
        weights = np.ones(held) if held < 5 else rng.normal(1, 0.3, held)
        vectors.append((SparseVector(chosen, weights.astype(np.float32)), sparse or ""))
    return [
        VectorQuery(vector, using, limit, filter, exact=exact)
        for vector, using in vectors
        for filter in filters
        for limit in LIMITS
        for exact in (False, True)
    ]


@pytest.mark.parametrize("collection", Collection)
def test_searches(twins: Twins, demo_space: EmbeddingSpace, collection: Collection) -> None:
    asked = queries(demo_space, collection)
    one, other = (
        [
            (hits.ids.tolist(), hits.scores.tolist())
            for hits in store.open().query(collection, asked)
        ]
        for store in twins
    )
    assert one == other


def test_the_most_popular(twins: Twins) -> None:
    for collection in (Collection.SONGS, Collection.TAGS, Collection.WORDS):
        for limit in LIMITS:
            one, other = (
                [record.id for record in store.open().top(collection, "popularity", limit)]
                for store in twins
            )
            assert one == other


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_answers(twins: Twins, demo_space: EmbeddingSpace, strategy: str) -> None:
    asked = [
        *(PlaylistQuery(songs=(song,)) for song in demo_space.song_ids[::70].tolist()),
        *(PlaylistQuery(tags=(tag,)) for tag in demo_space.tags[::15]),
        PlaylistQuery(title="rainy day"),
        PlaylistQuery(title="nothing of this is known"),
        PlaylistQuery(songs=tuple(demo_space.song_ids[:20].tolist()), tags=("rain",), title="rain"),
    ]
    one, other = (
        [
            [(song.id, song.score) for song in answer.songs]
            + [(tag.tag, tag.score) for tag in answer.tags]
            for answer in Retriever(store).recommend_many(
                asked, limit=30, tag_limit=10, strategy=strategy
            )
        ]
        for store in twins
    )
    assert one == other
