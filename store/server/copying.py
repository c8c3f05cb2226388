"""A collection begins with the points and indexes of another one on the same server.

This process asks for each shard as a snapshot, and passes it on as it comes: nothing lies on a disk
but the collection. A server could fetch a snapshot from itself, where its own URL leads to it; but
while it does, a collection that anybody makes or deletes stops all of its requests (1.16).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

from qdrant_client.http.exceptions import UnexpectedResponse

from melon.store.errors import RequestRefused
from melon.store.server.cluster import is_cluster
from melon.store.server.connection import ServerConnection

LOADING_TIMEOUTS = 10
"""A server unpacks and loads a shard before it answers: so many times as long as other requests."""


def copy_collection(connection: ServerConnection, source: str, target: str) -> None:
    """Put the shards of a collection into one with as many, and the same settings, that is empty.

    Raises:
        RequestRefused: they cannot be copied.
        MelonError: the server did not do it.
    """
    if is_cluster(connection):
        raise RequestRefused("a cluster copies no collections", where=connection.location)
    with connection.rest() as client:
        shards, there = (
            [shard.shard_id for shard in client.collection_cluster_info(name).local_shards]
            for name in (source, target)
        )
    if shards != there:
        raise RequestRefused(f"{source} has {len(shards)} shards", where=connection.location)
    for shard in shards:
        _copy_shard(connection, source, target, shard)


def _copy_shard(connection: ServerConnection, source: str, target: str, shard: int) -> None:
    boundary = uuid4().hex
    loading = LOADING_TIMEOUTS * connection.address.timeout
    with (
        connection.http() as client,
        client.stream("GET", f"/collections/{quote(source)}/shards/{shard}/snapshot") as snapshot,
    ):
        if not snapshot.is_success:
            snapshot.read()
            raise UnexpectedResponse.for_response(snapshot)
        answer = client.post(
            f"/collections/{quote(target)}/shards/{shard}/snapshots/upload",
            params={"wait": "true", "priority": "snapshot"},
            headers={"content-type": f"multipart/form-data; boundary={boundary}"},
            content=_as_form(snapshot.iter_raw(), boundary),
            timeout=loading,
        )
        if not answer.is_success:
            raise UnexpectedResponse.for_response(answer)


def _as_form(parts: Iterator[bytes], boundary: str) -> Iterator[bytes]:
    """The body of a form with one file. httpx would read a file of no known length whole."""
    disposition = 'Content-Disposition: form-data; name="snapshot"; filename="shard.snapshot"'
    yield f"--{boundary}\r\n{disposition}\r\n\r\n".encode()
    yield from parts
    yield f"\r\n--{boundary}--\r\n".encode()
