"""Lists of integers of differing lengths, kept as two arrays, and the sums over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ragged:
    """`n` lists of integers; list `i` is `values[offsets[i]:offsets[i + 1]]`.

    Attributes:
        offsets: (n + 1,) int64, starting with 0.
        values: (offsets[-1],) int64.
    """

    offsets: Ints
    values: Ints

    @classmethod
    def of_lengths(cls, lengths: Ints, values: Ints) -> Ragged:
        """Cut `values` into consecutive lists of these lengths."""
        return cls(np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), values)

    @classmethod
    def side_by_side(cls, parts: Sequence[Ragged]) -> Ragged:
        """Join list `i` of every part into list `i` of the result, in the parts' order."""
        lengths = sum((part.lengths for part in parts), np.zeros(len(parts[0]), np.int64))
        joined = cls.of_lengths(lengths, np.empty(int(lengths.sum()), np.int64))
        begin = joined.offsets[:-1].copy()
        for part in parts:
            joined.values[_positions(begin, part.lengths)] = part.values
            begin += part.lengths
        return joined

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Ints:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> Ints:
        """(n,) int64, the length of each list."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> Ints:
        """(len(values),) int64, the list that each value stands in."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def select(self, rows: Ints) -> Ragged:
        """The lists at `rows`, in that order."""
        lengths = self.lengths[rows]
        return Ragged.of_lengths(lengths, self.values[_positions(self.offsets[rows], lengths)])

    def keep(self, mask: NDArray[np.bool_]) -> Ragged:
        """The same lists without the values whose `mask` (one flag a value) is false."""
        lengths = np.bincount(self.rows[mask], minlength=len(self))
        return Ragged.of_lengths(lengths, self.values[mask])

    def through(self, inner: Ragged) -> Ragged:
        """Replace every value `v` by the list `inner[v]`, then drop repeats.

        The genres of a playlist are its songs' lists `through` the songs' genres.
        """
        lists = inner.select(self.values)
        lengths = np.bincount(self.rows, weights=lists.lengths, minlength=len(self))
        return Ragged.of_lengths(lengths.astype(np.int64), lists.values).unique()

    def unique(self) -> Ragged:
        """Each list sorted and without repeats."""
        width = int(self.values.max(initial=0)) + 1
        pairs = np.sort(self.rows * width + self.values)  # np.unique hashes, 30 times slower
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]
        lengths = np.bincount(pairs // width, minlength=len(self))
        return Ragged.of_lengths(lengths, pairs % width)

    def inverse(self, size: int) -> Ragged:
        """For each value below `size`, the lists that hold it, ascending."""
        order = np.argsort(self.values, kind="stable")
        return Ragged.of_lengths(np.bincount(self.values, minlength=size), self.rows[order])

    def sum_of(self, vectors: Vectors) -> Vectors:
        """(n, dim) float32: for each list the sum of the rows of `vectors` that it names."""
        from scipy.sparse import csr_array

        ones = np.ones(len(self.values), np.float32)
        matrix: Any = csr_array((ones, self.values, self.offsets), (len(self), len(vectors)))
        sums: Vectors = matrix @ vectors
        return sums


def unit_rows(vectors: Vectors) -> Vectors:
    """Scale every row to length 1, in place; rows without a direction become zero.

    Args:
        vectors: (n, dim) float32.

    Returns:
        The same array.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 1e-12)
    vectors *= scale[:, None].astype(np.float32)
    return vectors


def has_direction(vectors: Vectors) -> NDArray[np.bool_]:
    """(n,) bool: which rows are not zero."""
    nonzero: NDArray[np.bool_] = (vectors != 0).any(axis=1)
    return nonzero


def _positions(begin: Ints, lengths: Ints) -> Ints:
    """The positions in consecutive runs of these lengths, each starting at its `begin`."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    positions: Ints = np.arange(total) + np.repeat(begin - (ends - lengths), lengths)
    return positions
