"""Copies of a collection's shards on the nodes of a cluster.

A collection is built with one copy of each shard, and copied when its indexes are there: a copy
brings its graph along, which would otherwise be built once for each. And a server tells of the
indexes of one copy of each shard, whichever it finds first: only while there is no second does it
tell of all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from qdrant_client import QdrantClient, models

from melon.store.errors import IndexingFailed
from melon.store.server.connection import ServerConnection
from melon.store.server.waiting import Patience

POLL_SECONDS = 0.1

Holders = dict[int, set[int]]
"""The nodes that hold each shard."""


def replicate(connection: ServerConnection, names: Sequence[str], copies: int) -> None:
    """Copy each shard of the collections until there are `copies`, or one on every node.

    Raises:
        IndexingFailed: a copy did not arrive, or nothing arrived for `waiting.STALLED_SECONDS`.
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


def _wait_for_copies(connection: ServerConnection, client: QdrantClient, name: str) -> None:
    patience = Patience(connection, name, "the copies")
    while transfers := client.collection_cluster_info(name).shard_transfers:
        patience.check([(move.shard_id, move.from_, move.to) for move in transfers])
        time.sleep(POLL_SECONDS)


def _nodes(connection: ServerConnection) -> list[int]:
    with connection.rest() as client:
        status = client.cluster_status()
    if isinstance(status, models.ClusterStatusOneOf1):
        return sorted(map(int, status.peers))
    return []  # a server by itself


def _active(client: QdrantClient, name: str) -> Holders:
    info = client.collection_cluster_info(name)
    copies = [(local.shard_id, info.peer_id, local.state) for local in info.local_shards]
    copies += [(remote.shard_id, remote.peer_id, remote.state) for remote in info.remote_shards]
    holders: Holders = {}
    for shard, node, state in copies:
        if state == models.ReplicaState.ACTIVE:
            holders.setdefault(shard, set()).add(node)
    return holders


def _moves(
    holders: Holders, nodes: list[int], copies: int, load: Counter[int]
) -> Iterator[models.ReplicateShard]:
    """Each missing copy goes to the node that has the fewest shards by now."""
    load.update(node for own in holders.values() for node in own)
    for shard, own in sorted(holders.items()):
        others = sorted(set(nodes) - own, key=lambda node: (load[node], node))
        for node in others[: copies - len(own)]:
            load[node] += 1
            yield models.ReplicateShard(
                shard_id=shard,
                from_peer_id=min(own),
                to_peer_id=node,
                method=models.ShardTransferMethod.SNAPSHOT,
            )
