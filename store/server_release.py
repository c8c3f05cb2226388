"""One release on a server: its reader and its builder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid5

from qdrant_client import grpc, models

from melon.store.filters import Filter
from melon.store.manifest import ReleaseManifest
from melon.store.points import Hit, PointBatch, PointId, Record, VectorQuery
from melon.store.protocol import IndexingFailed, IndexProgress, batches
from melon.store.schema import DENSE, NAMESPACE, SCHEMA, Collection
from melon.store.server_connection import ServerConnection
from melon.store.server_models import (
    INDEX_TYPES,
    from_hits,
    from_record,
    payload_selector,
    to_filter,
    to_points,
    to_query,
)

HNSW = models.HnswConfigDiff(m=16, ef_construct=128)
INDEXING_THRESHOLD_KB = 10_000
POLL_SECONDS = 0.25
RETRIEVE_BATCH = 1000


class ServerReader:
    """One release, read from its own collections and not by alias."""

    def __init__(self, connection: ServerConnection, manifest: ReleaseManifest) -> None:
        self._connection = connection
        self._manifest = manifest

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself."""
        return self._manifest

    def retrieve(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
    ) -> list[Record]:
        """Points by id, in the order of `ids`."""
        unique = list(dict.fromkeys(ids))
        by_id: dict[PointId, Record] = {}
        with self._connection.rest() as client:
            for part in batches(unique, RETRIEVE_BATCH):
                found = client.retrieve(
                    self._name(collection),
                    part,
                    with_payload=payload_selector(payload),
                    with_vectors=[DENSE] if vectors else False,
                )
                by_id.update((record.id, record) for record in map(from_record, found))
        return [by_id[point_id] for point_id in unique if point_id in by_id]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[list[Hit]]:
        """One list of hits per query."""
        with self._connection.rest() as client:
            answers = client.query_batch_points(
                self._name(collection), [to_query(query) for query in queries]
            )
        return [from_hits(answer.points) for answer in answers]

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
        order = models.OrderBy(key=field, direction=models.Direction.DESC)
        return self._scroll(collection, filter, limit, order, payload, vectors=False)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
    ) -> list[Record]:
        """Any `limit` points that pass the filter."""
        return self._scroll(collection, filter, limit, None, payload, vectors)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """Exactly how many points pass the filter."""
        with self._connection.rest() as client:
            condition = to_filter(filter) if filter else None
            return client.count(self._name(collection), condition, exact=True).count

    def _name(self, collection: Collection) -> str:
        return self._connection.name(collection, self._manifest.release)

    def _scroll(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        order: models.OrderBy | None,
        payload: tuple[str, ...] | bool,
        vectors: bool,
    ) -> list[Record]:
        with self._connection.rest() as client:
            points, _ = client.scroll(
                self._name(collection),
                scroll_filter=to_filter(filter) if filter else None,
                limit=limit,
                order_by=order,
                with_payload=payload_selector(payload),
                with_vectors=[DENSE] if vectors else False,
            )
        return [from_record(point) for point in points]


class ServerBuilder:
    """Writes one release's collections over gRPC."""

    def __init__(self, connection: ServerConnection, manifest: ReleaseManifest) -> None:
        self._connection = connection
        self._manifest = manifest
        self._sent = dict.fromkeys(Collection, 0)
        forget_release(connection, manifest.release)
        remove_collections(connection, manifest.release)
        for collection in Collection:
            self._create(collection)

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Send a batch without waiting for it to be applied; `finish` waits for all of them."""
        batch.check(self._manifest.dim)
        request = grpc.UpsertPoints(
            collection_name=self._name(collection),
            wait=False,
            points=to_points(batch, SCHEMA[collection].sparse),
        )
        with self._connection.grpc() as client:
            client.grpc_points.Upsert(request, timeout=self._connection.address.timeout)
        self._sent[collection] += len(batch.ids)

    def finish(self, progress: Callable[[IndexProgress], None] | None = None) -> None:
        """Wait for the points, then let HNSW be built, then wait for it."""
        for collection in Collection:
            self._wait_for_points(collection)
        threshold = models.OptimizersConfigDiff(indexing_threshold=INDEXING_THRESHOLD_KB)
        with self._connection.rest() as client:
            for collection in Collection:
                client.update_collection(self._name(collection), optimizers_config=threshold)
        for collection in Collection:
            self._wait_for_index(collection, progress)

    def reader(self) -> ServerReader:
        """Read what was built."""
        return ServerReader(self._connection, self._manifest)

    def seal(self) -> None:
        """Store the manifest."""
        register_release(self._connection, self._manifest)

    def abandon(self) -> None:
        """Remove what was built."""
        remove_collections(self._connection, self._manifest.release)

    def _name(self, collection: Collection) -> str:
        return self._connection.name(collection, self._manifest.release)

    def _create(self, collection: Collection) -> None:
        """An empty collection with its payload indexes; HNSW is put off until all is there."""
        schema, name = SCHEMA[collection], self._name(collection)
        dense = models.VectorParams(size=self._manifest.dim, distance=models.Distance.COSINE)
        sparse = {schema.sparse: models.SparseVectorParams()} if schema.sparse else None
        with self._connection.rest() as client:
            client.create_collection(
                name,
                vectors_config={DENSE: dense},
                sparse_vectors_config=sparse,
                hnsw_config=HNSW,
                optimizers_config=models.OptimizersConfigDiff(indexing_threshold=0),
                shard_number=self._connection.address.shard_number,
                replication_factor=self._connection.address.replication_factor,
            )
            # Before any graph is built: one built without them is not filterable (recall 0.31).
            for field, kind in schema.indexed.items():
                client.create_payload_index(name, field, INDEX_TYPES[kind], wait=True)

    def _wait_for_points(self, collection: Collection) -> None:
        """Updates are applied in order: one that is waited for comes after all that were sent."""
        name, sent = self._name(collection), self._sent[collection]
        with self._connection.rest() as client:
            client.delete(name, models.FilterSelector(filter=_NOTHING), wait=True)
        held = self.reader().count(collection)
        if held != sent:
            raise IndexingFailed(f"{sent} points were sent to {collection}, it holds {held}")

    def _wait_for_index(
        self, collection: Collection, progress: Callable[[IndexProgress], None] | None
    ) -> None:
        calm = 0
        while calm < 2:  # the optimiser starts a moment after it was told to
            with self._connection.rest() as client:
                info = client.get_collection(self._name(collection))
            if info.status == models.CollectionStatus.RED:
                raise IndexingFailed(f"the optimiser of {collection}: {info.optimizer_status}")
            if progress:
                total = self._sent[collection]
                progress(IndexProgress(collection, info.indexed_vectors_count or 0, total))
            calm = calm + 1 if info.status == models.CollectionStatus.GREEN else 0
            time.sleep(POLL_SECONDS)


_NOTHING = models.Filter(must=[models.HasIdCondition(has_id=[])])


def registry_id(release: str) -> str:
    """Point id of a release's manifest."""
    return str(uuid5(NAMESPACE, f"release:{release}"))


def register_release(connection: ServerConnection, manifest: ReleaseManifest) -> None:
    """Store the manifest: from now on the release is complete."""
    payload: dict[str, Any] = manifest.model_dump(mode="json")
    point = models.PointStruct(id=registry_id(manifest.release), vector={}, payload=payload)
    with connection.rest() as client:
        if not client.collection_exists(connection.registry):
            copies = connection.address.replication_factor
            client.create_collection(
                connection.registry, vectors_config={}, replication_factor=copies
            )
        client.upsert(connection.registry, [point], wait=True)


def forget_release(connection: ServerConnection, release: str) -> None:
    """Remove the manifest: the release is no longer complete."""
    with connection.rest() as client:
        if client.collection_exists(connection.registry):
            client.delete(connection.registry, [registry_id(release)], wait=True)


def remove_collections(connection: ServerConnection, release: str) -> None:
    """Delete the collections of a release, those that exist."""
    with connection.rest() as client:
        for collection in Collection:
            client.delete_collection(connection.name(collection, release))
