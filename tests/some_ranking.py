"""A ranking for tests that want one, whatever it is worth."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from melon.ranking import Network, Ranking
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS


def some_ranking() -> Ranking:
    """Networks that order mostly by the score, and a little by everything else."""
    rng = np.random.default_rng(0)
    return Ranking(
        strategy="hybrid", questions=0, songs=_drawn(SONG_INPUTS, rng), tags=_drawn(TAG_INPUTS, rng)
    )


def _drawn(inputs: Iterable[str], rng: np.random.Generator) -> Network:
    names = tuple(inputs)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.05, shape)

    return Network.of(
        names,
        center=np.zeros(len(names)),
        scale=np.ones(len(names)),
        linear=np.where(np.array(names) == "score", 1.0, drawn(len(names))),
        hidden=drawn(4, len(names)),
        hidden_bias=drawn(4),
        output=drawn(4),
    )
