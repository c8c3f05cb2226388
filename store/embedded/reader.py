"""Reads one release from a directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import qdrant_edge as edge

from melon.errors import MelonError
from melon.store.embedded.errors import edge_errors
from melon.store.embedded.sealing import SealedFile, check_files, check_manifest, sealed_files
from melon.store.embedded.shards import close_shard, open_shard
from melon.store.embedded.translate import from_hits, from_ordered, from_record, to_filter, to_query
from melon.store.errors import (
    LIST_HINT,
    DamagedRelease,
    NoRelease,
    RequestRefused,
    StoreUnavailable,
    forked_store,
    store_closed,
)
from melon.store.facets import Facets, check_facet, most_frequent
from melon.store.filters import Filter, HasId
from melon.store.manifest import ReleaseManifest
from melon.store.points import (
    Hits,
    PointId,
    Record,
    VectorQuery,
    check_limit,
    payload_selector,
    vector_selector,
)
from melon.store.schema import Collection

T = TypeVar("T")


class EmbeddedReader:
    """One release, whose shards are opened by the first requests. May be shared by threads.

    Edge refuses to close a shard that is answering, so the requests under way are counted. In a
    forked process a shard would wait for ever for threads that only the parent has.
    """

    def __init__(self, directory: Path, manifest: ReleaseManifest, *, sealed: bool = True) -> None:
        self._directory = directory
        self._sealed = sealed
        self._manifest = manifest
        self._schemas = {collection: manifest.schema(collection) for collection in Collection}
        self._shards: dict[Collection, edge.EdgeShard] = {}
        self._opening = {collection: threading.Lock() for collection in Collection}
        self._idle = threading.Condition()
        self._requests = 0
        self._process = os.getpid()
        self._closed = False

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself."""
        return self._manifest

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """The call itself, for later: Edge holds the interpreter's lock while it answers."""
        return call

    def retrieve(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
        sparse: bool = False,
    ) -> list[Record]:
        """Points by id, in the order of `ids`."""
        if not ids:
            return []
        with self._shard(collection) as shard:
            points = shard.retrieve(
                list(ids),
                payload_selector(payload),
                vector_selector(collection, dense=vectors, sparse=sparse),
            )
        by_id = {record.id: record for record in map(from_record, points)}
        return [by_id[point_id] for point_id in dict.fromkeys(ids) if point_id in by_id]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The hits of each query."""
        schema = self._schemas[collection]
        requests = [to_query(query, schema) for query in queries]
        with self._shard(collection) as shard:
            answers = shard.query_batch(edge.QueryBatchRequest(requests))
        return [from_hits(*pair) for pair in zip(queries, answers, strict=True)]

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """The values of an indexed integer field, from its index."""
        if not ids:
            return {}
        request = edge.ScrollRequest(
            limit=len(ids),
            filter=to_filter(Filter(must=(HasId(tuple(ids)),)), self._schemas[collection]),
            with_payload=False,
            with_vector=False,
            order_by=edge.OrderBy(field),
        )
        with self._shard(collection) as shard:
            return from_ordered(shard.scroll(request)[0])

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The points with the largest value of an indexed integer field."""
        order = edge.OrderBy(field, edge.Direction.Desc)
        return self._scroll(collection, filter, limit, order, payload)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The first `limit` points that pass the filter, by their ids."""
        return self._scroll(collection, filter, limit, None, payload)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """Exactly how many points pass the filter."""
        condition = to_filter(filter, self._schemas[collection])
        with self._shard(collection) as shard:
            return shard.count(edge.CountRequest(exact=True, filter=condition))

    def facet(
        self, collection: Collection, field: str, limit: int, filter: Filter | None = None
    ) -> Facets:
        """The values of an indexed field that most points hold, each with how many."""
        schema = self._schemas[collection]
        check_facet(schema.fields, field, limit)
        condition = to_filter(filter, schema)

        def ask(number: int) -> Facets:
            request = edge.FacetRequest(field, number, exact=True, filter=condition)
            return [(hit.value, hit.count) for hit in shard.facet(request).hits]

        with self._shard(collection) as shard:
            return most_frequent(ask, limit)

    def warm(self) -> None:
        """Open the shards, one after the other: Edge holds the interpreter's lock meanwhile."""
        for collection in Collection:
            with suppress(MelonError), self._shard(collection):
                pass  # whoever asks for one that cannot be opened is told

    def close(self) -> None:
        """Close the shards, once the requests under way are answered; new ones are refused.

        In a forked process there is nothing to close: the shards are its parent's.
        """
        if self._process != os.getpid():
            return
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: not self._requests)
        while self._shards:
            close_shard(self._shards.popitem()[1])

    def _scroll(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        order: edge.OrderBy | None,
        payload: tuple[str, ...] | bool,
    ) -> list[Record]:
        check_limit(limit)
        request = edge.ScrollRequest(
            limit=limit,
            filter=to_filter(filter, self._schemas[collection]),
            with_payload=payload_selector(payload),
            with_vector=False,
            order_by=order,
        )
        with self._shard(collection) as shard:
            return [from_record(point) for point in shard.scroll(request)[0]]

    @contextmanager
    def _shard(self, collection: Collection) -> Iterator[edge.EdgeShard]:
        """The shard, opened once; Edge's errors are raised as melon's.

        Raises:
            StoreClosed: the reader was closed.
            ForkedStore: it was opened in another process.
        """
        if self._process != os.getpid():  # before any lock, which nobody here might release
            raise forked_store(f"release {self._manifest.release}")
        with self._idle:
            if self._closed:
                raise store_closed(f"release {self._manifest.release}")
            self._requests += 1
        try:
            with edge_errors(
                RequestRefused,
                f"{collection} of release {self._manifest.release}",
                panic=DamagedRelease,
            ):
                yield self._shards.get(collection) or self._open(collection)
        finally:
            with self._idle:
                self._requests -= 1
                if not self._requests:
                    self._idle.notify_all()

    @cached_property
    def _files(self) -> dict[str, SealedFile]:
        files = sealed_files(self._directory)
        check_manifest(self._directory, files)
        return files

    def _open(self, collection: Collection) -> edge.EdgeShard:
        with self._opening[collection]:
            if collection not in self._shards:
                try:
                    if self._sealed:
                        check_files(self._directory, self._files, collection)
                    shard = open_shard(self._directory / collection)
                except StoreUnavailable:
                    if self._directory.is_dir():
                        raise
                    raise NoRelease(
                        f"it holds no release {self._manifest.release!r} any more",
                        where=str(self._directory.parent),
                        hint=LIST_HINT,
                    ) from None
                self._shards[collection] = shard
            return self._shards[collection]
