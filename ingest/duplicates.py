"""Vectors that several points share, moved apart by a hair.

Songs that the same playlists hold have the same vector, if nothing else is known of them. HNSW as
Qdrant built it until 2026 links the points of such a group to each other and to nothing else, so
that no search reaches the group, nor some points near it: on *Melon*, where a quarter of the
songs share their vector, 5 % of all were out of reach. See
https://github.com/qdrant/qdrant/pull/10239.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DISTANCE = 3e-3
"""How far a duplicate is moved, in lengths of its vector: a cosine of 1 - 1e-5 between two."""

CHUNK = 65_536
SEED = 0x6D656C6F6E


def duplicate_numbers(vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """For each row, how many rows before it are the same, (n,): 0 for the first, and for zeros."""
    factors = np.random.default_rng(SEED).integers(1, 2**63, vectors.shape[1], np.uint64) | 1
    keys = np.empty(len(vectors), np.uint64)
    for start in range(0, len(vectors), CHUNK):
        part = np.ascontiguousarray(vectors[start : start + CHUNK], np.float32)
        bits = part.view(np.uint32).astype(np.uint64)
        keys[start : start + CHUNK] = (bits * factors).sum(axis=1)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])[: len(keys)]
    lengths = np.diff(np.r_[starts, len(keys)])
    numbers = np.empty(len(keys), np.int32)
    numbers[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    numbers[keys == 0] = 0  # a row of zeros, which is no vector
    return numbers


def directions(numbers: NDArray[np.int32], dim: int) -> NDArray[np.float32]:
    """Where duplicates are moved, by number, (largest number + 1, dim); those with 0 stay."""
    count = int(numbers.max(initial=0)) + 1
    drawn = np.random.default_rng(SEED).normal(size=(count, dim)).astype(np.float32)
    drawn *= DISTANCE / np.linalg.norm(drawn, axis=1, keepdims=True)
    drawn[0] = 0
    return drawn


def move_apart(
    vectors: NDArray[np.float32], numbers: NDArray[np.int32], directions: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The rows, each moved in the direction of its number."""
    if not numbers.any():
        return vectors
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    moved: NDArray[np.float32] = vectors + lengths * directions[numbers]
    return moved
