"""What a store knows of a point, and points in an order of their own: what lookups are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from melon.retrieval.results import Description
from melon.store import Collection, Filter, NumberRange, PointId, Record, ReleaseReader

COUNTS: Mapping[Collection, tuple[str, ...]] = {
    Collection.SONGS: ("popularity",),
    Collection.TAGS: ("popularity",),
    Collection.PLAYLISTS: ("like_count", "song_count"),
}
"""By which fields points are ordered, largest first: by the second where the first is unknown."""


@dataclass(frozen=True, slots=True)
class Known:
    """A song, tag or playlist of the store, with what results show of it and its counts."""

    collection: Collection
    id: PointId
    payload: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        payload = dict(self.payload)
        if self.collection is Collection.TAGS:
            return payload
        if self.collection is Collection.SONGS:
            popularity = payload.pop("popularity", None)
            description = Description.of(payload)._asdict()
            more = description.pop("more")
            payload = {**description, **more, "popularity": popularity}
        return {"id": self.id} | {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in payload.items()
        }


def shown_fields(reader: ReleaseReader, collection: Collection) -> tuple[str, ...]:
    """The fields that a `Known` point of a collection comes with."""
    shown = reader.manifest.schema(collection).shown
    return tuple(dict.fromkeys((*shown, *COUNTS[collection])))


def largest(
    reader: ReleaseReader,
    collection: Collection,
    count: str,
    filter: Filter,
    limit: int,
    fields: tuple[str, ...],
) -> list[Record]:
    """The points of the largest counts, of equal ones the lower ids: the same on each engine.

    Engines differ in which of the last, equally large ones they give: `find` gives them by id.
    """
    found = reader.top(collection, count, limit, filter, payload=fields)
    found.sort(key=lambda record: (-record.payload.get(count, 0), record.id))
    if len(found) < limit:
        return found
    last = found[-1].payload.get(count, 0)
    above = [record for record in found if record.payload.get(count, 0) > last]
    same = filter & Filter(must=(NumberRange(count, gte=last, lte=last),))
    return above + reader.find(collection, same, limit - len(above), payload=fields)


def first(
    reader: ReleaseReader,
    collection: Collection,
    filter: Filter,
    limit: int,
    payload: tuple[str, ...] = (),
) -> list[Record]:
    """The points that pass a filter, most popular or liked first, and of equal ones the lower id.

    Those of which the first count is not known come last, in the order of the second.

    Args:
        payload: fields that come back beside those that are shown.
    """
    fields = (*shown_fields(reader, collection), *payload)
    records: list[Record] = []
    for count in COUNTS[collection]:
        records += largest(reader, collection, count, filter, limit - len(records), fields)
        if len(records) == limit:
            break
        filter = filter & Filter(must_not=(NumberRange(count, gte=0),))
    return records


def known(
    reader: ReleaseReader, collection: Collection, records: Sequence[Record]
) -> tuple[Known, ...]:
    """Records as they are shown."""
    fields = shown_fields(reader, collection)
    return tuple(
        Known(
            collection,
            record.id,
            {name: record.payload[name] for name in fields if name in record.payload},
        )
        for record in records
    )


def in_order(collection: Collection, records: Iterable[Record]) -> list[Record]:
    """Records in the order of `first`."""

    def place(record: Record) -> tuple[PointId, ...]:
        return (*(-record.payload.get(count, -1) for count in COUNTS[collection]), record.id)

    return sorted(records, key=place)


def ordered(
    reader: ReleaseReader, collection: Collection, ids: Sequence[PointId], limit: int
) -> tuple[Known, ...]:
    """Some points, in the order of `first`, without reading the payloads of all of them."""
    counts = [reader.values(collection, count, ids) for count in COUNTS[collection]]

    def place(point: PointId) -> tuple[PointId, ...]:
        return (*(-values.get(point, -1) for values in counts), point)

    best = sorted(ids, key=place)[:limit]
    fields = shown_fields(reader, collection)
    return known(reader, collection, reader.retrieve(collection, best, payload=fields))
