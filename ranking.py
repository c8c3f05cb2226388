"""A learned ranking, as data: small networks that order candidates, and what they were worth.

It is learned where a space is trained, and applied where a release answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.float32]

SLOPE = np.float32(0.05)
"""Of a hidden unit below zero."""

CLIP = np.float32(6)
"""An input counts at most as if it were so many scales from its center."""

DIGITS = 6
"""Significant digits that are kept of a weight."""

_Weights = tuple[float, ...]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Network(_Data):
    """Orders candidates by their inputs: a linear model, and one layer of hidden units beside it.

    With x = clip((inputs - center) / scale), between -6 and 6 and 0 where an input is unknown,
    a candidate's score is linear · x + Σ outputⱼ · leaky(hiddenⱼ · x + hidden_biasⱼ), and leaky(a)
    is a, or .05 a below zero. Scores order the candidates of one query, and mean nothing else.

    Attributes:
        features: the names of the k inputs, in their order.
        center: (k,) what is taken from each input.
        scale: (k,) what it is then divided by.
        linear: (k,) the weights of the linear model.
        hidden: of each hidden unit the weights (k,) of the inputs.
        hidden_bias: of each hidden unit what is added.
        output: of each hidden unit its weight in the score.
    """

    features: Annotated[tuple[str, ...], Field(min_length=1)]
    center: _Weights
    scale: _Weights
    linear: _Weights
    hidden: tuple[_Weights, ...] = ()
    hidden_bias: _Weights = ()
    output: _Weights = ()

    @classmethod
    def of(
        cls,
        features: Sequence[str],
        *,
        center: Floats,
        scale: Floats,
        linear: Floats,
        hidden: Floats,
        hidden_bias: Floats,
        output: Floats,
    ) -> Self:
        """A network of arrays, `hidden` (h, k); six significant digits are kept of each number."""
        return cls(
            features=tuple(features),
            center=_rounded(center),
            scale=_rounded(scale),
            linear=_rounded(linear),
            hidden=tuple(map(_rounded, hidden)),
            hidden_bias=_rounded(hidden_bias),
            output=_rounded(output),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        inputs, units = len(self.features), len(self.hidden)
        lengths = {
            "center": (self.center, inputs),
            "scale": (self.scale, inputs),
            "linear": (self.linear, inputs),
            "hidden_bias": (self.hidden_bias, units),
            "output": (self.output, units),
            **{f"hidden[{unit}]": (row, inputs) for unit, row in enumerate(self.hidden)},
        }
        for name, (values, expected) in lengths.items():
            if len(values) != expected:
                raise ValueError(f"{name} has {len(values)} numbers in place of {expected}")
        if len(set(self.features)) < inputs:
            raise ValueError("two features have one name")
        if not all(scale > 0 for scale in self.scale):
            raise ValueError("a scale is not above 0")
        return self

    def score(self, inputs: Floats) -> Floats:
        """The scores (n,) float32 of n candidates.

        Args:
            inputs: (n, k) float32, NaN where an input is not known.
        """
        center, scale, linear, hidden, bias, output = self._arrays
        x = np.clip((inputs - center) / scale, -CLIP, CLIP)
        x[np.isnan(x)] = 0
        scores: Floats = x @ linear
        if len(hidden):
            units = x @ hidden.T + bias
            scores += np.maximum(units, SLOPE * units) @ output
        return scores

    @cached_property
    def _arrays(self) -> tuple[Floats, ...]:
        parts = (
            *(self.center, self.scale, self.linear),
            *(self.hidden, self.hidden_bias, self.output),
        )
        return tuple(np.array(part, np.float32) for part in parts)


class Trial(_Data):
    """What a strategy was worth on questions of the catalogue itself.

    A strategy that was asked only some of them has the figures of the one that was chosen, and what
    it differed from that on those.

    Attributes:
        strategy: its name.
        song_ndcg: of the songs, if there are any to find.
        tag_ndcg: of the tags, likewise.
        score: of both, as `melon evaluate` has it.
        difference: this score less that of the strategy that was chosen.
        standard_error: of that difference, question by question.
    """

    strategy: str
    song_ndcg: float | None
    tag_ndcg: float | None
    score: float
    difference: float
    standard_error: float


LEARNED = "learned"
"""The strategy that ranks by the networks."""


class Ranking(_Data):
    """What was learned of how to rank a catalogue's songs and tags.

    Attributes:
        strategy: what answers where no strategy is asked for.
        questions: how many of the catalogue's playlists were asked; 0 where these are too few,
            too short or too unlike.
        trials: the strategies that were tried, best first.
        songs: orders songs, if that helps.
        tags: orders tags, likewise.
    """

    strategy: str
    questions: Annotated[int, Field(ge=0)]
    trials: tuple[Trial, ...] = ()
    songs: Network | None = None
    tags: Network | None = None

    @model_validator(mode="after")
    def _has_networks(self) -> Self:
        if self.strategy == LEARNED and self.songs is None and self.tags is None:
            raise ValueError(f"there is no network for the strategy {LEARNED!r}")
        return self


def _rounded(values: NDArray[Any]) -> _Weights:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values.tolist())
