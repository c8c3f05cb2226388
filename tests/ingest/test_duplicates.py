"""Points that share a vector are moved apart by a hair, alike however they are batched."""

from __future__ import annotations

import numpy as np
import pytest

from melon.ingest.contents import Contents
from melon.ingest.duplicates import DISTANCE, duplicate_numbers

DIM = 12


@pytest.fixture
def vectors() -> np.ndarray:
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(40, DIM)).astype(np.float32)
    rows = distinct[rng.integers(40, size=200)]
    rows[::9] = 0
    return rows


def test_numbers_count_the_same_rows_before(vectors: np.ndarray) -> None:
    seen: dict[bytes, int] = {}
    expected = []
    for row in vectors:
        expected.append(seen.get(row.tobytes(), 0) if row.any() else 0)
        seen[row.tobytes()] = seen.get(row.tobytes(), 0) + 1
    assert duplicate_numbers(vectors).tolist() == expected
    assert duplicate_numbers(vectors[:0]).tolist() == []


def test_duplicates_are_apart_and_hardly_moved(vectors: np.ndarray) -> None:
    laid_out = Contents(range(200), vectors, None, lambda start, stop: [{}] * (stop - start))
    whole = laid_out.dense(0, 200)
    has_vector = vectors.any(axis=1)
    assert not whole[~has_vector].any()
    assert len(np.unique(whole[has_vector], axis=0)) == has_vector.sum()
    first = duplicate_numbers(vectors) == 0
    np.testing.assert_array_equal(whole[first], vectors[first])
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_array_less(
        np.linalg.norm(whole - vectors, axis=1), 1.01 * DISTANCE * lengths + 1e-9
    )
    unit = whole[has_vector] / np.linalg.norm(whole[has_vector], axis=1, keepdims=True)
    cosines = (unit.astype(np.float64) @ unit.T.astype(np.float64))[~np.eye(len(unit), dtype=bool)]
    assert cosines.max() < 1 - 1e-6  # what single precision can tell from 1


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_make_the_same_vectors(vectors: np.ndarray, size: int) -> None:
    laid_out = Contents(range(200), vectors, None, lambda start, stop: [{}] * (stop - start))
    batched = np.vstack(
        [laid_out.batch(start, start + size).dense for start in range(0, len(laid_out), size)]
    )
    np.testing.assert_array_equal(batched, laid_out.dense(0, 200))
