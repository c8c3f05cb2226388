"""Processes that work for another one, and end with it; how many suit this machine; Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Have this process end with the one that started it, however that ends, kill -9 included.

    Nobody would want what it makes then, and it would hold the streams of its parent open. Linux
    sees to it, for the thread that started it; elsewhere a thread waits for the parent of a process
    that `multiprocessing` started, and another orphan ends when it is done.

    Args:
        parent: its process id. If that is gone already, this process ends at once.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        from multiprocessing import parent_process

        if started_by := parent_process():
            threading.Thread(target=_end_after, args=(started_by.sentinel,), daemon=True).start()
    if os.getppid() != parent:
        _end()


def usable_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_when_told() -> None:
    """Have SIGTERM and a terminal that is closed end this process as Ctrl-C does.

    What is half made is removed, then, and the mark of a build is taken from its server; a process
    that is the first of a container would not end at all. The second time, it ends at once. What
    is to be ignored, as by `nohup`, is.
    """

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # some systems have no terminals that are closed
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


@contextmanager
def interrupts_held() -> Iterator[Callable[[], None]]:
    """Have Ctrl-C and SIGTERM wait for a call of what this gives, or for the end of the block.

    For a library whose compiled parts are broken by an exception in their midst. Where none would
    be raised, as in another thread than the main one, nothing changes.
    """
    came: list[int] = []
    usual: dict[int, Any] = {}

    def hold(number: int, _: object) -> None:
        came.append(number)

    def let_go() -> None:
        for number in came:
            usual[number](number, None)

    if threading.current_thread() is threading.main_thread():
        for told in (signal.SIGINT, signal.SIGTERM):
            if callable(handler := signal.getsignal(told)):
                usual[told] = handler
                signal.signal(told, hold)
    try:
        yield let_go
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    let_go()


def _end_after(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    _end()


def _end() -> None:
    os._exit(1)
