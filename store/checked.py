"""A reader that gives of a release only what its schema declares.

Anybody who may write to a store can put anything into a collection's payloads. A field that is not
of its type is left out, as if it were not known, so that one such song spoils no query that meets
it; a warning names the first point of which that is so. Ids and vectors of another kind are not
the release's at all: these are errors.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from melon.fields import Field, FieldType
from melon.store.errors import DamagedRelease
from melon.store.filters import Filter
from melon.store.points import Hits, PointId, Record, VectorQuery
from melon.store.protocol import ForwardingReader, ReleaseReader
from melon.store.schema import Collection, CollectionSchema

log = logging.getLogger(__name__)

_MOMENT = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)",
    re.ASCII,
)
_SHOWN = 40
"""Characters of a wrong value that a warning shows."""


class CheckedReader(ForwardingReader):
    """Every request goes to `reader`; what comes back is checked. May be shared by threads."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self._checks = {
            collection: field_checks(reader.manifest.schema(collection))
            for collection in Collection
        }
        self._warned: set[tuple[Collection, str]] = set()

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
        found = self._reader.retrieve(
            collection, ids, payload=payload, vectors=vectors, sparse=sparse
        )
        return self._records(collection, found, payload)

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The hits of each query, best first, in one request."""
        return [
            self._hits(collection, query, hits)
            for query, hits in zip(queries, self._reader.query(collection, queries), strict=True)
        ]

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The points with the largest value of an indexed integer field, largest first."""
        found = self._reader.top(collection, field, limit, filter, payload=payload)
        return self._records(collection, found, payload)

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The first `limit` points that pass the filter, by their ids."""
        found = self._reader.find(collection, filter, limit, payload=payload)
        return self._records(collection, found, payload)

    def _hits(self, collection: Collection, query: VectorQuery, hits: Hits) -> Hits:
        ids = hits.ids
        if len(ids) and (ids.dtype.kind == "i") != (collection in _NUMBERED):
            raise self._foreign(collection, ids[0].item())
        if not query.payload:
            return hits
        always = _always(collection, query.payload)
        right = [
            self._payload(collection, point, payload, always)
            for point, payload in zip(ids.tolist(), hits.payloads, strict=True)
        ]
        return replace(hits, payloads=right)

    def _records(
        self, collection: Collection, found: list[Record], asked: tuple[str, ...] | bool
    ) -> list[Record]:
        """The records; of each by itself, a call more would cost as much as the check."""
        always, numbered = _always(collection, asked), collection in _NUMBERED
        shape, right = (self.manifest.dim,), []
        for record in found:
            if isinstance(record.id, int) != numbered:
                raise self._foreign(collection, record.id)
            if record.vector is not None and record.vector.shape != shape:
                wrong = f"has a vector of {record.vector.size} dimensions, not {shape[0]}"
                raise self._foreign(collection, record.id, wrong)
            payload = self._payload(collection, record.id, record.payload, always)
            right.append(record if payload is record.payload else replace(record, payload=payload))
        return right

    def _payload(
        self,
        collection: Collection,
        point: PointId,
        payload: Mapping[str, Any],
        always: Set[str],
    ) -> Mapping[str, Any]:
        """The payload itself, or the same without what is wrong, and with what is always there."""
        checks = self._checks[collection]
        wrong = [
            name for name, value in payload.items() if name in checks and not checks[name](value)
        ]
        for name in wrong:
            self._warn(collection, point, name, payload[name])
        if not wrong and always <= payload.keys():
            return payload
        right = {name: value for name, value in payload.items() if name not in wrong}
        replaced = [*always, *(name for name in wrong if name in _ALWAYS[collection])]
        return {name: 0 if name == "popularity" else str(point) for name in replaced} | right

    def _warn(self, collection: Collection, point: PointId, name: str, value: object) -> None:
        if value is None or (collection, name) in self._warned:
            return
        self._warned.add((collection, name))
        text = repr(value)
        log.warning(
            "point %s in the %s of release %s: its field %r cannot be %s, and is taken for unknown"
            " there and wherever else it is wrong",
            *(point, collection, self.manifest.release, name),
            text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…",
        )

    def _foreign(
        self, collection: Collection, point: PointId, what: str = "is none of melon's"
    ) -> DamagedRelease:
        return DamagedRelease(
            f"its point {point} in the {collection} {what}",
            where=f"release {self.manifest.release}",
            hint="`melon ingest` of its space builds it anew",
        )


_NUMBERED = {Collection.SONGS, Collection.PLAYLISTS}
"""Collections whose points' ids are numbers; in the others they are UUIDs."""


_ALWAYS: Mapping[Collection, frozenset[str]] = {
    Collection.SONGS: frozenset({"popularity"}),
    Collection.TAGS: frozenset({"tag", "popularity"}),
    Collection.PLAYLISTS: frozenset(),
    Collection.WORDS: frozenset({"word", "popularity"}),
}
"""What each payload has. Where it is wrong, or asked for and missing, a name is the point's id and
a count 0."""


def _always(collection: Collection, asked: tuple[str, ...] | bool) -> Set[str]:
    return set() if isinstance(asked, bool) else _ALWAYS[collection].intersection(asked)


def field_checks(schema: CollectionSchema) -> Mapping[str, Callable[[Any], bool]]:
    """By the name of each field of a collection's payloads, whether a value is one of the field's.

    It costs a few microseconds a payload.
    """
    return {field.name: _check(field) for field in schema.fields if field.payload}


def _check(field: Field) -> Callable[[Any], bool]:
    """Whether a value of a payload is one of the field's: it is asked of each that is read."""
    kinds: set[type]
    fits: Callable[[Any], bool]
    match field.type:
        case FieldType.TEXT | FieldType.KEYWORD:
            return _are_texts if field.many else _is_text
        case FieldType.INTEGER:
            least, most = field.minimum, field.maximum
            if field.many:
                return lambda value: (
                    _all_of({int}, value)
                    and (not value or (least <= min(value) and max(value) <= most))
                )
            return lambda value: type(value) is int and least <= value <= most
        case FieldType.FLOAT:
            kinds, fits = {float, int}, math.isfinite
        case FieldType.BOOL:
            kinds, fits = {bool}, _any
        case FieldType.DATE | FieldType.DATETIME:
            kinds, fits = {str}, _is_moment
    if field.many:
        return lambda value: _all_of(kinds, value) and all(map(fits, value))
    return lambda value: type(value) in kinds and fits(value)


def _all_of(kinds: set[type], value: Any) -> bool:
    return type(value) is list and kinds.issuperset(map(type, value))


def _any(_: Any) -> bool:
    return True


def _is_text(value: Any) -> bool:
    """Whether it is a text that can be written: JSON may have half a surrogate pair."""
    if type(value) is not str:
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _are_texts(value: Any) -> bool:
    return _all_of({str}, value) and _is_text("".join(value))


def _is_moment(value: str) -> bool:
    return _MOMENT.fullmatch(value) is not None
