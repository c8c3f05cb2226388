"""Playlists as sparse rows over everything that they hold: what all peers learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from melon.catalog import Playlist
from melon.titles import TitleTokenizer

Matrix = Any
"""A `scipy.sparse.csr_matrix` of float32, whose package has no types."""


class Bags:
    """The training playlists' songs, tags and title words.

    Attributes:
        songs, tags, words: what the columns of a row stand for, in this order.
        matrix: (playlists, items) csr float32, 1 where a playlist holds an item.
        counts: (items,) float32, how many playlists hold it.
    """

    def __init__(self, playlists: Iterable[Playlist], tokenizer: TitleTokenizer) -> None:
        self._tokenizer = tokenizer
        kept = list(playlists)
        words = [self._title_words(playlist) for playlist in kept]
        self.songs = sorted({song for playlist in kept for song in playlist.songs})
        self.tags = sorted({tag for playlist in kept for tag in playlist.tags})
        self.words = sorted(set(chain.from_iterable(words)))
        starts = np.cumsum([0, len(self.songs), len(self.tags), len(self.words)]).tolist()
        self.song_columns, self.tag_columns, self.word_columns = map(slice, starts, starts[1:])
        self._items = starts[-1]
        self._song_at = {song: at for at, song in enumerate(self.songs, starts[0])}
        self._tag_at = {tag: at for at, tag in enumerate(self.tags, starts[1])}
        self._word_at = {word: at for at, word in enumerate(self.words, starts[2])}
        self.matrix = self.rows(kept)
        self.counts = np.asarray(self.matrix.sum(axis=0), np.float32).ravel()

    def rows(self, playlists: Sequence[Playlist]) -> Matrix:
        """(n, items) csr float32: what is known of what playlists, or questions, hold."""
        rows = [list(self._known(playlist)) for playlist in playlists]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.fromiter(chain.from_iterable(rows), np.int32, int(ends[-1]))
        ones = np.ones(len(columns), np.float32)
        return sparse.csr_matrix((ones, columns, ends), (len(rows), self._items))

    def sizes(self) -> NDArray[np.float32]:
        """(playlists,) float32: how many items each holds."""
        return np.asarray(np.diff(self.matrix.indptr), np.float32)

    def _known(self, playlist: Playlist) -> Iterator[int]:
        columns = chain(
            map(self._song_at.get, playlist.songs),
            map(self._tag_at.get, playlist.tags),
            map(self._word_at.get, self._title_words(playlist)),
        )
        return (column for column in columns if column is not None)

    def _title_words(self, playlist: Playlist) -> Iterable[str]:
        """A title's words and the known tags that stand in it, once each."""
        if not playlist.title:
            return ()
        tokenizer, title = self._tokenizer, playlist.title
        return dict.fromkeys([*tokenizer.words(title), *tokenizer.tags(title)])
