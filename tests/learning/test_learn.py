"""A ranking is learned where the catalogue has something to teach, and taken where it is better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melon.catalog import Playlist, find_corpus, write_playlists
from melon.demo import DemoScale, make_demo
from melon.embedding import EmbeddingSpace, read_catalogue, training_settings
from melon.ingest import ingest
from melon.learning import learn, learn_ranking, network, rehearsal, train_corpus
from melon.learning.learn import LEAST_PLAYLISTS
from melon.learning.trials import Trials
from melon.ranking import LEARNED, Ranking
from melon.retrieval import SONG_INPUTS, TAG_INPUTS, PlaylistQuery, Retriever
from melon.store import VectorStore

SETTINGS = training_settings(dim=16, epochs=4, window=5, title_pieces=64, workers=1, seed=1)
SCALE = DemoScale(playlists=150, songs=500, tags=60, songs_per_playlist=12)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Networks look at fewer questions than they would, which is enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "SEEN", 3_000)
        patch.setattr(network, "MOST_EPOCHS", 20)
        yield


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def trained(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> EmbeddingSpace:
    home = tmp_path_factory.mktemp("trained")
    make_demo(home / "corpus", scale=SCALE)

    def progress(step: str, *_: object) -> None:
        steps.append(step)

    return train_corpus([home / "corpus"], home / "space", SETTINGS, progress=progress)


@pytest.fixture(scope="module")
def ranking(trained: EmbeddingSpace) -> Ranking:
    assert trained.ranking is not None
    return trained.ranking


def invented(count: int, seed: int = 1) -> list[Playlist]:
    """Playlists that each hold songs of one of three groups, and a tag that names it."""
    rng = np.random.default_rng(seed)
    return [
        Playlist(
            id=number,
            title=None,
            songs=tuple((40 * (number % 3) + rng.permutation(40)[:8]).tolist()),
            tags=(f"group {number % 3}",),
            like_count=None,
            updated=None,
        )
        for number in range(count)
    ]


def corpus_of(playlists: list[Playlist], home: Path) -> Path:
    home.mkdir()
    write_playlists(home / "train.json", playlists)
    return home


def test_what_the_demo_teaches_is_worth_more_than_any_plain_strategy(ranking):
    assert ranking.strategy == LEARNED
    assert ranking.questions == 150
    assert {trial.strategy for trial in ranking.trials} == {
        *(LEARNED, "hybrid", "neighbours", "mean", "vote", "cluster")
    }
    best, second, *_ = ranking.trials
    assert (best.strategy, best.difference, best.standard_error) == (LEARNED, 0, 0)
    assert second.difference < -2 * second.standard_error < 0
    assert [trial.score for trial in ranking.trials] == sorted(
        (trial.score for trial in ranking.trials), reverse=True
    )
    assert ranking.songs.features == tuple(SONG_INPUTS)
    assert ranking.tags is None or ranking.tags.features == tuple(TAG_INPUTS)


def test_every_step_is_told(ranking, steps):
    told = list(dict.fromkeys(steps))
    first = told.index("rehearsal 1/5: titles")
    assert told[first - 1] == "vectors"
    parts = ("rehearsal 2/5: epoch 4/4", "rehearsal 3/5: vote", "rehearsal 5/5: questions")
    assert set(parts) <= set(told)
    assert told[-1] == "fit"


def test_where_one_rehearsal_is_enough_it_takes_half_of_the_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rehearsal, "QUESTIONS", 12)
    catalogue = read_catalogue(find_corpus([corpus_of(invented(60), tmp_path / "corpus")]))
    told: list[str] = []
    learn_ranking(catalogue, SETTINGS, lambda step, *_: told.append(step))
    assert "rehearsal 1/1: epoch 2/2" in told


def test_the_same_catalogue_and_seed_teach_the_same_to_the_byte(tmp_path):
    catalogue = read_catalogue(find_corpus([corpus_of(invented(60), tmp_path / "corpus")]))
    one, again = (learn_ranking(catalogue, SETTINGS).model_dump_json() for _ in range(2))
    assert one == again
    other = learn_ranking(catalogue, SETTINGS.model_copy(update={"seed": 2}))
    assert other.model_dump_json() != one


def test_of_few_playlists_nothing_is_learned(tmp_path):
    few = corpus_of(invented(LEAST_PLAYLISTS - 1), tmp_path / "corpus")
    assert learn_ranking(read_catalogue(find_corpus([few])), SETTINGS) == Ranking(
        strategy="hybrid", questions=0
    )


def test_where_playlists_have_nothing_in_common_nothing_is_learned(tmp_path):
    alone = [
        replace(one, songs=tuple(range(10 * one.id, 10 * one.id + 5)), tags=(f"tag {one.id}",))
        for one in invented(60)
    ]
    settings = training_settings(dim=4, epochs=1, title_pieces=16, min_count=2)
    catalogue = read_catalogue(find_corpus([corpus_of(alone, tmp_path / "corpus")]))
    assert learn_ranking(catalogue, settings).questions == 0


def test_a_catalogue_of_songs_alone_is_scored_by_songs(tmp_path):
    bare = [replace(one, tags=()) for one in invented(LEAST_PLAYLISTS)]
    catalogue = read_catalogue(find_corpus([corpus_of(bare, tmp_path / "corpus")]))
    learned = learn_ranking(catalogue, SETTINGS)
    assert learned.questions == LEAST_PLAYLISTS
    assert learned.tags is None
    for trial in learned.trials:
        assert trial.tag_ndcg is None
        assert trial.score == trial.song_ndcg > 0


def test_of_many_questions_only_the_best_plain_strategy_is_asked_all(tmp_path, monkeypatch):
    monkeypatch.setattr(learn, "TRIED", 20)
    catalogue = read_catalogue(find_corpus([corpus_of(invented(60), tmp_path / "corpus")]))
    steps: dict[str, set[int | None]] = {}
    learned = learn_ranking(
        catalogue, SETTINGS, lambda step, _, total: steps.setdefault(step, set()).add(total)
    )
    asked = [step.split(": ")[1] for step in steps if step.startswith("rehearsal 5/5")]
    plain = {"hybrid", "neighbours", "mean", "cluster", "vote"} & set(asked)
    assert len(plain) == 1
    [best] = plain
    tried = [trial.strategy for trial in learned.trials]
    assert len(tried) == 6
    assert learned.strategy in (best, LEARNED)
    assert learned.questions == 60


def test_a_strategy_is_better_only_by_more_than_noise():
    rng = np.random.default_rng(1)
    base = np.stack([rng.random(200), np.full(200, np.nan)], axis=1)
    noise = rng.normal(0, 0.1, base.shape)
    trials = Trials({"base": base, "alike": base + noise / 10, "better": base + 0.05 + noise})
    assert trials.best_first[0] == "better"
    assert trials.is_better("better", "base")
    assert not trials.is_better("alike", "base")
    assert not trials.is_better("base", "better")
    assert trials.best == "better", "no default was tried"
    assert Trials({"hybrid": base, "alike": base + 0.01 + noise}).best == "hybrid"
    assert Trials({"hybrid": base, "better": base + 0.05 + noise}).best == "better"
    beside = {trial.strategy: trial for trial in trials.beside("better")}
    assert beside["base"].difference == pytest.approx(-0.05, abs=0.02)
    assert beside["base"].standard_error == pytest.approx(0.1 / 200**0.5, rel=0.2)


def test_a_trained_space_answers_by_what_it_learned(trained: EmbeddingSpace, store: VectorStore):
    ingest(trained, store)
    with Retriever(store) as retriever:
        answer = retriever.recommend(PlaylistQuery(title="rainy day"))
        assert answer.strategy == retriever.strategy == LEARNED
        assert len(answer.songs) == 20


def test_a_strategy_that_answered_only_the_first_questions_can_be_compared():
    """The first ones may be the easier ones."""
    easy_first = np.array([[0.8, 0.9], [0.9, np.nan], [0.2, 0.3], [0.1, 0.2], [0.3, np.nan]])
    figures = {"vote": easy_first, "mean": easy_first[:2] - 0.1, "hybrid": easy_first - 0.2}
    best, second, third = Trials(figures).beside("vote")
    assert [best.strategy, second.strategy, third.strategy] == ["vote", "mean", "hybrid"]
    assert (best.song_ndcg, best.tag_ndcg) == pytest.approx((0.46, 1.4 / 3), abs=1e-6)
    for trial, less in ((second, 0.1), (third, 0.2)):
        assert trial.difference == pytest.approx(-less)
        assert trial.score == pytest.approx(best.score - less)
        assert trial.song_ndcg == pytest.approx(best.song_ndcg - less)
        assert trial.tag_ndcg == pytest.approx(best.tag_ndcg - less, abs=1e-6)


def test_an_interruption_leaves_nothing(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        train_corpus(
            [corpus_of(invented(60), tmp_path / "corpus")],
            tmp_path / "space",
            SETTINGS,
            progress=interrupt,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def interrupt(step: str, *_: object) -> None:
    if step.startswith("rehearsal 2"):
        raise KeyboardInterrupt
