"""From a peer's scores to the lists that are scored: no seeds, popular ones at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from melon.catalog import Playlist
from melon.evaluation import SONGS, TAGS, Result
from peers.bags import Bags, Matrix

BATCH = 32
"""Questions asked together, of melon too: a peer needs a number for each and every song."""

Scores = NDArray[np.float32]


class Peer(Protocol):
    """A method of recommendation."""

    def scores(self, rows: Matrix) -> Scores:
        """Score all items for questions.

        Args:
            rows: (n, items) csr float32, what the questions give.

        Returns:
            (n, items) float32; what is 0 or less is no candidate.
        """


def answer(peer: Peer, bags: Bags, questions: Sequence[Playlist]) -> Iterator[Result]:
    """The best songs and tags by a peer's scores, none that the question gives."""
    songs, tags = np.array(bags.songs), np.array(bags.tags, object)
    for start in range(0, len(questions), BATCH):
        part = questions[start : start + BATCH]
        rows = bags.rows(part)
        scores = peer.scores(rows)
        best_songs = _best(scores, rows, bags.counts, bags.song_columns, SONGS)
        best_tags = _best(scores, rows, bags.counts, bags.tag_columns, TAGS)
        for question, song_rows, tag_rows in zip(part, best_songs, best_tags, strict=True):
            yield Result(question.id, tuple(songs[song_rows].tolist()), tuple(tags[tag_rows]))


def _best(
    scores: Scores, rows: Matrix, counts: Scores, columns: slice, length: int
) -> NDArray[np.int64]:
    """(n, length) int64: the best of some columns, then the most popular of them."""
    some = scores[:, columns]
    # Candidates stay above 0; the others are ranked below it by their popularity.
    ranked = np.where(some > 0, some, -1 / (1 + counts[columns]))
    ranked[rows[:, columns].nonzero()] = -np.inf
    best = np.argpartition(-ranked, length - 1, axis=1)[:, :length]
    order = np.argsort(-np.take_along_axis(ranked, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
