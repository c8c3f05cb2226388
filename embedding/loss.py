"""The loss on a fixed sample of predictions.

The running loss of gensim is a float32 that stops growing after some ten million pairs and that
several workers overwrite for each other; this one is cheap, and the same whatever the threads do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.embedding.ragged import Ints, Ragged, Vectors
from melon.embedding.settings import TrainingSettings

_SAMPLES = 5_000


@dataclass(frozen=True, slots=True)
class LossSample:
    """Tokens, what each is to be predicted from, and tokens that noise would draw in its place.

    Attributes:
        inputs: for each sample, codes of other tokens of its bag: one for skip-gram, and for CBOW
            as many as a window holds.
        target: (samples,) codes.
        noise: (samples, negative) codes.
    """

    inputs: Ragged
    target: Ints
    noise: Ints

    @classmethod
    def draw(cls, bags: Ragged, settings: TrainingSettings) -> LossSample:
        """Draw the sample from bags that hold two tokens or more each."""
        rng = np.random.default_rng([settings.seed, 0])
        position = rng.integers(len(bags.values), size=_SAMPLES)
        row = np.searchsorted(bags.offsets, position, side="right") - 1
        begin, length = bags.offsets[row], bags.lengths[row]
        counts = np.bincount(bags.values)
        present = np.flatnonzero(counts)
        weights = counts[present].astype(np.float64) ** settings.ns_exponent
        noise = rng.choice(present, (_SAMPLES, settings.negative), p=weights / weights.sum())
        drawn = np.minimum(length - 1, 1 if settings.skip_gram else 2 * settings.window)
        sizes = zip((length - 1).tolist(), drawn.tolist(), strict=True)
        ahead = np.concatenate([rng.choice(n, k, replace=False, shuffle=False) for n, k in sizes])
        within = np.repeat(position - begin, drawn) + 1 + ahead
        context = np.repeat(begin, drawn) + within % np.repeat(length, drawn)
        inputs = Ragged.of_lengths(drawn, bags.values[context])
        return cls(inputs, bags.values[position], noise)

    def loss(self, model: Any, names: NDArray[np.object_]) -> float:
        """Mean of -log σ(target · input) - Σ log σ(-noise · input); inputs are averaged."""
        codes = np.unique(np.concatenate([self.inputs.values, self.target, self.noise.ravel()]))
        rows = np.zeros(len(names), np.int64)
        rows[codes] = [model.wv.key_to_index[name] for name in names[codes]]
        hidden = Ragged(self.inputs.offsets, rows[self.inputs.values]).sum_of(model.wv.vectors)
        hidden /= self.inputs.lengths[:, None]
        outward: Vectors = model.syn1neg
        near = np.einsum("sd,sd->s", hidden, outward[rows[self.target]])
        far = np.einsum("sd,snd->sn", hidden, outward[rows[self.noise]])
        return float(np.mean(np.logaddexp(0, -near) + np.logaddexp(0, far).sum(axis=1)))
