"""A release in memory: a space is read as its release would be, and no store is made for it.

It is exact, and made for many questions at once: what it takes to answer them is sums over who
holds what, and products of matrices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np

from melon.embedding import EmbeddingSpace
from melon.ingest import SparseWeights, contents, manifest_of
from melon.learning.memory_points import MemoryPoints, as_list, without_ids
from melon.store import (
    Collection,
    Facets,
    Filter,
    Hits,
    PointId,
    Preset,
    Record,
    SparseVector,
    VectorQuery,
)

T = TypeVar("T")

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
        self._points = {collection: MemoryPoints(part) for collection, part in laid_out.items()}

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
            groups[None if is_sparse else without_ids(query.filter)].append(row)
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
        counts = Counter(chain.from_iterable(map(as_list, held)))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    def warm(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""


def _parts(rows: list[int], size: int) -> list[list[int]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
