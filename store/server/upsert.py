"""Points as requests to write them, over gRPC.

They are built here, for qdrant-client's conversion of every point is slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from qdrant_client import grpc

from melon.store.errors import BadPoints
from melon.store.points import Payload, PointBatch
from melon.store.schema import DENSE

_ATTRIBUTES = {
    str: "string_value",
    int: "integer_value",
    float: "double_value",
    bool: "bool_value",
}
"""What of a message a value of each type is."""


def to_upsert(name: str, batch: PointBatch, sparse_name: str | None) -> grpc.UpsertPoints:
    """A request for points with their vectors; a row of zeros is a point without a dense vector.

    Most of an upload's time is spent here. Messages are filled in place, for one that is put into
    another is copied; dense vectors are put in as bytes, not as numbers.
    """
    request = grpc.UpsertPoints(collection_name=name, wait=False)
    has_dense = np.any(batch.dense, axis=1).tolist()
    dense = np.ascontiguousarray(batch.dense, "<f4")
    header = _dense_header(dense.shape[1])
    sparse = batch.sparse if sparse_name is not None else None
    add = request.points.add
    for i, (point_id, payload) in enumerate(zip(batch.ids, batch.payloads, strict=True)):
        point = add()
        if isinstance(point_id, int):
            point.id.num = point_id
        else:
            point.id.uuid = point_id
        named = point.vectors.vectors
        named.SetInParent()  # also where no vector follows
        vectors = named.vectors
        if has_dense[i]:
            vectors[DENSE].dense.ParseFromString(header + dense[i].tobytes())
        if sparse is not None:
            indices, values = sparse.row(i)
            if len(indices):
                vector = vectors[sparse_name].sparse
                vector.indices.extend(indices.tolist())
                vector.values.extend(values.tolist())
        _fill(point.payload, payload)
    return request


def in_parts(request: grpc.UpsertPoints, size: int) -> Iterator[grpc.UpsertPoints]:
    """The same points in requests of at most `size` of them."""
    if size >= len(request.points):
        yield request
        return
    for start in range(0, len(request.points), size):
        yield grpc.UpsertPoints(
            collection_name=request.collection_name,
            wait=request.wait,
            points=request.points[start : start + size],
        )


def one_by_one(request: grpc.UpsertPoints) -> grpc.UpdateBatchPoints:
    """The same points as updates of one each, which are made in this order."""
    batch = grpc.UpdateBatchPoints(collection_name=request.collection_name, wait=request.wait)
    for point in request.points:
        batch.operations.add().upsert.points.append(point)
    return batch


@cache
def _dense_header(dim: int) -> bytes:
    """What a dense vector's bytes start with, before its numbers as little-endian floats."""
    whole: bytes = grpc.DenseVector(data=[0.0] * dim).SerializeToString()
    return whole[: len(whole) - 4 * dim]


def _fill(fields: Any, payload: Payload) -> None:
    """Write a payload: the contract knows strings, numbers, truth values, and lists of them."""
    for name, value in payload.items():
        if type(value) is list:
            values = fields[name].list_value.values
            for item in value:
                setattr(values.add(), _attribute(name, item), item)
        else:
            setattr(fields[name], _attribute(name, value), value)


def _attribute(name: str, value: object) -> str:
    try:
        return _ATTRIBUTES[type(value)]
    except KeyError:
        raise BadPoints(
            f"a payload value of type {type(value).__name__}", where=f"field {name}"
        ) from None
