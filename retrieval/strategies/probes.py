"""Where in the co-embedding a query looks from: one mean, every seed, or centroids of its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Floats
from melon.retrieval.query import ModalityWeights
from melon.retrieval.seeds import Seeds, SeedSet
from melon.retrieval.settings import QueryEmbedding
from melon.retrieval.strategies.ranking import ResolvedQuery, SeedRef

SEEDS_PER_CLUSTER = 8
MAX_CLUSTERS = 5
MAX_VOTERS = 8
"""Seeds of a modality that are asked one by one; of more, the centroids of so many clusters are."""
ROUNDS = 10
EPSILON = 1e-6


class ProbeKind(StrEnum):
    """The published ways to look for candidates in the co-embedding.

    `MEAN`: from the weighted mean of the modalities, each the mean of its unit vectors.
    `VOTE`: from every seed: each votes for what is near it. Many seeds vote in groups.
    `CLUSTER`: from the k-means centroids of the seeds, each with the weight of its share of them.
    """

    MEAN = "mean"
    VOTE = "vote"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A place to search from, the seeds that it is made of, and the weight of what is near it.

    Attributes:
        seeds: the k seeds that it is made of.
        rows: (k, dim) float32, their unit vectors.
        mix: (k,) float32, such that `mix @ rows` is the probe's unit vector.
        weight: negative where the probe votes against what is near it.
    """

    seeds: tuple[SeedRef, ...]
    rows: Floats
    mix: Floats
    weight: float

    @property
    def vector(self) -> Floats:
        """(dim,) float32, of unit length."""
        return self.mix @ self.rows

    def parts(self, vector: Floats) -> Floats:
        """(k,) float32: the seeds' parts in the cosine with a unit vector; they sum to 1."""
        parts = self.mix * (self.rows @ vector)
        if abs(float(parts.sum())) < EPSILON:
            parts = np.abs(self.mix)
        return np.asarray(parts / parts.sum(), np.float32)


def probes(query: ResolvedQuery, settings: QueryEmbedding, kind: ProbeKind) -> list[Probe]:
    """The probes of a query; the weights of what it likes sum to 1.

    What it dislikes pushes the mean away, or votes against what is near it.
    """
    asked = query.seeds.weights
    weights = ModalityWeights(
        songs=asked.songs * settings.song_weight,
        tags=asked.tags * settings.tag_weight,
        title=asked.title * settings.title_weight,
    )
    liked = modalities(query.seeds, weights, settings.seed_discount)
    disliked = _dislikes(query.seeds, settings.dislike_weight)
    if not liked:
        return []
    if kind is ProbeKind.MEAN:
        return _mean(liked, disliked)
    total = sum(part.weight for part in liked)
    split = _voters if kind is ProbeKind.VOTE else _clusters
    return [
        *(probe for part in liked for probe in split(part, part.weight / total)),
        *(probe for part in disliked for probe in split(part, -part.weight)),
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Modality:
    """The seeds of one kind that have a vector.

    Attributes:
        weight: how much the modality counts in the query.
        seeds: (kind, key) of each seed.
        rows: (n, dim) float32, unit vectors.
        shares: (n,) float32, how much each counts in the modality; they sum to 1.
    """

    weight: float
    seeds: tuple[SeedRef, ...]
    rows: Floats
    shares: Floats

    @property
    def mean(self) -> Floats:
        """The weighted mean of the rows, (dim,) float32, not of unit length."""
        return self.shares @ self.rows

    @property
    def length(self) -> float:
        """The length of the mean, above 0."""
        return _length(self.mean)


def modalities(seeds: Seeds, weights: ModalityWeights, discount: float = 0.0) -> list[Modality]:
    """The modalities that have any vector; within one, a seed counts popularity^-`discount`.

    The title's modality is its words, those of the tags beside it included, as in the playlists
    that the words were trained on; the tags in the title stand in where no word is known.
    """
    text = ("word", seeds.words) if len(seeds.title_words) else ("tag", seeds.title_tags)
    parts = [
        ("song", weights.songs, seeds.songs),
        ("tag", weights.tags, seeds.tags),
        (text[0], weights.title, text[1]),
    ]
    return [
        modality
        for kind, weight, part in parts
        if weight > 0 and (modality := _modality(kind, weight, part, discount)) is not None
    ]


def _dislikes(seeds: Seeds, weight: float) -> list[Modality]:
    """What the query dislikes, songs and tags, as modalities whose weights sum to `weight`."""
    parts = [("song", seeds.not_songs), ("tag", seeds.not_tags)]
    total = max(sum(len(part) for _, part in parts), 1)
    return [
        modality
        for kind, part in parts
        if (modality := _modality(kind, weight * len(part) / total, part, 0.0)) is not None
    ]


def _modality(kind: str, weight: float, seeds: SeedSet, discount: float) -> Modality | None:
    if not len(seeds):
        return None
    known: NDArray[np.bool_] = seeds.vectors.any(axis=1) & (seeds.weights > 0)
    if not known.any():
        return None
    discounted = np.maximum(seeds.popularity[known], 1) ** np.float32(-discount)
    shares = seeds.weights[known] * discounted
    refs = tuple((kind, key) for key, used in zip(seeds.keys, known.tolist(), strict=True) if used)
    return Modality(weight, refs, seeds.vectors[known], shares / shares.sum())


def _mean(liked: Sequence[Modality], disliked: Sequence[Modality]) -> list[Probe]:
    """One probe: the weighted sum of the modalities' mean directions, pushed off dislikes.

    Means are brought to unit length first: a modality whose seeds disagree has a short mean, and
    should not count less for it.
    """
    rows = np.vstack([part.rows for part in (*liked, *disliked)])
    mix = np.concatenate([part.weight / part.length * part.shares for part in liked])
    length = _length(mix @ rows[: len(mix)])
    mix = np.concatenate([mix / length, *(-part.weight * part.shares for part in disliked)])
    length = _length(mix @ rows)
    seeds = tuple(seed for part in (*liked, *disliked) for seed in part.seeds)
    return [Probe(seeds, rows, (mix / length).astype(np.float32), 1.0)] if length > EPSILON else []


def _voters(part: Modality, weight: float) -> list[Probe]:
    """Every seed, or the centroids of a few clusters where there are many."""
    if len(part.rows) > MAX_VOTERS:
        return _centroids(part, weight, MAX_VOTERS)
    one = np.ones(1, np.float32)
    return [
        Probe((seed,), row[None, :], one, weight * share)
        for seed, row, share in zip(part.seeds, part.rows, part.shares.tolist(), strict=True)
    ]


def _clusters(part: Modality, weight: float) -> list[Probe]:
    return _centroids(
        part, weight, min(MAX_CLUSTERS, 1 + (len(part.rows) - 1) // SEEDS_PER_CLUSTER)
    )


def _centroids(part: Modality, weight: float, count: int) -> list[Probe]:
    """Spherical k-means (Dhillon & Modha 2001, doi:10.1023/A:1007612920971), deterministic.

    The first centre is the row nearest to the mean, each next one the row farthest from those.
    """
    rows, shares = part.rows, part.shares
    centres = rows[[int(np.argmax(rows @ part.mean))]]
    while len(centres) < count:
        farthest = int(np.argmin((rows @ centres.T).max(axis=1)))
        centres = np.vstack([centres, rows[farthest]])
    weighted = rows * shares[:, None]
    cluster: NDArray[np.int64] = np.zeros(len(rows), np.int64)
    for _ in range(ROUNDS):
        cluster = (rows @ centres.T).argmax(axis=1)
        sums = np.stack([weighted[cluster == k].sum(axis=0) for k in range(count)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > EPSILON, sums / np.maximum(lengths, EPSILON), centres)
    centroids = []
    for k in range(count):
        members = np.flatnonzero(cluster == k)
        length = float(np.linalg.norm(weighted[members].sum(axis=0)))
        if length > EPSILON:
            seeds = tuple(part.seeds[row] for row in members.tolist())
            mix = (shares[members] / length).astype(np.float32)
            share = float(shares[members].sum())
            centroids.append(Probe(seeds, rows[members], mix, weight * share))
    return centroids


def _length(vector: Floats) -> float:
    return max(float(np.linalg.norm(vector)), EPSILON)
