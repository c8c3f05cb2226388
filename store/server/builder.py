"""Builds one release on a server: its points are sent, then indexed."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial

from qdrant_client import grpc, models

from melon.errors import MelonError
from melon.progress import Progress, ignore
from melon.store.errors import IndexingFailed, StoreUnavailable
from melon.store.evidence import IdSample, check_count, gather_all
from melon.store.manifest import ReleaseManifest
from melon.store.points import PointBatch, PointId
from melon.store.presets import INDEX_SETTINGS, Preset
from melon.store.schema import DENSE, SCHEMA, Collection
from melon.store.server.cluster import Patience, replicate, wait_for_nodes
from melon.store.server.connection import ServerConnection
from melon.store.server.copying import copy_collection
from melon.store.server.lease import Lease
from melon.store.server.limits import Limits
from melon.store.server.pace import TELL_SECONDS
from melon.store.server.reader import ServerReader
from melon.store.server.registry import Registry
from melon.store.server.translate import payload_index
from melon.store.server.upsert import in_parts, one_by_one, to_upsert

log = logging.getLogger(__name__)

FIRST_POLL_SECONDS, MAX_POLL_SECONDS = 0.01, 0.5
MAX_WAITS = 60
"""Requests that wait for the same updates: an hour, with the default timeout of a minute."""

IN_FLIGHT = 4
"""Batches on their way: while one is made, the server stores others, of several collections."""

REMOVED_AT_ONCE = 1000
"""Points that one request removes."""


class ServerBuilder:
    """Writes one release's collections over gRPC.

    Args:
        base: a release whose collections it begins with, if they can be copied.
        progress: told as `copy` how many of these are there.
    """

    def __init__(
        self,
        connection: ServerConnection,
        registry: Registry,
        manifest: ReleaseManifest,
        lease: Lease,
        base: str | None = None,
        progress: Progress = ignore,
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._manifest = manifest
        self._lease = lease
        self._settings = INDEX_SETTINGS[manifest.preset]
        self._sent = dict.fromkeys(Collection, 0)
        self._sample = {collection: IdSample() for collection in Collection}
        self._in_flight: deque[Future[None]] = deque()
        # In threads, for qdrant-client's gRPC calls wait for the answer, even those for a future.
        self._senders = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="melon-upload")
        connection.pace.begin_build(progress)
        try:
            self._create_all()
            self.has_base = base is not None and self._copy(base, progress)
        except BaseException:
            with suppress(MelonError):  # the user has to know the first error
                self.abandon()
            raise

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Send a batch without waiting for it to be applied; `finish` waits for all of them.

        A server puts the points of one update in an order of chance, and those of several in
        segments of chance. By that hits that tie are ordered ever after, and the numbers of their
        scores are added up. Without a graph, whose builds differ anyway, points are updated one by
        one, in the order of their ids and in one segment.
        """
        batch.check(self._manifest.dim)
        request = to_upsert(self._name(collection), batch, SCHEMA[collection].sparse)
        self._wait_for_answers(IN_FLIGHT - 1 if self._settings.graph else 0)
        self._in_flight.append(self._senders.submit(self._send, request))
        self._sent[collection] += len(batch.ids)
        self._sample[collection].add(batch.ids)

    def keep(
        self, collection: Collection, kept: Sequence[PointId], gone: Sequence[PointId]
    ) -> None:
        """Count what stays, and remove what goes."""
        name = self._name(collection)

        def remove(limits: Limits) -> None:
            size = limits.points(REMOVED_AT_ONCE)
            for start in range(0, len(gone), size):
                part = models.PointIdsList(points=list(gone[start : start + size]))
                with self._connection.rest() as client:
                    client.delete(name, part, wait=True)

        self._connection.within_limits(name, remove)
        self._sent[collection] += len(kept)
        self._sample[collection].add(kept)

    def finish(self, progress: Progress = ignore) -> None:
        """Wait for the points, then index one thing after the other, and wait for it.

        Payload indexes come after the points, for it is quicker to make them at once. Those of
        fields that the graph is to have links for come before it: built without them, it cannot
        be filtered (recall 0.31). The others come last, so that it gets no links for them.
        """
        self._wait_for_answers(0)
        for collection in Collection:
            self._index_payloads(collection, in_graph=True)
        if not self._settings.graph and not self._may_scan():
            self._settings = INDEX_SETTINGS[Preset.BALANCED]
        threshold = models.OptimizersConfigDiff(
            indexing_threshold=self._settings.indexing_threshold_kb
        )
        with self._connection.rest() as client:
            for collection in Collection:
                client.update_collection(
                    self._name(collection), optimizers_config=threshold, hnsw_config=self._graph
                )
        wait_for_nodes(self._connection, self._name(Collection.SONGS))
        for collection in Collection:
            self._wait_for_index(collection, progress)
        for collection in Collection:
            self._index_payloads(collection, in_graph=False)
            self._wait_for_index(collection, ignore)
        copies = self._connection.address.replication_factor
        replicate(self._connection, [self._name(collection) for collection in Collection], copies)

    def reader(self) -> ServerReader:
        """Read what was built."""
        return ServerReader(self._connection, self._manifest)

    def seal(self) -> None:
        """Store the manifest, with what the release answers now."""
        self._senders.shutdown()
        evidence = gather_all(self.reader(), self._sample)
        self._lease.check()
        self._registry.register(self._manifest.model_copy(update={"evidence": evidence}))
        self._connection.pace.end_build()
        self._lease.end()

    def abandon(self) -> None:
        """Remove what was built: first its entry, which may be there if sealing it failed."""
        release = self._manifest.release
        self._connection.pace.end_build()
        self._senders.shutdown(cancel_futures=True)
        try:
            if self._lease.is_valid():  # else it is another build's by now
                self._registry.forget(release)
                self._registry.remove_collections(release)
        finally:
            self._lease.end()

    def _name(self, collection: Collection) -> str:
        return self._connection.name(collection, self._manifest.release)

    @property
    def _graph(self) -> models.HnswConfigDiff:
        settings = self._settings
        return models.HnswConfigDiff(
            m=settings.m if settings.graph else 0,
            ef_construct=settings.ef_construct,
            full_scan_threshold=settings.full_scan_threshold_kb,
        )

    def _may_scan(self) -> bool:
        """Whether searches may do without a graph; where not, the server refuses them all."""
        return self._connection.limits(self._name(Collection.SONGS)).allows_exact

    def _copy(self, base: str, progress: Progress) -> bool:
        """Copy a release's collections, and return whether that was done; all are empty if not."""
        try:
            for number, collection in enumerate(Collection):
                progress("copy", number, len(Collection))
                source = self._connection.name(collection, base)
                copy_collection(self._connection, source, self._name(collection))
        except MelonError as error:
            log.warning(
                "%s: release %s is not copied, so all points are sent: %s",
                *(self._connection.location, base, error.what),
            )
            self._lease.check()
            self._registry.remove_collections(self._manifest.release)
            self._create_all()
            return False
        progress("copy", len(Collection), len(Collection))
        return True

    def _create_all(self) -> None:
        for collection in Collection:
            self._create(collection)

    def _create(self, collection: Collection) -> None:
        """An empty collection without any index: they are put off until all is there."""
        schema, name, settings = SCHEMA[collection], self._name(collection), self._settings
        dense = models.VectorParams(
            size=self._manifest.dim,
            distance=models.Distance.COSINE,
            datatype=models.Datatype.FLOAT16 if settings.half_precision else None,
            on_disk=settings.on_disk,
        )
        sparse = {schema.sparse: models.SparseVectorParams()} if schema.sparse else None
        with self._connection.rest() as client:
            client.create_collection(
                name,
                vectors_config={DENSE: dense},
                sparse_vectors_config=sparse,
                hnsw_config=self._graph,
                optimizers_config=models.OptimizersConfigDiff(
                    indexing_threshold=0,
                    default_segment_number=None if settings.graph else 1,
                ),
                shard_number=self._connection.address.shard_number,
                replication_factor=1,  # until all is indexed
            )

    def _wait_for_answers(self, left: int) -> None:
        """Wait until the server has answered all batches but `left`; raises its errors."""
        while len(self._in_flight) > left:
            while not wait(self._in_flight, TELL_SECONDS, FIRST_COMPLETED).done:
                self._connection.pace.tell()
            self._in_flight.popleft().result()

    def _send(self, request: grpc.UpsertPoints) -> None:
        self._connection.within_limits(request.collection_name, partial(self._send_parts, request))

    def _send_parts(self, request: grpc.UpsertPoints, limits: Limits) -> None:
        for part in in_parts(request, limits.points(len(request.points))):
            self._connection.upload(part if self._settings.graph else one_by_one(part))

    def _index_payloads(self, collection: Collection, *, in_graph: bool) -> None:
        name = self._name(collection)
        with self._connection.rest() as client:
            for field in self._manifest.schema(collection).indexed:
                if field.index and field.index.in_graph is in_graph:
                    client.create_payload_index(name, field.name, payload_index(field), wait=False)
        self._wait_for_updates(collection)

    def _wait_for_updates(self, collection: Collection) -> None:
        """Wait for one more update, which does nothing: updates are applied in order.

        Indexing millions of payloads may take longer than a request may. Then the next update is
        waited for, as long as the server answers other requests.
        """
        name, sent = self._name(collection), self._sent[collection]
        for _ in range(MAX_WAITS):
            try:
                with self._connection.rest() as client:
                    client.delete(name, models.FilterSelector(filter=_NOTHING), wait=True)
                break
            except StoreUnavailable:
                self.reader().count(collection)
        else:
            raise IndexingFailed(f"the updates of {collection} are not applied", where=name)
        check_count(self.reader(), collection, sent)

    def _wait_for_index(self, collection: Collection, progress: Progress) -> None:
        pause = FIRST_POLL_SECONDS
        patience = Patience(self._connection, self._name(collection), "the indexes")
        while True:
            with self._connection.rest() as client:
                info = client.get_collection(self._name(collection))
            if info.status == models.CollectionStatus.RED:
                raise IndexingFailed(f"the optimiser of {collection}: {info.optimizer_status}")
            total = self._sent[collection]  # sparse vectors are counted, too
            progress(f"index {collection}", min(info.indexed_vectors_count or 0, total), total)
            # Yellow from the moment that there is something to index, started or not.
            if info.status == models.CollectionStatus.GREEN:
                return
            patience.check((info.status, info.indexed_vectors_count, info.segments_count))
            time.sleep(pause)
            pause = min(2 * pause, MAX_POLL_SECONDS)


_NOTHING = models.Filter(must=[models.HasIdCondition(has_id=[])])
