"""A reader that asks another one: what a reader with something of its own to add begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from melon.store.filters import Filter
from melon.store.manifest import ReleaseManifest
from melon.store.points import Hits, PointId, Record, VectorQuery
from melon.store.protocol import ReleaseReader
from melon.store.schema import Collection

T = TypeVar("T")


class ForwardingReader:
    """Every request goes to `reader` as it is; subclasses change what they have to.

    What each request does is told by `ReleaseReader`.
    """

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself."""
        return self._reader.manifest

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """As the reader itself."""
        return self._reader.in_background(call)

    def retrieve(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
        sparse: bool = False,
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.retrieve(
            collection, ids, payload=payload, vectors=vectors, sparse=sparse
        )

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """As the reader itself."""
        return self._reader.query(collection, queries)

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """As the reader itself."""
        return self._reader.values(collection, field, ids)

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.top(collection, field, limit, filter, payload=payload)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.find(collection, filter, limit, payload=payload)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """As the reader itself."""
        return self._reader.count(collection, filter)

    def warm(self) -> None:
        """As the reader itself."""
        self._reader.warm()

    def close(self) -> None:
        """As the reader itself."""
        self._reader.close()
