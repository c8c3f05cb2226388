"""Processes that work for another one, and end with it; how many suit this machine; Ctrl-C."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def interrupts_held() -> Iterator[Callable[[], None]]:
    """Have Ctrl-C wait for a call of what this gives, or for the end of the block.

    For a library whose compiled parts are broken by a `KeyboardInterrupt` in their midst. Where
    none would be raised, as in another thread than the main one, nothing changes.
    """
    came = False

    def hold(*_: object) -> None:
        nonlocal came
        came = True

    def let_go() -> None:
        if came:
            raise KeyboardInterrupt

    usual = signal.default_int_handler
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not usual:
        yield let_go
        return
    signal.signal(signal.SIGINT, hold)
    try:
        yield let_go
    finally:
        signal.signal(signal.SIGINT, usual)
    let_go()


def _end_after(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    _end()


def _end() -> None:
    os._exit(1)
