"""The skip-gram loss on a fixed sample of pairs.

gensim's own running loss is a float32 that stops growing after some ten million pairs and that
several workers overwrite for each other; this one is cheap, and the same whatever the threads do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.embedding.ragged import Ints, Ragged, Vectors
from melon.embedding.settings import TrainingSettings

_PAIRS = 5_000


@dataclass(frozen=True, slots=True)
class PairSample:
    """Pairs of tokens that share a bag, and for each of them tokens that noise would draw.

    Attributes:
        centre: (pairs,) codes.
        context: (pairs,) codes, of the same bags.
        noise: (pairs, negative) codes.
    """

    centre: Ints
    context: Ints
    noise: Ints

    @classmethod
    def draw(cls, bags: Ragged, settings: TrainingSettings) -> PairSample:
        """Draw the sample from bags that hold two tokens or more each."""
        rng = np.random.default_rng([settings.seed, 0])
        place = rng.integers(len(bags.values), size=_PAIRS)
        row = np.searchsorted(bags.offsets, place, side="right") - 1
        begin, length = bags.offsets[row], bags.lengths[row]
        other = begin + (place - begin + rng.integers(1, length)) % length
        counts = np.bincount(bags.values)
        present = np.flatnonzero(counts)
        weights = counts[present].astype(np.float64) ** settings.ns_exponent
        noise = rng.choice(present, (_PAIRS, settings.negative), p=weights / weights.sum())
        return cls(bags.values[place], bags.values[other], noise)

    def loss(self, model: Any, names: NDArray[np.object_]) -> float:
        """Mean of -log σ(context · centre) - Σ log σ(-noise · centre) over the pairs."""
        rows = model.wv.key_to_index
        place = {int(code): rows[names[code]] for code in np.unique(self._codes())}
        look_up = np.vectorize(place.__getitem__, otypes=[np.int64])
        centre = model.wv.vectors[look_up(self.centre)]
        inward: Vectors = model.syn1neg
        near = np.einsum("pd,pd->p", centre, inward[look_up(self.context)])
        far = np.einsum("pd,pnd->pn", centre, inward[look_up(self.noise)])
        return float(np.mean(np.logaddexp(0, -near) + np.logaddexp(0, far).sum(axis=1)))

    def _codes(self) -> Ints:
        return np.concatenate([self.centre, self.context, self.noise.ravel()])
