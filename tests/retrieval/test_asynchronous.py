"""An awaited retriever answers as the one that it has, many at once, and holds nothing up."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Sequence

import pytest
from places import Place

import melon
from melon.retrieval import PlaylistQuery, Retriever
from melon.store import Collection, ForwardingReader, Hits, StoreClosed, VectorQuery

TITLES = ["rainy day", "비 오는 날", "party", "dawn"]


def test_answers_are_those_of_the_retriever(demo_place: Place):
    async def ask(retriever: Retriever) -> None:
        async with melon.AsyncRetriever(retriever, threads=2) as awaited:
            answers = await asyncio.gather(*(awaited.recommend(title=t) for t in TITLES))
            assert answers == [retriever.recommend(title=title) for title in TITLES]
            queries = [PlaylistQuery(title=title) for title in TITLES]
            assert await awaited.recommend_many(queries) == answers
            assert await awaited.rank_many(queries) == retriever.rank_many(queries)
            item = melon.Item(tag="rain")
            assert await awaited.similar(item, limit=3) == retriever.similar(item, limit=3)
            assert await awaited.find("rain", limit=2) == retriever.find("rain", limit=2)
            assert (await awaited.listing("tags", limit=2)).total
            with pytest.raises(melon.InputError, match="'Jaz'"):
                await awaited.recommend(constraints=melon.Constraints(genres=["Jaz"]))
        with pytest.raises(StoreClosed):
            await awaited.recommend(title="rain")
        await awaited.close()

    retriever = Retriever(demo_place.open())
    asyncio.run(ask(retriever))
    with pytest.raises(StoreClosed):
        retriever.recommend(title="rain")


class Waiting(ForwardingReader):
    """Answers once the event loop has said so."""

    said = threading.Event()

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        assert self.said.wait(60)
        return super().query(collection, queries)


def test_the_loop_goes_on_while_a_call_waits(retriever: Retriever):
    async def ask() -> bool:
        waiting = melon.AsyncRetriever(retriever.with_reader(Waiting(retriever.engine_reader)))
        call = asyncio.create_task(waiting.recommend(title="rain"))
        await asyncio.sleep(0)
        done_before = call.done()
        Waiting.said.set()
        await call
        return done_before

    assert asyncio.run(ask()) is False


def test_it_has_the_calls_of_a_retriever_and_some_threads(retriever: Retriever):
    calls = {
        name
        for name, member in inspect.getmembers(Retriever, inspect.isfunction)
        if not name.startswith(("_", "with_")) and member.__doc__
    }
    missing = {name for name in calls if not hasattr(melon.AsyncRetriever, name)}
    assert missing <= {"candidates"}
    with pytest.raises(melon.InputError, match="0 threads"):
        melon.AsyncRetriever(retriever, threads=0)
