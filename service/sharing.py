"""Connections, shared out evenly to the processes that listen at one socket."""

from __future__ import annotations

import socket
import time
from collections.abc import MutableSequence
from dataclasses import dataclass
from typing import Any

LOOKS = 200
"""So often a connection is left to a process with fewer, which may have been stopped."""

NOT_BEGUN = 1 << 30
"""The count of a process that does not take connections yet."""

MOMENT_SECONDS = 0.001
"""Until the process looks again whether another one has taken it."""


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
        self._looks = 0

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection; none yet, for a moment, where a process with fewer may take it.

        Raises:
            BlockingIOError: there is none, or not for this process.
        """
        if self._share.is_larger and self._looks < LOOKS:
            self._looks += 1
            time.sleep(MOMENT_SECONDS)
            raise BlockingIOError
        self._looks = 0
        taken = super().accept()
        self._share.add(1)
        return taken
