"""A release on a cluster is complete on every node before it can be promoted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from places import ServerPlace
from qdrant_client import QdrantClient, models
from qdrant_server import Server, running_cluster
from store_samples import manifest, points, publish

from melon.store import (
    SCHEMA,
    Collection,
    IndexingFailed,
    Preset,
    StoreUnavailable,
)
from melon.store.server import ServerStore, waiting
from melon.store.server.connection import ServerAddress, ServerConnection
from melon.store.server.waiting import Patience
from melon.store.tuning import TUNINGS

NODES, SHARDS, COPIES = 3, 3, 2
POINTS, DIM = 6_000, 32
SONGS = "melon_songs__r1"


@pytest.fixture
def cluster(qdrant_binary: Path, tmp_path: Path) -> Iterator[list[Server]]:
    with running_cluster(
        NODES, tmp_path, settings={"STORAGE__WAL__WAL_CAPACITY_MB": "4"}
    ) as servers:
        yield servers


def test_every_copy_is_indexed_and_one_node_can_be_lost(
    cluster: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on nodes that the builder does not speak to, with the copies that it never sees."""
    small = replace(TUNINGS[Preset.BALANCED], graph_kb=50)
    monkeypatch.setitem(TUNINGS, Preset.BALANCED, small)
    with ServerStore(address_of(cluster[0])) as store:
        counts = dict.fromkeys(Collection, 0) | {Collection.SONGS: POINTS}
        builder = store.build(manifest(dim=DIM, counts=counts))
        for start in range(0, POINTS, 1000):
            builder.upsert(Collection.SONGS, points(range(start, start + 1000), DIM))
        builder.finish()
        copies: Counter[int] = Counter()
        for server in cluster:
            with closing(QdrantClient(server.url, grpc_port=server.grpc_port)) as client:
                info = client.get_collection(SONGS)
                shards = client.collection_cluster_info(SONGS).local_shards
            assert info.status == models.CollectionStatus.GREEN
            assert info.indexed_vectors_count == info.points_count == POINTS
            assert info.payload_schema.keys() == SCHEMA[Collection.SONGS].indexed.keys()
            assert info.config.params.replication_factor == COPIES
            assert {shard.state for shard in shards} == {models.ReplicaState.ACTIVE}
            copies.update(shard.shard_id for shard in shards)
        assert copies == dict.fromkeys(range(SHARDS), COPIES)
        builder.seal()
        store.promote("r1")

    cluster[0].kill()
    with ServerStore(address_of(cluster[1])) as store:
        reader = store.open()
        found = reader.retrieve(Collection.SONGS, range(POINTS), payload=False)
        assert len(found) == POINTS


def test_what_was_made_with_one_copy_survives_a_node_with_the_first_release_of_more(
    cluster: list[Server],
) -> None:
    """The list of releases was made by the first, without any setting."""
    with ServerStore(ServerAddress(cluster[0].url, grpc_port=cluster[0].grpc_port)) as store:
        publish(store, {Collection.SONGS: points([1, 2, 3])}, release="r1")
    with ServerStore(address_of(cluster[1])) as store:
        publish(store, {Collection.SONGS: points([1, 2, 3, 4])}, release="r2")
    with closing(QdrantClient(cluster[0].url)) as client:
        shards = client.get_collection("melon_releases").config.params.shard_number
        info = client.collection_cluster_info("melon_releases")
        held = Counter(copy.shard_id for copy in [*info.local_shards, *info.remote_shards])
        assert held == dict.fromkeys(range(shards), COPIES)

    cluster[2].kill()
    for server in cluster[:2]:
        with ServerStore(address_of(server)) as store:
            assert store.open().count(Collection.SONGS) == 4
            assert {info.manifest.release for info in store.releases()} == {"r1", "r2"}


def wait(patience: Patience) -> None:
    """Until patience ends, though it seems to move all the while."""
    for state in count():
        patience.check(state)
        time.sleep(0.1)


def test_nobody_waits_for_ever_for_a_node_that_was_lost(
    cluster: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever node is asked, and whichever leads the cluster."""
    alone = [replace(address_of(server), replication_factor=1) for server in cluster]
    with ServerStore(alone[0]) as store:
        publish(store, {Collection.SONGS: points(range(50))})
    for address in alone:  # one shard on each node, all of them within reach
        with closing(ServerConnection(address)) as connection:
            assert waiting.unreached(connection, SONGS) == []
    cluster[2].kill()
    monkeypatch.setattr(waiting, "ASK_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "SILENT_SECONDS", 0.5)
    for address in alone[:2]:
        with closing(ServerConnection(address)) as connection:
            patience = Patience(connection, SONGS, "the copies")
            with pytest.raises(StoreUnavailable, match=rf"the copies of {SONGS}.* out of reach"):
                wait(patience)


def test_nobody_waits_for_ever_for_what_does_not_move(
    server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    with closing(ServerConnection(ServerAddress(server_place.server.url))) as connection:
        patience = Patience(connection, SONGS, "the indexes")
        for state in range(3):
            patience.check(state)
            now[0] += waiting.STALLED_SECONDS - 1
        patience.check(3)
        now[0] += waiting.STALLED_SECONDS - 1
        patience.check(3)
        now[0] += 1
        with pytest.raises(IndexingFailed, match=r"the indexes of .* nothing has moved"):
            patience.check(3)


def address_of(server: Server) -> ServerAddress:
    return ServerAddress(
        server.url,
        grpc_port=server.grpc_port,
        shard_number=SHARDS,
        replication_factor=COPIES,
    )
