"""The points of one collection in memory: who passes a filter, and who is near a vector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from melon.ingest import Contents
from melon.store import (
    Condition,
    Filter,
    HasId,
    Hits,
    Ids,
    MatchAny,
    NumberRange,
    PointId,
    Record,
    RequestRefused,
    SparseVector,
    VectorQuery,
    id_array,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class MemoryPoints:
    """The points of one collection, a row each.

    What is asked of them again and again is kept: columns of numbers, who passes a range or holds a
    value, and the vectors among which a search is made.
    """

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
                for value in as_list(payload.get(field)):
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
        """The points nearest to each query; all of them search among the same, by `without_ids`.

        Points without a vector are near nothing.
        """
        rows, vectors = self._among(without_ids(queries[0].filter))
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
        return self.passing(without_ids(filter))[rows] & ~np.isin(rows, excluded)

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


def as_list(value: Any) -> list[Any]:
    """The values of a field of a payload."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _excluded(filter: Filter | None) -> tuple[PointId, ...]:
    """The ids that a filter excludes."""
    conditions = filter.must_not if filter else ()
    return tuple(point for one in conditions if isinstance(one, HasId) for point in one.ids)


def without_ids(filter: Filter | None) -> Filter:
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
