"""Vectors for what training never saw, or saw too rarely, from what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from melon.embedding.ragged import Ints, Ragged, Vectors, has_direction, unit_rows

TRAINED = "trained"
FROM_PLAYLISTS = "playlists"

_BLOCK = 100_000
"""Rows that get vectors at a time, to bound the memory."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One way in which songs are alike: the same album, artist or genre.

    Attributes:
        source: a song's label where this is the strongest evidence that there is of it.
        weight: its share in a blend, relative to the others'.
        groups: for each song, the numbers of its groups.
        tokens: (n_groups, dim) vectors that training gave the groups, zero rows where it gave
            none; they count where no song of the group was trained.
    """

    source: str
    weight: float
    groups: Ragged
    tokens: Vectors


class SourcedVectors(NamedTuple):
    """Vectors, (n, dim) float32 unit rows or zero, and (n,) where each is from, None where zero."""

    vectors: Vectors
    sources: NDArray[np.object_]


def cold_start(
    vectors: Vectors, members: Ragged, playlist_vectors: Vectors, evidence: Sequence[Evidence] = ()
) -> SourcedVectors:
    """Give every song, tag or word without a vector one from what is known of it.

    For songs that is their album-mates, artists and genres: a group's vector is the mean of its
    trained songs, and the groups are blended by weight. Where nothing is known, the mean of the
    playlists that hold it has to do.

    Args:
        vectors: (n, dim) float32, unit rows, zero where training gave none.
        members: for each playlist, the rows of what it holds.
        playlist_vectors: (n_playlists, dim) float32, unit rows or zero.
        evidence: the most trusted first.

    Returns:
        The sources are `trained`, one of the evidence's, `playlists`, or None.
    """
    filled = vectors.copy()
    sources = np.full(len(vectors), None, dtype=object)
    trained = has_direction(vectors)
    sources[trained] = TRAINED
    cold = np.flatnonzero(~trained)
    group_vectors = [_group_vectors(clue, vectors, trained) for clue in evidence]
    holders = members.inverse(len(vectors))
    for begin in range(0, len(cold), _BLOCK):
        block = cold[begin : begin + _BLOCK]
        blend = np.zeros((len(block), vectors.shape[1]), np.float32)
        for clue, groups in zip(evidence, group_vectors, strict=True):
            means = unit_rows(clue.groups.select(block).sum_of(groups))
            _label(sources, block, means, clue.source)
            blend += np.float32(clue.weight) * means
        alone = ~has_direction(blend)
        blend[alone] = holders.select(block[alone]).sum_of(playlist_vectors)
        _label(sources, block, blend, FROM_PLAYLISTS)
        filled[block] = unit_rows(blend)
    return SourcedVectors(filled, sources)


def _group_vectors(clue: Evidence, vectors: Vectors, trained: NDArray[np.bool_]) -> Vectors:
    members = clue.groups.inverse(len(clue.tokens))
    means = unit_rows(members.keep(trained[members.values]).sum_of(vectors))
    empty = ~has_direction(means)
    means[empty] = clue.tokens[empty]
    return means


def _label(sources: NDArray[np.object_], rows: Ints, vectors: Vectors, source: str) -> None:
    """Name the source of the rows that have a vector, unless a stronger one is named already."""
    fresh = rows[has_direction(vectors)]
    unnamed = np.array([source is None for source in sources[fresh]], np.bool_)
    sources[fresh[unnamed]] = source
