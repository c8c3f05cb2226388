"""Connections, shared out evenly to the processes that listen at one socket."""

from __future__ import annotations

import socket
import time
from collections.abc import MutableSequence
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 0.25
"""How long a connection is left to a process with fewer, which may have been stopped."""

NOT_BEGUN = 1 << 30
"""The count of a process that does not take connections yet."""

MOMENT_SECONDS = 0.001
"""Until a process looks again whether another one has taken it."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many connections each process has, in memory that all see, and which one this is."""

    counts: MutableSequence[int]
    place: int

    def begin(self) -> None:
        """Take connections from now on."""
        self.counts[self.place] = 0

    def add(self, more: int) -> None:
        """Count connections of this process."""
        self.counts[self.place] += more

    @property
    def is_larger(self) -> bool:
        """Whether another process has fewer."""
        return self.counts[self.place] > min(self.counts)


class SharedSocket(socket.socket):
    """A socket that processes listen at, each of which leaves connections to those with fewer.

    The system gives a connection to whichever process asks first, and then all its requests wait
    for that one: of two processes, one often had three quarters of the clients.
    """

    def __init__(self, there: socket.socket, share: Share) -> None:
        super().__init__(there.family, there.type, there.proto, there.detach())
        self._share = share
        self._patient_until: float | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection; none yet, for a moment, where a process with fewer may take it.

        Raises:
            BlockingIOError: there is none, or not for this process.
        """
        if self._share.is_larger:
            now = time.monotonic()
            self._patient_until = self._patient_until or now + PATIENCE_SECONDS
            if now < self._patient_until:
                time.sleep(MOMENT_SECONDS)
                raise BlockingIOError
        self._patient_until = None
        taken = super().accept()
        self._share.add(1)
        return taken
