"""What goes into a store and what comes out of it, the same for every engine."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.store.errors import BadPoints, DamagedRelease, RequestRefused
from melon.store.filters import Filter
from melon.store.schema import DENSE, SCHEMA, Collection

PointId = int | str
Payload = dict[str, Any]
Floats = NDArray[np.float32]
Ids = NDArray[Any]
"""Ids of points of one collection, (n,): int64, or str where they are UUIDs."""

NO_PAYLOAD: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """`indices` (k,) uint32, unique; `values` (k,) float32."""

    indices: NDArray[np.uint32]
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SparseRows:
    """The sparse vectors of n points as compressed rows.

    Row i is `indices[indptr[i]:indptr[i + 1]]` with the same slice of `values`.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.uint32]
    values: Floats

    def row(self, i: int) -> tuple[NDArray[np.uint32], Floats]:
        """Indices and values of row `i`."""
        part = slice(self.indptr[i], self.indptr[i + 1])
        return self.indices[part], self.values[part]

    def slice(self, start: int, stop: int) -> SparseRows:
        """The rows from `start` to before `stop`."""
        indptr = self.indptr[start : stop + 1]
        part = slice(indptr[0], indptr[-1])
        return SparseRows(indptr - indptr[0], self.indices[part], self.values[part])


@dataclass(frozen=True, slots=True, eq=False)
class PointBatch:
    """n points, by column.

    `dense` is (n, dim) float32; a row of zeros means that the point has no dense vector.
    """

    ids: Sequence[PointId]
    dense: Floats
    sparse: SparseRows | None
    payloads: Sequence[Payload]

    def check(self, dim: int) -> None:
        """Refuse what engines accept in silence.

        Raises:
            BadPoints: the columns differ in length, the dimension is wrong, or a value is not
                finite (engines rank NaN first).
        """
        n = len(self.ids)
        if self.dense.shape != (n, dim) or len(self.payloads) != n:
            raise BadPoints(
                f"{n} ids, {len(self.payloads)} payloads and vectors of shape "
                f"{self.dense.shape} do not make {n} points of dimension {dim}"
            )
        finite = np.isfinite(self.dense).all(axis=1)
        if not finite.all():
            raise BadPoints(
                f"the vector of point {self.ids[int(np.argmin(finite))]} is not finite",
                hint="train the space again: it has diverged",
            )
        if self.sparse is not None:
            self._check_sparse(self.sparse)

    def _check_sparse(self, sparse: SparseRows) -> None:
        if len(sparse.indptr) != len(self.ids) + 1 or len(sparse.indices) != len(sparse.values):
            raise BadPoints(
                f"{len(self.ids)} ids and {len(sparse.indptr) - 1} sparse vectors do not match"
            )
        if not np.isfinite(sparse.values).all():
            raise BadPoints("a sparse vector holds a value that is not finite")


@dataclass(frozen=True, slots=True, eq=False)
class VectorQuery:
    """One search for the points nearest to a vector.

    `payload` names the fields that come back with each hit; `exact` scans instead of walking
    the HNSW graph; `ef` is the width of that walk's beam, where the store is not to choose it
    (sparse queries are always exact).
    """

    vector: Floats | SparseVector
    using: str
    limit: int
    filter: Filter | None = None
    payload: tuple[str, ...] | bool = False
    exact: bool = False
    ef: int | None = None

    def __post_init__(self) -> None:
        values = self.vector.values if isinstance(self.vector, SparseVector) else self.vector
        if not np.isfinite(values).all():
            raise RequestRefused("a query vector is not finite", where=f"vector {self.using}")
        check_limit(self.limit)

    @property
    def search_key(self) -> Hashable:
        """Equal for two queries that differ by `limit` alone."""
        vector = self.vector
        parts = (vector.indices, vector.values) if isinstance(vector, SparseVector) else (vector,)
        return (
            *(part.tobytes() for part in parts),
            self.using,
            self.filter,
            self.payload,
            self.exact,
            self.ef,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One point of `Hits`, with its score (cosine, or the sparse dot product)."""

    id: PointId
    score: float
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The points that a query found, best first, by column; iterating makes a `Hit` of each row.

    Attributes:
        ids: (n,) int64, or str where they are UUIDs.
        scores: (n,) float64.
        payloads: one for each point, or none where the query asked for none.
    """

    ids: Ids
    scores: NDArray[np.float64]
    payloads: Sequence[Mapping[str, Any]] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> Hit:
        return Hit(
            self.ids[row].item(),
            float(self.scores[row]),
            self.payloads[row] if self.payloads else NO_PAYLOAD,
        )

    def rows(self, chosen: slice | Sequence[int]) -> Hits:
        """Some of them: a slice, or by their numbers."""
        if isinstance(chosen, slice):
            return Hits(self.ids[chosen], self.scores[chosen], self.payloads[chosen])
        return Hits(
            self.ids[chosen],
            self.scores[chosen],
            [self.payloads[row] for row in chosen] if self.payloads else (),
        )

    def __iter__(self) -> Iterator[Hit]:
        return map(self.__getitem__, range(len(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A point that was asked for by its id or a filter."""

    id: PointId
    payload: Mapping[str, Any]
    vector: Floats | None = None
    sparse: SparseVector | None = None


def id_array(ids: Sequence[PointId]) -> Ids:
    """Ids of one collection as an array: all of them numbers, or all of them UUIDs.

    Raises:
        DamagedRelease: somebody else has put others among them.
    """
    kind = int if not ids or isinstance(ids[0], int) else str
    try:
        if kind is int:
            return np.array(ids, np.int64)
        if all(isinstance(one, str) for one in ids):
            return np.array(ids, np.str_)
    except (OverflowError, TypeError, ValueError):
        pass
    raise DamagedRelease(
        "a collection holds points that are none of melon's",
        hint="`melon ingest` of its space builds it anew",
    )


def check_limit(limit: int) -> None:
    """Refuse a limit below 1, which one engine answers with nothing and another with an error.

    Raises:
        RequestRefused: it is below 1.
    """
    if limit < 1:
        raise RequestRefused(f"{limit} points were asked for", hint="ask for 1 at least")


def payload_selector(payload: tuple[str, ...] | bool) -> bool | list[str]:
    """The payload fields that come back, or all, or none."""
    return payload if isinstance(payload, bool) else list(payload)


def vector_selector(collection: Collection, *, dense: bool, sparse: bool) -> list[str] | bool:
    """The names of the vectors that come back."""
    sparse_name = SCHEMA[collection].sparse
    names = [*([DENSE] if dense else []), *([sparse_name] if sparse and sparse_name else [])]
    return names or False


def dense_of(vectors: object) -> Floats | None:
    """The dense vector, (dim,), out of a point's vectors by their names, if it has one."""
    if not isinstance(vectors, dict) or DENSE not in vectors:
        return None
    return np.asarray(vectors[DENSE], dtype=np.float32)
