"""A release's points as qdrant-client's own models: what one would send without melon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from qdrant_client import QdrantClient, models

from melon.embedding import EmbeddingSpace
from melon.fields import FieldType
from melon.ingest.contents import Contents
from melon.store import DENSE, SCHEMA, Collection, ReleaseManifest

BATCH = 512


def bare_manifest(space: EmbeddingSpace, release: str) -> ReleaseManifest:
    """The manifest of a release that is only measured."""
    return ReleaseManifest(
        release=release,
        melon_version="0",
        created=datetime.now(UTC),
        space=space.hash,
        dim=space.dim,
        counts={},
    )


def create(
    client: QdrantClient, name: str, collection: Collection, dim: int, *, indexes: bool
) -> None:
    """A collection of that schema with the server's default settings.

    Args:
        indexes: with its payload indexes and HNSW as they are by default; otherwise with none.
    """
    schema = SCHEMA[collection]
    client.create_collection(
        name,
        vectors_config={DENSE: models.VectorParams(size=dim, distance=models.Distance.COSINE)},
        sparse_vectors_config=(
            {schema.sparse: models.SparseVectorParams()} if schema.sparse else None
        ),
        optimizers_config=(None if indexes else models.OptimizersConfigDiff(indexing_threshold=0)),
    )
    if indexes:
        for field in schema.indexed:
            kind = FieldType.DATETIME if field.type is FieldType.DATE else field.type
            client.create_payload_index(
                name, field.name, models.PayloadSchemaType(kind.value), wait=True
            )


def structs(collection: Collection, part: Contents, stop: int) -> Iterator[models.PointStruct]:
    """The first `stop` points."""
    sparse_name = SCHEMA[collection].sparse
    for start in range(0, stop, BATCH):
        batch = part.batch(start, min(start + BATCH, stop))
        has_dense = np.asarray(batch.dense.any(axis=1))
        for row, (point_id, payload) in enumerate(zip(batch.ids, batch.payloads, strict=True)):
            vector: dict[str, list[float] | models.SparseVector] = {}
            if has_dense[row]:
                vector[DENSE] = batch.dense[row].tolist()
            if batch.sparse is not None and sparse_name:
                indices, values = batch.sparse.row(row)
                if len(indices):
                    vector[sparse_name] = models.SparseVector(
                        indices=indices.tolist(), values=values.tolist()
                    )
            yield models.PointStruct(id=point_id, vector=vector, payload=payload)


def first(part: Contents, most: int) -> Contents:
    """The first points of a collection, `most` of them at most."""
    stop = min(len(part), most)
    sparse = part.sparse.slice(0, stop) if part.sparse else None
    return replace(part, ids=part.ids[:stop], vectors=part.vectors[:stop], sparse=sparse)


def wait_for_updates(client: QdrantClient, collection: str) -> None:
    """Until all that was sent is applied: updates are, in order."""
    nothing = models.Filter(must=[models.HasIdCondition(has_id=[])])
    client.delete(collection, models.FilterSelector(filter=nothing), wait=True)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and all its threads have taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
