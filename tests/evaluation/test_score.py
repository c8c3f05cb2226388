"""Scorecards: the official score, by kind of question, from hand-made results."""

from __future__ import annotations

import random
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
from evaluation_samples import FIRST_FILLER, playlist, result
from hypothesis import given
from hypothesis import strategies as st

from melon.commands.scorecards import COLUMNS, rows
from melon.evaluation import (
    KINDS,
    BadQuestions,
    BadResults,
    Result,
    compared,
    kind_of,
    paired,
    score,
)

ANSWERS = [
    playlist(1, songs=[10, 11], tags=["rain"]),
    playlist(2, songs=[20], tags=["run", "night"]),
    playlist(3, songs=[30], tags=["jazz"]),
    playlist(4, songs=[10], tags=["rain"]),
]
QUESTIONS = [
    playlist(4, title="rainy day"),
    playlist(1, songs=[1]),
    playlist(3, tags=["x"], title="jazz"),
    playlist(2, songs=[2], tags=["y"]),
]
RESULTS = [
    result(2, songs={1: 20}, tags={0: "run", 1: "night"}),  # song 1/log2(3), tags 1
    result(1, songs={0: 11, 1: 10}),  # songs 1, tags 0
    result(4, tags={3: "rain"}),  # songs 0, tags log 2 / log 5
    result(3, songs={0: 30}, tags={0: "jazz"}),  # 1, 1
]
SECOND, FOURTH = log(2) / log(3), log(2) / log(5)


def test_the_score_is_the_official_one() -> None:
    card = score(RESULTS, ANSWERS)
    song, tag = (1 + SECOND + 1 + 0) / 4, (0 + 1 + 1 + FOURTH) / 4
    assert card.quality.song_ndcg == pytest.approx(song)
    assert card.quality.tag_ndcg == pytest.approx(tag)
    assert card.quality.score == pytest.approx(0.85 * song + 0.15 * tag)
    assert card.quality.questions == 4
    assert card.by_kind == {}
    assert card.beyond_accuracy is None


def test_kinds_are_told_apart_and_come_in_the_challenges_order() -> None:
    card = score(RESULTS, ANSWERS, QUESTIONS)
    assert tuple(card.by_kind) == KINDS
    ndcgs = {kind: (q.song_ndcg, q.tag_ndcg) for kind, q in card.by_kind.items()}
    expected = {
        "songs": (1, 0),
        "songs+tags": (SECOND, 1),
        "tags+title": (1, 1),
        "title": (0, FOURTH),
    }
    for kind, figures in expected.items():
        assert ndcgs[kind] == pytest.approx(figures), kind


def test_recall_and_r_precision_are_of_the_same_lists() -> None:
    quality = score(RESULTS, ANSWERS).quality
    assert quality.song_recall == pytest.approx((1 + 1 + 1 + 0) / 4)
    assert quality.song_r_precision == pytest.approx((1 + 0 + 1 + 0) / 4)
    assert quality.tag_recall == pytest.approx((0 + 1 + 1 + 1) / 4)
    assert quality.tag_r_precision == pytest.approx((0 + 1 + 1 + 0) / 4)


def test_the_standard_error_is_that_of_the_playlists_scores() -> None:
    one_tag = playlist(5, tags=["rain"])  # hides no song: it has no score
    results, answers = [*RESULTS, result(5)], [*ANSWERS, one_tag]
    questions = [*QUESTIONS, playlist(5, songs=[1])]
    card = score(results, answers, questions)
    scores = [0.85, 0.85 * SECOND + 0.15, 1, 0.15 * FOURTH]
    expected = np.std(scores, ddof=1) / np.sqrt(len(scores))
    assert card.quality.score_standard_error == pytest.approx(expected)
    assert card.to_json()["score_standard_error"] == round(expected, 6)
    assert all(quality.score_standard_error is None for quality in card.by_kind.values())
    [overall, *_] = rows([card])
    assert overall[[*COLUMNS].index("±>")] == f"{expected:.4f}"


def test_what_questions_add_has_the_score_for_a_mean() -> None:
    """Whether they hide songs, tags or both, and where no answer hides tags at all."""
    results, answers = [*RESULTS, result(5)], [*ANSWERS, playlist(5, tags=["rain"])]
    card = score(results, answers)
    assert card.worth == pytest.approx(card.quality.score)
    songs_alone = [playlist(one.id, songs=one.songs) for one in ANSWERS]
    card = score(RESULTS, songs_alone)
    assert (card.quality.score, card.worth) == (None, pytest.approx(card.quality.song_ndcg))
    assert score(RESULTS, [playlist(one.id) for one in ANSWERS]).worth == 0


def test_strategies_are_compared_question_by_question() -> None:
    """A difference is surer than the scores are, for questions are hard or easy for all."""
    worse = [RESULTS[0], result(1, songs={1: 11, 2: 10}), *RESULTS[2:]]
    cards = [
        replace(score(results, ANSWERS, QUESTIONS), strategy=name)
        for name, results in (("worse", worse), ("best", RESULTS), ("same", RESULTS))
    ]
    best, same, last = compared(cards)
    assert [best.strategy, same.strategy, last.strategy] == ["best", "same", "worse"]
    assert [best.difference, same.difference] == [0, 0]
    assert last.difference == pytest.approx(last.worth - best.worth)
    lost = 0.85 * (1 - (1 / log(3) + 1 / log(4)) / (1 / log(2) + 1 / log(3)))
    assert last.difference == pytest.approx(-lost / 4)
    assert last.difference_standard_error == pytest.approx(np.std([lost, 0, 0, 0], ddof=1) / 2)
    assert last.difference_standard_error < (last.quality.score_standard_error or 0)
    assert last.to_json()["difference"] == round(-lost / 4, 6)
    for default in ("best", "same"):
        alike = [replace(card, default=card.strategy == default) for card in (best, same)]
        assert compared(alike)[0].strategy == default, "the default first of those that are alike"
    alone = compared([score(RESULTS[:1], ANSWERS[1:2])] * 2)
    assert [card.difference_standard_error for card in alone] == [None, None]


def test_the_json_is_the_documented_one() -> None:
    card = replace(score(RESULTS, ANSWERS, QUESTIONS), strategy="mean", ms_per_question=1.23456)
    printed = card.to_json()
    documented = {
        "strategy",
        "questions",
        "song_ndcg",
        "tag_ndcg",
        "score",
        "by_kind",
        "ms_per_question",
    }
    assert documented <= set(printed)
    assert printed["strategy"] == "mean"
    assert printed["ms_per_question"] == 1.235
    assert documented - {"strategy", "by_kind", "ms_per_question"} <= set(
        printed["by_kind"]["songs+tags"]
    )
    assert printed["song_coverage"] is None


def test_the_table_has_a_row_for_all_questions_and_one_for_each_kind() -> None:
    table = rows([replace(score(RESULTS, ANSWERS, QUESTIONS), strategy="mean", ms_per_question=2)])
    assert [row[:3] for row in table] == [
        ("mean", "all", "4"),
        (None, "songs", "1"),
        (None, "songs+tags", "1"),
        (None, "tags+title", "1"),
        (None, "title", "1"),
    ]
    assert {len(row) for row in table} == {len(COLUMNS)}


def test_what_hides_no_song_does_not_count_for_songs() -> None:
    answers = [playlist(1, songs=[10], tags=["rain"]), playlist(2, tags=["run"])]
    results = [result(1, songs={0: 10}), result(2, tags={0: "run"})]
    quality = score(results, answers).quality
    assert quality.song_ndcg == 1
    assert quality.tag_ndcg == 0.5
    assert score(results[1:], answers[1:]).quality.song_ndcg is None
    assert score(results[1:], answers[1:]).to_json()["score"] is None


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        (RESULTS[:3], "the results lack playlists of the answers: 1, such as 3"),
        ([*RESULTS, result(9)], "the results hold playlists that the answers do not: 1, such as 9"),
    ],
)
def test_results_of_other_playlists_are_rejected(results, reason: str) -> None:
    with pytest.raises(BadResults, match=reason) as caught:
        score(results, ANSWERS)
    assert caught.value.exit_code == 2


def test_questions_of_other_playlists_are_rejected() -> None:
    with pytest.raises(BadQuestions, match="the questions lack playlists of the answers: 1"):
        score(RESULTS, ANSWERS, QUESTIONS[1:])
    with pytest.raises(BadQuestions, match="the questions hold playlists that the answers do not"):
        paired(QUESTIONS, ANSWERS[1:])


def test_questions_are_paired_with_their_own_answers_in_their_own_order() -> None:
    pairs = paired(QUESTIONS, ANSWERS[::-1])
    assert [question for question, _ in pairs] == QUESTIONS
    assert all(question.id == answer.id for question, answer in pairs)


@pytest.mark.parametrize("given", [{"songs": [7, 8]}, {"tags": ["b", "a"]}])
def test_questions_that_give_what_is_hidden_are_rejected(given: dict[str, Any]) -> None:
    whole = playlist(9, songs=[8], tags=["a"])
    question = playlist(9, **given, title="rain")
    with pytest.raises(BadQuestions, match=r"1 of 5 questions gives songs or tags .* playlist 9"):
        paired([*QUESTIONS, question], [*ANSWERS, whole])


def test_the_order_of_the_questions_does_not_matter() -> None:
    assert score(RESULTS, ANSWERS, QUESTIONS[::-1]) == score(RESULTS, ANSWERS, QUESTIONS)


def test_the_kind_of_a_question_is_what_it_gives() -> None:
    assert [kind_of(question) for question in QUESTIONS] == [
        "title",
        "songs",
        "tags+title",
        "songs+tags",
    ]
    assert kind_of(playlist()) == "nothing"
    assert kind_of(playlist(songs=[1], tags=["a"], title="b")) == "songs+tags+title"


hidden = st.lists(st.integers(0, 150), min_size=1, max_size=100, unique=True)
hidden_tags = st.lists(
    st.sampled_from([f"tag {n}" for n in range(14)]), min_size=1, max_size=10, unique=True
)


@given(songs=hidden, tags=hidden_tags)
def test_the_perfect_answer_scores_one(songs: list[int], tags: list[str]) -> None:
    perfect = result(1, songs=dict(enumerate(songs)), tags=dict(enumerate(tags)))
    quality = score([perfect], [playlist(1, songs=songs, tags=tags)]).quality
    assert quality.score == pytest.approx(1)
    assert quality.song_recall == quality.tag_recall == 1
    assert quality.song_r_precision == quality.tag_r_precision == 1


@given(songs=hidden, seed=st.integers(0, 99))
def test_the_score_does_not_depend_on_any_order_but_that_of_a_list(
    songs: list[int], seed: int
) -> None:
    rng = random.Random(seed)
    ranked = {rng.randrange(100): song for song in songs}
    ranked |= {rank: FIRST_FILLER + rank for rank in range(100) if rank not in ranked}
    results = [*RESULTS, result(5, songs=dict(sorted(ranked.items())))]
    answers = [*ANSWERS, playlist(5, songs=songs, tags=["miss 0"])]
    questions = [*QUESTIONS, playlist(5, title="any")]
    before = score(results, answers, questions)
    shuffled = [playlist(5, songs=rng.sample(songs, len(songs)), tags=["miss 0"]), *ANSWERS]
    for part in (results, shuffled, questions):
        rng.shuffle(part)
    after = score(results, shuffled, questions)
    assert after.quality.song_ndcg == pytest.approx(before.quality.song_ndcg)
    assert after.quality.tag_ndcg == pytest.approx(before.quality.tag_ndcg)
    for kind, quality in before.by_kind.items():
        assert after.by_kind[kind].score == pytest.approx(quality.score)


def test_one_question_has_a_kind_like_any_other() -> None:
    """Its name alone, where a library takes one label for a list of them."""
    question = playlist(songs=[1], tags=["a"])
    card = score([result(songs={0: 5})], [playlist(songs=[5], tags=["b"])], [question])
    assert card.by_kind == {"songs+tags": card.quality}
    assert list(card.to_json()["by_kind"]) == ["songs+tags"]


def test_lists_that_are_short_or_empty_miss_what_they_lack() -> None:
    answers = [playlist(1, songs=[5, 6]), playlist(2, songs=[7])]
    card = score([Result(1, (9, 5), ()), Result(2, (), ())], answers)
    whole = score([result(1, songs={1: 5}), result(2)], answers)
    assert card.quality == whole.quality
    assert (card.short_questions, whole.short_questions) == (2, 0)
