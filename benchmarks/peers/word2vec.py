"""The published retrieval on the published embedding: plain cosine to the multimodal mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from melon.embedding import EmbeddingSpace
from peers.bags import Bags, Matrix
from peers.ranking import Scores

TRAINED = "trained"


class PlainWord2Vec:
    """The mean of each modality's unit vectors, the mean of the modalities, the nearest to it.

    Only what training saw often enough has a vector; nothing is placed by other means.
    """

    def __init__(self, bags: Bags, space: EmbeddingSpace) -> None:
        vectors = (
            _aligned(bags.songs, space.song_ids, space.song_vectors, space.songs),
            _aligned(bags.tags, space.tags, space.tag_vectors, space.tag_table),
            _aligned(bags.words, space.words, space.word_vectors, space.word_table),
        )
        self._modalities = (bags.song_columns, bags.tag_columns, bags.word_columns)
        self._vectors = np.concatenate(vectors)

    def scores(self, rows: Matrix) -> Scores:
        """(n, items) float32: cosines."""
        means = [_unit(rows[:, columns] @ self._vectors[columns]) for columns in self._modalities]
        return np.asarray(_unit(np.sum(means, axis=0)) @ self._vectors.T, np.float32)


def _aligned(
    items: Sequence[int] | Sequence[str],
    known: Sequence[str] | NDArray[np.int64],
    vectors: Scores,
    table: pa.Table,
) -> Scores:
    """(items, dim) float32: a row for each item, zero where it was not trained."""
    rows: Mapping[int | str, int] = {
        item: row for row, item in enumerate(np.asarray(known).tolist())
    }
    places = np.array([rows.get(item, -1) for item in items], np.int64)
    sources = np.array(table["vector_source"].to_pylist(), dtype=object)
    trained = (places >= 0) & (sources[places] == TRAINED)
    return np.where(trained[:, None], vectors[places], np.float32(0)).astype(np.float32)


def _unit(vectors: NDArray[np.float32]) -> Scores:
    """Rows of length 1; zero ones stay. The mean of unit vectors points as their sum does."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
