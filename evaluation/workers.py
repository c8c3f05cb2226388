"""Asks questions side by side: in threads of this process, or in several processes.

The embedded engine works in the caller's process, where Python runs one thread at a time: more
threads do not make it faster, more processes do, each with the store open for itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

from melon.catalog import Playlist
from melon.evaluation.errors import WorkerEnded
from melon.evaluation.popular import POPULAR
from melon.evaluation.questions import as_query
from melon.evaluation.submission import SONGS, TAGS
from melon.processes import end_with, usable_cores
from melon.retrieval import Constraints, Ranking, Retriever

OpenRetriever = Callable[[], Retriever]
"""Opens the release that is asked, always the same one. Can be pickled."""

MANY_QUESTIONS = 2000
"""From this number on, it pays to open the store in several processes."""

THREADS = 2
"""Batches under way: engines answer one while Python ranks the other."""


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
        return usable_cores() if questions >= MANY_QUESTIONS else 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions that are asked together.

    Attributes:
        questions: playlists with parts blanked.
        days: for each, the last day on which its songs may have been issued; None for any.
        strategy: how candidates are looked for.
    """

    questions: Sequence[Playlist]
    days: Sequence[date | None]
    strategy: str


@contextmanager
def rankings(
    retriever: Retriever, batches: Sequence[Batch], processes: Processes | None
) -> Iterator[Iterator[list[Ranking]]]:
    """The rankings of batches, in their order, several batches at a time.

    Batches of one question are asked one after the other, each when it is wanted, unless there
    are several processes. What is not begun when the block ends is left undone.

    Raises:
        WorkerEnded: one of several processes was killed, or could not begin.
    """
    questions = sum(len(batch.questions) for batch in batches)
    if processes is not None and (count := processes.count_for(questions)) > 1:
        pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(processes.open_retriever, os.getpid()),
        )
        with _shut_down(pool):
            yield _ranked_by(pool, count, batches)
    elif all(len(batch.questions) == 1 for batch in batches):
        yield map(partial(rank, retriever), batches)
    else:
        threads = ThreadPoolExecutor(THREADS)
        with _shut_down(threads):
            yield threads.map(partial(rank, retriever), batches)


def rank(retriever: Retriever, batch: Batch) -> list[Ranking]:
    """The songs and tags of each question of a batch; none at all by `POPULAR`."""
    if batch.strategy == POPULAR:
        return [Ranking((), ())] * len(batch.questions)
    return retriever.rank_many(
        [as_query(question) for question in batch.questions],
        [Constraints(until=day) for day in batch.days],
        limit=SONGS,
        tag_limit=TAGS,
        strategy=batch.strategy,
    )


@contextmanager
def _shut_down(pool: Executor) -> Iterator[None]:
    """Shut the pool down at the end; what it has not begun is cancelled."""
    try:
        yield
    finally:
        pool.shutdown(cancel_futures=True)


def _ranked_by(
    pool: ProcessPoolExecutor, count: int, batches: Iterable[Batch]
) -> Iterator[list[Ranking]]:
    try:
        yield from pool.map(_rank, batches)
    except BrokenProcessPool as error:
        raise WorkerEnded(
            f"one of {count} worker processes ended before it had answered",
            hint="where memory runs out, give fewer --processes",
        ) from error


_retriever: OpenRetriever | None = None
"""Of this process, if it is a worker: opened when it is first needed.

An error of the pool's initializer would break the pool, and not reach whoever asks.
"""


def _begin(open_retriever: OpenRetriever, parent: int) -> None:
    global _retriever
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    _retriever = cache(open_retriever)


def _rank(batch: Batch) -> list[Ranking]:
    assert _retriever is not None
    return rank(_retriever(), batch)
