"""How long requests wait where a server or a gateway lets no more through (429)."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from melon.progress import Progress, ignore
from melon.store.errors import StoreUnavailable, store_closed

BUILD_SECONDS = 3600.0
"""A request of a build waits so long: one that was given up would lose all that was sent."""

SHORTEST_SECONDS = 0.1
NO_WORD_SECONDS = 1.0
"""Where it is not said how long to wait."""

LONGEST_SECONDS = 86_400.0
"""Whatever is said, nobody waits for longer."""

TELL_SECONDS = 1.0


class Pace:
    """The waiting of a connection's requests, of which the thread that builds tells.

    Args:
        location: the server, for messages.
        patience: in seconds, how long a request waits in all.
    """

    def __init__(self, location: str, patience: float) -> None:
        self._location = location
        self._patience = self._usual = patience
        self._progress: Progress = ignore
        self._builder: int | None = None
        self._from = self._until = 0.0
        self._closed = threading.Event()

    def begin_build(self, progress: Progress) -> None:
        """Wait longer from now on; `progress` is told how many seconds of it have passed."""
        self._patience, self._progress = BUILD_SECONDS, progress
        self._builder = threading.get_ident()

    def end_build(self) -> None:
        """Wait as before."""
        self._patience, self._progress, self._builder = self._usual, ignore, None

    def wait(self, seconds: float, waited: float) -> float:
        """Wait before a request is sent again, and return for how long it has waited by then.

        Args:
            seconds: as the server asks for.
            waited: before, for the same request.

        Raises:
            StoreUnavailable: it would be too long.
            StoreClosed: the connection was closed meanwhile.
        """
        seconds = max(seconds, SHORTEST_SECONDS)
        if waited + seconds > self._patience:
            raise StoreUnavailable(
                f"it lets no more requests through for {math.ceil(seconds)} seconds",
                where=self._location,
                hint="try again then; MELON_QDRANT_TIMEOUT is how long to wait, in seconds",
            )
        now = time.monotonic()
        if now >= self._until:
            self._from = now
        self._until = max(self._until, until := now + seconds)
        while (left := until - time.monotonic()) > 0:
            self.tell()
            if self._closed.wait(min(left, TELL_SECONDS)):
                raise store_closed(self._location)
        return waited + seconds

    def tell(self) -> None:
        """Tell of a wait of any thread, if this is the one that builds."""
        now = time.monotonic()
        if now < self._until and threading.get_ident() == self._builder:
            total = math.ceil(self._until - self._from)
            self._progress("wait for the server", int(now - self._from), total)

    def close(self) -> None:
        """End all waiting."""
        self._closed.set()


def seconds_to_wait(said: str | None) -> float:
    """What a `Retry-After` asks for: a number of seconds, or the moment after which to try."""
    try:
        if said and said.strip().isdecimal():
            return min(float(said), LONGEST_SECONDS)
        moment = parsedate_to_datetime(said or "")
        left = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
        return min(max(0.0, left), LONGEST_SECONDS)
    except (ValueError, OverflowError):
        return NO_WORD_SECONDS
