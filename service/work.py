"""Runs what waits for the store in threads, so many at once, in the order of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from melon.service.failures import Refused

T = TypeVar("T")


class Work:
    """A queue of bounded length before threads that answer.

    A thread cannot be stopped: one that answers too late keeps its place until it is done, and
    those who wait behind it are told so when their own time is over.

    Args:
        threads: how many requests are answered at once.
        queue: how many may wait; more are refused at once.
        seconds: until a request is given up, its time in the queue included.
    """

    def __init__(self, threads: int, queue: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="melon")
        self._free = asyncio.Semaphore(threads)
        self.queue = queue
        self.seconds = seconds
        self.waiting = 0

    @property
    def busy(self) -> bool:
        """Whether what is run has to wait."""
        return self._free.locked()

    async def run(
        self,
        task: Callable[[], T],
        is_gone: Callable[[], Awaitable[bool]],
        then: Callable[[T], None] | None = None,
    ) -> T:
        """What the task returns.

        Args:
            task: called in a thread.
            is_gone: whether nobody waits for the result any more, asked before the task begins.
            then: called with what the task returns, however late that is.

        Raises:
            Refused: there are too many requests (503), it took too long (504), or nobody waits.
        """
        if self.waiting >= self.queue:
            raise self.full()
        try:
            async with asyncio.timeout(self.seconds):
                self.waiting += 1
                try:
                    await self._free.acquire()
                finally:
                    self.waiting -= 1
                if await self._left(is_gone):
                    raise Refused(499, "nobody waits for the answer")
                future = asyncio.get_running_loop().run_in_executor(self._pool, task)
                future.add_done_callback(partial(self._done, then))
                return await asyncio.shield(future)
        except TimeoutError:
            raise self.late() from None

    def full(self) -> Refused:
        """What is said where too many wait."""
        return Refused(503, "too many requests are waiting", hint="ask again in a second")

    def late(self) -> Refused:
        """What is said where there is no answer in time."""
        return Refused(
            504,
            f"there was no answer within {self.seconds:g} s",
            hint="ask for less, or again in a second",
        )

    async def _left(self, is_gone: Callable[[], Awaitable[bool]]) -> bool:
        try:
            left = await is_gone()
        except BaseException:
            self._free.release()
            raise
        if left:
            self._free.release()
        return left

    def _done(self, then: Callable[[T], None] | None, future: asyncio.Future[T]) -> None:
        self._free.release()
        if not future.cancelled() and future.exception() is None and then is not None:
            then(future.result())
