"""A `Retriever` for asynchronous programs: its calls run in a few threads, and are awaited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from melon.errors import InputError
from melon.retrieval.retriever import Retriever
from melon.store import StoreClosed

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 8
"""Calls that are answered at once; the others wait."""


def _awaited(
    method: Callable[Concatenate[Retriever, P], T],
) -> Callable[Concatenate[AsyncRetriever, P], Coroutine[Any, Any, T]]:
    """The same method, to be awaited."""

    @wraps(method)
    async def call(self: AsyncRetriever, /, *args: P.args, **kwargs: P.kwargs) -> T:
        import asyncio  # which takes longer to import than a query of the command to answer

        if self._closed:
            raise StoreClosed(
                "it is closed", where="the retriever", hint="close it after the last call"
            )
        task = partial(method, self._retriever, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, task)

    return call


class AsyncRetriever:
    """The methods of a `Retriever`, to be awaited: `await retriever.recommend(title="rain")`.

    Each call runs in a thread of a pool of its own, so that the loop goes on meanwhile. One that is
    cancelled is no longer waited for, but runs to its end. In an `async with` statement, the
    retriever is closed at the end.

    Args:
        retriever: answers, and is this one's from now on.
        threads: how many calls are answered at once.

    Raises:
        InputError: there are no threads.
    """

    query = _awaited(Retriever.query)
    recommend = _awaited(Retriever.recommend)
    recommend_many = _awaited(Retriever.recommend_many)
    rank_many = _awaited(Retriever.rank_many)
    similar = _awaited(Retriever.similar)
    find = _awaited(Retriever.find)
    show = _awaited(Retriever.show)
    listing = _awaited(Retriever.listing)
    with_near = _awaited(Retriever.with_near)
    playlists = _awaited(Retriever.playlists)
    counts = _awaited(Retriever.counts)
    excluded = _awaited(Retriever.excluded)
    song_id = _awaited(Retriever.song_id)
    playlist = _awaited(Retriever.playlist)

    def __init__(self, retriever: Retriever, *, threads: int = THREADS) -> None:
        if threads < 1:
            raise InputError(f"{threads} threads cannot answer")
        from concurrent.futures import ThreadPoolExecutor

        self._retriever, self._closed = retriever, False
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="melon")

    async def close(self) -> None:
        """Close the store once all calls have ended; later ones raise `StoreClosed`."""
        import asyncio

        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._retriever.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
