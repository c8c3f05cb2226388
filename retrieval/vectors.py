"""The query's place in the space: multimodal averaging."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.query import ModalityWeights
from melon.retrieval.seeds import Seeds

NEGATIVE_WEIGHT = 0.5
"""How far the mean of what is disliked pushes, against 1 for what is liked."""

Vector = NDArray[np.float32]


def multimodal_mean(
    seeds: Seeds, weights: ModalityWeights, negative: float = NEGATIVE_WEIGHT
) -> Vector | None:
    """The weighted mean over modalities of the mean of each one's unit vectors.

    The title's modality is its words and the tags found in it. Dislikes are subtracted.

    Returns:
        (dim,) float32, a unit vector, or None where no seed has a vector.
    """
    liked = [
        (weights.songs, seeds.songs.vectors),
        (weights.tags, seeds.tags.vectors),
        (weights.title, np.vstack([seeds.title_words.vectors, seeds.title_tags.vectors])),
    ]
    parts = [(weight, mean) for weight, rows in liked if (mean := unit_mean(rows)) is not None]
    total = sum(weight for weight, _ in parts)
    if not total:
        return None
    vector = sum(weight / total * mean for weight, mean in parts)
    disliked = unit_mean(np.vstack([seeds.not_songs.vectors, seeds.not_tags.vectors]))
    if disliked is not None:
        vector = vector - negative * disliked
    return normalise(np.asarray(vector, np.float32))


def unit_mean(vectors: NDArray[np.float32]) -> Vector | None:
    """Mean of unit rows, rows of zeros left out; None where none is left."""
    known = vectors[vectors.any(axis=1)]
    return known.mean(axis=0) if len(known) else None


def normalise(vector: Vector) -> Vector | None:
    """The unit vector, or None for zero."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else None
