"""Fitting a network that orders candidates, from questions of which the answers are known.

The loss is listwise: cross-entropy between the softmax of the scores of a question's candidates
and the same share of 1 for each that is hidden in it (Cao et al., *Learning to rank: from
pairwise approach to listwise approach*, 2007, doi:10.1145/1273496.1273513). It is minimised by
Adam (Kingma and Ba 2015, arXiv:1412.6980) with the weight decay apart from the gradient
(Loshchilov and Hutter 2019, arXiv:1711.05101).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.progress import Progress, ignore
from melon.ranking import CLIP, SLOPE, Network

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

HIDDEN = 24
"""Hidden units of one network."""

MEMBERS = 3
"""Networks that learn from two thirds of the questions each; together they are better."""

BATCH = 16
"""Questions a step."""

DRAWN = 400
"""Candidates of a question that a step looks at."""

RATE = 3e-3
"""Of learning, at the beginning; it falls to 0 along a half cosine."""

DECAY = 0.1
"""Of the weights each step, as a share of the rate."""

SEEN, LEAST_EPOCHS, MOST_EPOCHS = 60_000, 5, 80
"""Questions that a network looks at in all, and how often it looks at each."""

MOMENTUM, SQUARES, EPSILON = 0.9, 0.99, 1e-8
"""What Adam keeps of its running means of gradients and of their squares, and its least root."""

LEAST_SPREAD = 1e-6
"""An input that varies less than this tells nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The candidates of one question, and which of them it hides.

    Attributes:
        ids: (n,) of the candidates.
        inputs: (n, k) float32, NaN where an input is not known.
        base: (n,) what they are ordered by where nothing is learned.
        hits: (n,) bool, whether a candidate is hidden in the question's playlist.
        hidden: how many are hidden in it, candidates or not.
    """

    ids: NDArray[np.generic]
    inputs: Floats
    base: NDArray[np.floating[Any]]
    hits: NDArray[np.bool_]
    hidden: int

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Networks that were fitted to the same questions, but each to none of its own part.

    Attributes:
        members: number m did not learn from the questions whose number modulo `MEMBERS` is m.
        joined: all of them as one, which gives the mean of their scores.
    """

    members: tuple[Network, ...]
    joined: Network

    def scores(self, number: int, question: Question) -> Floats:
        """(n,) of a question's candidates, by the member that did not learn from it."""
        return self.members[number % MEMBERS].score(question.inputs)


def fit(
    questions: Sequence[Question],
    features: Sequence[str],
    base: str,
    seed: int,
    progress: Progress = ignore,
) -> Fitted | None:
    """Fit networks to the questions that have a hidden candidate.

    Each begins as the order by one input. The fewer questions there are, the more often each is
    looked at: `SEEN` questions are, but none more than `MOST_EPOCHS` times.

    Args:
        questions: with the same k inputs each.
        features: the names of the inputs.
        base: of which each network begins as the order.
        seed: of what is drawn; the same seed gives the same networks.
        progress: told of the step `fit`, in questions.

    Returns:
        The networks, or None where one of them has no question to learn from.
    """
    numbers = [number for number, one in enumerate(questions) if one.hits.any()]
    parts = np.array(numbers, np.int64) % MEMBERS
    rows = [np.flatnonzero(parts != member) for member in range(MEMBERS)]
    if not all(map(len, rows)):
        return None
    candidates = _Candidates.of([questions[number] for number in numbers])
    epochs = [min(max(SEEN // len(some), LEAST_EPOCHS), MOST_EPOCHS) for some in rows]
    ends = np.cumsum([count * len(some) for count, some in zip(epochs, rows, strict=True)]).tolist()
    fitted = []
    for member, (count, some) in enumerate(zip(epochs, rows, strict=True)):

        def tell(done: int, before: int = ends[member] - count * len(some)) -> None:
            progress("fit", before + done, ends[-1])

        rng = np.random.default_rng([seed, member])
        fitted.append(_fit_one(candidates, some, list(features).index(base), count, rng, tell))

    def network(members: Sequence[_Weights]) -> Network:
        return Network.of(
            features,
            center=candidates.center,
            scale=candidates.scale,
            linear=np.mean([member.linear for member in members], axis=0),
            hidden=np.concatenate([member.hidden.T for member in members]),
            hidden_bias=np.concatenate([member.bias for member in members]),
            output=np.concatenate([one.output / np.float32(len(members)) for one in members]),
        )

    return Fitted(tuple(network([member]) for member in fitted), network(fitted))


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """The candidates of all questions, one question after the other.

    Attributes:
        x: (n, k) float32, the inputs as the network sees them.
        hits: (n,) float32, 1 for those that are hidden.
        offsets: (questions + 1,) where each question's begin.
        center: (k,) of the inputs.
        scale: (k,) likewise.
    """

    x: Floats
    hits: Floats
    offsets: Ints
    center: Floats
    scale: Floats

    @classmethod
    def of(cls, questions: Sequence[Question]) -> _Candidates:
        x = np.concatenate([question.inputs for question in questions])
        unknown = np.isnan(x)
        counts = np.maximum(len(x) - unknown.sum(axis=0), 1)
        x[unknown] = 0
        center = (x.sum(axis=0, dtype=np.float64) / counts).astype(np.float32)
        x -= center
        x[unknown] = 0
        spread = np.sqrt(np.einsum("ij,ij->j", x, x, dtype=np.float64) / counts)
        scale = np.where(spread > LEAST_SPREAD, spread, 1).astype(np.float32)
        x /= scale
        np.clip(x, -CLIP, CLIP, out=x)
        return cls(
            x=x,
            hits=np.concatenate([question.hits for question in questions]).astype(np.float32),
            offsets=np.cumsum([0, *(len(question.hits) for question in questions)]),
            center=center,
            scale=scale,
        )

    @property
    def varying(self) -> NDArray[np.bool_]:
        """(k,) bool: which inputs are not the same everywhere."""
        return np.asarray(self.x.any(axis=0))

    def batch(self, chosen: Ints, rng: np.random.Generator) -> tuple[Floats, Floats, Ints, Ints]:
        """The inputs and hits of some questions, where each begins in them, and its length.

        Of a question's candidates some are drawn, whether or not they are hits.
        """
        rows = [self._drawn(question, rng) for question in chosen.tolist()]
        lengths = np.array([len(part) for part in rows])
        drawn = np.concatenate(rows)
        return self.x[drawn], self.hits[drawn], np.cumsum(lengths) - lengths, lengths

    def _drawn(self, question: int, rng: np.random.Generator) -> Ints:
        begin, end = self.offsets[question], self.offsets[question + 1]
        if end - begin <= DRAWN:
            return np.arange(begin, end)
        drawn: Ints = begin + rng.choice(end - begin, DRAWN, replace=False, shuffle=False)
        return drawn


@dataclass(slots=True, eq=False)
class _Weights:
    """Of one network: `linear` (k,), `hidden` (k, h), `bias` (h,), `output` (h,), float32."""

    linear: Floats
    hidden: Floats
    bias: Floats
    output: Floats

    @classmethod
    def drawn(cls, varying: NDArray[np.bool_], base: int, rng: np.random.Generator) -> _Weights:
        """Little beside a weight of 1 for the input that the network begins with.

        An input that does not vary has no weight, whatever it is elsewhere.
        """
        inputs = len(varying)
        linear = rng.normal(0, 0.01, inputs) * varying
        linear[base] = 1
        hidden = rng.normal(0, 1 / np.sqrt(inputs), (inputs, HIDDEN)) * varying[:, None]
        output = rng.normal(0, 0.1 / np.sqrt(HIDDEN), HIDDEN)
        parts = (linear, hidden, np.zeros(HIDDEN), output)
        return cls(*(part.astype(np.float32) for part in parts))

    @property
    def all(self) -> tuple[Floats, ...]:
        return (self.linear, self.hidden, self.bias, self.output)

    def gradients(self, x: Floats, hits: Floats, begins: Ints, lengths: Ints) -> list[Floats]:
        """Of the loss of a batch, each question with the root of its hits as its weight."""
        units = x @ self.hidden + self.bias
        active = np.maximum(units, SLOPE * units)
        scores = x @ self.linear + active @ self.output
        scores -= np.repeat(np.maximum.reduceat(scores, begins), lengths)
        shares = np.exp(scores)
        shares /= np.repeat(np.add.reduceat(shares, begins), lengths)
        found = np.add.reduceat(hits, begins)
        shares -= hits / np.repeat(np.maximum(found, 1), lengths)
        shares *= np.repeat(np.sqrt(found) / np.float32(len(begins)), lengths)
        slopes = np.where(units > 0, np.float32(1), SLOPE) * np.outer(shares, self.output)
        return [x.T @ shares, x.T @ slopes, slopes.sum(axis=0), shares @ active]


def _fit_one(
    candidates: _Candidates,
    rows: Ints,
    base: int,
    epochs: int,
    rng: np.random.Generator,
    tell: Callable[[int], None],
) -> _Weights:
    """Fit one network to some of the questions; `tell` is told how many it has seen."""
    questions = len(rows)
    weights = _Weights.drawn(candidates.varying, base, rng)
    means = [np.zeros_like(part) for part in weights.all]
    squares = [np.zeros_like(part) for part in weights.all]
    steps = epochs * -(-questions // BATCH)
    step = 0
    for epoch in range(epochs):
        order = rng.permutation(rows)
        for begin in range(0, questions, BATCH):
            step += 1
            rate = np.float32(RATE * (1 + np.cos(np.pi * step / steps)) / 2)
            gradients = weights.gradients(*candidates.batch(order[begin : begin + BATCH], rng))
            for part, gradient, mean, square in zip(
                weights.all, gradients, means, squares, strict=True
            ):
                mean += (1 - MOMENTUM) * (gradient - mean)
                square += (1 - SQUARES) * (gradient**2 - square)
                root = np.sqrt(square / (1 - SQUARES**step)) + EPSILON
                change = mean / (1 - MOMENTUM**step) / root + DECAY * part
                part -= rate * change.astype(np.float32)
            tell(epoch * questions + min(begin + BATCH, questions))
    return weights
