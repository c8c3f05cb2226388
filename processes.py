"""Processes that work for another one, and end with it; and how many suit this machine."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

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


def _end_after(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    _end()


def _end() -> None:
    os._exit(1)
