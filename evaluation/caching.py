"""A reader that answers what it was asked before from memory, for searches that repeat themselves.

The trials of `melon tune` ask the same questions again and again with one setting changed, and
most settings weigh on what an engine has answered, not on what it is asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence, Sized
from threading import Lock
from typing import Any, TypeVar

from melon.store import (
    Collection,
    Hits,
    PointId,
    Record,
    ReleaseReader,
    VectorQuery,
)
from melon.store.forwarding import ForwardingReader

MOST_POINTS = 4_000_000
"""Hits and records that are kept; then those go that were not used for longest."""

T = TypeVar("T", bound=Sized)


class CachingReader(ForwardingReader):
    """A release's reader that keeps the answers to queries and retrievals.

    A release never changes, so an answer stays true. What comes back is shared: not to be changed.
    May be shared by threads; two that ask the same at once may both ask the reader.

    Args:
        reader: answers what is not known yet.
        most: points that are kept at most, hits and records together. Each answer counts as one
            more than it holds, for what was asked is kept, too.
    """

    def __init__(self, reader: ReleaseReader, *, most: int = MOST_POINTS) -> None:
        super().__init__(reader)
        self._answers = _Answers(most)

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """As the reader itself; only new queries are asked, in one request."""
        return self._answers.look_up(
            [("query", collection, query.limit, query.sought) for query in queries],
            lambda places: self._reader.query(collection, [queries[place] for place in places]),
        )

    def retrieve(
        self, collection: Collection, ids: Sequence[PointId], **options: Any
    ) -> list[Record]:
        """As the reader itself."""
        key = ("retrieve", collection, tuple(ids), *sorted(options.items()))
        return self._answers.look_up(
            [key], lambda _: [self._reader.retrieve(collection, ids, **options)]
        )[0]


class _Answers:
    """Answers by key, of `most` entries and keys together; the least recently used go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def look_up(
        self, keys: Sequence[Hashable], ask: Callable[[Sequence[int]], Sequence[T]]
    ) -> list[T]:
        """The answers of all keys; `ask` is called with the places of those not known."""
        found: dict[Hashable, T] = {}
        with self._lock:
            for key in keys:
                if key in self._known:
                    found[key] = self._known[key]
                    self._known.move_to_end(key)
        missing = [place for place, key in enumerate(keys) if key not in found]
        for place, answer in zip(missing, ask(missing) if missing else (), strict=True):
            found[keys[place]] = answer
            self._keep(keys[place], answer)
        return [found[key] for key in keys]

    def _keep(self, key: Hashable, answer: Sized) -> None:
        with self._lock:
            if key in self._known:
                return
            self._known[key] = answer
            self._size += 1 + len(answer)
            while self._size > self._most:
                _, oldest = self._known.popitem(last=False)
                self._size -= 1 + len(oldest)
