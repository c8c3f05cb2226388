"""Where in the space a query looks from: one mean, every seed, or centroids of its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.query import ModalityWeights
from melon.retrieval.settings import QueryEmbedding
from melon.retrieval.strategies.strategy import Name, ResolvedQuery
from melon.retrieval.strategies.vectors import Modality, Rows, Vector, dislikes, modalities

Weights = NDArray[np.float32]

SEEDS_PER_CLUSTER = 8
MAX_CLUSTERS = 5
ROUNDS = 10
EPSILON = 1e-6


class ProbeKind(StrEnum):
    """The published ways to look for candidates in the co-embedding."""

    MEAN = "mean"
    VOTE = "vote"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Where to search from, what of, and what nearness to it is worth.

    Attributes:
        names: the k seeds that it is made of.
        rows: (k, dim) float32, their unit vectors.
        mix: (k,) float32, such that `mix @ rows` is the probe's unit vector.
        weight: negative where the probe votes against what is near it.
    """

    names: tuple[Name, ...]
    rows: Rows
    mix: Weights
    weight: float

    @property
    def vector(self) -> Vector:
        """(dim,) float32, of unit length."""
        return self.mix @ self.rows

    def parts(self, vector: Vector) -> Weights:
        """(k,) float32: the seeds' parts in the cosine with a unit vector; they sum to 1."""
        parts = self.mix * (self.rows @ vector)
        if abs(float(parts.sum())) < EPSILON:
            parts = np.abs(self.mix)
        return np.asarray(parts / parts.sum(), np.float32)


def probes(query: ResolvedQuery, settings: QueryEmbedding, probe_kind: ProbeKind) -> list[Probe]:
    """The probes of a query; the weights of what it likes sum to 1.

    What it dislikes pushes the mean away, or votes against what is near it.
    """
    given = query.original.relative_weights
    weights = ModalityWeights(
        songs=given.songs * settings.songs,
        tags=given.tags * settings.tags,
        title=given.title * settings.title,
    )
    liked = modalities(query.seeds, weights, settings.discount)
    disliked = dislikes(query.seeds, settings.dislike)
    if not liked:
        return []
    if probe_kind is ProbeKind.MEAN:
        return _mean(liked, disliked)
    total = sum(part.weight for part in liked)
    split = _every_row if probe_kind is ProbeKind.VOTE else _centroids
    return [
        *(probe for part in liked for probe in split(part, part.weight / total)),
        *(probe for part in disliked for probe in split(part, -part.weight)),
    ]


def _mean(liked: Sequence[Modality], disliked: Sequence[Modality]) -> list[Probe]:
    """One probe: the weighted sum of the modalities' mean directions, pushed off dislikes.

    Means are brought to unit length first: a modality whose seeds disagree has a short mean, and
    should not count less for it.
    """
    rows = np.vstack([part.rows for part in (*liked, *disliked)])
    mix = np.concatenate([part.weight / _length(part.mean) * part.shares for part in liked])
    length = _length(mix @ rows[: len(mix)])
    mix = np.concatenate([mix / length, *(-part.weight * part.shares for part in disliked)])
    length = _length(mix @ rows)
    names = tuple(name for part in (*liked, *disliked) for name in part.names)
    return [Probe(names, rows, (mix / length).astype(np.float32), 1.0)] if length > EPSILON else []


def _length(vector: Vector) -> float:
    return max(float(np.linalg.norm(vector)), EPSILON)


def _every_row(part: Modality, weight: float) -> list[Probe]:
    one = np.ones(1, np.float32)
    return [
        Probe((name,), row[None, :], one, weight * share)
        for name, row, share in zip(part.names, part.rows, part.shares.tolist(), strict=True)
    ]


def _centroids(part: Modality, weight: float) -> list[Probe]:
    """Spherical k-means (Dhillon & Modha 2001, doi:10.1023/A:1007612920971), deterministic.

    The first centre is the row nearest to the mean, each next one the row farthest from those.
    """
    rows, shares = part.rows, part.shares
    count = min(MAX_CLUSTERS, 1 + (len(rows) - 1) // SEEDS_PER_CLUSTER)
    centres = rows[[int(np.argmax(rows @ part.mean))]]
    while len(centres) < count:
        farthest = int(np.argmin((rows @ centres.T).max(axis=1)))
        centres = np.vstack([centres, rows[farthest]])
    weighted = rows * shares[:, None]
    nearest: NDArray[np.int64] = np.zeros(len(rows), np.int64)
    for _ in range(ROUNDS):
        nearest = (rows @ centres.T).argmax(axis=1)
        sums = np.stack([weighted[nearest == k].sum(axis=0) for k in range(count)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > EPSILON, sums / np.maximum(lengths, EPSILON), centres)
    found = []
    for k in range(count):
        own = np.flatnonzero(nearest == k)
        length = float(np.linalg.norm(weighted[own].sum(axis=0)))
        if length > EPSILON:
            names = tuple(part.names[row] for row in own.tolist())
            mix = (shares[own] / length).astype(np.float32)
            found.append(Probe(names, rows[own], mix, weight * float(shares[own].sum())))
    return found
