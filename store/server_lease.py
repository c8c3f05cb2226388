"""One build at a time on a server: a mark in its registry that is renewed while it is built.

A mark that was not renewed for long, or whose process on this host has ended, is a killed
build's. Hosts whose clocks differ by more than `DEAD_AFTER` would take each other for dead.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from melon.errors import MelonError
from melon.store.errors import StoreBusy
from melon.store.server_registry import Registry

RENEW_SECONDS = 10.0
DEAD_AFTER = timedelta(minutes=2)

_PROCESS = str(uuid4())
"""Tells this process from an earlier one with the same number, as containers have it."""


class BuildLease:
    """The right to build, held from the moment it is made until `end`.

    Raises:
        StoreBusy: another build holds it.
    """

    def __init__(self, registry: Registry, release: str, location: str) -> None:
        self._registry = registry
        self._release = release
        self._id = str(uuid4())
        self._ended = threading.Event()
        self._renew()
        # Marked first and looked second: of two that start at once, neither misses the other.
        for mark_id, mark in registry.marks().items():
            if mark_id == self._id:
                continue
            if _is_dead(mark):
                registry.remove_mark(mark_id)
                continue
            registry.remove_mark(self._id)
            raise StoreBusy(
                f"release {mark['build']} is being built by process {mark['pid']} on"
                f" {mark['host']}",
                where=location,
                hint="wait for the other `melon ingest` to end; if it was killed on another"
                f" host, try again in {DEAD_AFTER.seconds // 60} minutes",
            )
        self._keeper = threading.Thread(target=self._keep, name="melon-build-lease", daemon=True)
        self._keeper.start()

    def is_held(self) -> bool:
        """Whether nobody took this build for dead in the meantime."""
        return self._id in self._registry.marks()

    def end(self) -> None:
        """Let others build."""
        self._ended.set()
        self._keeper.join()  # so that it does not renew what is removed next
        self._registry.remove_mark(self._id)

    def _keep(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(MelonError):  # the build itself will notice
                if self.is_held():
                    self._renew()

    def _renew(self) -> None:
        mark = {
            "build": self._release,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": _PROCESS,
            "renewed": datetime.now(UTC).isoformat(),
        }
        self._registry.put_mark(self._id, mark)


def _is_dead(mark: dict[str, Any]) -> bool:
    if datetime.now(UTC) - datetime.fromisoformat(mark["renewed"]) > DEAD_AFTER:
        return True
    if mark["host"] != socket.gethostname():
        return False
    if mark["pid"] == os.getpid():
        return bool(mark["process"] != _PROCESS)
    try:
        os.kill(mark["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's, and alive
    return False
