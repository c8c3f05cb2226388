"""Who holds what: the playlists' songs, tags and title words as sparse matrices."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from melon.embedding import EmbeddingSpace
from melon.store import SparseRows
from melon.titles import TitleTokenizer

BIGRAM_MIN_COUNT = 2
DIMENSIONS = 2**32
HASH_SHIFT = 4
"""Of a hash of 32 bits 28 are used: fewer than the dimensions that words have, and bigrams."""

Matrix: TypeAlias = sparse.csr_array
Dimensions = NDArray[np.uint32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Incidence:
    """Binary matrices with a row per playlist and a column per song, tag, word or bigram.

    Words and bigrams are those of a playlist's title and tags. `bigram_names` are the columns of
    `bigrams`: those that two playlists have at least.
    """

    songs: Matrix
    tags: Matrix
    words: Matrix
    bigrams: Matrix
    bigram_names: list[str]


def incidence(space: EmbeddingSpace) -> Incidence:
    """Lay a space's playlists out as matrices, rows and columns in the space's order."""
    songs = pa.array(space.song_ids)
    bigrams, bigram_names = _bigrams(space)
    return Incidence(
        songs=membership(space.playlists["songs"], songs),
        tags=membership(space.playlists["tags"], pa.array(space.tags, pa.string())),
        words=membership(space.playlists["words"], pa.array(space.words, pa.string())),
        bigrams=bigrams,
        bigram_names=bigram_names,
    )


def _bigrams(space: EmbeddingSpace) -> tuple[Matrix, list[str]]:
    cut = TitleTokenizer.bigrams
    of_tag = {tag: cut(tag) for tag in space.tags}
    titles = space.playlists["title"].to_pylist()
    tag_lists = space.playlists["tags"].to_pylist()
    texts = [
        list(dict.fromkeys(chain(cut(title or ""), *(of_tag[tag] for tag in tags))))
        for title, tags in zip(titles, tag_lists, strict=True)
    ]
    counts = Counter(chain.from_iterable(texts))
    names = [bigram for bigram, count in counts.most_common() if count >= BIGRAM_MIN_COUNT]
    kept = set(names)
    lists = pa.chunked_array(
        [pa.array(([b for b in text if b in kept] for text in texts), pa.list_(pa.string()))]
    )
    return membership(lists, pa.array(names, pa.string())), names


def membership(lists: pa.ChunkedArray, columns: pa.Array) -> Matrix:
    """One row per list, with a 1 in the column of each of its values."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    indices = pc.index_in(pc.list_flatten(lists), value_set=columns).to_numpy()
    matrix = sparse.csr_array(
        (np.ones(len(indices), np.float32), indices.astype(np.int64), indptr),
        shape=(len(lists), len(columns)),
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def scale_rows(matrix: Matrix, exponent: float) -> Matrix:
    """Multiply every entry by n^exponent, n the number of entries of its row."""
    counts = np.diff(matrix.indptr)
    factors = np.repeat(np.maximum(counts, 1).astype(np.float32) ** exponent, counts)
    values = np.asarray(matrix.data * factors, np.float32)
    return sparse.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def dimensions_of(names: Sequence[str], first: int) -> Dimensions:
    """(n,) the dimension of each tag, word or bigram.

    It follows from the name, so that what is new among the others does not move them. Names of one
    hash, which are few, take the next dimensions.

    Args:
        names: without repeats.
        first: the least of their dimensions.
    """
    hashed = sorted((zlib.crc32(name.encode()) >> HASH_SHIFT, name) for name in names)
    places = np.arange(len(hashed))
    hashes = np.array([number for number, _ in hashed], np.int64)
    numbers = first + np.maximum.accumulate(hashes - places) + places
    by_name = dict(zip([name for _, name in hashed], numbers.tolist(), strict=True))
    return np.array([by_name[name] for name in names], np.uint32)


def to_sparse_rows(parts: Sequence[tuple[Matrix, Dimensions]]) -> SparseRows:
    """Join matrices side by side; column j of each stands for dimension `dimensions[j]`."""
    joined = sparse.hstack([matrix for matrix, _ in parts], format="csr")
    dimensions = np.concatenate([dimensions for _, dimensions in parts])
    ordered = sparse.csr_array(
        (joined.data, dimensions[joined.indices].astype(np.int64), joined.indptr.astype(np.int64)),
        shape=(joined.shape[0], DIMENSIONS),
    )
    ordered.sort_indices()
    return sparse_rows(ordered)


def sparse_rows(matrix: Matrix) -> SparseRows:
    """The rows of a matrix, its columns being dimensions, as an engine takes them."""
    return SparseRows(
        indptr=matrix.indptr.astype(np.int64),
        indices=matrix.indices.astype(np.uint32),
        values=matrix.data.astype(np.float32),
    )


def matrix_of(rows: SparseRows) -> Matrix:
    """Rows as an engine takes them as a matrix of all dimensions."""
    parts = (rows.values, rows.indices.astype(np.int64), rows.indptr)
    return sparse.csr_array(parts, shape=(len(rows.indptr) - 1, DIMENSIONS))
