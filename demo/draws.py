"""Weighted random draws for the demo corpus, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.floating]


def choose(weights: Sequence[float] | Floats, count: int, rng: np.random.Generator) -> Ints:
    """Draw `count` indices, each with a probability proportional to its weight."""
    cumulated = np.cumsum(weights)
    drawn: Ints = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], "right")
    return drawn.clip(max=len(cumulated) - 1)


class Pools:
    """Members of numbered groups; each draw is limited to a range of the groups.

    Args:
        group: (members,) the group of each member.
        weight: (members,) proportional to the probability of each within any range.
    """

    def __init__(self, group: Ints, weight: Floats) -> None:
        members = np.flatnonzero(weight)
        if not len(members):
            raise ValueError("no member has a weight")
        self._members = members[np.argsort(group[members], kind="stable")]
        self._groups = group[self._members]
        self._cumulated = np.concatenate([[0.0], np.cumsum(weight[self._members])])

    def draw(self, first: Ints, end: Ints, rng: np.random.Generator) -> Ints:
        """Draw one member from each range of groups `first..end-1`; from all if it is empty."""
        low = np.searchsorted(self._groups, first)
        high = np.searchsorted(self._groups, end)
        empty = low == high
        low[empty], high[empty] = 0, len(self._members)
        bottom, top = self._cumulated[low], self._cumulated[high]
        at = bottom + rng.random(len(low)) * (top - bottom)
        drawn = np.searchsorted(self._cumulated, at, "right") - 1
        members: Ints = self._members[drawn.clip(low, high - 1)]
        return members
