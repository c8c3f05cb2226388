"""A network is fitted to what its questions hide, and to nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from melon.learning.network import DRAWN, MEMBERS, Question, fit
from melon.ranking import Network

FEATURES = ("score", "good", "noise", "constant", "gap")


def question(rng: np.random.Generator, size: int = 60, hidden: int = 5) -> Question:
    """What is hidden is good, where `good` is known and not too large; `score` says little."""
    inputs = rng.normal(size=(size, len(FEATURES))).astype(np.float32)
    inputs[:, 3] = 7
    good = inputs[:, 1] * (inputs[:, 1] < 1.5)
    best = np.argsort(-(good + 0.3 * inputs[:, 0] + 0.3 * rng.normal(size=size)))[:hidden]
    hits = np.zeros(size, np.bool_)
    hits[best] = True
    inputs[rng.random(size) < 0.3, 4] = np.nan
    return Question(np.arange(size), inputs, inputs[:, 0], hits, hidden)


def questions(count: int, seed: int, **shape: int) -> list[Question]:
    rng = np.random.default_rng(seed)
    return [question(rng, **shape) for _ in range(count)]


def precision(scores: np.ndarray, asked: Question) -> float:
    return float(asked.hits[np.argsort(-scores)[: asked.hidden]].mean())


def joined(asked: list[Question], seed: int = 1) -> Network:
    fitted = fit(asked, FEATURES, "score", seed)
    assert fitted is not None
    return fitted.joined


@pytest.mark.parametrize("size", [60, DRAWN + 200])
def test_it_learns_what_is_planted_and_a_line_could_not_say(size):
    network = joined(questions(150, seed=1, size=size))
    others = questions(60, seed=2, size=size)
    learned, base = (
        np.mean([precision(one, asked) for one, asked in zip(scores, others, strict=True)])
        for scores in (
            [network.score(asked.inputs) for asked in others],
            [asked.base for asked in others],
        )
    )
    assert learned > 2 * base


def test_an_input_that_did_not_vary_has_no_say():
    network = joined(questions(20, seed=1))
    asked = questions(1, seed=2)[0].inputs
    scores = network.score(asked)
    asked[:, 3] = 1e6
    np.testing.assert_array_equal(network.score(asked), scores)


def test_the_same_seed_fits_the_same_network():
    one, same, other = (joined(questions(30, seed=1), seed) for seed in (1, 1, 2))
    assert one == same != other


def test_questions_that_found_nothing_are_none():
    empty = Question(
        np.arange(3), np.ones((3, 5), np.float32), np.ones(3), np.zeros(3, np.bool_), 4
    )
    assert fit([empty], FEATURES, "score", seed=1) is None
    some = questions(20, seed=1)
    assert joined([*some, empty]) == joined(some)


def test_progress_ends_where_it_said_that_it_would():
    told: list[tuple[str, int, int | None]] = []
    fit(questions(20, seed=1), FEATURES, "score", 1, lambda *step: told.append(step))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1] == told[-1][2]


def test_a_question_is_ranked_by_the_network_that_did_not_learn_from_it():
    """What a question hides has no say in its own scores, though it has in those of others."""
    asked = questions(12, seed=1)
    changed = [*asked[:4], questions(1, seed=2)[0], *asked[5:]]
    changed[4] = replace(asked[4], hits=changed[4].hits)
    one, other = (fit(some, FEATURES, "score", seed=1) for some in (asked, changed))
    assert one is not None
    assert other is not None
    same = [
        np.array_equal(one.scores(number, asked[number]), other.scores(number, asked[number]))
        for number in range(MEMBERS * 2)
    ]
    assert same == [number % MEMBERS == 4 % MEMBERS for number in range(MEMBERS * 2)]
    means = np.mean([member.score(asked[0].inputs) for member in one.members], axis=0)
    np.testing.assert_allclose(one.joined.score(asked[0].inputs), means, rtol=1e-3, atol=1e-4)
