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
from melon.store.server_connection import ServerConnection

POLL_SECONDS = 0.1

Holders = dict[int, set[int]]
"""The nodes that hold each shard."""


def replicate(connection: ServerConnection, names: Sequence[str], copies: int) -> None:
    """Copy each shard of the collections until there are `copies`, or one on every node.

    Raises:
        IndexingFailed: a copy did not arrive.
    """
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
            while client.collection_cluster_info(name).shard_transfers:
                time.sleep(POLL_SECONDS)
            for shard, holders in _active(client, name).items():
                if len(holders) < wanted:
                    raise IndexingFailed(
                        f"{wanted} copies of shard {shard} of {name} were to be made,"
                        f" there are {len(holders)}"
                    )
            factor = models.CollectionParamsDiff(replication_factor=copies)
            client.update_collection(name, collection_params=factor)


def wait_for_nodes(connection: ServerConnection, name: str) -> None:
    """Until every node has applied the changes to collections so far.

    A change of settings is only waited for on the node that is asked, a new alias on all.
    """
    alias = models.CreateAlias(alias_name=f"{name}__settled", collection_name=name)
    gone = models.DeleteAlias(alias_name=alias.alias_name)
    with connection.rest() as client:
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
        client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=gone)])


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
