"""The life of one Edge shard: created with its payload indexes, optimised, opened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import qdrant_edge as edge

from melon.store import tuning
from melon.store.edge_models import INDEX_TYPES
from melon.store.errors import IndexingFailed, StoreUnavailable
from melon.store.files import locked
from melon.store.protocol import IndexProgress
from melon.store.schema import DENSE, Collection, CollectionSchema

OPENING = "opening.lock"
POLL_SECONDS = 0.2
SMALL_SHARD = 5_000
"""Points below which the indexes are built in less time than a process takes to start."""


def open_shard(path: Path) -> edge.EdgeShard:
    """Load a shard, one process at a time: loading rewrites its configuration file.

    Raises:
        StoreUnavailable: it cannot be read.
    """
    try:
        with locked(path.parent / OPENING):
            return edge.EdgeShard.load(str(path))
    except Exception as error:
        raise StoreUnavailable(
            f"the shard cannot be opened: {error}",
            where=str(path),
            hint="run `melon ingest` again; it needs read and write access to the directory",
        ) from error


def create_shard(path: Path, schema: CollectionSchema, dim: int) -> edge.EdgeShard:
    """An empty shard at `path`, which must not exist, open for writing."""
    path.mkdir(parents=True)
    sparse = {schema.sparse: edge.EdgeSparseVectorParams()} if schema.sparse else None
    config = edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dim, distance=edge.Distance.Cosine)},
        sparse_vectors=sparse,
        hnsw_config=edge.HnswIndexConfig(
            m=tuning.HNSW_M,
            ef_construct=tuning.HNSW_EF_CONSTRUCT,
            full_scan_threshold=tuning.FULL_SCAN_THRESHOLD_KB,
        ),
        optimizers=edge.EdgeOptimizersConfig(
            default_segment_number=1, indexing_threshold=tuning.INDEXING_THRESHOLD_KB
        ),
        wal_enabled=False,
    )
    shard = edge.EdgeShard.create(str(path), config)
    # Before any graph is built: one built without them is not filterable (recall 0.31).
    for field, kind in schema.indexed.items():
        shard.update(edge.UpdateOperation.create_field_index(field, INDEX_TYPES[kind]))
    return shard


def optimise_shard(
    path: Path,
    collection: Collection,
    total: int,
    progress: Callable[[IndexProgress], None] | None,
) -> None:
    """Build the indexes of a closed shard, a large one in a child process.

    Edge's `optimize` holds the interpreter's lock until it is done; apart from it, this process
    can show progress and be interrupted.

    Raises:
        IndexingFailed: the child failed.
    """
    if total < SMALL_SHARD:
        build_indexes(path)
    else:
        _build_in_child(path, collection, total, progress)
    if progress:
        progress(IndexProgress(collection, total, total))


def build_indexes(path: Path) -> None:
    """Open a closed shard, optimise it until nothing is left to do, close it."""
    shard = open_shard(path)
    shard.optimize()
    shard.flush()
    shard.close()


def _build_in_child(
    path: Path,
    collection: Collection,
    total: int,
    progress: Callable[[IndexProgress], None] | None,
) -> None:
    command = [sys.executable, "-m", "melon.store.edge_optimize", str(path), str(os.getpid())]
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
                    if progress:
                        progress(IndexProgress(collection, 0, total))
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        reason = message.strip().splitlines()[-1:] or [f"exit code {child.returncode}"]
        raise IndexingFailed(f"the indexes of {collection} were not built: {reason[0]}")
