"""The store that a service asks, opened once it is there; and releases that are asked by name."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from contextlib import suppress
from threading import Lock

from melon.errors import MelonError
from melon.retrieval import RetrievalSettings, Retriever
from melon.store import VectorStore

RETRY_SECONDS = 1.0
"""After this, a store that could not be opened is tried again."""

MAX_PINNED = 2
"""Releases beside the live one that are kept open."""

log = logging.getLogger(__name__)


class Source:
    """Opens retrievers of a store: of the live release, and of those that are named.

    May be shared by threads. A store that is away is tried again by the next request.

    Args:
        store: asked for everything.
        settings: what the strategies are weighted by.
        strategy: answers where a request names none.
        warns: whether it is logged that there is nothing to answer from.
    """

    def __init__(
        self,
        store: VectorStore,
        settings: RetrievalSettings,
        strategy: str | None,
        *,
        warns: bool = True,
    ) -> None:
        self.store = store
        self._settings = settings
        self._strategy = strategy
        self._warns = warns
        self._live: Retriever | None = None
        self._pinned: OrderedDict[str, Retriever] = OrderedDict()
        self._opening = Lock()
        self._failed: tuple[float, MelonError] | None = None

    def retriever(self, release: str | None = None) -> Retriever:
        """The retriever of a release, or of whichever is live.

        Raises:
            UnknownRelease: there is none of that name.
            NoRelease, SchemaMismatch, StoreUnavailable: there is nothing to answer from.
        """
        if release is None:
            return self._live or self._open_live()
        with self._opening:
            if release not in self._pinned:
                self._pinned[release] = self._open(release)
            self._pinned.move_to_end(release)
            found = self._pinned[release]
            if len(self._pinned) > MAX_PINNED:
                self._pinned.popitem(last=False)  # whoever still asks it keeps it open until then
            return found

    def open_early(self) -> None:
        """Open the live release ahead of the first request, which would wait for that."""
        with suppress(MelonError):  # which is told to whoever asks
            self.retriever()

    @property
    def release(self) -> str | None:
        """The release that answers now, if one was opened."""
        return self._live.release if self._live else None

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _open_live(self) -> Retriever:
        with self._opening:
            if self._live:  # by another thread, meanwhile
                return self._live
            if self._failed and time.monotonic() < self._failed[0]:
                raise self._failed[1]
            try:
                self._live = self._open(None)
            except MelonError as error:
                if self._warns and self._failed is None:
                    log.warning("there is nothing to answer from yet: %s", error)
                self._failed = time.monotonic() + RETRY_SECONDS, error
                raise
            self._failed = None
            return self._live

    def _open(self, release: str | None) -> Retriever:
        return Retriever(
            self.store, release=release, settings=self._settings, strategy=self._strategy
        )
