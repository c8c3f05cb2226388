"""Runs `melon` in processes forked from one that has imported everything: each costs little.

What is to be killed a hundred times shall not spend two seconds on imports before anything happens.
Run as a program, this is the process from which they are forked.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMPORTED = (
    *("melon.cli", "melon.embedding", "melon.ingest", "melon.learning", "melon.retrieval"),
    *("melon.store.embedded", "melon.store.server", "melon.catalog", "melon.evaluation"),
    *("melon.learning.train", "melon.embedding.files", "melon.embedding.update"),
    *("gensim.models", "pandas", "pyarrow.parquet", "sentencepiece", "_strptime"),
    *("multiprocessing.queues", "concurrent.futures.process", "rich.progress", "rich.table"),
    *("qdrant_client", "grpc.experimental", "httpcore", "h2.connection", "anyio", "certifi"),
    "typer._adapters",
)
"""And all modules of `melon.commands`; none of them starts a thread."""

PATIENCE = 300
"""Seconds of a command after which it hangs."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or -9 where it was killed, and what it said."""

    code: int
    said: str
    seconds: float
    hung: bool = False

    @property
    def killed(self) -> bool:
        """Whether it was killed in the middle of its work, as was asked."""
        return self.code == -signal.SIGKILL and not self.hung


class Warm:
    """The process that forks. One command at a time; close it."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "100"},
        )
        self._answer()

    def begin(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        kill_after: float | None = None,
        group: bool = True,
        apart: bool = False,
    ) -> None:
        """Start a command; `end` waits for it.

        Args:
            arguments: of `melon`.
            environment: what to change in it.
            kill_after: seconds after which it is killed by SIGKILL, if it is still there.
            group: whether all processes that it started are killed at once with it.
            apart: whether even a small release is built in a process of its own.
        """
        order = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "kill_after": kill_after,
            "group": group,
            "apart": apart,
            "log": str(self._log),
        }
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(order)}\n")
        self._process.stdin.flush()

    def end(self) -> Ended:
        """Wait for the command, `PATIENCE` seconds at most."""
        answer = self._answer()
        said = self._log.read_text("utf-8", "replace")
        return Ended(answer["code"], said, answer["seconds"], answer["hung"])

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], **options: Any
    ) -> Ended:
        """Run a command to its end, or until it is killed; see `begin`."""
        self.begin(arguments, environment, **options)
        return self.end()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _serve() -> None:
    """Import, then fork a process for each order on stdin, and answer how it ended."""
    for name in IMPORTED:
        importlib.import_module(name)
    from melon.cli import COMMANDS

    for name in set(COMMANDS.values()):
        importlib.import_module(f"melon.commands.{name}")
    gc.collect()
    gc.freeze()  # or each process would copy all that a collection looks at
    print("{}", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _become(order)
        with suppress(OSError):  # whoever of both is first
            os.setpgid(pid, pid)
        code, hung = _wait(pid, order["kill_after"], group=order["group"])
        seconds = time.monotonic() - started
        print(json.dumps({"code": code, "hung": hung, "seconds": seconds}), flush=True)


def _become(order: Mapping[str, Any]) -> None:
    """Be the command, in a group of processes of its own, with its streams in the log."""
    with suppress(OSError):
        os.setpgid(0, 0)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, file in enumerate((nothing, log, log)):
        os.dup2(file, stream)
    os.environ.update(order["environment"])
    sys.argv = ["melon", *order["arguments"]]
    if order["apart"]:
        from melon.store.embedded import builder

        builder.SMALL_RELEASE = 0
    from melon.cli import run

    code = 70
    try:
        code = run()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _wait(pid: int, kill_after: float | None, *, group: bool) -> tuple[int, bool]:
    """Kill the process after so long, and return its exit code and whether it hung."""
    seconds = PATIENCE if kill_after is None else kill_after
    watched = os.pidfd_open(pid)
    hung = False
    try:
        if not select.select([watched], [], [], seconds)[0]:
            hung = kill_after is None
            (os.killpg if group else os.kill)(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(watched)
    return os.waitstatus_to_exitcode(status), hung


if __name__ == "__main__":
    _serve()
