"""Processes that answer questions side by side, each with the store open for itself.

The embedded engine works in the caller's process, where Python runs one thread at a time: more
threads do not make it faster, more processes do.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date

from melon.catalog import Playlist
from melon.evaluation.rankings import rankings
from melon.retrieval import Ranking, Retriever

OpenRetriever = Callable[[], Retriever]
"""Opens the release that is asked, always the same one. Can be pickled."""

Part = tuple[Sequence[Playlist], Sequence[date | None]]
"""Questions, and the day after which none of their songs may be from."""

_retriever: Retriever | None = None
"""Of this process, if it is a worker."""


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
    """
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(open_retriever,),
    )
    try:
        yield lambda parts: pool.map(_answer, ((*part, strategy) for part in parts))
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(open_retriever: OpenRetriever) -> None:
    global _retriever
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    _retriever = open_retriever()


def _answer(part: tuple[Sequence[Playlist], Sequence[date | None], str]) -> list[Ranking]:
    assert _retriever is not None
    questions, days, strategy = part
    return rankings(_retriever, questions, days, strategy)
