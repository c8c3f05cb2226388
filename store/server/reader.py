"""Reads one release from a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar

from pydantic import BaseModel
from qdrant_client import models

from melon.fields import payload_fields
from melon.store.facets import Facets, FacetValue, check_facet, most_frequent
from melon.store.filters import Condition, Filter, HasId, HasValue, replaced
from melon.store.manifest import ReleaseManifest
from melon.store.points import (
    Hits,
    PointId,
    Record,
    VectorQuery,
    check_limit,
    payload_selector,
    vector_selector,
)
from melon.store.presets import hnsw_ef
from melon.store.schema import Collection
from melon.store.server.connection import ServerConnection
from melon.store.server.limits import Limits
from melon.store.server.translate import (
    Points,
    from_batch,
    from_facet,
    from_hits,
    from_ordered,
    from_page,
    from_records,
    to_filter,
    to_query,
)

T = TypeVar("T")

RETRIEVE_BATCH = 1000
VALUES_BATCH = 10_000
ALL_BATCH = 5000
NO_POINT = 2**64 - 1
"""An id that no point has."""

QUERY_BYTES = 16 << 20
"""Most bytes of queries in one request: by default, a server accepts 32 MB."""


class ServerReader:
    """One release, read from its collections by their names, not by alias."""

    def __init__(self, connection: ServerConnection, manifest: ReleaseManifest) -> None:
        self._connection = connection
        self._manifest = manifest
        self._schemas = {collection: manifest.schema(collection) for collection in Collection}
        self._holders: dict[tuple[Collection, str], Condition] = {}

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself."""
        return self._manifest

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """Begin the call in a thread: a server answers several requests at once."""
        return self._connection.in_background(call)

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
        unique = list(dict.fromkeys(ids))
        by_id: dict[PointId, Record] = {}
        for part in _batches(unique, RETRIEVE_BATCH):
            request = models.PointRequest(
                ids=list(part),
                with_payload=payload_selector(payload),
                with_vector=vector_selector(collection, dense=vectors, sparse=sparse),
            )
            for record in self._post(collection, "/points", _json(request), from_records):
                by_id[record.id] = record
        return [by_id[point_id] for point_id in unique if point_id in by_id]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The hits of each query."""
        found = self._within_limits(collection, partial(self._search, collection, queries))
        with self._connection.understood():
            return [from_hits(query, points) for query, points in zip(queries, found, strict=True)]

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """The values of an indexed integer field, from its index."""
        unique = list(dict.fromkeys(ids))

        def ask(limits: Limits) -> dict[PointId, int]:
            values: dict[PointId, int] = {}
            for part in _batches(unique, limits.page(limits.values(VALUES_BATCH))):
                these = Filter(must=(HasId(tuple(part)),))
                values |= self._scroll(
                    collection,
                    these,
                    len(part),
                    limits,
                    from_ordered,
                    order_by=field,
                    with_payload=False,
                )
            return values

        return self._within_limits(collection, ask)

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The points with the largest value of an indexed integer field."""
        check_limit(limit)
        order = models.OrderBy(key=field, direction=models.Direction.DESC)

        def ask(limits: Limits) -> list[Record]:
            records: list[Record] = []
            full = True
            while full and len(records) < limit:
                others = _without(filter, [record.id for record in records])
                page = limits.page(limit - len(records))
                more, _ = self._scroll(
                    collection,
                    others,
                    page,
                    limits,
                    from_page,
                    order_by=order,
                    with_payload=payload_selector(payload),
                )
                records += more
                full = len(more) == page
            return records

        return self._within_limits(collection, ask)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The first `limit` points that pass the filter, by their ids."""
        check_limit(limit)

        def ask(limits: Limits) -> list[Record]:
            records = self._all(collection, filter, limits, payload, page=limit)
            return list(islice(records, limit))

        return self._within_limits(collection, ask)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """Exactly how many points pass the filter."""

        def ask(limits: Limits) -> int:
            if not limits.allows_exact:
                return sum(1 for _ in self._all(collection, filter, limits))
            condition = self._condition(collection, filter, limits)
            with self._connection.rest() as client:
                return client.count(self._name(collection), condition, exact=True).count

        return self._within_limits(collection, ask)

    def facet(
        self, collection: Collection, field: str, limit: int, filter: Filter | None = None
    ) -> Facets:
        """The values of an indexed field that most points hold, each with how many."""
        check_facet(self._schemas[collection].fields, field, limit)

        def ask(number: int, limits: Limits) -> Facets:
            page = limits.page(number)
            if limits.allows_exact:
                condition = self._condition(collection, filter, limits)
                request = models.FacetRequest(key=field, limit=page, exact=True, filter=condition)
                counts = self._post(collection, "/facet", _json(request), from_facet)
                if page == number or len(counts) < page:
                    return counts
            records = self._all(collection, filter, limits, (field,))
            return Counter(
                chain.from_iterable(_held(record, field) for record in records)
            ).most_common()

        def count(limits: Limits) -> Facets:
            return most_frequent(partial(ask, limits=limits), limit)

        return self._within_limits(collection, count)

    def warm(self) -> None:
        """Nothing to open: the server has."""

    def close(self) -> None:
        """Nothing to give back: the connection is the store's."""

    def _search(
        self, collection: Collection, queries: Sequence[VectorQuery], limits: Limits
    ) -> list[Points]:
        """The points of each query; a query for more than a page is asked again for the others."""
        schema = self._schemas[collection]
        bodies = []
        for query in queries:
            if (filter := self._indexed(collection, query.filter, limits)) is not query.filter:
                query = replace(query, filter=filter)
            bodies.append(_json(to_query(query, schema, limits)))
        found: list[Points] = []
        for part in _together(bodies, QUERY_BYTES, limits.searches(len(bodies))):
            batch = b'{"searches":[' + b",".join(part) + b"]}"
            read = partial(from_batch, number=len(part))
            found += self._post(collection, "/points/query/batch", batch, read)
        more = [
            (points, _others(query, points))
            for query, points in zip(queries, found, strict=True)
            if limits.page(query.limit) == len(points) < query.limit
        ]
        if more:
            others = self._search(collection, [query for _, query in more], limits)
            for (points, _), behind in zip(more, others, strict=True):
                points += behind
        return found

    def _all(
        self,
        collection: Collection,
        filter: Filter | None,
        limits: Limits,
        payload: tuple[str, ...] | bool = False,
        page: int = ALL_BATCH,
    ) -> Iterator[Record]:
        """All points that pass the filter, by their ids."""
        size, following = limits.page(page), None
        while True:
            records, following = self._scroll(
                collection,
                filter,
                size,
                limits,
                from_page,
                offset=following,
                with_payload=payload_selector(payload),
            )
            yield from records
            if following is None:
                return

    def _indexed(
        self, collection: Collection, filter: Filter | None, limits: Limits
    ) -> Filter | None:
        """The same filter; where it may not be about fields without an index, it lists points."""
        if not filter or limits.allows_unindexed:
            return filter
        fields = payload_fields(self._schemas[collection].fields)
        scanned = {field.name for field in fields if field.index is None}

        def listed(condition: Condition) -> Condition:
            if not (isinstance(condition, HasValue) and condition.field in scanned):
                return condition
            key = collection, condition.field
            if key not in self._holders:
                records = self._all(collection, None, limits, (condition.field,))
                self._holders[key] = _holders(records, condition.field)
            return self._holders[key]

        return replaced(filter, listed)

    def _scroll(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        limits: Limits,
        read: Callable[[Any], T],
        **options: Any,
    ) -> T:
        condition = self._condition(collection, filter, limits)
        request = models.ScrollRequest(limit=limit, filter=condition, **options)
        return self._post(collection, "/points/scroll", _json(request), read)

    def _condition(
        self, collection: Collection, filter: Filter | None, limits: Limits
    ) -> models.Filter | None:
        indexed = self._indexed(collection, filter, limits)
        return to_filter(indexed, self._schemas[collection], limits)

    def _within_limits(self, collection: Collection, ask: Callable[[Limits], T]) -> T:
        return self._connection.within_limits(self._name(collection), ask)

    def _post(self, collection: Collection, path: str, body: bytes, read: Callable[[Any], T]) -> T:
        return self._connection.post(self._name(collection), path, body, read)

    def _name(self, collection: Collection) -> str:
        return self._connection.name(collection, self._manifest.release)


def _holders(records: Iterable[Record], field: str) -> Condition:
    """What the points pass that have a field: it lists them, or the others if those are fewer."""
    ids: dict[bool, list[PointId]] = {True: [NO_POINT], False: [NO_POINT]}
    for record in records:
        ids[field in record.payload].append(record.id)
    if len(ids[True]) <= len(ids[False]):
        return HasId(tuple(ids[True]))
    return Filter(must_not=(HasId(tuple(ids[False])),))


def _without(filter: Filter | None, ids: Sequence[PointId]) -> Filter | None:
    """The same filter, which these points do not pass."""
    if not ids:
        return filter
    others = Filter(must_not=(HasId(tuple(ids)),))
    return filter & others if filter else others


def _others(query: VectorQuery, points: Points) -> VectorQuery:
    """The same query for what is behind these points."""
    return replace(
        query,
        limit=query.limit - len(points),
        filter=_without(query.filter, [point["id"] for point in points]),
        ef=hnsw_ef(query.limit, query.ef),
    )


def _held(record: Record, field: str) -> set[FacetValue]:
    """The values that a point has of a field."""
    value = record.payload.get(field, [])
    return set(value) if isinstance(value, list) else {value}


def _batches(ids: Sequence[PointId], size: int) -> Iterator[Sequence[PointId]]:
    """Split ids into requests of at most `size`."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _json(request: BaseModel) -> bytes:
    return request.model_dump_json(exclude_none=True).encode()


def _together(bodies: Sequence[bytes], size: int, number: int) -> Iterator[list[bytes]]:
    """Split request bodies into groups of at most `size` bytes; a longer one stands alone.

    No group has more than `number` of them.
    """
    part: list[bytes] = []
    filled = 0
    for body in bodies:
        if part and (filled + len(body) > size or len(part) == number):
            yield part
            part, filled = [], 0
        part.append(body)
        filled += len(body)
    if part:
        yield part
