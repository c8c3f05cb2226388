"""Ridge regression of the neighbours' weights: which mixture of them explains the seeds?

Similarity alone lets a long or eclectic playlist count as much as one with little but the seeds.
Zhu et al. (2018), doi:10.1145/3267471.3267484, weigh the seeds by a linear model of the playlist;
here such a model weighs the neighbours. Their weighted sum should be 1 at the seeds and 0 at all
their other songs, with the similarities as the prior. A few steps of conjugate gradients solve
the normal equations; to stop early regularises, too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from melon.retrieval.arrays import Floats, Scores
from melon.retrieval.settings import Reweighting
from melon.retrieval.strategies.holdings import Holdings
from melon.retrieval.tables import Numbers

PRIOR_AT_SEEDS = 0.5
"""What the prior's sum is at the seeds on average: halfway to the target."""
EPSILON = 1e-12


def reweight(weights: Floats, held: Holdings, seeds: Numbers, settings: Reweighting) -> Floats:
    """New weights for the neighbours.

    Args:
        weights: (n,) positive prior weights.
        held: the songs of the n neighbours.
        seeds: (k,) the rows of the query's songs in `held.ids`.
        settings: how far the weights may move, and what counts.

    Returns:
        (n,) float32. A neighbour may get a negative weight.
    """
    prior = weights.astype(np.float64)
    prior_sums = held.sums_by_item(prior)
    seeds = seeds[prior_sums[seeds] > 0]
    if not len(seeds):
        return weights
    is_seed = np.zeros(len(held.ids), np.bool_)
    is_seed[seeds] = True
    counts = np.where(is_seed, settings.seen, settings.unseen)
    factor = PRIOR_AT_SEEDS / max(float(prior_sums[seeds].mean()), EPSILON)
    prior *= factor
    prior_sums *= factor
    scale = np.sqrt(prior / prior.mean())  # the surer a neighbour, the freer its weight

    def normal_matrix(change: Scores) -> Scores:
        by_song = counts * held.sums_by_item(scale * change)
        data_term: Scores = scale * held.sums_by_playlist(by_song)
        return settings.penalty * change + data_term

    target = scale * held.sums_by_playlist(counts * (is_seed - prior_sums))
    change = conjugate_gradients(normal_matrix, target, settings.iterations)
    return np.asarray(prior + scale * change, np.float32)


def conjugate_gradients(
    matrix: Callable[[Scores], Scores], target: Scores, iterations: int
) -> Scores:
    """The x that a symmetric positive definite matrix takes to the target, or near it.

    Hestenes & Stiefel (1952), doi:10.6028/jres.049.044, from zero.

    Args:
        matrix: multiplies it by a vector (n,).
        target: (n,).
        iterations: steps at most; each takes one product.
    """
    solution = np.zeros(len(target))
    residual, direction = target, target
    squared = float(residual @ residual)
    for _ in range(iterations):
        if squared < EPSILON:
            break
        image = matrix(direction)
        step = squared / float(direction @ image)
        solution = solution + step * direction
        residual = residual - step * image
        previous, squared = squared, float(residual @ residual)
        direction = residual + squared / previous * direction
    return solution
