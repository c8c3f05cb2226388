"""A learned ranking is data that is checked when it is read, and scores as its document says."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from melon.ranking import CLIP, Network, Ranking, Trial


def network(inputs: int = 3, units: int = 2, seed: int = 1) -> Network:
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Network.of(
        [f"input {number}" for number in range(inputs)],
        center=some(inputs),
        scale=abs(some(inputs)) + 0.1,
        linear=some(inputs),
        hidden=some(units, inputs),
        hidden_bias=some(units),
        output=some(units),
    )


def score_in_words(network: Network, inputs: list[float]) -> float:
    """The score of one candidate, as the document of `Network` has it, in plain Python."""
    x = []
    for value, center, scale in zip(inputs, network.center, network.scale, strict=True):
        x.append(0.0 if math.isnan(value) else max(-6.0, min(6.0, (value - center) / scale)))

    def dot(weights: tuple[float, ...]) -> float:
        return sum(weight * one for weight, one in zip(weights, x, strict=True))

    score = dot(network.linear)
    for row, bias, output in zip(network.hidden, network.hidden_bias, network.output, strict=True):
        unit = dot(row) + bias
        score += output * (unit if unit > 0 else 0.05 * unit)
    return score


def test_the_collections_document_says_where_inputs_are_cut():
    document = Path(__file__).parents[1] / "docs" / "collections.md"
    assert f"cut at −{CLIP:g} and {CLIP:g}" in " ".join(document.read_text().split())


@pytest.mark.parametrize("units", [0, 2, 24])
def test_a_network_scores_as_documented(units):
    one = network(5, units)
    inputs = np.random.default_rng(2).normal(0, 5, (40, 5)).astype(np.float32)
    inputs[3, 1] = np.nan
    before = inputs.copy()
    expected = [score_in_words(one, row) for row in inputs.tolist()]
    np.testing.assert_allclose(one.score(inputs), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(inputs, before)
    assert one.score(inputs).dtype == np.float32
    assert one.score(inputs[:0]).shape == (0,)


def test_a_ranking_comes_back_from_json_as_it_was():
    trial = Trial(
        strategy="learned",
        song_ndcg=0.4,
        tag_ndcg=None,
        score=0.4,
        difference=0.0,
        standard_error=0.0,
    )
    ranking = Ranking(strategy="learned", questions=12, trials=(trial,), songs=network())
    text = ranking.model_dump_json()
    assert Ranking.model_validate_json(text) == ranking
    assert len(json.loads(text)["songs"]["hidden"]) == 2


def test_six_digits_of_a_weight_are_kept():
    assert all(float(f"{weight:.6g}") == weight for weight in network(9).linear)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"center": [1, 2]}, "center has 2 numbers in place of 3"),
        ({"hidden": [[1, 2, 3], [1, 2]]}, r"hidden\[1\] has 2 numbers in place of 3"),
        ({"output": [1]}, "output has 1 numbers in place of 2"),
        ({"scale": [1, 0, 1]}, "a scale is not above 0"),
        ({"features": ["a", "a", "b"]}, "two features have one name"),
        ({"features": []}, "at least 1 item"),
        ({"linear": [1, 2, math.nan]}, "finite number"),
        ({"linear": [1, 2, "three"]}, "valid number"),
        ({"layers": 3}, "Extra inputs are not permitted"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        Network.model_validate(network().model_dump(mode="json") | changes)


def test_a_release_cannot_rank_by_a_network_that_is_not_there():
    with pytest.raises(ValidationError, match="no network"):
        Ranking(strategy="learned", questions=100)
