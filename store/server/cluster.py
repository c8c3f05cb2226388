"""The nodes of a cluster: copies of shards on several, and how long one waits for them.

On a server that is no cluster there is nothing to copy, and one node to wait for.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from qdrant_client import QdrantClient, models

from melon.errors import MelonError
from melon.store.errors import IndexingFailed, StoreUnavailable
from melon.store.server.connection import ServerConnection

POLL_SECONDS = 0.1
"""Between two looks at whether a copy is complete."""

ASK_SECONDS = 2.0
"""Between two looks at which nodes cannot be reached."""

SILENT_SECONDS = 120.0
"""A node that the others have not reached for so long is lost."""

STALLED_SECONDS = 3600.0
"""Waiting ends after so long without a change: one large shard may take most of it."""

Replicas = dict[int, set[int]]
"""For each shard, the nodes that have a copy of it."""


def replicate(connection: ServerConnection, names: Sequence[str], copies: int) -> None:
    """Copy each shard of the collections until there are `copies`, or one on every node.

    Raises:
        IndexingFailed: a copy did not arrive, or nothing has changed for `STALLED_SECONDS`.
        StoreUnavailable: a node was lost meanwhile.
    """
    if copies < 2:
        return
    nodes = _nodes(connection)
    wanted = min(copies, len(nodes))
    if wanted < 2:
        return
    with connection.rest() as client:
        load: Counter[int] = Counter()
        for name in names:
            for move in _moves(_active(client, name), nodes, wanted, load):
                operation = models.ReplicateShardOperation(replicate_shard=move)
                client.cluster_collection_update(name, operation)
        for name in names:
            _wait_for_copies(connection, client, name)
            for shard, holders in _active(client, name).items():
                if len(holders) < wanted:
                    raise IndexingFailed(
                        f"{wanted} copies of shard {shard} of {name} were to be made,"
                        f" there are {len(holders)}"
                    )
            factor = models.CollectionParamsDiff(replication_factor=copies)
            client.update_collection(name, collection_params=factor)


def _moves(
    replicas: Replicas, nodes: list[int], copies: int, load: Counter[int]
) -> Iterator[models.ReplicateShard]:
    """Each missing copy goes to the node that has the fewest shards by now."""
    load.update(node for holders in replicas.values() for node in holders)
    for shard, holders in sorted(replicas.items()):
        others = sorted(set(nodes) - holders, key=lambda node: (load[node], node))
        for node in others[: copies - len(holders)]:
            load[node] += 1
            yield models.ReplicateShard(
                shard_id=shard,
                from_peer_id=min(holders),
                to_peer_id=node,
                method=models.ShardTransferMethod.SNAPSHOT,
            )


def _active(client: QdrantClient, name: str) -> Replicas:
    """The complete copies of a collection's shards."""
    info = client.collection_cluster_info(name)
    copies = [(local.shard_id, info.peer_id, local.state) for local in info.local_shards]
    copies += [(remote.shard_id, remote.peer_id, remote.state) for remote in info.remote_shards]
    replicas: Replicas = {}
    for shard, node, state in copies:
        if state == models.ReplicaState.ACTIVE:
            replicas.setdefault(shard, set()).add(node)
    return replicas


def is_cluster(connection: ServerConnection) -> bool:
    """Whether the server is a node of a cluster, which may be its only one."""
    return bool(_nodes(connection))


def _nodes(connection: ServerConnection) -> list[int]:
    with connection.rest() as client:
        status = client.cluster_status()
        if isinstance(status, models.ClusterStatusOneOf1):
            with connection.understood():
                return sorted(map(int, status.peers))
    return []  # a server by itself


def _wait_for_copies(connection: ServerConnection, client: QdrantClient, name: str) -> None:
    patience = Patience(connection, name, "the copies")
    while transfers := client.collection_cluster_info(name).shard_transfers:
        patience.check([(move.shard_id, move.from_, move.to) for move in transfers])
        time.sleep(POLL_SECONDS)


def wait_for_nodes(connection: ServerConnection, name: str) -> None:
    """Wait until every node has applied the changes to collections that were made so far.

    A server waits for changes of settings on one node only, but for a new alias on all of them.
    """
    alias = models.CreateAlias(alias_name=f"{name}__settled", collection_name=name)
    gone = models.DeleteAlias(alias_name=alias.alias_name)
    with connection.rest() as client:
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
        client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=gone)])


class Patience:
    """Waits as long as something changes; gives up when nothing does, or a node is lost.

    A server stops copying to a node that is lost. It does not stop if that is the node that is
    copied from, or one that the others need for a majority. And a graph of millions of points, or
    a copy of it, may take most of an hour without a sign.
    """

    def __init__(self, connection: ServerConnection, name: str, what: str) -> None:
        self._connection = connection
        self._name = name
        self._what = what
        self._seen: object = None
        self._moved = self._asked = time.monotonic()
        self._silent: dict[str, float] = {}

    def check(self, state: object) -> None:
        """Go on waiting, unless it has taken too long; `state` is compared with the one before.

        Raises:
            IndexingFailed: it has been the same for `STALLED_SECONDS`.
            StoreUnavailable: a node has been out of reach for `SILENT_SECONDS`.
        """
        now = time.monotonic()
        if state != self._seen:
            self._seen, self._moved = state, now
        if now - self._moved >= STALLED_SECONDS:
            raise IndexingFailed(
                f"{self._what} of {self._name}: nothing has moved for"
                f" {now - self._moved:.0f} seconds",
                where=self._connection.location,
                hint="the logs of its nodes say why; then run `melon ingest` again",
            )
        if now - self._asked >= ASK_SECONDS:
            self._asked = now
            self._check_nodes(now)

    def _check_nodes(self, now: float) -> None:
        lost = unreached(self._connection, self._name)
        self._silent = {node: self._silent.get(node, now) for node in lost}
        for node, since in self._silent.items():
            if now - since >= SILENT_SECONDS:
                raise StoreUnavailable(
                    f"{self._what} of {self._name}: {node} is out of reach"
                    f" since {now - since:.0f} seconds",
                    where=self._connection.location,
                    hint="start that node, or remove it from the cluster; then run"
                    " `melon ingest` again",
                )


def unreached(connection: ServerConnection, name: str) -> list[str]:
    """The nodes that cannot be reached at the moment, and that the collection may need.

    The leader of the cluster knows all of them; another node knows only that a shard does not
    answer.
    """
    with connection.rest() as client:
        status = client.cluster_status()
    if not isinstance(status, models.ClusterStatusOneOf1):
        return []  # a server by itself
    peers = {peer.uri for peer in status.peers.values()}  # not those that were removed
    lost = [f"the node {uri}" for uri in sorted(peers & status.message_send_failures.keys())]
    if not lost:
        try:
            with connection.rest() as client:
                client.scroll(name, limit=1, with_payload=False)
        except MelonError:
            lost.append("a node that holds a shard of it")
    return lost
