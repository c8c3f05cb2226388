"""The search for settings: it gains on questions that it has not seen, and repeats nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from evaluation_samples import HeldOut

from melon.catalog import Playlist
from melon.evaluation import (
    BadJournal,
    BadQuestions,
    Journal,
    LeakedQuestions,
    SearchOutcome,
    Stage,
    Tuned,
    evaluate,
    tune,
)
from melon.evaluation.tuning import tune as tuning
from melon.evaluation.tuning.cache import ResponseCachingReader
from melon.evaluation.tuning.journal import Trial
from melon.evaluation.tuning.questions import Group, Sample, draw_sample
from melon.evaluation.tuning.space import SPACE, value_at
from melon.retrieval import QueryKind, RetrievalSettings, Retriever
from melon.retrieval.reader import CachingReader
from melon.store import ReleaseReader, VectorStore
from melon.store.embedded import EmbeddedStore

BAD_HOPS = {
    "song_weight": 1,
    "song_discount": -0.1,
    "tag_weight": 0.1,
    "tag_discount": 0.75,
    "word_weight": 1,
    "word_discount": 0,
    "playlists": 5,
    "power": 0.1,
    "candidate_discount": -0.9,
}
FEW_HOPS = {"power", "candidate_discount", "playlists"}
BAD_FUSION = {"weight": 0.0, "power": 1}


def everywhere(part: dict[str, Any]) -> dict[str, Any]:
    return {f"from_{kind}": {"to_songs": part, "to_tags": part} for kind in QueryKind}


BAD = RetrievalSettings.model_validate(
    RetrievalSettings.default().model_dump()
    | {"neighbours": everywhere(BAD_HOPS), "hybrid": everywhere(BAD_FUSION)}
)


@pytest.fixture(scope="module")
def store(held_out: HeldOut) -> Iterator[VectorStore]:
    with EmbeddedStore(held_out.store) as opened:
        yield opened


@pytest.fixture(scope="module")
def retriever(store: VectorStore) -> Retriever:
    return Retriever(store, settings=BAD)


FEW_PARAMETERS = {
    Stage.NEIGHBOURS: {
        target: [parameter for parameter in parameters if parameter.path in FEW_HOPS]
        for target, parameters in SPACE[Stage.NEIGHBOURS].items()
    },
    Stage.HYBRID: SPACE[Stage.HYBRID],
}


def tuned(retriever: Retriever, held_out: HeldOut, out: Path, **options: Any) -> Tuned:
    """A search of a few settings on half of at most thirty questions of a kind."""
    with Journal(journal_of(out)) as journal:
        return tune(
            retriever,
            held_out.pairs,
            out,
            journal=journal,
            **{"stages": list(FEW_PARAMETERS), "space": FEW_PARAMETERS, "most": 30} | options,
        )


def journal_of(out: Path) -> Path:
    return out.with_suffix(".trials.jsonl")


def trials_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal_of(out).read_text().splitlines()]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tuned") / "retrieval.json"


@pytest.fixture(scope="module")
def done(retriever: Retriever, held_out: HeldOut, out: Path) -> Tuned:
    """A whole search of the hops and the fusion."""
    return tuned(retriever, held_out, out)


def test_bad_settings_get_better_on_questions_that_were_not_searched_on(done: Tuned):
    assert [pair.after.strategy for pair in done.held_back] == ["neighbours", "hybrid"]
    for pair in done.held_back:
        assert pair.after.quality.score > 1.03 * pair.before.quality.score, pair.after.strategy


def test_how_long_a_question_takes_is_not_said_of_answers_from_memory(done: Tuned):
    for pair in done.to_json()["held_back"]:
        assert pair["before"]["ms_per_question"] is pair["after"]["ms_per_question"] is None


def test_every_search_ends_no_worse_than_it_starts(done: Tuned):
    assert all(search.finished for search in done.searches)
    assert all(search.best >= search.start for search in done.searches)
    hops = [s for s in done.searches if s.stage is Stage.NEIGHBOURS]
    assert {(s.kind, s.target) for s in hops} >= {
        (QueryKind.SONGS, "songs"),
        (QueryKind.TAGS, "tags"),
    }
    assert sum(s.best > s.start for s in hops) > len(hops) / 2


def test_what_is_not_searched_stays(done: Tuned):
    assert done.settings.dense == BAD.dense
    assert done.settings.neighbours != BAD.neighbours


def test_the_file_holds_what_was_found(done: Tuned, out: Path):
    assert RetrievalSettings.load(out) == done.settings


def test_the_journal_holds_each_trial_once(done: Tuned, out: Path):
    trials = [(t["search"], t["settings"]) for t in trials_of(out)]
    assert len(trials) == len(set(trials))
    for search in done.searches:
        assert sum(name == search.name for name, _ in trials) >= search.trials


def test_the_same_search_again_measures_nothing(
    done: Tuned, out: Path, retriever: Retriever, held_out: HeldOut
):
    before = journal_of(out).read_bytes()
    again = tuned(retriever, held_out, out)
    assert journal_of(out).read_bytes() == before
    assert [search.remembered for search in again.searches] == [s.trials for s in done.searches]
    assert again.settings == done.settings


def test_other_questions_are_measured_anew(
    out: Path, done: Tuned, retriever: Retriever, held_out: HeldOut, tmp_path: Path
):
    copy = tmp_path / out.name
    journal_of(copy).write_bytes(journal_of(out).read_bytes())
    again = tuned(retriever, held_out, copy, stages=[Stage.HYBRID], seed=1, budget=0)
    # of a handful of questions, all may be drawn again, and in the same order
    searches = [search for search in again.searches if search.questions > 5]
    assert searches
    assert all(search.remembered == 0 for search in searches)


def test_a_search_that_is_stopped_goes_on_where_it_was(
    done: Tuned, out: Path, retriever: Retriever, held_out: HeldOut, tmp_path: Path
):
    """Stopped twice, it makes the trials of one that was not, each once, and finds the same."""
    target = tmp_path / "retrieval.json"
    best = []
    trials = sum(search.trials for search in done.searches)
    for most in (trials // 3, trials - 1):
        with pytest.raises(KeyboardInterrupt):
            tuned(retriever, held_out, target, progress=stop_after(most))
        best.append(RetrievalSettings.load(target))
    assert best[0] != BAD
    assert best[1] != best[0]
    finished = tuned(retriever, held_out, target)
    assert finished.settings == done.settings == RetrievalSettings.load(target)
    assert trials_of(target) == trials_of(out)


def stop_after(most: int):
    made = 0

    def progress(search: str, done: int, total: int | None) -> None:
        nonlocal made
        made += 1
        if made > most:
            raise KeyboardInterrupt

    return progress


def test_without_time_each_search_measures_where_it_starts(
    retriever: Retriever, held_out: HeldOut, tmp_path: Path
):
    seen: list[SearchOutcome] = []
    result = tuned(retriever, held_out, tmp_path / "retrieval.json", budget=0, searched=seen.append)
    assert seen == result.searches
    assert {search.trials for search in seen} == {1}
    assert not any(search.finished for search in seen)
    assert result.settings == BAD


def test_progress_goes_on_to_the_end(retriever: Retriever, held_out: HeldOut, tmp_path: Path):
    seen: dict[str, tuple[int, int | None]] = {}

    def progress(step: str, done: int, total: int | None) -> None:
        seen[step] = (done, total)

    result = tuned(retriever, held_out, tmp_path / "retrieval.json", budget=0, progress=progress)
    for pair in result.held_back:
        whole = (pair.after.quality.questions,) * 2
        assert seen[f"{pair.before.strategy}, before"] == whole
        assert seen[f"{pair.after.strategy}, after"] == whole


def test_what_is_found_is_compared_with_the_reference(
    retriever: Retriever, held_out: HeldOut, tmp_path: Path
):
    default = RetrievalSettings.default()
    result = tuned(retriever, held_out, tmp_path / "retrieval.json", budget=0, reference=default)
    sample = draw_sample(retriever, held_out.pairs, most=30, seed=0)
    for pair in result.held_back:
        strategy = pair.before.strategy
        for card, settings in ((pair.before, default), (pair.after, BAD)):
            own = evaluate(retriever.with_settings(settings), sample.held_back, strategy=strategy)
            assert card.quality == own.quality


def test_answers_are_kept_as_the_engine_gives_them(
    retriever: Retriever, held_out: HeldOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What a retriever caches besides is its own, and is not kept twice."""
    wrapped: list[ReleaseReader] = []

    def keeping(reader: ReleaseReader) -> ResponseCachingReader:
        wrapped.append(reader)
        return ResponseCachingReader(reader)

    monkeypatch.setattr(tuning, "ResponseCachingReader", keeping)
    tuned(retriever, held_out, tmp_path / "retrieval.json", budget=0)
    [engine] = wrapped
    assert not isinstance(engine, CachingReader)
    assert engine.manifest == retriever.reader.manifest


def test_the_score_of_a_group_is_the_official_one(retriever: Retriever, held_out: HeldOut):
    sample = draw_sample(retriever, held_out.pairs, most=1000, seed=0)
    for given in (QueryKind.SONGS_AND_TEXT, QueryKind.TITLE):
        pairs = sample.search[given]
        card = evaluate(retriever, pairs, strategy="neighbours").quality
        for target, figure in (("songs", card.song_ndcg), ("tags", card.tag_ndcg)):
            score = Group(given, target, pairs, retriever).score(retriever, "neighbours")
            assert score == pytest.approx(figure, abs=1e-12)


def test_no_playlist_is_in_both_halves(retriever: Retriever, held_out: HeldOut):
    sample = draw_sample(retriever, held_out.pairs, most=20, seed=3)
    searched = [q.id for pairs in sample.search.values() for q, _ in pairs]
    held_back = [q.id for q, _ in sample.held_back]
    assert len({*searched, *held_back}) == len(searched) + len(held_back)
    assert all(question.id == answer.id for question, answer in sample.held_back)
    assert len(sample.search[QueryKind.SONGS]) == 10
    again = draw_sample(retriever, held_out.pairs, most=20, seed=3)
    assert again == sample
    other = draw_sample(retriever, held_out.pairs, most=20, seed=4)
    assert other != sample


def test_what_was_ever_searched_on_is_never_reported_on(retriever: Retriever, held_out: HeldOut):
    """Whatever the number and the seed, and the order of the questions."""
    searched, held_back = set[int](), set[int]()
    for most, seed in product((2, 7, 20, 1000), (0, 1, 2)):
        for pairs in (held_out.pairs, held_out.pairs[::-1]):
            sample = draw_sample(retriever, pairs, most=most, seed=seed)
            searched |= searched_on(sample)
            held_back |= reported_on(sample)
    assert not searched & held_back


def test_more_questions_hold_the_fewer(retriever: Retriever, held_out: HeldOut):
    few, more = (draw_sample(retriever, held_out.pairs, most=most, seed=5) for most in (7, 20))
    assert searched_on(few) < searched_on(more)
    assert reported_on(few) < reported_on(more)
    for given in QueryKind:
        assert len(few.search[given]) == 4


def searched_on(sample: Sample) -> set[int]:
    return {question.id for pairs in sample.search.values() for question, _ in pairs}


def reported_on(sample: Sample) -> set[int]:
    return {question.id for question, _ in sample.held_back}


def test_questions_that_nothing_is_known_of_are_left_out(retriever: Retriever, held_out: HeldOut):
    blank = Playlist(10**6, None, (10**7,), (), 0, None)
    hidden = replace(blank, songs=(1,))
    without = draw_sample(retriever, held_out.pairs, most=1000, seed=0)
    sample = draw_sample(retriever, [*held_out.pairs, (blank, hidden)], most=1000, seed=0)
    assert sample.unknown == without.unknown + 1
    assert blank.id not in {q.id for q, _ in sample.held_back}


def test_questions_whose_answers_were_trained_on_are_refused(
    retriever: Retriever, held_out: HeldOut, store: VectorStore, tmp_path: Path
):
    """One question of a playlist that the store holds whole is enough."""
    [known, *_] = store.open().find("playlists", None, 1)
    songs, tags = known.payload["songs"], known.payload["tags"]
    leaked = Playlist(int(known.id), None, tuple(songs[:1]), (), 0, None)
    answer = replace(leaked, songs=tuple(songs[1:]), tags=tuple(tags))
    out = tmp_path / "retrieval.json"
    with pytest.raises(LeakedQuestions, match=f"1 of .* playlist {known.id}"):
        tune(
            retriever,
            [*held_out.pairs, (leaked, answer)],
            out,
            journal=Journal(journal_of(out)),
        )
    assert not out.exists()


def test_a_playlist_that_was_trained_on_with_its_parts_blanked_is_no_leak(
    retriever: Retriever, held_out: HeldOut, store: VectorStore
):
    [known, *_] = store.open().find("playlists", None, 1)
    held = set(known.payload["songs"])
    question = Playlist(int(known.id), None, tuple(known.payload["songs"]), (), 0, None)
    answer = replace(question, songs=tuple({*range(1, 60)} - held))
    sample = draw_sample(retriever, [*held_out.pairs, (question, answer)], most=1000, seed=0)
    drawn = [q.id for pairs in sample.search.values() for q, _ in pairs]
    assert question.id in {*drawn, *(q.id for q, _ in sample.held_back)}


def test_one_question_cannot_be_halved(retriever: Retriever, held_out: HeldOut):
    with pytest.raises(BadQuestions, match="two"):
        draw_sample(retriever, held_out.pairs[:1], most=10, seed=0)


def test_questions_that_cannot_be_searched_on_are_refused_before_the_search(
    retriever: Retriever, tmp_path: Path
):
    """Where the store knows nothing of any, and where nothing is hidden."""
    blank = Playlist(10**6, None, (10**7,), (), 0, None)
    pairs = [(replace(blank, id=id), replace(blank, id=id, songs=(1,))) for id in range(4)]
    with pytest.raises(BadQuestions, match="knows nothing of any of 4 questions"):
        draw_sample(retriever, pairs, most=10, seed=0)
    bare = [
        (replace(question, songs=(1,)), replace(answer, songs=())) for question, answer in pairs
    ]
    with pytest.raises(BadQuestions, match="hide neither songs nor tags"):
        draw_sample(retriever, bare, most=10, seed=0)


def test_the_line_that_was_cut_off_is_all_that_is_measured_again(
    done: Tuned, out: Path, tmp_path: Path, retriever: Retriever, held_out: HeldOut
):
    copy = tmp_path / out.name
    journal_of(copy).write_bytes(journal_of(out).read_bytes()[:-30])
    tuned(retriever, held_out, copy)
    assert trials_of(copy) == trials_of(out)  # none was made again, which would add a line


def test_a_damaged_line_is_all_that_is_measured_again(
    done: Tuned, out: Path, tmp_path: Path, retriever: Retriever, held_out: HeldOut
):
    copy = tmp_path / out.name
    first, second, *others = journal_of(out).read_bytes().splitlines(keepends=True)
    journal_of(copy).write_bytes(b"".join([first, second[:20] + b"\xff\n", *others]))
    with Journal(journal_of(copy)) as journal:
        assert (len(journal), journal.damaged) == (len(others) + 1, 1)
    tuned(retriever, held_out, copy)
    assert journal_of(copy).read_bytes().splitlines(keepends=True)[2:] == [*others, second]


@pytest.mark.parametrize("content", ['{"score": 1}\nand more', "no line break", '{"score": 1}'])
def test_a_journal_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: str):
    path = tmp_path / "trials.jsonl"
    path.write_text(content)
    with pytest.raises(BadJournal, match="line 1"):
        Journal(path)
    assert path.read_text() == content


@pytest.mark.parametrize("half", ['{"sea', '{"search":"title/songs/hybrid","questio'])
def test_half_a_trial_is_no_journal_of_something_else(tmp_path: Path, half: str):
    path = tmp_path / "trials.jsonl"
    path.write_text(half)
    assert len(Journal(path)) == 0
    assert path.read_text() == ""


def test_a_journal_is_begun_anew_with_its_first_trial(tmp_path: Path):
    path = tmp_path / "trials.jsonl"
    path.write_text("of something else\n")
    trial = Trial(search="title/songs/hybrid", questions="q", settings="s", values={}, score=0.5)
    with Journal(path, fresh=True) as journal:
        assert (len(journal), journal.damaged) == (0, 0)
        assert path.read_text() == "of something else\n"
        for _ in range(2):
            journal.add(trial)
    assert path.read_text() == 2 * (trial.model_dump_json() + "\n")


def test_what_makes_hybrid_worse_is_not_taken_up(
    retriever: Retriever, held_out: HeldOut, tmp_path: Path
):
    default = retriever.with_settings(RetrievalSettings.default())
    result = tuned(default, held_out, tmp_path / "retrieval.json", stages=[Stage.NEIGHBOURS])
    assert result.unchanged
    after = default.with_settings(result.settings)
    sample = draw_sample(default, held_out.pairs, most=30, seed=0)
    for search in result.searches:
        group = Group(search.kind, search.target, sample.search[search.kind], default)
        path = group.path(Stage.NEIGHBOURS)
        assert group.score(after, "hybrid") >= group.score(default, "hybrid")
        if str(group) in result.unchanged:
            assert search.best > search.start
            assert value_at(result.settings, path) == value_at(default.settings, path)
