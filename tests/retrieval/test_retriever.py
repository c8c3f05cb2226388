"""A query host: light, in need of a store alone, and always on one release."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice
from threading import Event

import pytest
from places import EMBEDDED, DirectoryPlace, Place, ServerPlace
from qdrant_client import models

from melon.embedding import EmbeddingSpace
from melon.errors import MelonError
from melon.ingest import ingest
from melon.ranking import Ranking
from melon.retrieval import (
    DEFAULT_STRATEGY,
    STRATEGIES,
    Item,
    PlaylistQuery,
    Retriever,
    UnknownStrategy,
    live,
)
from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategies.hybrid import HybridStrategy
from melon.retrieval.strategies.ranking import Answer, ResolvedQuery, Strategy
from melon.store import Collection, NoRelease, ReleaseManifest, ReleaseReader, VectorStore
from melon.titles import DamagedTitleTokenizer, TitleTokenizer

ASKED = PlaylistQuery(tags=("rain",), title="rainy day")


def program(place: Place) -> str:
    """What a query host does, as a program of its own."""
    flag, where = place.options
    address = f"path=Path({where!r})" if flag == "--path" else f"url={where!r}"
    return f"""
import sys
from pathlib import Path
from melon.retrieval import STRATEGIES, Constraints, Item, PlaylistQuery, Retriever
from melon.settings import load_settings
from melon.store import open_store

with open_store(load_settings(), {address}) as store:
    retriever = Retriever(store)
    query = PlaylistQuery(songs=(1, 2), not_songs=(9,), tags=("rain",), title="rainy day")
    for strategy in STRATEGIES:
        found = retriever.recommend(query, Constraints(since="1990"), strategy=strategy)
        assert found.songs and found.tags and not found.fallback
    assert retriever.similar(Item(title="rainy day"))
print(*sys.modules)
"""


def test_a_query_host_needs_no_training_library(demo_place: Place):
    done = subprocess.run(
        [sys.executable, "-c", program(demo_place)],
        env=os.environ | demo_place.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    unwanted = {"gensim", "pandas", "pyarrow", "scipy", "sklearn", "typer"}
    if demo_place.engine == EMBEDDED:
        unwanted |= {"qdrant_client", "grpc", "httpx", "rich"}  # httpx loads rich where it is
    else:
        unwanted |= {"qdrant_edge"}
        unwanted -= {"rich"}  # httpx imports it for a command of its own, where all that needs is
    assert unwanted & loaded == set()
    assert {"melon.catalog", "melon.ingest"} & loaded == set()


def turned(space: EmbeddingSpace) -> EmbeddingSpace:
    """Another space with the same catalogue, whose answers are the others' last."""
    return replace(space, song_vectors=-space.song_vectors)


def test_nothing_ingested_is_an_error(store: VectorStore):
    with pytest.raises(NoRelease):
        Retriever(store)


def test_a_retriever_follows_a_promotion(
    place: Place, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    """It stays on its release for a moment, within one answer always, and then moves on."""
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    with place.open() as reading, place.open() as writing:
        first = ingest(demo_space, writing).manifest.release
        moving = Retriever(reading)
        pinned = [Retriever(reading, release=first), Retriever(reading, follow=False)]
        before = moving.recommend(ASKED)
        second = ingest(turned(demo_space), writing).manifest.release
        assert second != first == before.release
        assert moving.recommend(ASKED) == before

        now[0] += live.REFRESH_SECONDS + 0.1
        after = moving.recommend(ASKED)
        assert after.release == moving.release == second
        assert after.songs != before.songs
        assert [staying.recommend(ASKED) for staying in pinned] == [before, before]

        writing.promote(first)
        now[0] += live.REFRESH_SECONDS + 0.1
        assert moving.recommend(ASKED) == before


def test_one_thread_takes_up_a_release_while_the_others_answer(
    place: Place, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    with place.open() as store:
        first = ingest(demo_space, store).manifest.release
        asking = Retriever(store)
        second = ingest(turned(demo_space), store).manifest.release
        opened, others_answered = [], Event()
        open_release = store.open

        def slow_open(release: str | None = None) -> ReleaseReader:
            opened.append(release)
            assert others_answered.wait(30)
            return open_release(release)

        monkeypatch.setattr(store, "open", slow_open)
        monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(asking.recommend, ASKED) for _ in range(4)]
            done = list(islice(as_completed(answers, 30), 3))
            others_answered.set()
            assert {answer.result().release for answer in done} == {first}
        assert {answer.result().release for answer in answers} == {first, second}
        assert opened == [second]


def test_after_long_idling_no_thread_answers_from_what_was_dropped(
    place: Place, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    with place.open() as store:
        first = ingest(demo_space, store).manifest.release
        asking = Retriever(store)
        second = ingest(turned(demo_space), store).manifest.release
        store.drop(first)
        now[0] += live.REFRESH_SECONDS + live.IDLE_SECONDS + 1
        looked_for, another_answered = [], Event()
        ask_live = store.live

        def slow_live() -> str | None:
            looked_for.append(None)
            another_answered.wait(1)  # in vain, if the others wait for this
            return ask_live()

        monkeypatch.setattr(store, "live", slow_live)
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(asking.recommend, ASKED) for _ in range(4)]
            next(as_completed(answers, 30))
            another_answered.set()
        assert {answer.result().release for answer in answers} == {second}
        assert len(looked_for) == 1


def uniquely_named(space: EmbeddingSpace) -> str:
    """A name that one song has."""
    names = [name for name in space.songs["name"].to_pylist() if name]
    return next(name for name in names if names.count(name) == 1)


def test_a_dropped_release_is_left_for_the_live_one_at_once(
    server_place: ServerPlace, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    """Somebody goes back to the release before, and drops the bad one: no call fails meanwhile."""
    monkeypatch.setattr(live.time, "monotonic", lambda: 1000.0)
    with server_place.open() as store:
        first = ingest(demo_space, store).manifest.release
        second = ingest(turned(demo_space), store).manifest.release
        several = [Retriever(store) for _ in range(4)]
        pinned = Retriever(store, release=second)
        name = uniquely_named(demo_space)
        store.promote(first)
        store.drop(second)
        calls = [
            lambda asking: asking.recommend(ASKED),
            lambda asking: asking.rank_many([ASKED]),
            lambda asking: asking.similar(Item(tag="rain")),
            lambda asking: asking.song_id(name),
        ]
        for asking, call in zip(several, calls, strict=True):
            assert asking.release == second
            assert call(asking) == call(Retriever(store))
            assert asking.release == first
        for call in calls:
            with pytest.raises(NoRelease):
                call(pinned)


def test_threads_that_miss_a_dropped_release_look_once(
    server_place: ServerPlace, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live.time, "monotonic", lambda: 1000.0)
    with server_place.open() as store:
        first = ingest(demo_space, store).manifest.release
        second = ingest(turned(demo_space), store).manifest.release
        asking = Retriever(store)
        assert asking.release == second
        store.promote(first)
        store.drop(second)
        opened = []
        open_release = store.open
        monkeypatch.setattr(
            store, "open", lambda release=None: opened.append(release) or open_release(release)
        )
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(asking.recommend, [ASKED] * 8))
        assert {answer.release for answer in found} == {first}
        assert opened == [first]


def test_a_retriever_whose_store_has_nothing_left_says_so(
    server_place: ServerPlace, demo_space: EmbeddingSpace
):
    with server_place.open() as store:
        ingest(demo_space, store)
        asking = Retriever(store)
        server_place.clear()
        with pytest.raises(NoRelease):
            asking.recommend(ASKED)


def test_a_release_that_it_cannot_read_is_not_taken_up(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Another version of melon promoted it: this one goes on with what it has."""
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    with place.open() as store:
        first = ingest(demo_space, store).manifest.release
        asking = Retriever(store)
        before = asking.recommend(ASKED)
        ingest(turned(demo_space), store)
        monkeypatch.setattr("melon.store.manifest.SCHEMA_VERSION", 99)
        for _ in range(3):
            assert asking.recommend(ASKED) == before
    [warning] = caplog.messages
    assert f"release {first} goes on answering" in warning


class LaterTokenizer(TitleTokenizer):
    """Written in the format of a later version of melon."""

    def to_bytes(self) -> bytes:
        return b"melon title 99\n"


def later(space: EmbeddingSpace) -> EmbeddingSpace:
    """The space as a later version of melon would have trained it."""
    return replace(turned(space), title=LaterTokenizer(b"", (), {}))


def test_a_release_whose_titles_it_cannot_cut_is_not_taken_up(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.0)
    with place.open() as store:
        first = ingest(demo_space, store).manifest.release
        asking = Retriever(store)
        before = asking.recommend(ASKED)
        ingest(later(demo_space), store)
        opened = []
        open_release = store.open
        monkeypatch.setattr(
            store, "open", lambda release=None: opened.append(release) or open_release(release)
        )
        for _ in range(3):
            assert asking.recommend(ASKED) == before
        assert len(opened) == 1  # it will not become another one
        with pytest.raises(DamagedTitleTokenizer):
            Retriever(store)

        third = ingest(turned(demo_space), store).manifest.release
        assert asking.recommend(ASKED).release == third
    [warning] = caplog.messages
    assert f"release {first} goes on answering" in warning
    assert "title tokenizer" in warning


def lose(place: Place, release: str, collection: Collection) -> Callable[[], None]:
    """Take a collection away from a release. What is returned puts it back, on a server empty."""
    if isinstance(place, DirectoryPlace):
        shard = place.root / "releases" / release / collection
        aside = shard.with_name("aside")
        shard.rename(aside)

        def put_back() -> None:
            shutil.rmtree(shard, ignore_errors=True)
            aside.rename(shard)

        return put_back
    name = f"{place.prefix}_{collection}__{release}"
    with place.client() as client:
        assert client.delete_collection(name)

    def make_anew() -> None:
        params = models.VectorParams(size=16, distance=models.Distance.COSINE)
        with place.client() as client:
            client.create_collection(name, {"w2v": params})

    return make_anew


def test_a_release_that_lacks_a_collection_is_taken_up_once_it_is_there(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Until then the previous release answers, and what is wrong is said once."""
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    by_song = PlaylistQuery(songs=(1, 2))
    with place.open() as reading, place.open() as writing:
        first = ingest(demo_space, writing).manifest.release
        asking = Retriever(reading)
        before = asking.recommend(by_song)
        second = ingest(turned(demo_space), writing).manifest.release
        put_back = lose(place, second, Collection.WORDS)
        for _ in range(3):
            now[0] += live.REFRESH_SECONDS + 0.1
            assert asking.recommend(by_song) == before
        now[0] += live.RETRY_SECONDS
        assert asking.recommend(by_song) == before
        [warning] = caplog.messages
        assert f"release {first} goes on answering" in warning

        put_back()
        now[0] += live.REFRESH_SECONDS + 0.1
        assert asking.recommend(by_song) == before  # it is not time yet
        now[0] += live.RETRY_SECONDS
        assert asking.recommend(by_song).release == second
    assert len(caplog.messages) == 1


def test_a_retriever_that_starts_asks_only_for_the_collections_that_it_needs(
    place: Place, demo_space: EmbeddingSpace
):
    with place.open() as reading, place.open() as writing:
        release = ingest(demo_space, writing).manifest.release
        lose(place, release, Collection.WORDS)
        asking = Retriever(reading)
        assert asking.recommend(PlaylistQuery(songs=(1, 2))).songs
        with pytest.raises(MelonError):
            asking.recommend(ASKED)


def test_a_live_release_that_cannot_be_named_is_no_reason_to_stop(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Somebody damaged the file or the alias that names it."""
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    with place.open() as store:
        release = ingest(demo_space, store).manifest.release
        asking = Retriever(store)
        before = asking.recommend(ASKED)
        if isinstance(place, DirectoryPlace):
            (place.root / "live").write_bytes(b"\xff")
        else:
            alias, other = f"{place.prefix}_songs", f"{place.prefix}_other"
            params = models.VectorParams(size=2, distance=models.Distance.COSINE)
            with place.client() as client:
                client.create_collection(other, params)
                client.update_collection_aliases(
                    [
                        models.DeleteAliasOperation(
                            delete_alias=models.DeleteAlias(alias_name=alias)
                        ),
                        models.CreateAliasOperation(
                            create_alias=models.CreateAlias(alias_name=alias, collection_name=other)
                        ),
                    ]
                )
        for _ in range(3):
            assert asking.recommend(ASKED) == before
        if not isinstance(place, DirectoryPlace):
            with place.client() as client:
                client.delete_collection(other)  # and its alias, which melon would not move
        store.promote(release)
        assert asking.recommend(ASKED) == before
    assert len(caplog.messages) == 1


def test_threads_may_share_a_retriever(demo_store: VectorStore):
    """Each begins with empty caches, and they fill them for each other."""
    queries = [PlaylistQuery(songs=(song, song + 1)) for song in range(0, 24, 2)]
    alone = [Retriever(demo_store).recommend(query) for query in queries]
    shared = Retriever(demo_store)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shared.recommend, queries)) == alone


def test_each_release_is_answered_by_the_strategy_that_suits_it(
    place: Place, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    """What nobody names follows the live release; what somebody names does not."""
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)

    def ranked_by(strategy: str) -> EmbeddingSpace:
        return replace(demo_space, ranking=Ranking(strategy=strategy, questions=50))

    with place.open() as store:
        ingest(demo_space, store)
        asking, by_vote = Retriever(store), Retriever(store, strategy="vote")
        assert asking.strategy == asking.recommend(ASKED).strategy == DEFAULT_STRATEGY
        ingest(ranked_by("mean"), store)
        [answer] = asking.recommend_many([ASKED])
        assert answer.strategy == asking.strategy == "mean"
        assert answer == asking.recommend(ASKED, strategy="mean")
        assert asking.rank_many([ASKED]) == asking.rank_many([ASKED], strategy="mean")
        assert by_vote.recommend(ASKED).strategy == by_vote.strategy == "vote"
        later = ingest(ranked_by("magic"), store).manifest.release
        with pytest.raises(UnknownStrategy, match="'magic'") as refused:
            asking.recommend(ASKED)
        assert refused.value.where == f"release {later}"
        assert asking.recommend(ASKED, strategy="mean").release == later


def test_what_a_strategy_needs_a_release_may_lack(
    demo_store: VectorStore, monkeypatch: pytest.MonkeyPatch
):
    asking = Retriever(demo_store)
    before = asking.strategies
    assert DEFAULT_STRATEGY in before

    def make(_: RetrievalSettings, manifest: ReleaseManifest) -> Strategy:
        raise UnknownStrategy("nothing was learned", where=f"release {manifest.release}")

    monkeypatch.setitem(STRATEGIES, "needy", make)  # type: ignore[misc]
    assert asking.strategies == before
    with pytest.raises(UnknownStrategy, match="nothing was learned") as refused:
        asking.recommend(ASKED, strategy="needy")
    assert refused.value.where == f"release {asking.release}"


def test_an_answer_never_mixes_two_releases(
    place: Place, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    with place.open() as reading, place.open() as writing:
        second = ingest(turned(demo_space), writing).manifest.release
        first = ingest(demo_space, writing).manifest.release
        asking = Retriever(reading)
        expected = asking.recommend(ASKED, strategy="hybrid")
        assert expected.release == first

        class PromotedMeanwhile(HybridStrategy):
            """The other release goes live after the seeds were looked up in this one."""

            def __call__(
                self, reader: ReleaseReader, queries: Sequence[ResolvedQuery]
            ) -> list[Answer]:
                writing.promote(second)
                return super().__call__(reader, queries)

        monkeypatch.setitem(  # type: ignore[misc]
            STRATEGIES, "hybrid", lambda settings, _: PromotedMeanwhile(settings)
        )
        assert asking.recommend(ASKED, strategy="hybrid") == expected
        assert asking.recommend(ASKED, strategy="hybrid").release == second
