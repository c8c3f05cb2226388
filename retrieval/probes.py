"""Where in the space a query looks from: one mean, every seed, or centroids of its seeds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.query import ModalityWeights
from melon.retrieval.settings import Cosine
from melon.retrieval.strategy import Ask
from melon.retrieval.vectors import (
    Rows,
    Vector,
    dislikes,
    modalities,
    normalise,
    weighted_mean,
)

Shares = NDArray[np.float32]

SEEDS_PER_CLUSTER = 8
MOST_CLUSTERS = 5
ROUNDS = 10


class Looking(StrEnum):
    """The published ways to look for candidates in the co-embedding."""

    MEAN = "mean"
    VOTE = "vote"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A unit vector (dim,) float32 to search from, and what nearness to it is worth."""

    vector: Vector
    weight: float


def probes(ask: Ask, settings: Cosine, looking: Looking) -> list[Probe]:
    """The probes of a query; the weights of what it likes sum to 1.

    What it dislikes pushes the mean away, or votes against what is near it: a negative weight.
    """
    asked = ask.query.weights
    weights = ModalityWeights(
        songs=asked.songs * settings.songs,
        tags=asked.tags * settings.tags,
        title=asked.title * settings.title,
    )
    parts = modalities(ask.seeds, weights, settings.discount)
    against = dislikes(ask.seeds, settings.dislike)
    if looking is Looking.MEAN:
        mean = weighted_mean(parts)
        if mean is not None and against:
            mean = normalise(mean - sum(part.weight * part.mean for part in against))
        return [Probe(mean, 1.0)] if mean is not None else []
    total = sum(part.weight for part in parts)
    split = _every_row if looking is Looking.VOTE else _centroids
    signed = [*((part.weight / total, part) for part in parts)]
    if parts:
        signed += [(-part.weight, part) for part in against]
    return [
        Probe(vector, weight * share)
        for weight, part in signed
        for vector, share in split(part.rows, part.shares)
    ]


def _every_row(rows: Rows, shares: Shares) -> list[tuple[Vector, float]]:
    return list(zip(rows, shares.tolist(), strict=True))


def _centroids(rows: Rows, shares: Shares) -> list[tuple[Vector, float]]:
    """Spherical k-means (Dhillon & Modha 2001, doi:10.1023/A:1007612920971), deterministic.

    The first centre is the row nearest to the mean, each next one the row farthest from those.
    """
    count = min(MOST_CLUSTERS, 1 + (len(rows) - 1) // SEEDS_PER_CLUSTER)
    centres = rows[[int(np.argmax(rows @ (shares @ rows)))]]
    while len(centres) < count:
        farthest = int(np.argmin((rows @ centres.T).max(axis=1)))
        centres = np.vstack([centres, rows[farthest]])
    weighted = rows * shares[:, None]
    nearest: NDArray[np.int64] = np.zeros(len(rows), np.int64)
    for _ in range(ROUNDS):
        nearest = (rows @ centres.T).argmax(axis=1)
        sums = np.stack([weighted[nearest == k].sum(axis=0) for k in range(count)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centres)
    sizes = np.bincount(nearest, shares, count)
    return [(centres[k].astype(np.float32), float(sizes[k])) for k in range(count) if sizes[k]]
