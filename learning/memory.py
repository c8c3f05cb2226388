"""A release in memory: a space is read as its release would be, and no store is made for it.

It is exact, and made for many questions at once: what it takes to answer them is sums over who
holds what, and products of matrices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from melon.embedding import EmbeddingSpace
from melon.ingest import Contents, SparseWeights, contents, manifest_of
from melon.store import (
    Collection,
    Condition,
    Facets,
    Filter,
    HasId,
    Hits,
    Ids,
    MatchAny,
    NumberRange,
    PointId,
    Preset,
    Record,
    RequestRefused,
    SparseVector,
    VectorQuery,
    id_array,
)

T = TypeVar("T")
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

SCORES = 2**24
"""Scores that are computed at a time, 64 MB of them."""


class MemoryReader:
    """Reads a space as if it were ingested: a `ReleaseReader` of the same answers.

    Of conditions it knows those on ids, on ranges of whole numbers and on single values, which are
    all that learning has use for, and refuses others. Ties are broken by id.
    """

    def __init__(self, space: EmbeddingSpace) -> None:
        weights = SparseWeights()
        laid_out = contents(space, weights)
        counts = {collection: len(part) for collection, part in laid_out.items()}
        self.manifest = manifest_of("in-memory", space, weights, Preset.EXACT, counts)
        self._points = {collection: _Points(part) for collection, part in laid_out.items()}

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """The call itself, for later: there is nothing to wait for."""
        return call

    def retrieve(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
        sparse: bool = False,
    ) -> list[Record]:
        """Points by id, in the order of `ids`."""
        points = self._points[collection]
        rows = points.rows_of(tuple(dict.fromkeys(ids)))
        return points.records(rows, payload, vectors=vectors, sparse=sparse)

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The hits of each query; payloads do not come with them.

        Sparse queries are answered together, and of the others those that search among the same
        points, whatever ids they exclude.
        """
        points = self._points[collection]
        answers: dict[int, Hits] = {}
        groups: dict[Filter | None, list[int]] = defaultdict(list)
        for row, query in enumerate(queries):
            is_sparse = isinstance(query.vector, SparseVector)
            groups[None if is_sparse else _without_ids(query.filter)].append(row)
        for among, rows in groups.items():
            search = points.sparse_hits if among is None else points.dense_hits
            for part in _parts(rows, max(1, SCORES // max(1, len(points)))):
                answers.update(zip(part, search([queries[row] for row in part]), strict=True))
        return [answers[row] for row in range(len(queries))]

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """The values of a field of one whole number."""
        points = self._points[collection]
        rows = points.rows_of(ids)
        numbers = points.numbers(field)[rows].tolist()
        pairs = zip(points.ids[rows].tolist(), numbers, strict=True)
        return {point: number for point, number in pairs if number >= 0}

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The points with the largest value of a field of one whole number."""
        points = self._points[collection]
        numbers = points.numbers(field)
        rows = np.flatnonzero(points.passing(filter) & (numbers >= 0))
        return points.records(points.best(rows, numbers[rows], limit)[0], payload)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The first `limit` points that pass the filter, by their ids."""
        points = self._points[collection]
        rows = np.flatnonzero(points.passing(filter))
        return points.records(points.best(rows, np.zeros(len(rows)), limit)[0], payload)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """Exactly how many points pass the filter."""
        return int(np.count_nonzero(self._points[collection].passing(filter)))

    def facet(
        self, collection: Collection, field: str, limit: int, filter: Filter | None = None
    ) -> Facets:
        """The values of a field that most points hold, each with how many."""
        points = self._points[collection]
        rows = np.flatnonzero(points.passing(filter))
        held = (record.payload.get(field) for record in points.records(rows, (field,)))
        counts = Counter(chain.from_iterable(map(_as_list, held)))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    def warm(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""


class _Points:
    """The points of one collection."""

    def __init__(self, part: Contents) -> None:
        self.ids: Ids = id_array(part.ids)
        self._part = part
        self._numbers: dict[str, Ints] = {}
        self._passing: dict[Condition, Mask] = {}
        self._rows_holding: dict[str, Mapping[object, list[int]]] = {}
        self._vectors_among: dict[Filter, tuple[Ints, Floats]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _order(self) -> Ints:
        """The rows in the order of their ids."""
        return np.argsort(self.ids, kind="stable")

    @cached_property
    def _rank(self) -> Ints:
        """The place of each row in the order of the ids."""
        rank = np.empty(len(self), np.int64)
        rank[self._order] = np.arange(len(self))
        return rank

    @cached_property
    def _row_of(self) -> dict[PointId, int]:
        return {point: row for row, point in enumerate(self.ids.tolist())}

    def rows_of(self, ids: Sequence[PointId]) -> Ints:
        """The rows of those ids that are there, in their order."""
        found = [row for point in ids if (row := self._row_of.get(point)) is not None]
        return np.array(found, np.int64)

    def numbers(self, field: str) -> Ints:
        """(n,) int64: the field's values, -1 where there is none."""
        if field not in self._numbers:
            self._numbers[field] = self._part.payloads.numbers(field)
        return self._numbers[field]

    def records(
        self,
        rows: Ints,
        payload: tuple[str, ...] | bool,
        *,
        vectors: bool = False,
        sparse: bool = False,
    ) -> list[Record]:
        """The points at some rows."""
        payloads = self._part.payloads.at(rows, payload)
        dense = self._vectors[rows] if vectors else np.empty((len(rows), 0), np.float32)
        return [
            Record(
                point,
                fields,
                vector if vector.any() else None,
                self._sparse_vector(row) if sparse else None,
            )
            for point, row, fields, vector in zip(
                self.ids[rows].tolist(), rows.tolist(), payloads, dense, strict=True
            )
        ]

    def _sparse_vector(self, row: int) -> SparseVector | None:
        if self._part.sparse is None:
            return None
        indices, values = self._part.sparse.row(row)
        return SparseVector(indices, values) if len(indices) else None

    def passing(self, filter: Filter | None) -> Mask:
        """(n,) bool: which points pass a filter."""
        passing = np.ones(len(self), np.bool_)
        if filter:
            for condition in filter.must:
                passing &= self._meeting(condition)
            for condition in filter.must_not:
                passing &= ~self._meeting(condition)
            if filter.should:
                passing &= np.logical_or.reduce([self._meeting(one) for one in filter.should])
        return passing

    def _meeting(self, condition: Condition) -> Mask:
        match condition:
            case Filter():
                return self.passing(condition)
            case HasId(ids):
                meeting = np.zeros(len(self), np.bool_)
                meeting[self.rows_of(ids)] = True
                return meeting
            case NumberRange(field):
                if condition not in self._passing:
                    self._passing[condition] = _between(self.numbers(field), condition)
                return self._passing[condition]
            case MatchAny(field, values):
                holders = self._holding(field)
                rows = [holders[value] for value in values if value in holders]
                meeting = np.zeros(len(self), np.bool_)
                meeting[list(chain.from_iterable(rows))] = True
                return meeting
        raise RequestRefused(f"points in memory are not filtered by {condition}")

    def _holding(self, field: str) -> Mapping[object, list[int]]:
        """The rows that hold each value of a field."""
        if field not in self._rows_holding:
            holding: dict[object, list[int]] = defaultdict(list)
            for row, payload in enumerate(self._part.payloads.at(np.arange(len(self)), (field,))):
                for value in _as_list(payload.get(field)):
                    holding[value].append(row)
            self._rows_holding[field] = dict(holding)
        return self._rows_holding[field]

    def best(self, rows: Ints, scores: NDArray[Any], limit: int) -> tuple[Ints, NDArray[Any]]:
        """The `limit` rows of the largest scores, best first, of equal ones the lower ids."""
        if len(rows) > limit:
            last = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            kept = scores >= last
            rows, scores = rows[kept], scores[kept]
        order = np.lexsort((self._rank[rows], -scores))[:limit]
        return rows[order], scores[order]

    def dense_hits(self, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The points nearest to each query; all of them search among the same, by `_without_ids`.

        Points without a vector are near nothing.
        """
        rows, vectors = self._among(_without_ids(queries[0].filter))
        probes = np.stack([np.asarray(query.vector, np.float32) for query in queries])
        probes /= np.maximum(np.linalg.norm(probes, axis=1, keepdims=True), np.float32(1e-12))
        answers = []
        for query, scores in zip(queries, probes @ vectors.T, strict=True):
            excluded = self.rows_of(_excluded(query.filter))
            best, cosines = self.best(rows, scores, query.limit + len(excluded))
            kept = ~np.isin(best, excluded)
            answers.append(self._hits(best[kept][: query.limit], cosines[kept][: query.limit]))
        return answers

    def _among(self, filter: Filter) -> tuple[Ints, Floats]:
        """The rows that pass, and their vectors; kept where the filter is one of a few."""
        if filter in self._vectors_among:
            return self._vectors_among[filter]
        rows = np.flatnonzero(self.passing(filter) & self._has_vector)
        among = rows, self._vectors if len(rows) == len(self) else self._vectors[rows]
        if all(
            isinstance(one, NumberRange) for one in (*filter.must, *filter.must_not, *filter.should)
        ):
            self._vectors_among[filter] = among
        return among

    def sparse_hits(self, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The points that have a dimension in common with each query, by their scalar product."""
        dimensions, holders = self._holders
        vectors = [query.vector for query in queries if isinstance(query.vector, SparseVector)]
        asked = np.concatenate([vector.indices for vector in vectors])
        columns = np.searchsorted(dimensions, asked)
        columns[columns == len(dimensions)] = 0
        known = dimensions[columns] == asked if len(dimensions) else np.zeros(len(asked), np.bool_)
        values = np.where(known, np.concatenate([vector.values for vector in vectors]), 0)
        ends = np.cumsum([0, *(len(vector.indices) for vector in vectors)])
        matrix = sparse.csr_array(
            (values[known], columns[known], np.r_[0, np.cumsum(known)][ends]),
            shape=(len(queries), len(dimensions)),
        )
        products = matrix @ holders
        answers = []
        for row, query in enumerate(queries):
            part = slice(products.indptr[row], products.indptr[row + 1])
            rows, scores = products.indices[part].astype(np.int64), products.data[part]
            if query.filter:
                kept = self._pass(query.filter, rows)
                rows, scores = rows[kept], scores[kept]
            answers.append(self._hits(*self.best(rows, scores, query.limit)))
        return answers

    def _pass(self, filter: Filter, rows: Ints) -> Mask:
        """Whether each of the rows passes; excluded ids are looked for among these alone."""
        excluded = self.rows_of(_excluded(filter))
        return self.passing(_without_ids(filter))[rows] & ~np.isin(rows, excluded)

    def _hits(self, rows: Ints, scores: NDArray[Any]) -> Hits:
        return Hits(self.ids[rows], scores.astype(np.float64))

    @cached_property
    def _vectors(self) -> Floats:
        """(n, dim) float32, unit rows, as engines keep them."""
        vectors = np.array(self._part.dense(0, len(self)), np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(norms > 0, norms, 1)
        return vectors

    @cached_property
    def _has_vector(self) -> Mask:
        return np.asarray((self._vectors != 0).any(axis=1))

    @cached_property
    def _holders(self) -> tuple[NDArray[np.uint32], Any]:
        """The dimensions of the sparse vectors, (d,) ascending, and (d, n) of who has them."""
        rows = self._part.sparse
        if rows is None:
            raise RequestRefused("these points have no sparse vectors")
        dimensions, columns = np.unique(rows.indices, return_inverse=True)
        shape = (len(self), len(dimensions))
        matrix = sparse.csr_array((rows.values, columns, rows.indptr), shape=shape)
        return dimensions, matrix.T.tocsr()


def _as_list(value: Any) -> list[Any]:
    """The values of a field of a payload."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _parts(rows: list[int], size: int) -> list[list[int]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _excluded(filter: Filter | None) -> tuple[PointId, ...]:
    """The ids that a filter excludes."""
    conditions = filter.must_not if filter else ()
    return tuple(point for one in conditions if isinstance(one, HasId) for point in one.ids)


def _without_ids(filter: Filter | None) -> Filter:
    """The filter without the ids that it excludes."""
    if not filter:
        return Filter()
    others = tuple(one for one in filter.must_not if not isinstance(one, HasId))
    return Filter(filter.must, filter.should, others)


def _between(numbers: Ints, bounds: NumberRange) -> Mask:
    passing = numbers >= 0
    if bounds.gte is not None:
        passing &= numbers >= bounds.gte
    if bounds.lte is not None:
        passing &= numbers <= bounds.lte
    if bounds.gt is not None:
        passing &= numbers > bounds.gt
    if bounds.lt is not None:
        passing &= numbers < bounds.lt
    return passing
