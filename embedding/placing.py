"""Songs, tags, words and playlists get their places from what training left of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from melon.embedding.bags import TokenKind
from melon.embedding.cold_start import TRAINED, Evidence, SourcedVectors, cold_start
from melon.embedding.columns import Corpus
from melon.embedding.ragged import Ints, Ragged, Vectors, has_direction, unit_rows
from melon.embedding.space import EmbeddingSpace

FROM_ITEMS = "items"
ALBUM_WEIGHT, ARTIST_WEIGHT, DETAIL_GENRE_WEIGHT, GENRE_WEIGHT = 1.0, 0.5, 0.25, 0.125
"""Shares in a cold song's vector: each is trusted twice as much as the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The vectors that training left, (n, dim) float32, of each kind that took part."""

    vectors: Mapping[TokenKind, Vectors]
    dim: int

    def of(self, kind: TokenKind, size: int) -> Vectors:
        """(size, dim) float32: the vectors of a kind, zero where it took no part."""
        found = self.vectors.get(kind)
        return np.zeros((size, self.dim), np.float32) if found is None else found


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The vectors of all that there is, and where each is from."""

    songs: SourcedVectors
    playlists: SourcedVectors
    tags: SourcedVectors
    words: SourcedVectors


def place(corpus: Corpus, playlist_words: Ragged, word_count: int, trained: Trained) -> Placed:
    """Give all songs, tags, words and playlists of a corpus their place.

    Args:
        corpus: the playlists and songs as columns.
        playlist_words: for each playlist, the words of its title and tags.
        word_count: how many words there are.
        trained: what training left; a row of zeros where it left nothing.
    """
    warm_playlists = _place_playlists(corpus, playlist_words, word_count, trained)
    songs = _place_songs(corpus, trained, warm_playlists.vectors)
    playlists = _place_by_cold_songs(warm_playlists, corpus.playlist_songs, songs.vectors)
    tags = trained.of(TokenKind.TAG, len(corpus.tags))
    words = trained.of(TokenKind.WORD, word_count)
    return Placed(
        songs=songs,
        playlists=playlists,
        tags=cold_start(tags, corpus.playlist_tags, playlists.vectors),
        words=cold_start(words, playlist_words, playlists.vectors),
    )


def space_of(
    corpus: Corpus, playlist_words: Ragged, words: list[str], placed: Placed, **rest: Any
) -> EmbeddingSpace:
    """The space of a corpus that has been given its places.

    Args:
        playlist_words: for each playlist, its words' numbers in `words`.
        rest: the other fields of the space.
    """
    songs, playlists, tags = placed.songs, placed.playlists, placed.tags
    return EmbeddingSpace(
        songs=_described(corpus.songs, corpus.playlist_songs, songs.sources),
        song_vectors=songs.vectors,
        playlists=corpus.playlists.append_column(
            "words", _spelled(playlist_words, words)
        ).append_column("vector_source", pa.array(playlists.sources, pa.string())),
        playlist_vectors=playlists.vectors,
        tag_table=_described(_named("tag", corpus.tags), corpus.playlist_tags, tags.sources),
        tag_vectors=tags.vectors,
        word_table=_described(_named("word", words), playlist_words, placed.words.sources),
        word_vectors=placed.words.vectors,
        **rest,
    )


def _place_playlists(
    corpus: Corpus, playlist_words: Ragged, word_count: int, trained: Trained
) -> SourcedVectors:
    """Playlists where training put them, or where their trained songs, tags and words are."""
    playlists = trained.of(TokenKind.PLAYLIST, len(corpus.playlists))
    items = corpus.playlist_songs.sum_of(trained.of(TokenKind.SONG, len(corpus.songs)))
    items += corpus.playlist_tags.sum_of(trained.of(TokenKind.TAG, len(corpus.tags)))
    items += playlist_words.sum_of(trained.of(TokenKind.WORD, word_count))
    learnt = has_direction(playlists)
    placed = np.where(learnt[:, None], playlists, unit_rows(items))
    sources = np.full(len(placed), None, dtype=object)
    sources[has_direction(placed)] = FROM_ITEMS
    sources[learnt] = TRAINED
    return SourcedVectors(placed, sources)


def _place_songs(corpus: Corpus, trained: Trained, playlist_vectors: Vectors) -> SourcedVectors:
    """Songs where training put them, or near their album, artists and genres."""
    albums = corpus.song_album
    evidence = [
        Evidence(
            "album",
            ALBUM_WEIGHT,
            Ragged.of_lengths((albums >= 0).astype(np.int64), albums[albums >= 0]),
            np.zeros((int(albums.max(initial=-1)) + 1, playlist_vectors.shape[1]), np.float32),
        ),
        Evidence(
            "artist",
            ARTIST_WEIGHT,
            corpus.song_artists,
            trained.of(TokenKind.ARTIST, corpus.artist_count),
        ),
        Evidence(
            "genre",
            DETAIL_GENRE_WEIGHT,
            corpus.song_detail_genres,
            trained.of(TokenKind.DETAIL_GENRE, len(corpus.detail_genres)),
        ),
        Evidence(
            "genre",
            GENRE_WEIGHT,
            corpus.song_genres,
            trained.of(TokenKind.GENRE, len(corpus.genres)),
        ),
    ]
    song_vectors = trained.of(TokenKind.SONG, len(corpus.songs))
    return cold_start(song_vectors, corpus.playlist_songs, playlist_vectors, evidence)


def _place_by_cold_songs(
    playlists: SourcedVectors, playlist_songs: Ragged, song_vectors: Vectors
) -> SourcedVectors:
    """Place the playlists that hold only cold songs: at the mean of these, which are placed now."""
    vectors, sources = playlists.vectors.copy(), playlists.sources.copy()
    bare = np.flatnonzero(~has_direction(vectors))
    means = unit_rows(playlist_songs.select(bare).sum_of(song_vectors))
    vectors[bare] = means
    sources[bare[has_direction(means)]] = FROM_ITEMS
    return SourcedVectors(vectors, sources)


def _named(name: str, values: list[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string())})


def _described(table: pa.Table, members: Ragged, sources: NDArray[np.object_]) -> pa.Table:
    """Add to a table of items how many playlists hold each, and where its vector is from."""
    popularity: Ints = np.bincount(members.values, minlength=len(table))
    return table.append_column("popularity", pa.array(popularity)).append_column(
        "vector_source", pa.array(sources, pa.string())
    )


def _spelled(lists: Ragged, words: list[str]) -> pa.Array:
    """The lists of numbers as a column of lists of strings."""
    flat = pa.array(words, pa.string()).take(pa.array(lists.values))
    return pa.ListArray.from_arrays(pa.array(lists.offsets.astype(np.int32)), flat)
