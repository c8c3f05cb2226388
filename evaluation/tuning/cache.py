"""An LRU cache of an engine's responses, for searches that repeat themselves.

The trials of `melon tune` ask the same questions again and again with one setting changed, and
most settings change what is made of an engine's answers, not what it is asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence, Sized
from threading import Lock
from typing import Any, TypeVar

from melon.store import (
    Collection,
    ForwardingReader,
    Hits,
    PointId,
    Record,
    ReleaseReader,
    VectorQuery,
)

MAX_POINTS = 4_000_000
"""Hits and records that are kept; past that, the least recently used are evicted."""

T = TypeVar("T", bound=Sized)


class ResponseCachingReader(ForwardingReader):
    """A release's reader that keeps the answers to queries and retrievals.

    A release never changes, so an answer stays true. Answers are shared: do not change them.
    May be shared by threads; two that ask the same at once may both ask the reader.

    Args:
        reader: answers what is not cached yet.
        max_points: hits and records that are kept at most. Each answer counts as one more than it
            has of them, for the question is kept, too.
    """

    def __init__(self, reader: ReleaseReader, *, max_points: int = MAX_POINTS) -> None:
        super().__init__(reader)
        self._cache = _LRUCache(max_points)

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """As the reader itself; only new queries are asked, in one request."""
        return self._cache.get_or_load(
            [("query", collection, query.limit, query.search_key) for query in queries],
            lambda rows: self._reader.query(collection, [queries[row] for row in rows]),
        )

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
        retrieve = super().retrieve
        [records] = self._cache.get_or_load(
            [("retrieve", collection, tuple(ids), payload, vectors, sparse)],
            lambda _: [retrieve(collection, ids, payload=payload, vectors=vectors, sparse=sparse)],
        )
        return records


class _LRUCache:
    """Answers by key, of `max_size` entries and keys together; the least recently used go first."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._size = 0
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get_or_load(
        self, keys: Sequence[Hashable], load: Callable[[Sequence[int]], Sequence[T]]
    ) -> list[T]:
        """The answers of all keys; `load` is called with the rows of those not cached."""
        answers: dict[Hashable, T] = {}
        with self._lock:
            for key in keys:
                if key in self._entries:
                    answers[key] = self._entries[key]
                    self._entries.move_to_end(key)
        missing = [row for row, key in enumerate(keys) if key not in answers]
        for row, answer in zip(missing, load(missing) if missing else (), strict=True):
            answers[keys[row]] = answer
            self._add(keys[row], answer)
        return [answers[key] for key in keys]

    def _add(self, key: Hashable, answer: Sized) -> None:
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = answer
            self._size += 1 + len(answer)
            while self._size > self._max_size:
                _, oldest = self._entries.popitem(last=False)
                self._size -= 1 + len(oldest)
