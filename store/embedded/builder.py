"""Builds one release in a directory: its shards are filled, then indexed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import qdrant_edge as edge

from melon.errors import MelonError
from melon.files import sync_directory, write_atomically
from melon.progress import Progress, ignore
from melon.store.embedded.errors import edge_errors
from melon.store.embedded.reader import EmbeddedReader
from melon.store.embedded.sealing import seal_files
from melon.store.embedded.shards import create_shard, optimise_shard
from melon.store.embedded.translate import to_points
from melon.store.errors import IndexingFailed, RequestRefused, StoreUnavailable
from melon.store.evidence import IdSample, gather_all
from melon.store.manifest import ReleaseManifest
from melon.store.points import PointBatch
from melon.store.presets import INDEX_SETTINGS
from melon.store.protocol import check_count
from melon.store.schema import SCHEMA, Collection

MANIFEST = "manifest.json"
"""File of a release's directory that says that it is complete."""


class EmbeddedBuilder:
    """Writes a release below a hidden directory, and renames it when it is sealed.

    Raises:
        StoreUnavailable: the directory cannot be written. Nothing is left of it.
    """

    def __init__(self, directory: Path, manifest: ReleaseManifest, lock: ExitStack) -> None:
        self._directory = directory
        self._manifest = manifest
        self._lock = lock
        self._sent = dict.fromkeys(Collection, 0)
        self._sample = {collection: IdSample() for collection in Collection}
        self._reader: EmbeddedReader | None = None
        self._shards: dict[Collection, edge.EdgeShard] = {}
        settings = INDEX_SETTINGS[manifest.preset]
        try:
            for collection in Collection:
                path = directory / collection
                self._shards[collection] = create_shard(path, collection, manifest.dim, settings)
        except BaseException:
            self.abandon()
            raise

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Add a batch to the collection's shard."""
        batch.check(self._manifest.dim)
        points = to_points(batch, SCHEMA[collection].sparse)
        with self._errors(RequestRefused):
            self._shards[collection].update(edge.UpdateOperation.upsert_points(points))
        self._sent[collection] += len(points)
        self._sample[collection].add(batch.ids)

    def finish(self, progress: Progress = ignore) -> None:
        """Flush, then build the indexes, those of a large collection in a child process.

        Edge's `optimize` blocks this process until it ends. While a child process does it, this
        one can show progress and be interrupted.
        """
        with self._errors(IndexingFailed):
            for shard in self._shards.values():
                shard.flush()
                shard.close()
        self._shards.clear()
        for collection in Collection:
            optimise_shard(
                self._directory / collection,
                collection,
                self._manifest.schema(collection).indexed,
                self._sent[collection],
                progress,
            )
        reader = self.reader()
        for collection, sent in self._sent.items():
            check_count(reader, collection, sent)

    def reader(self) -> EmbeddedReader:
        """Read what was built."""
        if self._reader is None:
            self._reader = EmbeddedReader(self._directory, self._manifest, sealed=False)
        return self._reader

    def seal(self) -> None:
        """Write the manifest, make all files durable, and give the directory its final name."""
        evidence = gather_all(self.reader(), self._sample)
        manifest = self._manifest.model_copy(update={"evidence": evidence})
        with self._errors(IndexingFailed):
            self._close()
            write_atomically(self._directory / MANIFEST, manifest.model_dump_json())
            seal_files(self._directory)
            final = self._directory.parent / self._manifest.release
            if final.exists():
                shutil.rmtree(final)
            self._directory.rename(final)
            sync_directory(final.parent)
        self._lock.close()

    def abandon(self) -> None:
        """Remove what was built."""
        with suppress(MelonError), self._errors(StoreUnavailable):
            self._close()  # which may write, where nothing can be written
        self._shards.clear()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._lock.close()

    @contextmanager
    def _errors(self, kind: type[MelonError]) -> Iterator[None]:
        with edge_errors(kind, self._directory, what="the release cannot be written"):
            yield

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        while self._shards:
            self._shards.popitem()[1].close()
