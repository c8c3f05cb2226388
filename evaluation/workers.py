"""Processes that answer questions side by side, each with the store open for itself.

The embedded engine works in the caller's process, where Python runs one thread at a time: more
threads do not make it faster, more processes do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache

from melon.catalog import Playlist
from melon.evaluation.errors import WorkerEnded
from melon.evaluation.questions import rankings
from melon.processes import end_with
from melon.retrieval import Ranking, Retriever

OpenRetriever = Callable[[], Retriever]
"""Opens the release that is asked, always the same one. Can be pickled."""

Part = tuple[Sequence[Playlist], Sequence[date | None]]
"""Questions, and the day after which none of their songs may be from."""

MANY_QUESTIONS = 2000
"""From here on it pays to open the store in several processes."""


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes answer, and how each of them opens the release.

    Attributes:
        open_retriever: called once in each.
        count: how many; None for as many as suit the number of questions.
    """

    open_retriever: OpenRetriever
    count: int | None = None

    def count_for(self, questions: int) -> int:
        """How many there are for so many questions."""
        if self.count is not None:
            return self.count
        return processors() if questions >= MANY_QUESTIONS else 1


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_retriever: OpenRetriever | None = None
"""Of this process, if it is a worker: opened when it is first needed.

An error of the pool's initializer would break the pool, and not reach whoever asks.
"""


@contextmanager
def workers(
    count: int, open_retriever: OpenRetriever, strategy: str
) -> Iterator[Callable[[Iterable[Part]], Iterator[list[Ranking]]]]:
    """A function that answers parts in their order, `count` of them at a time.

    What is not begun when the block ends is left undone.

    Args:
        count: processes.
        open_retriever: called once in each of them.
        strategy: by which they answer.

    Raises:
        WorkerEnded: one of them was killed, or could not begin.
    """
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(open_retriever, os.getpid()),
    )

    def answers(parts: Iterable[Part]) -> Iterator[list[Ranking]]:
        try:
            yield from pool.map(_answer, ((*part, strategy) for part in parts))
        except BrokenProcessPool as error:
            raise WorkerEnded(
                f"one of {count} worker processes ended before it had answered",
                hint="where memory runs out, give fewer --processes",
            ) from error

    try:
        yield answers
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(open_retriever: OpenRetriever, parent: int) -> None:
    global _retriever
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    _retriever = cache(open_retriever)


def _answer(part: tuple[Sequence[Playlist], Sequence[date | None], str]) -> list[Ranking]:
    assert _retriever is not None
    questions, days, strategy = part
    return rankings(_retriever(), questions, days, strategy)
