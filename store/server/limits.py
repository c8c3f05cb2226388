"""What the strict mode of a collection allows: requests keep to it where they can.

Most collections allow everything, so that nobody asks them. The limits of one are read when a
request is first refused because of them; those after it keep to them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from pydantic import BaseModel

from melon.store.errors import LimitReached

T = TypeVar("T")
log = logging.getLogger(__name__)

WIDE_EF = 4096
"""Where a scan is not allowed, the beam of the search in its place is so wide."""

_KEPT_TO = {
    "max_query_limit": "answers are read in pages of {}",
    "search_allow_exact": "no search is exact, and points are counted by reading them all",
    "search_max_hnsw_ef": "searches look no further than {} points, and may find less",
    "search_max_batchsize": "queries are sent {} at a time",
    "upsert_max_batchsize": "points are sent {} at a time",
    "condition_max_size": "lists of more than {} values are split",
    "unindexed_filtering_retrieve": "fields without an index are looked for in every point",
    "read_rate_limit": "queries are sent {} at a time",
    "write_rate_limit": "points are sent {} at a time",
}
"""The limits that requests can keep to, and how."""


class Limits(BaseModel, frozen=True):
    """The limits of a collection that requests can keep to; None where there is none."""

    max_query_limit: int | None = None
    search_allow_exact: bool | None = None
    search_max_hnsw_ef: int | None = None
    search_max_batchsize: int | None = None
    upsert_max_batchsize: int | None = None
    condition_max_size: int | None = None
    unindexed_filtering_retrieve: bool | None = None
    read_rate_limit: int | None = None
    write_rate_limit: int | None = None

    @property
    def allows_exact(self) -> bool:
        """Whether a search may scan, and a count be exact."""
        return self.search_allow_exact is not False

    @property
    def allows_unindexed(self) -> bool:
        """Whether a filter may be about fields without an index."""
        return self.unindexed_filtering_retrieve is not False

    def page(self, wanted: int) -> int:
        """How many of the points that are wanted to ask for at once."""
        return _least(wanted, self.max_query_limit)

    def searches(self, wanted: int) -> int:
        """How many of the searches that are wanted to send at once."""
        return _least(wanted, self.search_max_batchsize, self.read_rate_limit)

    def points(self, wanted: int) -> int:
        """How many of the points to store to send at once."""
        return _least(wanted, self.upsert_max_batchsize, self.write_rate_limit)

    def values(self, wanted: int) -> int:
        """How many values a condition may have."""
        return _least(wanted, self.condition_max_size)

    def ef(self, wanted: int) -> int:
        """How wide the beam of a search may be."""
        return _least(wanted, self.search_max_hnsw_ef)


UNLIMITED = Limits()


class KnownLimits:
    """The limits of a server's collections, as far as requests met them.

    Args:
        read: reads those of a collection, by its name.
    """

    def __init__(self, location: str, read: Callable[[str], Limits]) -> None:
        self._location = location
        self._read = read
        self._known: dict[str, Limits] = {}
        self._said: set[str] = set()
        self._reading = Lock()

    def keep(self, name: str, ask: Callable[[Limits], T]) -> T:
        """Ask a collection within its limits.

        Raises:
            LimitReached: one that a request cannot keep to, or that it meets all the same.
        """
        limits = self._known.get(name, UNLIMITED)
        try:
            return ask(limits)
        except LimitReached as error:
            if error.limit not in _KEPT_TO:
                raise
            with self._reading:
                if self._known.get(name, UNLIMITED) == limits:  # else another thread has read them
                    self._known[name] = self._read(name)
                    self._say(self._known[name])
                read = self._known[name]
            if read == limits:
                raise
        return ask(read)

    def _say(self, limits: Limits) -> None:
        there = limits.model_dump(exclude_none=True)
        new = {name: there[name] for name in _KEPT_TO if there.get(name, True) is not True}
        if new := {name: value for name, value in new.items() if name not in self._said}:
            self._said |= new.keys()
            how = (f"{_KEPT_TO[name].format(value)} ({name})" for name, value in new.items())
            log.warning("%s limits requests by strict mode: %s", self._location, "; ".join(how))


def _least(*bounds: int | None) -> int:
    return max(1, min(bound for bound in bounds if bound is not None))
