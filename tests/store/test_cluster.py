"""A release on a cluster is complete on every node before it can be promoted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from places import ServerPlace, scratch_directory
from qdrant_client import QdrantClient, models
from qdrant_server import Server, running_cluster, wait_for_peers
from store_samples import manifest, points, publish

from melon.store import (
    DENSE,
    Collection,
    IndexingFailed,
    Preset,
    RequestRefused,
    StoreUnavailable,
    VectorQuery,
)
from melon.store.presets import INDEX_SETTINGS
from melon.store.server import ServerStore
from melon.store.server import cluster as cluster_waits
from melon.store.server.cluster import Patience
from melon.store.server.connection import ServerAddress, ServerConnection
from melon.store.server.copying import copy_collection

pytestmark = pytest.mark.long

NODES, SHARDS, COPIES = 3, 3, 2
POINTS, DIM = 6_000, 32


@dataclass(frozen=True)
class Cluster:
    """Nodes of a cluster, and a prefix on it that only one test uses."""

    nodes: list[Server]
    prefix: str
    lost: list[Server] = field(default_factory=list)

    @property
    def songs(self) -> str:
        return f"{self.prefix}_songs__r1"

    def lose(self, node: int) -> None:
        self.nodes[node].kill()
        self.lost.append(self.nodes[node])

    def address(self, node: int, shards: int = SHARDS, copies: int = COPIES) -> ServerAddress:
        server = self.nodes[node]
        return ServerAddress(
            server.url,
            grpc_port=server.grpc_port,
            prefix=self.prefix,
            shard_number=shards,
            replication_factor=copies,
        )


def client_of(node: Server) -> closing[QdrantClient]:
    """A client without melon in between; its own check would warn of an older server."""
    return closing(QdrantClient(node.url, grpc_port=node.grpc_port, check_compatibility=False))


@pytest.fixture(scope="module")
def nodes(qdrant_binary: Path) -> Iterator[list[Server]]:
    settings = {"STORAGE__WAL__WAL_CAPACITY_MB": "4"}
    with (
        scratch_directory() as directory,
        running_cluster(NODES, directory, settings=settings) as servers,
    ):
        yield servers


@pytest.fixture
def cluster(nodes: list[Server]) -> Iterator[Cluster]:
    """The nodes with nothing on them; at the end, those that were lost come back."""
    place = ServerPlace(nodes[0], f"t{uuid4().hex[:12]}")
    made = Cluster(nodes, place.prefix)
    yield made
    for server in made.lost:
        server.restart()
    for server in nodes:
        wait_for_peers(server, NODES)
    place.clear()


def test_every_copy_is_indexed_and_one_node_can_be_lost(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on nodes that the builder does not speak to, with the copies that it never sees."""
    small = replace(INDEX_SETTINGS[Preset.BALANCED], indexing_threshold_kb=50)
    monkeypatch.setitem(INDEX_SETTINGS, Preset.BALANCED, small)
    with ServerStore(cluster.address(0)) as store:
        counts = dict.fromkeys(Collection, 0) | {Collection.SONGS: POINTS}
        builder = store.build(manifest(dim=DIM, counts=counts))
        for start in range(0, POINTS, 1000):
            builder.upsert(Collection.SONGS, points(range(start, start + 1000), DIM))
        builder.finish()
        copies: Counter[int] = Counter()
        for server in cluster.nodes:
            with client_of(server) as client:
                info = client.get_collection(cluster.songs)
                shards = client.collection_cluster_info(cluster.songs).local_shards
            assert info.status == models.CollectionStatus.GREEN
            assert info.indexed_vectors_count == info.points_count == POINTS
            indexed = builder.reader().manifest.schema(Collection.SONGS).indexed
            assert info.payload_schema.keys() == {field.name for field in indexed}
            assert info.config.params.replication_factor == COPIES
            assert {shard.state for shard in shards} == {models.ReplicaState.ACTIVE}
            copies.update(shard.shard_id for shard in shards)
        assert copies == dict.fromkeys(range(SHARDS), COPIES)
        builder.seal()
        store.promote("r1")

    cluster.lose(0)
    with ServerStore(cluster.address(1)) as store:
        reader = store.open()
        found = reader.retrieve(Collection.SONGS, range(POINTS), payload=False)
        assert len(found) == POINTS
        query = VectorQuery(points([0], DIM).dense[0], DENSE, limit=POINTS, exact=True)
        [hits] = reader.query(Collection.SONGS, [query])
        assert set(hits.ids) == set(range(POINTS))


def test_a_cluster_copies_no_collection(nodes: list[Server]) -> None:
    """Its shards may be on other nodes than the one that would take them."""
    connection = ServerConnection(ServerAddress(nodes[0].url))
    with closing(connection), pytest.raises(RequestRefused, match="cluster"):
        copy_collection(connection, "one", "other")


def test_what_was_made_with_one_copy_survives_a_node_with_the_first_release_of_more(
    cluster: Cluster,
) -> None:
    """The list of releases was made by the first, without any setting."""
    with ServerStore(cluster.address(0, shards=1, copies=1)) as store:
        publish(store, {Collection.SONGS: points([1, 2, 3])}, release="r1")
    with ServerStore(cluster.address(1)) as store:
        publish(store, {Collection.SONGS: points([1, 2, 3, 4])}, release="r2")
    with client_of(cluster.nodes[0]) as client:
        releases = f"{cluster.prefix}_releases"
        shards = client.get_collection(releases).config.params.shard_number
        info = client.collection_cluster_info(releases)
        held = Counter(copy.shard_id for copy in [*info.local_shards, *info.remote_shards])
        assert held == dict.fromkeys(range(shards), COPIES)

    cluster.lose(2)
    for node in (0, 1):
        with ServerStore(cluster.address(node)) as store:
            assert store.open().count(Collection.SONGS) == 4
            assert {info.manifest.release for info in store.releases()} == {"r1", "r2"}


def wait(patience: Patience) -> None:
    """Until patience ends, though it seems to move all the while."""
    for state in count():
        patience.check(state)
        time.sleep(0.1)


def test_nobody_waits_for_ever_for_a_node_that_was_lost(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever node is asked, and whichever leads the cluster."""
    alone = [cluster.address(node, copies=1) for node in range(NODES)]
    with ServerStore(alone[0]) as store:
        publish(store, {Collection.SONGS: points(range(50))})
    for address in alone:  # one shard on each node, all of them within reach
        with closing(ServerConnection(address)) as connection:
            assert cluster_waits.unreached(connection, cluster.songs) == []
    cluster.lose(2)
    monkeypatch.setattr(cluster_waits, "ASK_SECONDS", 0.0)
    monkeypatch.setattr(cluster_waits, "SILENT_SECONDS", 0.5)
    for address in alone[:2]:
        with closing(ServerConnection(address)) as connection:
            patience = Patience(connection, cluster.songs, "the copies")
            said = rf"the copies of {cluster.songs}.* out of reach"
            with pytest.raises(StoreUnavailable, match=said):
                wait(patience)


def test_nobody_waits_for_ever_for_what_does_not_move(
    server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(cluster_waits.time, "monotonic", lambda: now[0])
    with closing(ServerConnection(ServerAddress(server_place.server.url))) as connection:
        patience = Patience(connection, "melon_songs__r1", "the indexes")
        for state in range(3):
            patience.check(state)
            now[0] += cluster_waits.STALLED_SECONDS - 1
        patience.check(3)
        now[0] += cluster_waits.STALLED_SECONDS - 1
        patience.check(3)
        now[0] += 1
        with pytest.raises(IndexingFailed, match=r"the indexes of .* nothing has moved"):
            patience.check(3)
