"""What goes into each collection: ids, vectors and payloads of all its points, by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from melon.embedding import EmbeddingSpace
from melon.ingest.duplicates import directions, duplicate_numbers, move_apart
from melon.ingest.incidence import (
    Ints,
    Matrix,
    dimensions_of,
    incidence,
    matrix_of,
    scale_rows,
    sparse_rows,
    to_sparse_rows,
)
from melon.ingest.payloads import (
    Payloads,
    playlist_payloads,
    song_payloads,
    tag_payloads,
    word_payloads,
)
from melon.store import (
    FIRST_BIGRAM_ITEM,
    FIRST_TAG_ITEM,
    FIRST_WORD_ITEM,
    Collection,
    PointBatch,
    PointId,
    SparseRows,
    bigram_point_id,
    tag_point_id,
    word_point_id,
)


class SparseWeights(BaseModel):
    """Exponents of the values that are stored in the sparse vectors.

    A playlist with n songs has n^`song_length` at each of its songs in `items`, and likewise for
    its tags, its words and its bigrams. A song or tag in n playlists has n^`popularity` at each of
    them in `playlists`; a tag has moreover m^`holder_tags` at one with m tags, each of which says
    less about the playlist than a single one would. What depends on the query is weighted at query
    time and needs no new release.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    song_length: float = Field(default=-0.4, ge=-2, le=2)
    tag_length: float = Field(default=-0.4, ge=-2, le=2)
    word_length: float = Field(default=-0.4, ge=-2, le=2)
    bigram_length: float = Field(default=-0.4, ge=-2, le=2)
    popularity: float = Field(default=0.0, ge=-2, le=2)
    holder_tags: float = Field(default=-0.4, ge=-2, le=2)


class Points(Protocol):
    """All points of one collection, wherever they are."""

    @property
    def ids(self) -> Sequence[PointId]:
        """Of each row."""

    def __len__(self) -> int: ...

    def batch(self, start: int, stop: int) -> PointBatch:
        """The points from row `start` to before row `stop`."""


@dataclass(frozen=True, eq=False)
class Contents:
    """All points of one collection; `vectors` is (n, dim) float32, zero rows have no vector."""

    ids: Sequence[PointId]
    vectors: NDArray[np.float32]
    sparse: SparseRows | None
    payloads: Payloads

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, start: int, stop: int) -> PointBatch:
        """The points from row `start` to before row `stop`."""
        return PointBatch(
            ids=self.ids[start:stop],
            dense=self.dense(start, stop),
            sparse=self.sparse.slice(start, stop) if self.sparse else None,
            payloads=self.payloads(start, min(stop, len(self))),
        )

    def at(self, rows: Ints) -> PointBatch:
        """The points of some rows."""
        return PointBatch(
            ids=[self.ids[row] for row in rows.tolist()],
            dense=self.dense_at(rows),
            sparse=sparse_rows(self.matrix[rows]) if self.sparse else None,
            payloads=self.payloads.at(rows),
        )

    def dense(self, start: int, stop: int) -> NDArray[np.float32]:
        """The vectors from row `start` to before row `stop`, no two of them the same."""
        return move_apart(self.vectors[start:stop], self._numbers[start:stop], self._directions)

    def dense_at(self, rows: Ints) -> NDArray[np.float32]:
        """The vectors of some rows, likewise."""
        return move_apart(self.vectors[rows], self._numbers[rows], self._directions)

    @cached_property
    def matrix(self) -> Matrix:
        """The sparse vectors, a row for each point."""
        if self.sparse is None:
            raise ValueError("these points have no sparse vectors")
        return matrix_of(self.sparse)

    @cached_property
    def _numbers(self) -> NDArray[np.int32]:
        return duplicate_numbers(self.vectors)

    @cached_property
    def _directions(self) -> NDArray[np.float32]:
        return directions(self._numbers, self.vectors.shape[1])


def contents(space: EmbeddingSpace, weights: SparseWeights) -> Mapping[Collection, Contents]:
    """Lay out a space as the four collections of the schema."""
    members = incidence(space)
    song_dimensions = space.song_ids.astype(np.uint32)
    tag_dimensions = dimensions_of(space.tags, FIRST_TAG_ITEM)
    word_dimensions = dimensions_of(space.words, FIRST_WORD_ITEM)
    bigram_dimensions = dimensions_of(members.bigram_names, FIRST_BIGRAM_ITEM)
    playlist_dimensions = space.playlist_ids.astype(np.uint32)
    items = to_sparse_rows(
        [
            (scale_rows(members.songs, weights.song_length), song_dimensions),
            (scale_rows(members.tags, weights.tag_length), tag_dimensions),
            (scale_rows(members.words, weights.word_length), word_dimensions),
            (scale_rows(members.bigrams, weights.bigram_length), bigram_dimensions),
        ]
    )
    song_holders, tag_holders = (
        to_sparse_rows([(scale_rows(m.T.tocsr(), weights.popularity), playlist_dimensions)])
        for m in (members.songs, scale_rows(members.tags, weights.holder_tags))
    )
    return {
        Collection.SONGS: Contents(
            space.song_ids.tolist(),
            space.song_vectors,
            song_holders,
            song_payloads(space),
        ),
        Collection.TAGS: Contents(
            [tag_point_id(tag) for tag in space.tags],
            space.tag_vectors,
            tag_holders,
            tag_payloads(space, tag_dimensions),
        ),
        Collection.PLAYLISTS: Contents(
            space.playlist_ids.tolist(),
            space.playlist_vectors,
            items,
            playlist_payloads(space, members),
        ),
        Collection.WORDS: Contents(
            [
                *map(word_point_id, space.words),
                *map(bigram_point_id, members.bigram_names),
            ],
            np.vstack(
                [space.word_vectors, np.zeros((len(members.bigram_names), space.dim), np.float32)]
            ),
            None,
            word_payloads(space, members, word_dimensions, bigram_dimensions),
        ),
    }
