"""Queries that wait at the same time are answered together, which costs less than one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from fastapi import Request, Response

from melon.service.asking import Service
from melon.service.failures import Refused, as_json
from melon.service.requests import QueryRequest, answer_together

MAX_TOGETHER = 8
"""Queries that are answered together: more save little, and the first would wait for the last."""

AGAIN_SECONDS = 0.005
"""After answers, for those who have them to ask again at once."""

PAUSE_SECONDS = 0.003
"""Between two of these, at most: a client on a busy machine is often late by one or two."""

MAX_LIMIT = 200
"""Songs or tags up to which a query is answered with others, which would wait for a long answer."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A query, and what becomes its answer."""

    asked: QueryRequest
    request: Request
    answer: asyncio.Future[Response]


Answered = list[tuple[Waiting, Response | Exception]]


@dataclass(slots=True, eq=False)
class Group:
    """The queries with the same options that wait, and the turns of threads that they wait for."""

    waiting: deque[Waiting] = field(default_factory=deque)
    turns: int = 0


class Together:
    """Answers queries: each turn of a thread takes those with the same options that wait by then.

    One before which nothing waits is answered at once, unless several were answered together just
    now: else the first to ask again would be answered alone, while all others wait. There are as
    many turns in the queue as those who wait need. All but the answering is done in the event
    loop. An answer does not depend on what it is found together with.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._groups: dict[str, Group] = {}
        self._turns: set[asyncio.Task[None]] = set()  # which the event loop itself would forget
        self._expected = 1  # as many as the last turn took,
        self._until = 0.0  # who may ask again by then
        self._come = asyncio.Event()

    async def ask(self, request: Request, asked: QueryRequest) -> Response:
        """The answer to a query.

        Raises:
            MelonError: why there is none.
        """
        if asked.explain or asked.exact or max(asked.limit, asked.tag_limit) > MAX_LIMIT:
            return await self._service.ask(request, asked.answer, asked.release)
        work = self._service.queries
        if not work.busy and not self._are_expected:
            return await work.run(lambda: self._answer(asked), _is_here)
        if self._waiting >= work.queue:
            raise work.full()
        key = repr((asked.release, asked.options))
        group = self._groups.setdefault(key, Group())
        mine = Waiting(asked, request, asyncio.get_running_loop().create_future())
        group.waiting.append(mine)
        self._come.set()
        self._add_turns(group)
        try:
            async with asyncio.timeout(work.seconds):
                return await mine.answer
        except TimeoutError:
            raise work.late() from None
        finally:
            if mine in group.waiting:
                group.waiting.remove(mine)
            if not group.waiting and not group.turns and self._groups.get(key) is group:
                del self._groups[key]

    @property
    def _waiting(self) -> int:
        return sum(len(group.waiting) for group in self._groups.values())

    @property
    def _are_expected(self) -> bool:
        """Whether several may ask again at once, of whom some have not."""
        soon = asyncio.get_running_loop().time() < self._until
        return soon and self._waiting < self._expected

    def _add_turns(self, group: Group) -> None:
        while group.turns * MAX_TOGETHER < len(group.waiting):
            group.turns += 1
            turn = asyncio.create_task(self._turn(group))
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)

    async def _turn(self, group: Group) -> None:
        """Wait for a thread, and have it answer those that wait by then."""
        some: list[Waiting] = []
        begun = False

        async def begin() -> bool:
            nonlocal begun
            await self._gather()
            begun = True
            group.turns -= 1
            while group.waiting and len(some) < MAX_TOGETHER:
                one = group.waiting.popleft()
                if await one.request.is_disconnected():
                    _settle(one.answer, Refused(499, "nobody waits for the answer"))
                elif not one.answer.done():
                    some.append(one)
            self._expected = len(some)
            return not some

        try:
            await self._service.queries.run(lambda: self._answered(some), begin, self._settle)
        except Exception as error:
            if not begun:
                group.turns -= 1
                some = list(group.waiting)[group.turns * MAX_TOGETHER :]
            for one in some:
                _settle(one.answer, error)

    async def _gather(self) -> None:
        """Let as many come as were answered last, if they do one right after the other."""
        with suppress(TimeoutError):
            while self._are_expected:
                self._come.clear()
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._come.wait()

    def _settle(self, answered: Answered) -> None:
        for one, answer in answered:
            _settle(one.answer, answer)
        if len(answered) > 1:
            self._until = asyncio.get_running_loop().time() + AGAIN_SECONDS

    def _answered(self, some: Sequence[Waiting]) -> Answered:
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
            return self._answer(query)
        except Exception as error:
            return error

    def _answer(self, query: QueryRequest) -> Response:
        return as_json(query.answer(self._service.source.retriever(query.release)))


async def _is_here() -> bool:
    return False


def _settle(future: asyncio.Future[Response], answer: Response | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
