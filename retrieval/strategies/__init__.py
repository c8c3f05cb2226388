"""How candidates are found: by neighbours, in the co-embedding, and by both together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategies.dense import ClusterStrategy, MeanStrategy, VoteStrategy
from melon.retrieval.strategies.hops import NeighbourStrategy
from melon.retrieval.strategies.hybrid import HybridStrategy
from melon.retrieval.strategies.ranking import Strategy

__all__ = ["DEFAULT_STRATEGY", "STRATEGIES"]

STRATEGIES: Mapping[str, Callable[[RetrievalSettings], Strategy]] = {
    strategy.name: strategy
    for strategy in (HybridStrategy, NeighbourStrategy, MeanStrategy, VoteStrategy, ClusterStrategy)
}
"""The strategies by their names."""

DEFAULT_STRATEGY = HybridStrategy.name
