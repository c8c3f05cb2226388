"""Queries that wait at the same time are answered together, each as it would be alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from service_samples import LOCAL, app_of

from melon.retrieval import RetrievalSettings, Retriever
from melon.service import together
from melon.service.asking import Limits, Service
from melon.service.requests import QueryRequest
from melon.service.source import Source
from melon.service.together import Together
from melon.store import StoreUnavailable, VectorStore

QUERY = "/api/v1/query"
QUESTIONS: list[dict[str, Any]] = [
    {"title": "rainy day"},
    {"tags": ["rain"], "genres": ["Jazz"]},
    {"tags": ["raim"]},
    {"songs": ["3", 5]},
    {"songs": ["no such song"]},
    {"genres": ["Jaz"]},
    {"tags": ["rain"], "limit": 3},
    {"title": "late night", "explain": True},
    *({"songs": [song]} for song in range(10, 30)),
]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the groups of queries that are answered together."""
    found: list[int] = []
    answer_together = together.answer_together

    def counted(some: Sequence[QueryRequest], retriever: Retriever) -> list[dict[str, Any]]:
        found.append(len(some))
        return answer_together(some, retriever)

    monkeypatch.setattr(together, "answer_together", counted)
    return found


def test_each_of_many_at_once_is_answered_as_it_is_alone(
    demo_store: VectorStore, service: TestClient, sizes: list[int]
) -> None:
    app = app_of(demo_store, limits=Limits(threads=1, seconds=60))

    async def ask_all() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=LOCAL, timeout=60) as client:
            return await asyncio.gather(*(client.post(QUERY, json=one) for one in QUESTIONS))

    for question, answer in zip(QUESTIONS, asyncio.run(ask_all()), strict=True):
        alone = service.post(QUERY, json=question)
        assert answer.status_code == alone.status_code, question
        assert answer.json() == alone.json(), question
    assert max(sizes) > 1


@pytest.mark.parametrize("apart", [0, 0.002], ids="{} s apart".format)
def test_those_who_ask_again_at_once_are_answered_together_again(
    demo_store: VectorStore, sizes: list[int], monkeypatch: pytest.MonkeyPatch, apart: float
) -> None:
    """Not the first of them alone, while all others wait for it."""
    monkeypatch.setattr(together, "AGAIN_SECONDS", 1.0)
    service = Service(Source(demo_store, RetrievalSettings.default(), None), Limits(), None)
    asking = Together(service)

    async def ask_again(after: float) -> None:
        for song in range(9):
            await asyncio.sleep(after)
            request = Request({"type": "http"}, receive=asyncio.Event().wait)
            await asking.ask(request, QueryRequest(songs=[song]))

    async def ask_all() -> None:
        await asyncio.gather(*(ask_again(number * apart) for number in range(4)))

    asyncio.run(ask_all())
    assert sizes.count(4) > 4, sizes


def test_a_store_that_is_late_keeps_no_query_waiting(
    demo_store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def late(self: Source, release: str | None = None) -> Retriever:
        go.wait(30)
        raise StoreUnavailable("nobody waits for it any more")

    monkeypatch.setattr(Source, "retriever", late)
    app = app_of(demo_store, limits=Limits(threads=1, queue=3, seconds=0.5))

    async def ask_all() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=LOCAL, timeout=60) as client:
            asked = (client.post(QUERY, json={"songs": [song]}) for song in range(8))
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    statuses = asyncio.run(ask_all())
    go.set()
    assert set(statuses) == {503, 504}  # too many waited, and the others were not answered


def test_a_query_waits_for_queries_alone(demo_store: VectorStore) -> None:
    """Long answers, such as those with reasons, leave its thread to it."""
    go = threading.Event()
    service = Service(Source(demo_store, RetrievalSettings.default(), None), Limits(), None)

    async def here() -> bool:
        return False

    async def ask() -> None:
        long = [asyncio.create_task(service.work.run(lambda: go.wait(30), here)) for _ in range(9)]
        await asyncio.sleep(0)
        assert await service.queries.run(lambda: 7, here) == 7
        assert service.waiting
        go.set()
        await asyncio.gather(*long)

    asyncio.run(ask())
