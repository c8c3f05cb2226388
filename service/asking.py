"""What the routes of an application share: a store, and threads to ask it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

from melon.retrieval import Retriever
from melon.service.failures import as_json
from melon.service.maps import Maps
from melon.service.source import Source
from melon.service.work import Work


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a service takes on.

    Attributes:
        threads: requests other than queries that are answered at once.
        queue: requests that may wait, queries and others; more are refused.
        seconds: until a request is given up.
    """

    threads: int = 2
    queue: int = 128
    seconds: float = 10.0


class Service:
    """Answers requests from a source, each within its limits."""

    def __init__(self, source: Source, limits: Limits, home: Path | None) -> None:
        self.source = source
        self.maps = Maps(home)
        self.work = Work(limits.threads, limits.queue, limits.seconds)
        # One at a time: they are at work on the same core anyway, and would only take it from each
        # other. What waits meanwhile is answered together.
        self.queries = Work(1, limits.queue, limits.seconds)

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return self.work.waiting + self.queries.waiting

    async def ask(
        self, request: Request, question: Callable[[Retriever], object], release: str | None = None
    ) -> Response:
        """The JSON of what the retriever of a release answers a question with."""
        return await self.tell(request, lambda: question(self.source.retriever(release)))

    async def tell(self, request: Request, question: Callable[[], object]) -> Response:
        """The JSON of the answer to a question."""
        return await self.work.run(lambda: as_json(question()), request.is_disconnected)
