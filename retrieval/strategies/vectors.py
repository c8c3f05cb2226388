"""The query's vector in the space: multimodal averaging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.query import ModalityWeights
from melon.retrieval.seeds import Key, Seeds, SeedSet

Vector = NDArray[np.float32]
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Modality:
    """The seeds of one kind that have a vector.

    Attributes:
        weight: how much the modality counts in the query.
        names: (kind, key) of each seed.
        rows: (n, dim) float32, unit vectors.
        shares: (n,) float32, how much each counts in the modality; they sum to 1.
    """

    weight: float
    names: tuple[tuple[str, Key], ...]
    rows: Rows
    shares: NDArray[np.float32]

    @property
    def mean(self) -> Vector:
        """The weighted mean of the rows, (dim,) float32, not of unit length."""
        return self.shares @ self.rows


def modalities(seeds: Seeds, weights: ModalityWeights, discount: float = 0.0) -> list[Modality]:
    """The modalities that have any vector; a seed counts popularity^-`discount` in its own.

    The title's modality is its words, those of the tags beside it included, as in the playlists
    that the words were trained on; the tags found in it stand in where no word is known.
    """
    text = ("word", seeds.words) if len(seeds.title_words) else ("tag", seeds.title_tags)
    parts = [
        ("song", weights.songs, seeds.songs),
        ("tag", weights.tags, seeds.tags),
        (text[0], weights.title, text[1]),
    ]
    return [
        part
        for kind, weight, own in parts
        if weight > 0 and (part := _modality(kind, weight, own, discount)) is not None
    ]


def dislikes(seeds: Seeds, weight: float) -> list[Modality]:
    """What the query dislikes, songs and tags, as modalities of that weight together."""
    parts = [("song", seeds.not_songs), ("tag", seeds.not_tags)]
    total = max(sum(len(own) for _, own in parts), 1)
    found = [_modality(kind, weight * len(own) / total, own, 0.0) for kind, own in parts]
    return [part for part in found if part is not None]


def _modality(kind: str, weight: float, seeds: SeedSet, discount: float) -> Modality | None:
    if not len(seeds):
        return None
    known: NDArray[np.bool_] = seeds.vectors.any(axis=1) & (seeds.weights > 0)
    if not known.any():
        return None
    discounted = np.maximum(seeds.popularity[known], 1) ** np.float32(-discount)
    shares = seeds.weights[known] * discounted
    names = tuple((kind, key) for key, has in zip(seeds.keys, known.tolist(), strict=True) if has)
    return Modality(weight, names, seeds.vectors[known], shares / shares.sum())
