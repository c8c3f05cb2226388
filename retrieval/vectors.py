"""The query's place in the space: multimodal averaging."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.query import ModalityWeights
from melon.retrieval.seeds import Seeds

Vector = NDArray[np.float32]
Rows = NDArray[np.float32]


def modalities(seeds: Seeds, weights: ModalityWeights) -> list[tuple[float, Rows]]:
    """Each modality's weight and its unit vectors (n, dim), those that have any.

    The title's modality is its words and the tags found in it.
    """
    parts = [
        (weights.songs, seeds.songs.vectors),
        (weights.tags, seeds.tags.vectors),
        (weights.title, np.vstack([seeds.title_words.vectors, seeds.title_tags.vectors])),
    ]
    known = [(weight, rows[rows.any(axis=1)]) for weight, rows in parts]
    return [(weight, rows) for weight, rows in known if weight > 0 and len(rows)]


def weighted_mean(parts: Sequence[tuple[float, Rows]]) -> Vector | None:
    """The weighted mean over modalities of each one's mean, as a unit vector; None of nothing."""
    if not parts:
        return None
    total = sum(weight for weight, _ in parts)
    mean = sum(np.float32(weight / total) * rows.mean(axis=0) for weight, rows in parts)
    return normalise(np.asarray(mean, np.float32))


def disliked_rows(seeds: Seeds) -> Rows:
    """(n, dim) float32: the unit vectors of what the query dislikes."""
    rows = np.vstack([seeds.not_songs.vectors, seeds.not_tags.vectors])
    return rows[rows.any(axis=1)]


def normalise(vector: Vector) -> Vector | None:
    """The unit vector, or None for zero."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else None
