"""Builds one release in a directory: its shards are filled, then indexed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from melon.files import sync_directory, write_atomically
from melon.progress import Progress, ignore
from melon.store.embedded.errors import edge_errors
from melon.store.embedded.reader import EmbeddedReader
from melon.store.embedded.room import PLENTY, bytes_free, check_room
from melon.store.embedded.sealing import MANIFEST, seal_files
from melon.store.embedded.shards import copy_shard
from melon.store.embedded.writer import WRITTEN, ShardWriter, WriterApart, WriterHere
from melon.store.errors import IndexingFailed, StoreUnavailable
from melon.store.evidence import IdSample, check_count, gather_all
from melon.store.manifest import ReleaseManifest
from melon.store.points import PointBatch, PointId
from melon.store.schema import Collection

SMALL_RELEASE = 5_000
"""Points below which a release is built in less time than a process takes to start."""


class EmbeddedBuilder:
    """Writes a release below a hidden directory, and renames it when it is sealed.

    Args:
        base: directory of a release whose shards it begins with.
        progress: told as `copy` how many of these are there.

    Raises:
        StoreUnavailable: the directory cannot be written. Nothing is left of it.
    """

    def __init__(
        self,
        directory: Path,
        manifest: ReleaseManifest,
        lock: ExitStack,
        base: Path | None = None,
        progress: Progress = ignore,
    ) -> None:
        self._directory = directory
        self._manifest = manifest
        self._lock = lock
        self._sent = dict.fromkeys(Collection, 0)
        self._sample = {collection: IdSample() for collection in Collection}
        self._reader: EmbeddedReader | None = None
        self._writer: ShardWriter | None = None
        self.has_base = base is not None
        try:
            check_room(directory.parent, manifest)
            if base:
                self._copy(base, progress)
            self._writer = self._new_writer()
        except BaseException:
            self.abandon()
            raise

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Add a batch to the collection's shard."""
        batch.check(self._manifest.dim)
        self._there().upsert(collection, batch)
        self._sent[collection] += len(batch.ids)
        self._sample[collection].add(batch.ids)

    def keep(
        self, collection: Collection, kept: Sequence[PointId], gone: Sequence[PointId]
    ) -> None:
        """Count what stays, and remove what goes."""
        if gone:
            self._there().remove(collection, gone)
        self._sent[collection] += len(kept)
        self._sample[collection].add(kept)

    def finish(self, progress: Progress = ignore) -> None:
        """Flush, then build the indexes."""
        fields = {
            part: () if self.has_base else self._manifest.schema(part).indexed
            for part in Collection
        }
        self._there().finish(fields, self._sent, progress)
        self._writer = None
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
        self._close()
        with edge_errors(IndexingFailed, self._directory, what=WRITTEN):
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
        self._close()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._lock.close()

    def _new_writer(self) -> ShardWriter:
        """In a process of its own where the release is large, or the disk might become full."""
        manifest = self._manifest
        small = sum(manifest.counts.values()) < SMALL_RELEASE
        here = small and bytes_free(self._directory) > PLENTY
        kind = WriterHere if here else WriterApart
        return kind(self._directory, manifest.dim, manifest.preset, begun=self.has_base)

    def _copy(self, base: Path, progress: Progress) -> None:
        with edge_errors(StoreUnavailable, self._directory, what=WRITTEN):
            for number, collection in enumerate(Collection):
                progress("copy", number, len(Collection))
                copy_shard(base / collection, self._directory / collection)
            progress("copy", len(Collection), len(Collection))

    def _there(self) -> ShardWriter:
        if self._writer is None:
            raise IndexingFailed("the release takes no more points", where=str(self._directory))
        return self._writer

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
