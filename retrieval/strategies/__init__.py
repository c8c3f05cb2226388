"""The ways to find candidates: by neighbours, in the co-embedding, and by both together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategies.dense import DenseStrategy
from melon.retrieval.strategies.hops import NeighbourStrategy
from melon.retrieval.strategies.hybrid import HybridStrategy
from melon.retrieval.strategies.probes import ProbeKind
from melon.retrieval.strategies.ranking import Strategy

__all__ = ["DEFAULT_STRATEGY", "STRATEGIES"]

STRATEGIES: Mapping[str, Callable[[RetrievalSettings], Strategy]] = {
    HybridStrategy.name: HybridStrategy,
    NeighbourStrategy.name: NeighbourStrategy,
    **{kind.value: partial(DenseStrategy, probe_kind=kind) for kind in ProbeKind},
}
"""The strategies by their names."""

DEFAULT_STRATEGY = HybridStrategy.name
