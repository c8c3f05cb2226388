"""What melon asks an engine, caught at the engine's own interface, so that it can be asked again.

This reaches below melon's protocol on purpose: what is recorded is what anyone would have to ask
of Qdrant Edge, or of a server, to get the same points.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from melon.store import Collection, ForwardingReader, ReleaseReader
from melon.store.embedded.reader import EmbeddedReader
from melon.store.server.reader import ServerReader

Request = Callable[[], object]
"""Asks once more, and gives the engine's own answer: Edge's points, or a server's JSON."""


@contextmanager
def recording(reader: ReleaseReader) -> Iterator[list[Request]]:
    """A list to which every request is added that the reader makes meanwhile."""
    made: list[Request] = []
    while isinstance(reader, ForwardingReader):
        reader = reader._reader
    if isinstance(reader, EmbeddedReader):
        with _recorded_shards(reader, made):
            yield made
    elif isinstance(reader, ServerReader):
        with _recorded_posts(reader, made):
            yield made
    else:
        raise TypeError(f"{type(reader).__name__} is no engine's reader")


class _RecordedShard:
    def __init__(self, shard: Any, made: list[Request]) -> None:
        self._shard = shard
        self._made = made

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._shard, name)

        def call(*arguments: object) -> object:
            self._made.append(lambda: method(*arguments))
            return method(*arguments)

        return call


@contextmanager
def _recorded_shards(reader: EmbeddedReader, made: list[Request]) -> Iterator[None]:
    for collection in Collection:
        reader.count(collection)  # opens it
    shards = dict(reader._shards)
    reader._shards.update((name, _RecordedShard(shard, made)) for name, shard in shards.items())  # type: ignore[misc]
    try:
        yield
    finally:
        reader._shards.update(shards)


@contextmanager
def _recorded_posts(reader: ServerReader, made: list[Request]) -> Iterator[None]:
    with reader._connection.rest() as client:
        connection = client.http.client._client
    send = connection.send

    def recorded(request: Any, **options: Any) -> Any:
        def again() -> object:
            fresh = connection.build_request(
                request.method, request.url, content=request.content, headers=request.headers
            )
            return json.loads(send(fresh).content)

        made.append(again)
        return send(request, **options)

    with mock.patch.object(connection, "send", recorded):
        yield
