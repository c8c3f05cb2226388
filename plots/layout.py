"""Places on a plane for the points of a release: near each other if they are in the co-embedding.

t-SNE by openTSNE: van der Maaten and Hinton, *Visualizing data using t-SNE*, 2008; Poličar, Stražar
and Zupan, *openTSNE*, 2024, doi:10.18637/jss.v109.i03. It begins with the two principal components,
which keeps what is far apart in place: Kobak and Berens, *The art of using t-SNE for single-cell
transcriptomics*, 2019, doi:10.1038/s41467-019-13056-x.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.errors import needing
from melon.evaluation import neighbours
from melon.processes import interrupts_held
from melon.progress import Progress, ignore

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

PERPLEXITY = 30
"""How many neighbours each point is to lie by."""

EARLY, LATE = 250, 500
"""Iterations of t-SNE with exaggerated attraction, then without."""

FEW = 3 * PERPLEXITY + 2
"""Below so many points t-SNE has too little to go by: they lie by their principal components."""

MANY = 10_000
"""From so many points on two threads pay; with fewer they wait for each other most of the time."""


def lay_out(
    vectors: Floats, seed: int, progress: Progress = ignore, *, quick: bool = False
) -> tuple[Floats, Ints]:
    """A place for each of n points, and which are nearest to it.

    The same vectors and seed give the same places on the same machine.

    Args:
        vectors: (n, dim) float32, unit rows.
        seed: of the small noise that keeps equal points apart.
        progress: told of the steps `nearest` and `lay out`.
        quick: by the principal components alone, which takes no extra.

    Returns:
        Places (n, 2) float32, and the rows of the nearest points (n, k) int64, nearest first.

    Raises:
        MissingExtra: openTSNE is not installed.
    """
    rows, cosines = neighbours(vectors, 3 * PERPLEXITY, progress)
    if quick or len(vectors) < FEW:
        return _components(vectors), rows
    with needing("plot"):
        from openTSNE import TSNE, affinity, initialization
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

    jobs = 2 if len(vectors) >= MANY else 1
    done = 0
    progress("lay out", 0, EARLY + LATE)
    with interrupts_held() as let_go:  # in the midst of a step, it may end in a crash

        def report(*_: Any) -> None:
            nonlocal done
            done += 10
            progress("lay out", min(done, EARLY + LATE), EARLY + LATE)
            let_go()

        near = PrecomputedNeighbors(rows, np.maximum(1 - cosines, 0).astype(np.float64))
        affinities = affinity.PerplexityBasedNN(knn_index=near, perplexity=PERPLEXITY, n_jobs=jobs)
        places = TSNE(
            early_exaggeration_iter=EARLY,
            n_iter=LATE,
            n_jobs=jobs,
            random_state=seed,
            callbacks=report,
            callbacks_every_iters=10,
        ).fit(
            affinities=affinities,
            initialization=initialization.pca(vectors.astype(np.float64), random_state=seed),
        )
    return np.asarray(places, np.float32), rows


def _components(vectors: Floats) -> Floats:
    """The two principal components of n vectors, (n, 2); zeros where there are fewer."""
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(vectors), 2), np.float32)
    some = (left * sizes)[:, :2]
    places[:, : some.shape[1]] = some
    return places
