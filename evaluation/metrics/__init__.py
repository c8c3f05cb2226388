"""What a ranking is worth, one metric a file.

The metrics of accuracy take the hits of n lists, `(n, k) bool`, best rank first, and how many
items are hidden in each, `(n,) int64`; they return `(n,) float64` in 0..1, NaN where nothing is
hidden. Those of the whole catalogue take what was recommended at all.
"""

from melon.evaluation.metrics.coverage import coverage
from melon.evaluation.metrics.ndcg import ndcg
from melon.evaluation.metrics.popularity import average_popularity
from melon.evaluation.metrics.r_precision import r_precision
from melon.evaluation.metrics.recall import recall

__all__ = ["average_popularity", "coverage", "ndcg", "r_precision", "recall"]
