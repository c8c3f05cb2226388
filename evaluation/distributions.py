"""How values are distributed, and how far two distributions, or two orders, are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 50
"""Equal parts of −1 to 1 into which similarities are counted."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Similarities (cosines): how many, and how they are distributed.

    `histogram` counts them in `BINS` equal parts of −1 to 1.
    """

    count: int
    mean: float
    standard_deviation: float
    p5: float
    median: float
    p95: float
    histogram: tuple[int, ...]

    @classmethod
    def of(cls, similarities: NDArray[Any]) -> Spread:
        """Of (n,) cosines, one at least."""
        low, middle, high = np.quantile(similarities, [0.05, 0.5, 0.95])
        counts, _ = np.histogram(np.clip(similarities, -1, 1), BINS, (-1, 1))
        return cls(
            len(similarities),
            float(similarities.mean(dtype=np.float64)),
            float(similarities.std(dtype=np.float64)),
            float(low),
            float(middle),
            float(high),
            tuple(counts.tolist()),
        )


def kl_divergence(counts: Sequence[int], others: Sequence[int]) -> float:
    """The Kullback-Leibler divergence of a distribution from another, in bits.

    D(P‖Q) = Σ p log₂(p / q) over the bins in which values were counted. Half a value is added to
    each bin, for which no bin is impossible: Krichevsky and Trofimov, *The performance of
    universal encoding*, 1981, doi:10.1109/TIT.1981.1056331. Kullback and Leibler, *On information
    and sufficiency*, 1951, doi:10.1214/aoms/1177729694.

    Args:
        counts: (bins,), how many values are in each.
        others: (bins,), likewise.
    """
    p, q = np.array(counts) + 0.5, np.array(others) + 0.5
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log2(p / q)).sum())


def skewness(occurrences: Doubles) -> float:
    """The third standardised moment of k-occurrences: above 0 where there are hubs, 0 without.

    E[(N − μ)³] / σ³; 0 where all are the same. Radovanović, Nanopoulos and Ivanović, *Hubs in
    space: popular nearest neighbors in high-dimensional data*, JMLR 11, 2010, 2487–2531.

    Args:
        occurrences: (n,), among the nearest of how many others each is.
    """
    apart = occurrences - occurrences.mean()
    deviation = float(np.sqrt((apart**2).mean()))
    return float((apart**3).mean()) / deviation**3 if deviation else 0.0


def rank_correlation(values: Doubles, others: Doubles) -> float | None:
    """Spearman's ρ of n pairs, −1..1; None where all values, or others, are the same.

    Spearman, *The proof and measurement of association between two things*, 1904,
    doi:10.2307/1412159.

    Args:
        values: (n,); equal ones share the mean of their ranks.
        others: (n,), likewise.
    """
    ranks, other_ranks = _ranks(values), _ranks(others)
    if not (ranks.std() and other_ranks.std()):
        return None
    return float(np.corrcoef(ranks, other_ranks)[0, 1])


def _ranks(values: Doubles) -> Doubles:
    _, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[numbers])
