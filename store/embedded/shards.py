"""The life of one Edge shard: created, filled, indexed and optimised, opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import qdrant_edge as edge

from melon.errors import MelonError
from melon.fields import Field, FieldType
from melon.files import locked
from melon.progress import Progress
from melon.store.embedded.errors import ANEW, edge_error, edge_errors
from melon.store.embedded.translate import payload_index
from melon.store.errors import DamagedRelease, IndexingFailed, StoreUnavailable
from melon.store.presets import IndexSettings
from melon.store.schema import DENSE, SCHEMA, Collection

NOT_BUILT = "the indexes were not built"
POLL_SECONDS = 0.2
SMALL_SHARD = 5_000
"""Points below which the indexes are built in less time than a process takes to start."""


def open_shard(path: Path) -> edge.EdgeShard:
    """Load a shard, one process at a time: loading rewrites its configuration file.

    Raises:
        DamagedRelease: it is not there, or not whole.
        StoreUnavailable: it cannot be read or written.
    """
    with (
        edge_errors(DamagedRelease, path, what="the shard cannot be opened", hint=ANEW),
        locked(path.with_name(f"{path.name}.lock")),
    ):
        return edge.EdgeShard.load(str(path))


def close_shard(shard: edge.EdgeShard) -> None:
    """Close a shard that was only read: if that fails, nothing is lost."""
    with suppress(MelonError), edge_errors(StoreUnavailable, "shard"):
        shard.close()


def create_shard(
    path: Path, collection: Collection, dim: int, settings: IndexSettings
) -> edge.EdgeShard:
    """An empty shard at `path`, which must not exist, open for writing.

    Cached files are mapped and read ahead when the shard is opened. By default, Edge would copy
    the sparse indexes into each process, and drop the payloads from the system's cache, so that
    every process reads them from the disk again.

    Raises:
        StoreUnavailable: it cannot be written.
    """
    schema = SCHEMA[collection]
    memory = edge.Memory.Cold if settings.on_disk else edge.Memory.Cached
    dense = edge.EdgeVectorParams(
        size=dim,
        distance=edge.Distance.Cosine,
        datatype=edge.VectorStorageDatatype.Float16 if settings.half_precision else None,
        memory=memory,
    )
    sparse = edge.EdgeSparseVectorParams(memory=edge.Memory.Cached)
    config = edge.EdgeConfig(
        payload_memory=memory,
        vectors={DENSE: dense},
        sparse_vectors={schema.sparse: sparse} if schema.sparse else None,
        hnsw_config=edge.HnswIndexConfig(
            m=settings.m if settings.graph else 0,
            ef_construct=settings.ef_construct,
            full_scan_threshold=settings.full_scan_threshold_kb,
        ),
        optimizers=edge.EdgeOptimizersConfig(
            default_segment_number=1, indexing_threshold=settings.indexing_threshold_kb
        ),
        wal_enabled=False,
    )
    with edge_errors(StoreUnavailable, path, what="the shard cannot be made"):
        path.mkdir(parents=True)
        return edge.EdgeShard.create(str(path), config)


def optimise_shard(
    path: Path,
    collection: Collection,
    fields: Sequence[Field],
    total: int,
    progress: Progress,
) -> None:
    """Build the indexes of a closed shard, a large one in a child process.

    Edge's `optimize` blocks a process until it ends. While a child does it, this one can show
    progress and be interrupted.

    Raises:
        IndexingFailed: Edge, or the child, gave up.
        StoreUnavailable: the shard cannot be written.
    """
    if total < SMALL_SHARD:
        build_indexes(path, fields)
    else:
        _build_in_child(path, collection, fields, total, progress)
    progress(f"index {collection}", total, total)


def build_indexes(path: Path, fields: Sequence[Field]) -> None:
    """Open a closed shard, index these fields, optimise it until nothing is left to do, close it.

    Payload indexes come after the points, for it is quicker to make them at once, and before the
    graph, for one that is built without them cannot be filtered (recall 0.31). Those of texts come
    last: they are no part of it, and would be made twice.

    Raises:
        IndexingFailed: Edge gave up.
        StoreUnavailable: it cannot be written.
    """
    shard = open_shard(path)
    with edge_errors(IndexingFailed, path, what=NOT_BUILT):
        for texts in (False, True):
            for field in fields:
                if (field.type is FieldType.TEXT) is texts:
                    index = payload_index(field)
                    shard.update(edge.UpdateOperation.create_field_index(field.name, index))
            if not texts:
                shard.optimize()
        shard.flush()
        shard.close()


def _build_in_child(
    path: Path,
    collection: Collection,
    fields: Sequence[Field],
    total: int,
    progress: Progress,
) -> None:
    # -P: else the child would import what lies in the directory where the command is run.
    command = [sys.executable, "-P", "-m", "melon.store.embedded.optimize"]
    indexed = [(field.name, field.type, asdict(field.index)) for field in fields if field.index]
    command += [str(path), json.dumps(indexed), str(os.getpid())]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is ours to handle
    )
    with child:
        try:
            while True:
                try:
                    _, message = child.communicate(timeout=POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"index {collection}", 0, total)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        reason = message.strip().splitlines()[-1:] or [f"exit code {child.returncode}"]
        raise edge_error(IndexingFailed, f"{NOT_BUILT}: {reason[0]}", path)
