"""Every question is answered as the challenge wants it, whatever the strategy leaves open."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from evaluation_samples import HeldOut, playlist

from melon.catalog import Playlist
from melon.demo import DemoTruth
from melon.evaluation import (
    POPULAR,
    SONGS,
    TAGS,
    Processes,
    Result,
    TooFewItems,
    WorkerEnded,
    evaluate,
    recommend,
)
from melon.evaluation import popular as popular_items
from melon.evaluation.popular import HEAD, PopularItems
from melon.evaluation.questions import read_questions
from melon.evaluation.workers import MANY_QUESTIONS
from melon.retrieval import STRATEGIES, Constraints, PlaylistQuery, Ranking, Retriever
from melon.store import Collection, NoRelease, VectorStore
from melon.store.embedded import EmbeddedStore
from melon.store.protocol import ForwardingReader

CATALOGUE = 500
STALLED = Path(__file__).with_name("stalled_recommend.py")


@pytest.fixture
def retriever(demo_store: VectorStore) -> Retriever:
    return Retriever(demo_store)


class Scripted(Retriever):
    """Answers with what it is told, and keeps what it was asked."""

    def __init__(self, store: VectorStore, ranking: Ranking) -> None:
        super().__init__(store)
        self.ranking = ranking
        self.asked: list[tuple[PlaylistQuery, Constraints | None]] = []

    def rank_many(self, queries, constraints=None, **options) -> list[Ranking]:
        self.asked += zip(queries, constraints, strict=True)
        return [self.ranking] * len(queries)


def check(results: Sequence[Result], questions: Sequence[Playlist]) -> None:
    assert [result.id for result in results] == [question.id for question in questions]
    for result, question in zip(results, questions, strict=True):
        assert len(result.songs) == len(set(result.songs)) == SONGS
        assert len(result.tags) == len(set(result.tags)) == TAGS
        assert not set(result.songs) & set(question.songs)
        assert not set(result.tags) & set(question.tags)


@pytest.mark.parametrize("strategy", [POPULAR, *STRATEGIES])
def test_lists_are_whole_and_hold_no_seed_and_no_repeat(
    retriever: Retriever, demo_questions: list[Playlist], strategy: str
) -> None:
    unknown = playlist(9_999, songs=[10**9], tags=["nobody wears this"], title="ΩΩΩ")
    questions = [*demo_questions, playlist(10_000), unknown]
    check(list(recommend(retriever, questions, strategy=strategy)), questions)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_answers_do_not_depend_on_how_many_are_asked_together(
    retriever: Retriever, demo_questions: list[Playlist], strategy: str
) -> None:
    some = demo_questions[:16]
    alone, few, all_at_once = (
        list(recommend(retriever, some, strategy=strategy, batch=batch)) for batch in (1, 7, 1000)
    )
    assert alone == few == all_at_once


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rankings_are_recommendations_without_what_is_shown(
    retriever: Retriever, demo_questions: list[Playlist], strategy: str
) -> None:
    some = demo_questions[:16]
    queries = [PlaylistQuery(songs=q.songs, tags=q.tags, title=q.title) for q in some]
    shown = retriever.recommend_many(queries, limit=30, tag_limit=5, strategy=strategy)
    assert retriever.rank_many(queries, limit=30, tag_limit=5, strategy=strategy) == [
        Ranking(tuple(s.id for s in one.songs), tuple(t.tag for t in one.tags)) for one in shown
    ]


def test_of_questions_asked_alone_never_more_than_one_is_under_way(demo_store: VectorStore) -> None:
    retriever = Scripted(demo_store, Ranking((), ()))
    questions = [playlist(number) for number in range(10)]
    for taken, _ in enumerate(recommend(retriever, questions, batch=1), 1):
        assert len(retriever.asked) == taken


class Counting(ForwardingReader):
    """Counts the records that are asked of a real reader."""

    retrieved = 0

    def retrieve(self, collection, ids, **options):
        self.retrieved += len(ids)
        return super().retrieve(collection, ids, **options)


def test_an_evaluation_has_nothing_at_hand_from_the_one_before(
    retriever: Retriever, demo_questions: list[Playlist]
) -> None:
    """Else the time of a question would depend on which strategy was asked first."""
    counting = Counting(retriever.engine_reader)
    pairs = [(question, playlist(question.id, songs=[10**6])) for question in demo_questions]
    asked, retrieved = retriever.with_reader(counting), [0]
    for _ in range(2):
        evaluate(asked, pairs, batch=1)
        retrieved.append(counting.retrieved)
    before, first, second = retrieved
    assert second - first == first - before > 0


def test_progress_reaches_the_total(retriever: Retriever, demo_questions: list[Playlist]) -> None:
    seen: list[tuple[str, int, int | None]] = []
    asked = demo_questions[:10]
    list(recommend(retriever, asked, batch=4, progress=lambda *step: seen.append(step)))
    assert seen == [("hybrid", 4, 10), ("hybrid", 8, 10), ("hybrid", 10, 10)]


def test_a_question_passes_all_it_gives_and_its_id(demo_store: VectorStore) -> None:
    """The id keeps a playlist that training knew from being its own neighbour."""
    retriever = Scripted(demo_store, Ranking((), ()))
    list(recommend(retriever, [playlist(7, songs=[1], tags=["비"], title="rain")]))
    [(query, _)] = retriever.asked
    assert query == PlaylistQuery(songs=(1,), tags=("비",), title="rain", playlist=7)


def test_a_question_without_a_title_is_answered(retriever: Retriever, tmp_path: Path) -> None:
    """The challenge's files have "" for a title that is not given, and so may tags be blank."""
    path = tmp_path / "questions.json"
    asked = {"id": 1, "plylst_title": "", "songs": [3, 5], "tags": ["", "rain", " "]}
    path.write_text(json.dumps([asked, asked | {"id": 2, "plylst_title": " ", "songs": []}]))
    songs, tags = recommend(retriever, read_questions(path))
    assert len(songs.songs) == len(tags.songs) == 100


def test_what_is_short_is_filled_with_the_most_popular(demo_store: VectorStore) -> None:
    best = demo_store.open().top(Collection.SONGS, "popularity", 4)
    seed = int(best[1].id)
    retriever = Scripted(demo_store, Ranking((490, 491), ("drive",)))
    [result] = recommend(retriever, [playlist(songs=[seed])])
    assert result.songs[:2] == (490, 491)
    popularity = {
        record.id: record.payload["popularity"]
        for record in retriever.reader.retrieve(Collection.SONGS, list(result.songs))
    }
    filled = [popularity[song] for song in result.songs[2:]]
    assert filled == sorted(filled, reverse=True)
    assert filled[0] == best[0].payload["popularity"]
    assert seed not in result.songs
    assert result.tags[0] == "drive"


def test_filling_reaches_far_down_the_catalogue(demo_store: VectorStore) -> None:
    reader = demo_store.open()
    ranked = reader.top(Collection.SONGS, "popularity", CATALOGUE)
    taken = [int(record.id) for record in ranked[: HEAD + 50]]
    filled = PopularItems(reader).fill_songs((), SONGS, without=taken, until=None)
    assert not set(filled) & set(taken)


@pytest.mark.parametrize("until", [None, date(2014, 6, 1)])
def test_songs_in_equally_many_playlists_are_in_the_order_of_their_ids(
    demo_store: VectorStore, until: date | None
) -> None:
    reader = demo_store.open()
    issued = Constraints(until=until).to_filter(reader.manifest.genres)
    found = {
        int(record.id): record.payload["popularity"]
        for record in reader.find(Collection.SONGS, issued, CATALOGUE)
    }
    order = sorted(found, key=lambda song: (-found[song], song))
    popular = PopularItems(reader)
    for length in (SONGS, len(order)):
        filled = popular.fill_songs((), length, without=(), until=until)
        assert filled == tuple(order[:length])


def test_tags_in_equally_many_playlists_are_in_the_order_of_their_ids(
    demo_store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(popular_items, "HEAD", 7)
    reader = demo_store.open()
    found = {
        str(record.id): (record.payload["popularity"], record.payload["tag"])
        for record in reader.find(Collection.TAGS, None, CATALOGUE)
    }
    order = sorted(found, key=lambda point: (-found[point][0], point))
    filled = PopularItems(reader).fill_tags((), len(order), without=())
    assert filled == tuple(found[point][1] for point in order)


def test_a_list_is_shorter_where_the_store_holds_no_more(demo_store: VectorStore) -> None:
    """Whatever the dates, where dates alone would not make it short."""
    held = demo_store.open().manifest.counts[Collection.SONGS]
    stored = [int(song.id) for song in demo_store.open().find(Collection.SONGS, None, CATALOGUE)]
    few = playlist(33, songs=stored[: held - SONGS + 1], updated=datetime(2100, 1, 1))
    for until_playlist in (False, True):
        whole, short = recommend(
            Retriever(demo_store),
            [playlist(1), few],
            strategy=POPULAR,
            until_playlist=until_playlist,
        )
        assert len(whole.songs) == SONGS
        assert len(short.songs) < SONGS
        assert not set(short.songs) & set(few.songs)
        assert len(short.tags) == TAGS


def test_a_seed_in_another_spelling_is_no_filling(demo_store: VectorStore) -> None:
    popular = PopularItems(demo_store.open())
    first = popular.fill_tags((), TAGS, without=())
    shouted = [f" {tag.upper()} " for tag in first]
    assert not set(popular.fill_tags((), TAGS, without=shouted)) & set(first)


@pytest.mark.parametrize("strategy", [POPULAR, *STRATEGIES])
def test_until_playlist_recommends_nothing_younger_and_nothing_of_unknown_date(
    retriever: Retriever, demo_questions: list[Playlist], strategy: str
) -> None:
    days = [datetime(2012, 6, 1), datetime(2016, 1, 1, 23, 30), None]
    questions = [
        replace(question, updated=days[i % 3]) for i, question in enumerate(demo_questions)
    ]
    results = list(recommend(retriever, questions, strategy=strategy, until_playlist=True))
    check(results, questions)
    dates = {
        record.id: record.payload.get("issue_date")
        for record in retriever.reader.find(Collection.SONGS, None, CATALOGUE)
    }
    undated = 0
    for result, question in zip(results, questions, strict=True):
        issued = [dates[song] for song in result.songs]
        if question.updated is None:
            undated += issued.count(None)
        else:
            assert None not in issued
            assert max(issued) <= question.updated.isoformat()
    assert undated > 0  # there are such songs, and elsewhere they may come


def test_a_playlist_older_than_the_songs_is_an_error_before_any_answer(
    demo_store: VectorStore,
) -> None:
    retriever = Scripted(demo_store, Ranking((), ()))
    questions = [playlist(1), playlist(2, updated=datetime(1950, 1, 1))]
    with pytest.raises(TooFewItems, match=r"question 2: .*issued by 1950-01-01"):
        list(recommend(retriever, questions, until_playlist=True))
    assert retriever.asked == []


def test_the_demo_truth_is_not_needed_to_beat_popularity(
    retriever: Retriever, demo_questions: list[Playlist], demo_truth: DemoTruth
) -> None:
    """Songs of the playlist's mood are far more frequent than in what is popular."""

    def share(strategy: str) -> float:
        results = list(recommend(retriever, demo_questions, strategy=strategy))
        same = sum(
            demo_truth.song_mood[song] == demo_truth.playlist_mood[result.id]
            for result in results
            for song in result.songs[:20]
        )
        return same / (20 * len(results))

    assert share("mean") > 2 * share(POPULAR)


def test_several_processes_give_the_same_answers(
    held_out: HeldOut, capfd: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedStore(held_out.store) as store:
        retriever = Retriever(store)
        opened = partial(open_again, held_out.store, retriever.release)
        alone, together = (
            list(recommend(retriever, held_out.questions, batch=9, **options))
            for options in ({}, {"processes": Processes(opened, 2)})
        )
    assert alone == together
    assert not capfd.readouterr().err


def open_again(path: Path, release: str) -> Retriever:
    return Retriever(EmbeddedStore(path), release=release)


def killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_what_is_popular_takes_no_other_process(held_out: HeldOut) -> None:
    with EmbeddedStore(held_out.store) as store:
        alone, together = (
            list(recommend(Retriever(store), held_out.questions, strategy=POPULAR, **options))
            for options in ({}, {"processes": Processes(killed, 2)})
        )
    assert alone == together


def test_a_worker_that_is_killed_is_said_to_have_ended(held_out: HeldOut) -> None:
    with EmbeddedStore(held_out.store) as store:
        results = recommend(Retriever(store), held_out.questions, processes=Processes(killed, 2))
        with pytest.raises(WorkerEnded, match="fewer --processes"):
            list(results)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("system", sorted({"other", sys.platform}))
def test_workers_end_with_a_process_that_is_killed(held_out: HeldOut, system: str) -> None:
    """Else they would run for ever, and whoever reads what it says would wait as long."""
    process = subprocess.Popen(
        [sys.executable, str(STALLED), held_out.store, held_out.questions_file, system],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout
        said = process.stdout.readline()
        process.kill()
        try:
            _, errors = process.communicate(timeout=60)  # nobody holds the streams open any more
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert said == "stalled\n", errors
    assert "Traceback" not in errors


def test_what_a_worker_cannot_open_is_said_as_by_this_process(
    held_out: HeldOut, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedStore(held_out.store) as store:
        opened = partial(open_again, tmp_path / "absent", "r1")
        results = recommend(Retriever(store), held_out.questions, processes=Processes(opened, 2))
        with pytest.raises(NoRelease, match=r"there is no store in .*absent") as caught:
            list(results)
    assert caught.value.hint
    assert not capfd.readouterr().err


def test_processes_end_when_no_more_is_wanted(held_out: HeldOut) -> None:
    with EmbeddedStore(held_out.store) as store:
        retriever = Retriever(store)
        opened = partial(open_again, held_out.store, retriever.release)
        results = recommend(retriever, held_out.questions, batch=2, processes=Processes(opened, 2))
        assert next(results).id == held_out.questions[0].id
        results.close()
    assert not multiprocessing.active_children()


def test_many_questions_are_for_all_processors_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_retriever() -> Retriever:
        raise AssertionError

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    as_many_as_suit = Processes(no_retriever)
    assert as_many_as_suit.count_for(MANY_QUESTIONS - 1) == 1
    assert as_many_as_suit.count_for(MANY_QUESTIONS) == 2
    assert Processes(no_retriever, 3).count_for(MANY_QUESTIONS) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert as_many_as_suit.count_for(MANY_QUESTIONS) == 7
