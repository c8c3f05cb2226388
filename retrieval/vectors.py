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

    The title's modality is its words, those of the tags beside it included, as in the playlists
    that the words were trained on; the tags found in it stand in where no word is known.
    """
    text = seeds.words if len(seeds.title_words) else seeds.title_tags
    parts = [
        (weights.songs, seeds.songs.vectors),
        (weights.tags, seeds.tags.vectors),
        (weights.title, text.vectors),
    ]
    known = [(weight, rows[rows.any(axis=1)]) for weight, rows in parts]
    return [(weight, rows) for weight, rows in known if weight > 0 and len(rows)]


def weighted_mean(parts: Sequence[tuple[float, Rows]]) -> Vector | None:
    """The weighted sum over modalities of the direction of each one's mean, as a unit vector.

    Means are brought to unit length first: a modality whose seeds disagree has a short mean, and
    should not count less for it. None where nothing is left.
    """
    means = [(weight, normalise(rows.mean(axis=0))) for weight, rows in parts]
    directions = [np.float32(weight) * mean for weight, mean in means if mean is not None]
    return normalise(np.sum(directions, axis=0)) if directions else None


def disliked_rows(seeds: Seeds) -> Rows:
    """(n, dim) float32: the unit vectors of what the query dislikes."""
    rows = np.vstack([seeds.not_songs.vectors, seeds.not_tags.vectors])
    return rows[rows.any(axis=1)]


def normalise(vector: Vector) -> Vector | None:
    """The unit vector, or None for zero."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else None
