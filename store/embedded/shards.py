"""The life of one Edge shard: created, filled, indexed and optimised, opened."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import qdrant_edge as edge

from melon.errors import MelonError
from melon.fields import Field, FieldType
from melon.files import copy_data, locked
from melon.store.embedded.errors import ANEW, edge_error, edge_errors, is_write_refusal
from melon.store.embedded.room import bytes_free
from melon.store.embedded.translate import payload_index
from melon.store.errors import DamagedRelease, IndexingFailed, StoreUnavailable
from melon.store.presets import IndexSettings
from melon.store.schema import DENSE, SCHEMA, Collection

BYTES_TO_OPEN = 1 << 20
NOT_BUILT = "the indexes were not built"


def open_shard(path: Path) -> edge.EdgeShard:
    """Load a shard to read it, where nothing can be written, too.

    Loading writes: see `open_apart`. On a disk that is almost full it is not tried, for Edge may
    write into a hole of a file that it maps, and the system would end this process.

    Raises:
        DamagedRelease: it is not there, or not whole.
        StoreUnavailable: it cannot be read.
    """
    if bytes_free(path) < BYTES_TO_OPEN:
        return open_apart(path, edge_error(StoreUnavailable, "the disk is full", path))
    try:
        return open_in_place(path)
    except StoreUnavailable as error:
        if not is_write_refusal(error):
            raise
        return open_apart(path, error)


def open_apart(path: Path, refusal: MelonError) -> edge.EdgeShard:
    """Load a shard where it lies on a full disk, a read-only one, or belongs to somebody else.

    Edge writes its configuration files anew, and opens all files for writing that points could be
    added to. So it is given a directory with copies of these, and links to the others. All of them
    are mapped when it is loaded, and the directory is gone before it answers.

    Args:
        refusal: why it could not be opened in its place; raised where no other is found.
    """
    reason: Exception = refusal
    for place in _PLACES_FOR_COPIES:
        try:
            with TemporaryDirectory(prefix="melon-", dir=place) as directory:
                copy = Path(directory) / path.name
                _copy_to_open(path, copy)
                return open_in_place(copy)
        except OSError as error:
            reason = error
        except DamagedRelease:
            raise
        except StoreUnavailable as error:
            reason = error
    raise refusal from reason


_PLACES_FOR_COPIES = (None, "/dev/shm")
"""The system's directory for temporary files, else memory."""

_ADDED_TO = re.compile(
    r"(page|flags|chunk)_.*|(tracker|bitmask|gaps|status|deleted)\.dat"
    r"|id_tracker\.(deleted|versions)|mutable_id_tracker\..*|.*\.json"
)
"""Files that Edge opens for writing when it loads a shard."""


def _copy_to_open(path: Path, copy: Path) -> None:
    for parent, directories, names in os.walk(path):
        directories[:] = [name for name in directories if not name.startswith(".")]
        target = copy / Path(parent).relative_to(path)
        target.mkdir()
        for name in names:
            source = Path(parent, name).absolute()
            if _ADDED_TO.fullmatch(name):  # some of which it does not find as links
                copy_data(source, target / name)
            else:
                (target / name).symlink_to(source)


def open_in_place(path: Path) -> edge.EdgeShard:
    """Load a shard, one process at a time: loading rewrites its configuration file.

    Raises:
        DamagedRelease: it is not there, or not whole.
        StoreUnavailable: it cannot be read or written.
    """
    with (
        edge_errors(DamagedRelease, path, what="the shard cannot be opened", hint=ANEW),
        locked(lock_of(path)),
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
    every process reads them from the disk again. Where no graph is worth it, the files are mostly
    holes, which are not worth reading: an opening takes a quarter less time, and 260 MB less.
    And Edge would have eight threads or more search the segments, of which there is one: to wake
    them took a fifth of a query's time.

    Raises:
        StoreUnavailable: it cannot be written.
    """
    schema = SCHEMA[collection]
    ahead = edge.Memory.Cached if settings.graph else edge.Memory.Cold
    memory = edge.Memory.Cold if settings.on_disk else ahead
    dense = edge.EdgeVectorParams(
        size=dim,
        distance=edge.Distance.Cosine,
        datatype=edge.VectorStorageDatatype.Float16 if settings.half_precision else None,
        memory=memory,
    )
    sparse = edge.EdgeSparseVectorParams(memory=ahead)
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
        max_search_threads=1,
        wal_enabled=False,
    )
    with edge_errors(StoreUnavailable, path, what="the shard cannot be made"):
        path.mkdir(parents=True)
        return edge.EdgeShard.create(str(path), config)


def copy_shard(path: Path, target: Path) -> None:
    """Copy a shard that nobody writes to, but for files that are on their way to another name.

    Raises:
        OSError: it cannot be read, or the copy cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock_of(path)):  # a process that opens it rewrites its configuration
        shutil.copytree(
            path,
            target,
            ignore=shutil.ignore_patterns(".*"),
            copy_function=lambda source, copy: copy_data(Path(source), Path(copy)),
        )


def lock_of(path: Path) -> Path:
    """The file that is locked while a shard is opened."""
    return path.with_name(f"{path.name}.lock")


def build_indexes(path: Path, fields: Sequence[Field]) -> None:
    """Open a closed shard, index these fields, optimise it until nothing is left to do, close it.

    Payload indexes come after the points, for it is quicker to make them at once, and before the
    graph, for one that is built without them cannot be filtered (recall 0.31). Those of texts come
    last: they are no part of it, and would be made twice.

    Raises:
        IndexingFailed: Edge gave up.
        StoreUnavailable: it cannot be written.
    """
    shard = open_in_place(path)
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
