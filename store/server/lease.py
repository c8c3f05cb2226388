"""One build at a time on a server, and one change of what is live: marks in its registry.

A mark is renewed while the work goes on. One that was not renewed for long, or whose process on
this host has ended, is that of somebody who was killed. Hosts whose clocks differ by more than
`DEAD_AFTER` would take each other for dead.
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
from melon.store.errors import StoreBusy, taken_for_dead
from melon.store.server.registry import Registry

RENEW_SECONDS = 10.0
DEAD_AFTER = timedelta(minutes=2)

TIE_SECONDS, TIE_POLL_SECONDS = 30.0, 0.02
"""How long one that came first waits for those who came at the same time to step back."""

SWITCH_SECONDS = 30.0
"""How long one who promotes or drops waits for another: it takes a fraction of a second."""

_PROCESS = str(uuid4())
"""Tells this process from an earlier one with the same number, as containers have it."""

_held: set[str] = set()
"""The leases of this process that have not ended. Their marks may stay where a server was lost."""


class Work(StrEnum):
    """What a lease is for. A release can be promoted or dropped while another is built."""

    BUILD = "build"
    SWITCH = "switch"

    @property
    def said(self) -> str:
        """What is being done to a release, in words."""
        return "built" if self is Work.BUILD else "promoted or dropped"


class Lease:
    """The right to do one kind of work, held from the moment it is made until `end`.

    Raises:
        StoreBusy: another process holds it.
    """

    def __init__(
        self, registry: Registry, release: str, location: str, work: Work = Work.BUILD
    ) -> None:
        self._registry = registry
        self._release = release
        self._work = work
        self._id = str(uuid4())
        self._waiting = True
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="melon-lease", daemon=True)
        _held.add(self._id)
        try:
            self._take(location)
        except BaseException:
            _held.discard(self._id)
            with suppress(MelonError):
                registry.remove_mark(self._id)
            raise
        self._keeper.start()

    def is_held(self) -> bool:
        """Whether nobody has taken this one for dead."""
        return self._id in self._registry.marks()

    def end(self) -> None:
        """Let others have it, as far as the server answers: what was done is done.

        A mark that stays is not renewed: this process knows that it has ended, others on this host
        when the process has, and those on other hosts after `DEAD_AFTER`.
        """
        self._ended.set()
        _held.discard(self._id)
        self._keeper.join()  # so that it does not renew what is removed next
        with suppress(MelonError):
            self._registry.remove_mark(self._id)

    def _take(self, location: str) -> None:
        """Mark first and look second: of two that start at once, neither misses the other.

        Of those that are still waiting, the one with the first id goes on once the others have
        stepped back: until then one of them may have looked before it came, and go on as well.
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
                raise self._busy(next(iter((before or others).values())), location)
            time.sleep(TIE_POLL_SECONDS)
        self._waiting = False
        if not self._renew():
            raise taken_for_dead(location)

    def _others(self) -> dict[str, dict[str, Any]]:
        """The marks of the same work by those who are alive; the others' are removed."""
        found = {}
        for mark_id, mark in self._registry.marks().items():
            if mark_id == self._id or mark.get("work", Work.BUILD) != self._work:
                continue
            if _is_dead(mark_id, mark):
                self._registry.remove_mark(mark_id)
            else:
                found[mark_id] = mark
        return found

    def _busy(self, mark: dict[str, Any], location: str) -> StoreBusy:
        return StoreBusy(
            f"release {mark['build']} is being {self._work.said} by process {mark['pid']} on"
            f" {mark['host']}",
            where=location,
            hint="wait for the other `melon` to end; if it was killed on another"
            f" host, try again in {DEAD_AFTER.seconds // 60} minutes",
        )

    def _keep(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(MelonError):  # it may answer the next time
                if not self._renew():
                    return  # taken for dead: whoever holds it will notice

    def _renew(self) -> bool:
        """Whether nobody took this one for dead in the meantime; then it is renewed."""
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


@contextmanager
def switching(registry: Registry, release: str, location: str) -> Iterator[None]:
    """Promote or drop a release while nobody else does; waits for whoever does.

    Raises:
        StoreBusy: another process goes on and on.
    """
    until = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            lease = Lease(registry, release, location, Work.SWITCH)
            break
        except StoreBusy:
            if time.monotonic() > until:
                raise
        time.sleep(random.uniform(0.01, 0.1))  # by chance, or two would meet again and again
    try:
        yield
    finally:
        lease.end()


def _is_dead(mark_id: str, mark: dict[str, Any]) -> bool:
    if datetime.now(UTC) - datetime.fromisoformat(mark["renewed"]) > DEAD_AFTER:
        return True
    if mark["host"] != socket.gethostname():
        return False
    if mark["pid"] == os.getpid():
        return mark["process"] != _PROCESS or mark_id not in _held
    if sys.platform == "win32":
        return False  # signal 0 is Ctrl-C there
    try:
        os.kill(mark["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's, and alive
    return False
