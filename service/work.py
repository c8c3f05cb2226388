"""Runs what waits for the store in threads, so many at once, in the order of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
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
        self._queue = queue
        self._seconds = seconds
        self.waiting = 0

    async def run(self, task: Callable[[], T], is_gone: Callable[[], Awaitable[bool]]) -> T:
        """What the task returns.

        Args:
            task: called in a thread.
            is_gone: whether nobody waits for the result any more, asked before the task begins.

        Raises:
            Refused: there are too many requests (503), it took too long (504), or nobody waits.
        """
        if self.waiting >= self._queue:
            raise Refused(503, "too many requests are waiting", hint="ask again in a second")
        try:
            async with asyncio.timeout(self._seconds):
                self.waiting += 1
                try:
                    await self._free.acquire()
                finally:
                    self.waiting -= 1
                if await self._left(is_gone):
                    raise Refused(499, "nobody waits for the answer")
                future = asyncio.get_running_loop().run_in_executor(self._pool, task)
                future.add_done_callback(self._done)
                return await asyncio.shield(future)
        except TimeoutError:
            raise Refused(
                504,
                f"there was no answer within {self._seconds:g} s",
                hint="ask for less, or again in a second",
            ) from None

    async def _left(self, is_gone: Callable[[], Awaitable[bool]]) -> bool:
        try:
            left = await is_gone()
        except BaseException:
            self._free.release()
            raise
        if left:
            self._free.release()
        return left

    def _done(self, future: asyncio.Future[T]) -> None:
        self._free.release()
        if not future.cancelled():
            future.exception()  # nobody may be left to take it
