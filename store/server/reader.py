"""Reads one release from a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from qdrant_client import models

from melon.store.facets import Facets, check_facet, most_frequent
from melon.store.filters import Filter, HasId
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
from melon.store.schema import Collection
from melon.store.server.connection import ServerConnection
from melon.store.server.translate import from_hits, from_ordered, from_record, to_filter, to_query

T = TypeVar("T")

RETRIEVE_BATCH = 1000
VALUES_BATCH = 10_000
QUERY_BYTES = 16 << 20
"""Most bytes of queries in one request: by default, a server accepts 32 MB."""


class ServerReader:
    """One release, read from its collections by their names, not by alias."""

    def __init__(self, connection: ServerConnection, manifest: ReleaseManifest) -> None:
        self._connection = connection
        self._manifest = manifest
        self._schemas = {collection: manifest.schema(collection) for collection in Collection}

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
            for point in self._post(collection, "/points", _json(request)):
                by_id[point["id"]] = from_record(point)
        return [by_id[point_id] for point_id in unique if point_id in by_id]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The hits of each query."""
        answers: list[dict[str, Any]] = []
        schema = self._schemas[collection]
        bodies = [_json(to_query(query, schema)) for query in queries]
        for part in _together(bodies, QUERY_BYTES):
            batch = b'{"searches":[' + b",".join(part) + b"]}"
            answers += self._post(collection, "/points/query/batch", batch)
        return [
            from_hits(query, answer["points"])
            for query, answer in zip(queries, answers, strict=True)
        ]

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """The values of an indexed integer field, from its index."""
        values: dict[PointId, int] = {}
        for part in _batches(list(dict.fromkeys(ids)), VALUES_BATCH):
            request = models.ScrollRequest(
                limit=len(part),
                filter=to_filter(Filter(must=(HasId(tuple(part)),)), self._schemas[collection]),
                with_payload=False,
                order_by=field,
            )
            values |= from_ordered(
                self._post(collection, "/points/scroll", _json(request))["points"]
            )
        return values

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
        order = models.OrderBy(key=field, direction=models.Direction.DESC)
        return self._scroll(collection, filter, limit, order, payload)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The first `limit` points that pass the filter, by their ids."""
        return self._scroll(collection, filter, limit, None, payload)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """Exactly how many points pass the filter."""
        condition = to_filter(filter, self._schemas[collection])
        with self._connection.rest() as client:
            return client.count(self._name(collection), condition, exact=True).count

    def facet(
        self, collection: Collection, field: str, limit: int, filter: Filter | None = None
    ) -> Facets:
        """The values of an indexed field that most points hold, each with how many."""
        schema = self._schemas[collection]
        check_facet(schema.fields, field, limit)
        condition = to_filter(filter, schema)

        def ask(number: int) -> Facets:
            request = models.FacetRequest(key=field, limit=number, exact=True, filter=condition)
            hits = self._post(collection, "/facet", _json(request))["hits"]
            return [(hit["value"], hit["count"]) for hit in hits]

        return most_frequent(ask, limit)

    def warm(self) -> None:
        """Nothing to open: the server has."""

    def close(self) -> None:
        """Nothing to give back: the connection is the store's."""

    def _scroll(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        order: models.OrderBy | None,
        payload: tuple[str, ...] | bool,
    ) -> list[Record]:
        check_limit(limit)
        request = models.ScrollRequest(
            limit=limit,
            filter=to_filter(filter, self._schemas[collection]),
            with_payload=payload_selector(payload),
            order_by=order,
        )
        points = self._post(collection, "/points/scroll", _json(request))["points"]
        return [from_record(point) for point in points]

    def _post(self, collection: Collection, path: str, body: bytes) -> Any:
        """Send a request by qdrant-client, and return the result as JSON has it.

        A pydantic model of every hit would take longer than the server's search.
        """
        with self._connection.rest() as client:
            answer: dict[str, Any] = client.http.client.request(
                type_=dict[str, Any],
                method="POST",
                url=f"/collections/{{name}}{path}",
                path_params={"name": self._name(collection)},
                headers={"Content-Type": "application/json"},
                content=body,
            )
        return answer["result"]

    def _name(self, collection: Collection) -> str:
        return self._connection.name(collection, self._manifest.release)


def _batches(ids: Sequence[PointId], size: int) -> Iterator[Sequence[PointId]]:
    """Split ids into requests of at most `size`."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _json(request: BaseModel) -> bytes:
    return request.model_dump_json(exclude_none=True).encode()


def _together(bodies: Sequence[bytes], size: int) -> Iterator[list[bytes]]:
    """Split request bodies into groups of at most `size` bytes; a longer one stands alone."""
    part: list[bytes] = []
    filled = 0
    for body in bodies:
        if part and filled + len(body) > size:
            yield part
            part, filled = [], 0
        part.append(body)
        filled += len(body)
    if part:
        yield part
