"""The marks of work under way in a server's registry: what one says, and whether it still holds."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from melon.errors import first_problem
from melon.store.manifest import MAX_RELEASE_NAME, RELEASE_NAME

DEAD_AFTER = timedelta(minutes=2)
"""Without being renewed. The clocks of hosts must not differ by more."""

_PROCESS = str(uuid4())
"""Tells this process from an earlier one with the same number, as containers have it."""

_held: set[str] = set()
"""The marks of this process that are held; its others stayed with a lost server."""


class Work(StrEnum):
    """What a lease is for. A release can be promoted or dropped while another is built."""

    BUILD = "build"
    SWITCH = "switch"

    @property
    def in_words(self) -> str:
        """What is done to a release meanwhile, for a message."""
        return "built" if self is Work.BUILD else "promoted or dropped"


@dataclass(frozen=True, slots=True)
class Where:
    """Where a process runs. Containers of one host may have one name, and count processes anew."""

    host: str
    boot: str | None
    namespace: str | None

    @classmethod
    def here(cls) -> Self:
        """Where this process runs; without boot and namespace on systems that do not tell."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            namespace = str(Path("/proc/self/ns/pid").readlink())
        except OSError:
            return cls(socket.gethostname(), None, None)
        return cls(socket.gethostname(), boot, namespace)

    def shares_processes(self, other: Where) -> bool:
        """Whether both count the same processes, as far as that is known."""
        if self.boot and self.namespace:
            return (self.boot, self.namespace) == (other.boot, other.namespace)
        return self == other


class Mark(BaseModel):
    """What a process that works says of itself, and when it last did."""

    model_config = ConfigDict(frozen=True)

    build: str = Field(pattern=RELEASE_NAME, max_length=MAX_RELEASE_NAME, description="a release")
    work: Work = Work.BUILD
    waiting: bool = False
    host: str = Field(max_length=255)
    boot: str | None = Field(default=None, max_length=255)
    namespace: str | None = Field(default=None, max_length=255)
    pid: int = Field(gt=0, lt=1 << 31)
    process: str = Field(max_length=255)
    renewed: AwareDatetime

    @classmethod
    def now(cls, release: str, work: Work, *, waiting: bool) -> Self:
        """The mark of this process."""
        here = Where.here()
        return cls(
            build=release,
            work=work,
            waiting=waiting,
            host=here.host,
            boot=here.boot,
            namespace=here.namespace,
            pid=os.getpid(),
            process=_PROCESS,
            renewed=datetime.now(UTC),
        )

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self | str:
        """The mark, or why it can be none."""
        try:
            mark = cls.model_validate_json(json.dumps(payload), strict=True)
        except ValidationError as error:
            problem = first_problem(error)
            return f"{problem.place}: {problem.what}"
        if mark.renewed - datetime.now(UTC) > DEAD_AFTER:
            return f"renewed: {mark.renewed:%Y-%m-%d %H:%M} UTC is yet to come"
        return mark

    def is_dead(self, mark_id: str) -> bool:
        """Whether its process was killed, as far as that can be known from here."""
        if datetime.now(UTC) - self.renewed > DEAD_AFTER:
            return True
        if not Where.here().shares_processes(Where(self.host, self.boot, self.namespace)):
            return False
        if self.pid == os.getpid():
            return self.process != _PROCESS or mark_id not in _held
        if sys.platform == "win32":
            return False  # signal 0 is Ctrl-C there
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # another user's, and alive
        return False

    def __str__(self) -> str:
        return (
            f"release {self.build} is being {self.work.in_words} by process {self.pid} on"
            f" {self.host}"
        )


def hold(mark_id: str) -> None:
    """Note that this process holds a mark."""
    _held.add(mark_id)


def let_go(mark_id: str) -> None:
    """Note that it holds it no more."""
    _held.discard(mark_id)
