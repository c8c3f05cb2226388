"""Word2vec over the bags, by gensim, with progress and a log of the epochs.

The method: CBOW (Mikolov et al. 2013, arXiv:1301.3781) or skip-gram, with negative sampling
(arXiv:1310.4546). A bag has no order, so each epoch sees every bag in another one: a window
smaller than the bag then meets every pair of it sooner or later.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.embedding.bags import TokenKind, TokenTable, drop_rare, split_long
from melon.embedding.errors import EmptyVocabulary, TrainingDiverged
from melon.embedding.loss import LossSample
from melon.embedding.ragged import Ints, Ragged, Vectors, unit_rows
from melon.embedding.settings import TrainingSettings
from melon.progress import Progress

_CHUNK = 2_000
"""Bags that are shuffled and spelled out at a time."""

_TELL_EVERY = 0.3
"""Seconds between two reports of progress within an epoch."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The figures of one pass over the bags.

    `loss` is the mean over a fixed sample, comparable from epoch to epoch of one run.
    """

    epoch: int
    loss: float
    seconds: float
    words_per_second: float


def train_vectors(
    bags: Ragged, table: TokenTable, settings: TrainingSettings, progress: Progress
) -> tuple[Vectors, list[Epoch]]:
    """Train a vector for every token that is not too rare.

    Returns:
        (n_tokens, dim) float32, unit rows by code, zero where a token was not trained; and the
        log of the epochs.

    Raises:
        EmptyVocabulary: no bag holds two tokens that are frequent enough.
        TrainingDiverged: the vectors hold values that are not numbers.
    """
    min_counts = {kind: settings.min_count_of(kind) for kind in TokenKind}
    bags = drop_rare(bags, table.values(min_counts))
    bags = bags.select(np.flatnonzero(bags.lengths > 1))
    if not len(bags):
        raise EmptyVocabulary(
            "no playlist holds two tokens that are frequent enough to be trained",
            hint="give more playlists, with two songs, tags or words that others have, too"
            if settings.min_count == 1
            else f"lower min_count (now {settings.min_count}), or give more playlists",
        )
    has_playlists = TokenKind.PLAYLIST in table.numbers
    bags = split_long(bags, shared=int(has_playlists))
    names = table.strings()
    counts = np.bincount(bags.values, minlength=len(names))
    model = _model(names, counts, settings)
    run = _Run(model, bags, names, settings, progress)
    try:
        model.train(
            corpus_iterable=run,
            total_examples=len(bags),
            epochs=settings.epochs,
            callbacks=[_EpochEnd(run)],
        )
    except BaseException as error:
        run.stop(error)
        raise
    codes = np.flatnonzero(counts)
    rows = [model.wv.key_to_index[name] for name in names[codes]]
    vectors = np.zeros((len(names), settings.dim), np.float32)
    vectors[codes] = unit_rows(model.wv.vectors[rows])
    if settings.add_output:
        vectors[codes] += unit_rows(model.syn1neg[rows])
    return unit_rows(vectors), run.log


def _model(names: NDArray[np.object_], counts: Ints, settings: TrainingSettings) -> Any:
    """A gensim model with the vocabulary already counted; min_count has been applied before."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        sg=int(settings.skip_gram),
        hs=0,
        min_count=1,
        vector_size=settings.dim,
        window=settings.window,
        shrink_windows=settings.shrink_windows,
        negative=settings.negative,
        ns_exponent=settings.ns_exponent,
        sample=settings.sample,
        alpha=settings.alpha,
        min_alpha=settings.min_alpha,
        epochs=settings.epochs,
        batch_words=settings.batch_words,
        workers=settings.workers,
        seed=settings.seed,
    )
    present = np.flatnonzero(counts)
    frequencies = dict(zip(names[present].tolist(), counts[present].tolist(), strict=True))
    model.build_vocab_from_freq(frequencies, corpus_count=1)
    return model


class _Run:
    """One training: gensim iterates over it once an epoch, in another thread.

    An error in that thread would leave gensim waiting for ever. So whatever is raised there, by
    the progress callback too, is kept, ends the epoch early, and is raised at its end, in the
    caller's thread.
    """

    def __init__(
        self,
        model: Any,
        bags: Ragged,
        names: NDArray[np.object_],
        settings: TrainingSettings,
        progress: Progress,
    ) -> None:
        self.log: list[Epoch] = []
        self._model = model
        self._bags = bags
        self._names = names
        self._settings = settings
        self._progress = progress
        self._sample = LossSample.draw(bags, settings)
        self._epoch_start = self._told = time.perf_counter()
        self._epoch = 0
        self._failure: BaseException | None = None

    def __iter__(self) -> Iterator[list[str]]:
        try:
            yield from self._spelled_bags()
        except BaseException as error:
            self._failure = error

    def _spelled_bags(self) -> Iterator[list[str]]:
        self._epoch_start = time.perf_counter()
        self._epoch += 1
        done = 0
        for chunk in self._chunks():
            spelled = self._names[chunk.values].tolist()
            bounds = chunk.offsets.tolist()
            for begin, end in pairwise(bounds):
                if self._failure is not None:
                    return
                yield spelled[begin:end]
            done += len(chunk)
            self._tell(done)

    def _chunks(self) -> Iterator[Ragged]:
        order = np.arange(len(self._bags))
        rng = np.random.default_rng([self._settings.seed, self._epoch])
        if self._settings.shuffle:
            rng.shuffle(order)
        for first in range(0, len(order), _CHUNK):
            chunk = self._bags.select(order[first : first + _CHUNK])
            if self._settings.shuffle:
                within = np.argsort(chunk.rows + rng.random(len(chunk.values)))
                chunk = Ragged(chunk.offsets, chunk.values[within])
            yield chunk

    def _tell(self, done: int) -> None:
        """Report progress within an epoch, unless that was done a moment ago."""
        now = time.perf_counter()
        if now - self._told >= _TELL_EVERY and self._failure is None:
            self._told = now
            self._report(done)

    def _report(self, done: int) -> None:
        self._progress(f"epoch {self._epoch}/{self._settings.epochs}", done, len(self._bags))

    def stop(self, reason: BaseException) -> None:
        """Hand out no more bags: gensim's threads would go on after an interruption."""
        self._failure = reason

    def end_epoch(self) -> None:
        """Check the vectors, and log the epoch."""
        if self._failure is not None:
            raise self._failure
        seconds = time.perf_counter() - self._epoch_start
        loss = self._sample.loss(self._model, self._names)
        if not (np.isfinite(loss) and np.isfinite(self._model.wv.vectors).all()):
            raise TrainingDiverged(
                f"the vectors are not numbers any more after epoch {self._epoch}",
                hint=f"lower alpha, which is {self._settings.alpha}",
            )
        rate = len(self._bags.values) / max(seconds, 1e-9)
        self.log.append(Epoch(self._epoch, loss, seconds, rate))
        self._report(len(self._bags))


class _EpochEnd:
    """What gensim calls back; it asks for these four methods and no base class."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def on_train_begin(self, model: Any) -> None:
        pass

    def on_train_end(self, model: Any) -> None:
        pass

    def on_epoch_begin(self, model: Any) -> None:
        pass

    def on_epoch_end(self, model: Any) -> None:  # noqa: ARG002 - gensim names it
        self._run.end_epoch()
