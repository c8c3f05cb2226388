"""Ridge regression of the neighbours' weights: which mixture of them explains the seeds?

Similarity alone lets a long or eclectic playlist count as much as one with little but the seeds.
Zhu et al. (2018), doi:10.1145/3267471.3267484, weigh the seeds by a linear model of the playlist;
here such a model weighs the neighbours. Their weighted sum should be 1 at the seeds and 0 at all
their other songs, with the similarities as the prior. A few steps of conjugate gradients solve
the normal equations; to stop early regularises, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Floats, Scores, SongArray
from melon.retrieval.settings import Reweighting
from melon.store import Ids

PRIOR_AT_SEEDS = 0.5
"""What the prior's sum is at the seeds on average: halfway to the target."""
EPSILON = 1e-12
MAX_TABLE_ID = 4_000_000
"""Ids up to this have a table, 16 MB at most; where there are larger ones, they are sorted."""

_THREAD = threading.local()


def reweight(
    weights: Floats,
    songs: Sequence[SongArray],
    seeds: Sequence[int],
    settings: Reweighting,
) -> Floats:
    """New weights for the neighbours.

    Args:
        weights: (n,) positive prior weights.
        songs: for each neighbour, (k,) int32, the ids of its songs.
        seeds: ids of the query's songs.
        settings: how far the weights may move, and what counts.

    Returns:
        (n,) float32. A neighbour may get a negative weight.
    """
    ids = np.concatenate(songs)
    columns, seed_columns = _columns(ids, seeds)
    if not len(seed_columns):
        return weights
    matrix = _SongMatrix.of(columns, songs)
    is_seed = np.zeros(len(ids), np.bool_)
    is_seed[seed_columns] = True
    counts = np.where(is_seed, settings.seen, settings.unseen)

    prior = weights.astype(np.float64)
    prior_sums = matrix.sum_by_song(prior)
    factor = PRIOR_AT_SEEDS / max(float(prior_sums[seed_columns].mean()), EPSILON)
    prior *= factor
    prior_sums *= factor
    scale = np.sqrt(prior / prior.mean())  # the surer a neighbour, the freer its weight

    def normal_matrix(change: Scores) -> Scores:
        by_song = counts * matrix.sum_by_song(scale * change)
        data_term: Scores = scale * matrix.sum_by_neighbour(by_song)
        return settings.penalty * change + data_term

    target = scale * matrix.sum_by_neighbour(counts * (is_seed - prior_sums))
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


@dataclass(frozen=True, slots=True, eq=False)
class _SongMatrix:
    """Which of n neighbours holds which songs: a matrix of zeros and ones.

    Attributes:
        columns: the song of each entry, neighbour by neighbour; songs are numbered below the
            number of entries.
        lengths: (n,) int64, the entries of each neighbour.
        starts: where the entries of each neighbour begin that has any.
    """

    columns: Ids
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, columns: Ids, songs: Sequence[SongArray]) -> _SongMatrix:
        lengths = np.fromiter(map(len, songs), np.int64, len(songs))
        starts = np.cumsum(lengths) - lengths
        return cls(columns, lengths, starts[lengths > 0])  # `reduceat` knows no empty sum

    def sum_by_song(self, values: Scores) -> Scores:
        """For each song the sum of the values (n,) of the neighbours that hold it."""
        size = len(self.columns)
        summed = np.bincount(self.columns, np.repeat(values, self.lengths), size)
        return summed.astype(np.float64, copy=False)

    def sum_by_neighbour(self, values: Scores) -> Scores:
        """For each neighbour the sum of its songs' values, (n,)."""
        sums = np.zeros(len(self.lengths))
        sums[self.lengths > 0] = np.add.reduceat(values[self.columns], self.starts)
        return sums


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


def _scratch(end: int) -> NDArray[np.int32]:
    """This thread's table, made longer if it must be: new memory would cost more than its use."""
    table: NDArray[np.int32] | None = getattr(_THREAD, "table", None)
    if table is None or len(table) < end:
        table = _THREAD.table = np.zeros(end, np.int32)
    return table
