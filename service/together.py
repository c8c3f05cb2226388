"""Queries that wait at the same time are answered together, which costs less than one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import Request, Response

from melon.service.asking import Service
from melon.service.failures import Refused, as_json
from melon.service.requests import QueryRequest, answer_together

MAX_TOGETHER = 8
"""Queries that are answered together: more save little, and the first would wait for the last."""

MAX_LIMIT = 200
"""Songs or tags up to which a query is answered with others, which would wait for a long answer."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A query, and what becomes its answer."""

    asked: QueryRequest
    answer: asyncio.Future[Response]


Answered = list[tuple[Waiting, Response | Exception]]


class Together:
    """Answers queries: each turn of a thread takes those with the same options that wait by then.

    Every query has a turn of its own in the queue, as any request. When that comes, the query may
    have been answered in the turn of an earlier one; an answer does not depend on that.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: dict[str, deque[Waiting]] = {}

    async def ask(self, request: Request, asked: QueryRequest) -> Response:
        """The answer to a query.

        Raises:
            MelonError: why there is none.
        """
        if asked.explain or asked.exact or max(asked.limit, asked.tag_limit) > MAX_LIMIT:
            return await self._service.ask(request, asked.answer, asked.release)
        key = repr((asked.release, asked.options))
        mine = Waiting(asked, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(key, deque()).append(mine)
        work = self._service.work
        turn = asyncio.create_task(
            work.run(partial(self._answer, key), request.is_disconnected, _settle_all)
        )
        turn.add_done_callback(partial(_fail, mine.answer))
        try:
            async with asyncio.timeout(work.seconds):
                return await mine.answer
        except TimeoutError:
            raise work.late() from None
        finally:
            if not self._waiting.get(key):
                self._waiting.pop(key, None)

    def _answer(self, key: str) -> Answered:
        """Answer those with some options that wait, up to so many, in a thread."""
        group = self._waiting.get(key)
        some: list[Waiting] = []
        while group and len(some) < MAX_TOGETHER:
            if not (first := group.popleft()).answer.done():
                some.append(first)
        return list(zip(some, self._answers([one.asked for one in some]), strict=True))

    def _answers(self, some: Sequence[QueryRequest]) -> list[Response | Exception]:
        """The answers to queries with the same options, or why one has none."""
        if len(some) > 1:
            try:
                retriever = self._service.source.retriever(some[0].release)
                return [as_json(answer) for answer in answer_together(some, retriever)]
            except Exception:
                pass  # of one of them, which is to have it alone
        return [self._alone(query) for query in some]

    def _alone(self, query: QueryRequest) -> Response | Exception:
        try:
            return as_json(query.answer(self._service.source.retriever(query.release)))
        except Exception as error:
            return error


def _settle_all(answered: Answered) -> None:
    for one, answer in answered:
        _settle(one.answer, answer)


def _settle(future: asyncio.Future[Response], answer: Response | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _fail(future: asyncio.Future[Response], turn: asyncio.Task[Answered]) -> None:
    """Say why a turn could not be had."""
    if not turn.cancelled() and (error := turn.exception()) is not None:
        _settle(future, error if isinstance(error, Exception) else Refused(500, str(error)))
