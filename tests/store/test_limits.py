"""Under each limit that strict mode can set: melon keeps to it, or names it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from places import SERVER, ServerPlace, place_on
from qdrant_server import Endpoint
from store_samples import DIM, FIRST_SONG, SONGS, Sample, manifest, publish

from melon.store import (
    DENSE,
    Collection,
    Filter,
    HasId,
    HasValue,
    LimitReached,
    MatchAny,
    NumberRange,
    Preset,
    ReleaseReader,
    SparseVector,
    VectorQuery,
)
from melon.store.server import ServerStore

ALL_AT_ONCE: dict[str, Any] = {
    "max_query_limit": 7,
    "max_timeout": 1,
    "search_allow_exact": False,
    "search_max_hnsw_ef": 400,
    "search_max_oversampling": 1.0,
    "search_max_batchsize": 2,
    "upsert_max_batchsize": 50,
    "condition_max_size": 9,
    "unindexed_filtering_retrieve": False,
    "unindexed_filtering_update": False,
}
"""Of such a kind that answers are the same in a graph of 300 points."""


OF_READS = [
    "max_query_limit",
    "search_allow_exact",
    "search_max_hnsw_ef",
    "condition_max_size",
    "unindexed_filtering_retrieve",
]
"""Those that change how melon reads."""


def strict(place: ServerPlace, release: str = "r1", **limits: Any) -> None:
    """Limit the collections of a release, and the registry."""
    key = {"api-key": place.server.api_key} if place.server.api_key else {}
    for name in place.collections():
        if name.endswith((f"__{release}", "_releases")):
            httpx.patch(  # the oldest client does not know all of them
                f"{place.server.url}/collections/{name}",
                json={"strict_mode_config": {"enabled": True, **limits}},
                headers=key,
            ).raise_for_status()


@dataclass
class Limited:
    place: ServerPlace
    store: ServerStore
    free: dict[str, Any]
    """The answers without a limit."""


@pytest.fixture(scope="module")
def limited(qdrant_server: Endpoint, songs_sample: Sample) -> Iterator[Limited]:
    with place_on(SERVER, qdrant_server) as place, place.open() as store:
        assert isinstance(place, ServerPlace)
        assert isinstance(store, ServerStore)
        publish(store, songs_sample.contents, preset=Preset.BALANCED)
        yield Limited(place, store, answers(store.open()))


def answers(reader: ReleaseReader) -> dict[str, Any]:
    """What each kind of request finds."""
    rng = np.random.default_rng(1)
    vectors = [rng.normal(size=DIM).astype(np.float32) for _ in range(5)]
    popular = Filter(must=(NumberRange("popularity", gte=1),))
    avoided = Filter(must_not=(HasId(tuple(range(FIRST_SONG, FIRST_SONG + 100))),))
    some = Filter(must=(MatchAny("artist_ids", tuple(range(11))), HasValue("album")))
    everything = SparseVector(np.arange(40, dtype=np.uint32), np.ones(40, np.float32))
    songs = Collection.SONGS
    dense = [
        VectorQuery(vector, DENSE, 20, filter, ("name",), exact)
        for vector in vectors
        for filter in (None, avoided, popular, some)
        for exact in (False, True)
    ]
    sparse = reader.query(songs, [VectorQuery(everything, "playlists", 60)])[0]
    return {
        "dense": [[hit.id for hit in hits] for hits in reader.query(songs, dense)],
        "sparse": np.round(sparse.scores, 3).tolist(),  # many tie
        "find": [record.id for record in reader.find(songs, popular, 50)],
        "missing": len(reader.find(songs, Filter(must_not=(HasValue("album"),)), SONGS)),
        "top": [
            record.payload["popularity"]
            for record in reader.top(songs, "popularity", 50, payload=("popularity",))
        ],
        "values": reader.values(songs, "popularity", [FIRST_SONG + n for n in range(30)]),
        "count": [reader.count(songs, one) for one in (None, popular, avoided, some)],
        "facet": reader.facet(songs, "artists", 9, popular),
        "facets": reader.facet(songs, "genres", 99),
        "retrieve": len(reader.retrieve(songs, [FIRST_SONG + n for n in range(90)])),
    }


@pytest.mark.parametrize(
    "limits",
    [*({name: ALL_AT_ONCE[name]} for name in OF_READS), ALL_AT_ONCE],
    ids=[*OF_READS, "all at once"],
)
def test_answers_are_the_same_within_a_limit(
    limited: Limited, limits: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    strict(limited.place, **limits)
    with limited.place.open() as store, caplog.at_level(logging.WARNING):
        assert answers(store.open()) == limited.free
        assert [info.live for info in store.releases()] == [True]
        said = [record.getMessage() for record in caplog.records]
        answers(store.open())
        assert [record.getMessage() for record in caplog.records] == said  # once


def test_a_release_is_built_within_all_limits_at_once(
    server_place: ServerPlace, songs_sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    """Even one without a graph, which is not allowed where no search may be exact."""
    with server_place.open() as store:
        for release in ("r1", "r2"):
            sizes = {Collection.SONGS: SONGS, Collection.TAGS: len(songs_sample.tags.ids)}
            builder = store.build(manifest(release, preset=Preset.EXACT, counts=sizes))
            strict(server_place, release, **ALL_AT_ONCE)
            for collection, batch in songs_sample.contents.items():
                builder.upsert(collection, batch)
            builder.finish()
            reader = builder.reader()
            assert reader.count(Collection.SONGS) == SONGS
            assert len(answers(reader)["sparse"]) == 60
            builder.seal()
            store.promote(release)
        store.drop("r1")
        assert [info.manifest.release for info in store.releases()] == ["r2"]
    sent = [text for text in caplog.messages if "points are sent 50 at a time" in text]
    assert len(sent) == 1


def test_conditions_that_are_too_many_are_named(limited: Limited) -> None:
    strict(limited.place, filter_max_conditions=2, condition_max_size=5)
    with limited.place.open() as store, pytest.raises(LimitReached) as caught:
        store.open().count(Collection.SONGS, Filter(must=(HasId(tuple(range(99))),)))
    assert caught.value.limit == "filter_max_conditions"
    assert "limit reached (20 > 2)" in str(caught.value)
    assert "change filter_max_conditions in the collection's strict_mode_config" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("limit", "allowed", "times"),
    [("max_collection_vector_size_bytes", 1, 40), ("max_payload_index_count", 3, 1)],
)
def test_what_stands_in_the_way_of_a_release_is_named(
    server_place: ServerPlace, songs_sample: Sample, limit: str, allowed: int, times: int
) -> None:
    with server_place.open() as store:
        builder = store.build(manifest())
        strict(server_place, **{limit: allowed})

        def build() -> None:
            for _ in range(times):  # the size is looked at now and then
                builder.upsert(Collection.SONGS, songs_sample.songs)
            builder.finish()

        with pytest.raises(LimitReached) as caught:
            build()
        builder.abandon()
    assert caught.value.limit == limit


def test_a_scan_that_is_not_allowed_is_named(
    server_place: ServerPlace, songs_sample: Sample
) -> None:
    """A release that was built without a graph before."""
    with server_place.open() as store:
        publish(store, songs_sample.contents, preset=Preset.EXACT)
        strict(server_place, search_allow_exact=False)
        ask: Callable[[], object] = lambda: store.open().query(  # noqa: E731
            Collection.SONGS, [VectorQuery(np.ones(DIM, np.float32), DENSE, 1)]
        )
        with pytest.raises(LimitReached, match="vector indexing is disabled") as caught:
            ask()
    assert caught.value.limit == "search_allow_exact"
