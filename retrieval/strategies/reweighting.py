"""Ridge regression of the neighbours' weights: which mixture of them explains the seeds?

Similarity alone lets a long or eclectic playlist count as much as one that holds little besides
what the seeds hold. In the spirit of Zhu et al. (2018), doi:10.1145/3267471.3267484, who weigh
the seeds by a linear model of the playlist, the neighbours are weighed here by one: their
weighted sum should be 1 at the seeds and 0 at the rest of what they hold, with the similarities
as the prior. The normal equations are solved by a few steps of conjugate gradients, which is
early stopping and so regularises too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.settings import Reweighting

Floats = NDArray[np.float64]
PRIOR_AT_SEEDS = 0.5
"""What the prior's sum is at the seeds on average: halfway to the target."""
EPSILON = 1e-12
MAX_TABLE_ID = 4_000_000
"""Ids up to this have a table, 16 MB at most; where there are larger ones, they are sorted."""

Ids = NDArray[np.integer[Any]]


def reweight(
    weights: NDArray[np.float32],
    held: Sequence[NDArray[np.int32]],
    seeds: Sequence[int],
    settings: Reweighting,
) -> NDArray[np.float32]:
    """New weights for the neighbours.

    Args:
        weights: (n,) positive prior weights.
        held: for each neighbour, (k,) int32, the ids of its songs.
        seeds: ids of the query's songs.
        settings: how far the weights may move, and what counts.

    Returns:
        (n,) float32. A neighbour may get a negative weight.
    """
    ids = np.concatenate(held)
    columns, seed_columns = _columns(ids, seeds)
    if not len(seed_columns):
        return weights
    lengths = np.fromiter(map(len, held), np.int64, len(held))
    some = lengths > 0  # an empty slice has no sum in `reduceat`
    starts = (np.cumsum(lengths) - lengths)[some]
    is_seed = np.zeros(len(ids), np.bool_)
    is_seed[seed_columns] = True

    def to_songs(values: Floats) -> Floats:
        return np.bincount(columns, np.repeat(values, lengths), len(ids)).astype(
            np.float64, copy=False
        )

    def to_neighbours(values: Floats) -> Floats:
        sums = np.zeros(len(held))
        sums[some] = np.add.reduceat(values[columns], starts)
        return sums

    prior = weights.astype(np.float64)
    held_by_prior = to_songs(prior)
    factor = PRIOR_AT_SEEDS / max(float(held_by_prior[seed_columns].mean()), EPSILON)
    prior *= factor
    held_by_prior *= factor
    scale = np.sqrt(prior / prior.mean())  # the surer a neighbour, the freer its weight
    counts = np.where(is_seed, settings.seen, settings.unseen)

    residual = scale * to_neighbours(counts * (is_seed - held_by_prior))
    change = np.zeros(len(held))
    direction = residual.copy()
    squared = float(residual @ residual)
    for _ in range(settings.iterations):
        if squared < EPSILON:
            break
        image = settings.penalty * direction + scale * to_neighbours(
            counts * to_songs(scale * direction)
        )
        step = squared / float(direction @ image)
        change += step * direction
        residual -= step * image
        previous, squared = squared, float(residual @ residual)
        direction = residual + squared / previous * direction
    return np.asarray(prior + scale * change, np.float32)


def _columns(ids: Ids, seeds: Sequence[int]) -> tuple[Ids, Ids]:
    """A column below n for each of n ids, the same for equal ones; those of the seeds among them.

    Without a sort: a table says for each id where it stands last, and that is its column. What
    the table says of ids that are not there is checked against them, so that it need not be
    cleared (Briggs & Torczon 1993, doi:10.1145/176454.176484).
    """
    ordered = np.sort(np.asarray(seeds))
    end = int(max(ids.max(initial=0), ordered[-1])) + 1
    if end > MAX_TABLE_ID:
        distinct, columns = np.unique(ids, return_inverse=True)
        return columns, np.flatnonzero(np.isin(distinct, ordered))
    last = _scratch(end)
    last[ids] = np.arange(len(ids), dtype=np.int32)
    at = last[ordered]
    known = (at >= 0) & (at < len(ids))
    known[known] = ids[at[known]] == ordered[known]
    return last[ids], at[known]


_OWN = threading.local()


def _scratch(end: int) -> NDArray[np.int32]:
    """A table that this thread had before, or a longer one: new memory costs more than its use."""
    table: NDArray[np.int32] | None = getattr(_OWN, "table", None)
    if table is None or len(table) < end:
        table = _OWN.table = np.zeros(end, np.int32)
    return table
