"""A reader that asks another one: what a reader with something of its own to add begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from melon.store.filters import Filter
from melon.store.manifest import ReleaseManifest
from melon.store.points import Hits, PointId, Record, VectorQuery
from melon.store.protocol import ReleaseReader
from melon.store.schema import Collection

T = TypeVar("T")


class ForwardingReader:
    """Every request goes to `reader` as it is; subclasses change what they have to."""

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
        self, collection: Collection, ids: Sequence[PointId], **options: Any
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.retrieve(collection, ids, **options)

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
        **options: Any,
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.top(collection, field, limit, filter, **options)

    def find(
        self, collection: Collection, filter: Filter | None, limit: int, **options: Any
    ) -> list[Record]:
        """As the reader itself."""
        return self._reader.find(collection, filter, limit, **options)

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """As the reader itself."""
        return self._reader.count(collection, filter)

    def warm(self) -> None:
        """As the reader itself."""
        self._reader.warm()

    def close(self) -> None:
        """As the reader itself."""
        self._reader.close()
