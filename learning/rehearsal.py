"""Rehearsals: spaces that never saw some of the playlists, and questions made of these.

What is learned of how to rank has to hold for playlists that come later. So it is learned from
playlists that were left out: nothing of them is in the space that their questions are asked of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.catalog import Playlist
from melon.embedding import Catalogue, EmbeddingSpace, TrainingSettings, train_space
from melon.evaluation import Pair, draw_kinds, fitting, mask
from melon.progress import Progress

QUESTIONS = 3_000
"""As many are wanted in all."""

SHARE = 5
"""A rehearsal leaves out at most one of so many playlists, and there are at most so many."""

LONG = 200
"""Songs of a playlist that count at most: the more it has, the more there is to learn from it."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """The playlists that a rehearsal leaves out, by their rows, and the questions about them.

    The questions are in random order.
    """

    rows: NDArray[np.int64]
    pairs: list[Pair]


def draw_folds(catalogue: Catalogue, rng: np.random.Generator) -> list[Fold]:
    """What each rehearsal leaves out; each playlist is in at most one.

    A rehearsal leaves out a fifth of the playlists, or as many as questions are wanted; there are
    so many as it takes to have these, five at most. Long playlists are drawn sooner, for a question
    about one says more. The questions are of the challenge's kinds, with its shares as far as the
    playlists allow; playlists of fewer than two songs are none.
    """
    corpus = catalogue.corpus
    counts = (corpus.playlist_songs.lengths.tolist(), corpus.playlist_tags.lengths.tolist())
    titled = corpus.playlists["title"].is_valid().to_pylist()
    fits = [fitting(*has) for has in zip(*counts, titled, strict=True)]
    size = min(QUESTIONS, len(fits) // SHARE)
    weights = np.minimum(corpus.playlist_songs.lengths, LONG).astype(np.float64)
    weights[[not fit for fit in fits]] = 0
    folds: list[Fold] = []
    while len(folds) < SHARE and sum(len(fold.pairs) for fold in folds) < QUESTIONS:
        drawn = _draw(weights, size, rng)
        weights[drawn] = 0
        chosen = set(drawn.tolist())
        kinds = draw_kinds([fit if row in chosen else 0 for row, fit in enumerate(fits)], size, rng)
        if not kinds:
            break
        rows = rng.permutation(sorted(kinds))
        records = corpus.playlists.take(rows).to_pylist()
        pairs = [
            mask(_playlist(record), kinds[row], rng)
            for row, record in zip(rows.tolist(), records, strict=True)
        ]
        folds.append(Fold(rows, pairs))
    return folds


def _draw(weights: NDArray[np.float64], count: int, rng: np.random.Generator) -> Ints:
    """Rows, each as likely as its weight says; fewer where fewer have one."""
    some = min(count, int(np.count_nonzero(weights)))
    if not some:
        return np.empty(0, np.int64)
    drawn = rng.choice(len(weights), some, replace=False, p=weights / weights.sum())
    return np.asarray(drawn, np.int64)


def rehearse(
    catalogue: Catalogue, fold: Fold, settings: TrainingSettings, progress: Progress
) -> EmbeddingSpace:
    """Train a space that never saw the playlists of a fold."""
    return train_space(catalogue.without(fold.rows), settings, progress)


def _playlist(record: dict[str, Any]) -> Playlist:
    songs, tags = tuple(record.pop("songs")), tuple(record.pop("tags"))
    return Playlist(songs=songs, tags=tags, **record)
