"""One build at a time on a server, and one change of what is live at a time.

A process that works puts a mark into the registry and renews it. If a mark was not renewed for
`DEAD_AFTER`, or its process ran on this host and has ended, then the process was killed, and the
next one removes the mark. The clocks of hosts must not differ by more than `DEAD_AFTER`.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from melon.errors import MelonError
from melon.store.errors import StoreBusy
from melon.store.server.registry import Registry

RENEW_SECONDS = 10.0
DEAD_AFTER = timedelta(minutes=2)

TIE_SECONDS, TIE_POLL_SECONDS = 30.0, 0.02
"""Of processes that start at the same time, one waits so long for the others to step back."""

SWITCH_SECONDS = 30.0
"""How long to wait for another process that promotes or drops: it takes a fraction of a second."""

_PROCESS = str(uuid4())
"""Tells this process from an earlier one with the same number, as containers have it."""

_leases: set[str] = set()
"""The leases of this process that have not ended; its other marks stayed with a lost server."""


@contextmanager
def switching(registry: Registry, release: str) -> Iterator[None]:
    """Hold the right to promote or drop a release; waits for other processes that do so.

    Raises:
        StoreBusy: they take too long.
    """
    until = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            lease = Lease(registry, release, Work.SWITCH)
            break
        except StoreBusy:
            if time.monotonic() > until:
                raise
        time.sleep(random.uniform(0.01, 0.1))  # by chance, or two would meet again and again
    try:
        yield
    finally:
        lease.end()


class Work(StrEnum):
    """What a lease is for. A release can be promoted or dropped while another is built."""

    BUILD = "build"
    SWITCH = "switch"

    @property
    def in_words(self) -> str:
        """What is done to a release meanwhile, for a message."""
        return "built" if self is Work.BUILD else "promoted or dropped"


class Lease:
    """The right to do one kind of work, from the moment this is made until `end`.

    Raises:
        StoreBusy: another process is doing it.
    """

    def __init__(self, registry: Registry, release: str, work: Work = Work.BUILD) -> None:
        self._registry = registry
        self._release = release
        self._work = work
        self._id = str(uuid4())
        self._waiting = True
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._keep, name="melon-lease", daemon=True)
        _leases.add(self._id)
        try:
            self._take()
        except BaseException:
            _leases.discard(self._id)
            with suppress(MelonError):
                registry.remove_mark(self._id)
            raise
        self._renewer.start()

    def is_valid(self) -> bool:
        """Whether the mark is still there: no other process took this one for dead."""
        return self._id in self._registry.marks()

    def check(self) -> None:
        """Make sure that the mark is still there.

        Raises:
            StoreBusy: another process took this one for dead.
        """
        if not self.is_valid():
            raise self._lost()

    def end(self) -> None:
        """Remove the mark, if the server answers: the work is done in any case.

        A mark that stays is not renewed. This process knows that it has ended, others on this host
        know it when the process ends, and those on other hosts after `DEAD_AFTER`.
        """
        self._ended.set()
        _leases.discard(self._id)
        self._renewer.join()  # so that it does not renew what is removed next
        with suppress(MelonError):
            self._registry.remove_mark(self._id)

    def _take(self) -> None:
        """Put the mark first and look second: of two that start at once, neither misses the other.

        Of those that are still waiting, the one with the first id waits until the others have
        stepped back: one of them may have looked before this mark was there, and go on as well.
        """
        self._registry.put_mark(self._id, self._mark())
        until = time.monotonic() + TIE_SECONDS
        while others := self._others():
            before = {
                mark_id: mark
                for mark_id, mark in others.items()
                if mark_id < self._id or not mark.get("waiting")
            }
            if before or time.monotonic() > until:
                raise self._busy(next(iter((before or others).values())))
            time.sleep(TIE_POLL_SECONDS)
        self._waiting = False
        if not self._renew():
            raise self._lost()

    def _others(self) -> dict[str, dict[str, Any]]:
        """The marks of the same work by living processes; those of dead ones are removed."""
        others = {}
        for mark_id, mark in self._registry.marks().items():
            if mark_id == self._id or mark.get("work", Work.BUILD) != self._work:
                continue
            if _is_dead(mark_id, mark):
                self._registry.remove_mark(mark_id)
            else:
                others[mark_id] = mark
        return others

    def _busy(self, mark: dict[str, Any]) -> StoreBusy:
        return StoreBusy(
            f"release {mark['build']} is being {self._work.in_words} by process {mark['pid']} on"
            f" {mark['host']}",
            where=self._registry.location,
            hint="wait for the other `melon` to end; if it was killed on another"
            f" host, try again in {DEAD_AFTER.seconds // 60} minutes",
        )

    def _lost(self) -> StoreBusy:
        return StoreBusy(
            "this process was silent for so long that another took it for dead",
            where=self._registry.location,
            hint="run the command again",
        )

    def _keep(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(MelonError):  # it may answer the next time
                if not self._renew():
                    return  # whoever works with this lease will notice

    def _renew(self) -> bool:
        """Renew the mark; False if another process took this one for dead and removed it."""
        return self._registry.renew_mark(self._id, self._mark())

    def _mark(self) -> dict[str, Any]:
        return {
            "build": self._release,
            "work": self._work,
            "waiting": self._waiting,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": _PROCESS,
            "renewed": datetime.now(UTC).isoformat(),
        }


def _is_dead(mark_id: str, mark: dict[str, Any]) -> bool:
    if datetime.now(UTC) - datetime.fromisoformat(mark["renewed"]) > DEAD_AFTER:
        return True
    if mark["host"] != socket.gethostname():
        return False
    if mark["pid"] == os.getpid():
        return mark["process"] != _PROCESS or mark_id not in _leases
    if sys.platform == "win32":
        return False  # signal 0 is Ctrl-C there
    try:
        os.kill(mark["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's, and alive
    return False
