"""A cache of one value for each point of a collection, as of one field of its payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from melon.store import Collection, PointId, Record, ReleaseReader

V = TypeVar("V")


@dataclass(slots=True, eq=False)
class PointCache(Generic[V]):
    """What was read of the points of a collection, by their ids.

    May be shared by threads: each works with the dictionary that it looked into, even where
    another has begun a new one meanwhile.

    Attributes:
        collection: which points.
        value: what is kept of a record.
        max_points: that are kept; past that, the cache is emptied.
        payload: the fields that `value` is taken from.
        vectors: whether it is taken from the dense vector.
        known: the values of those that were read.
    """

    collection: Collection
    value: Callable[[Record], V]
    max_points: int
    payload: tuple[str, ...] | bool = False
    vectors: bool = False
    known: dict[PointId, V] = field(default_factory=dict)

    def load(self, reader: ReleaseReader, ids: Sequence[PointId]) -> Mapping[PointId, V]:
        """The values of these and other points; those not cached are read in one request.

        A point that is not in the release has none.
        """
        known = self.known
        missing = set(ids).difference(known)
        if not missing:
            return known
        if len(known) + len(missing) > self.max_points:
            known, missing = {}, set(ids)
        records = reader.retrieve(
            self.collection, list(missing), payload=self.payload, vectors=self.vectors
        )
        known.update((record.id, self.value(record)) for record in records)
        self.known = known
        return known
