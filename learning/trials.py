"""What strategies are worth on questions that none of them has learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.evaluation import (
    BATCH,
    SONGS,
    TAGS,
    Pair,
    as_query,
    by_question,
    ndcg,
    paired_difference,
)
from melon.learning.network import Question
from melon.progress import Progress
from melon.ranking import Trial
from melon.retrieval import DEFAULT_STRATEGY, Retriever

Figures = NDArray[np.float64]
"""The nDCG of the songs and of the tags of n questions, (n, 2), NaN where none are hidden."""

SURE = 2.0
"""Standard errors by which one strategy has to be better than another."""


def figures_of(
    retriever: Retriever, strategy: str, pairs: Sequence[Pair], progress: Progress
) -> Figures:
    """How well a strategy answers questions: (n, 2)."""
    answers = []
    for start in range(0, len(pairs), BATCH):
        asked = [as_query(question) for question, _ in pairs[start : start + BATCH]]
        answers += retriever.rank_many(asked, limit=SONGS, tag_limit=TAGS, strategy=strategy)
        progress(strategy, len(answers), len(pairs))
    return np.stack(
        [
            _ndcg(
                [one.songs for one in answers], [set(hidden.songs) for _, hidden in pairs], SONGS
            ),
            _ndcg([one.tags for one in answers], [set(hidden.tags) for _, hidden in pairs], TAGS),
        ],
        axis=1,
    )


def ndcg_of_order(question: Question, scores: NDArray[Any], k: int) -> float:
    """The nDCG@k of a question's candidates in the order of their scores."""
    best = np.argsort(-scores, kind="stable")[:k]
    hits = np.zeros((1, k), np.bool_)
    hits[0, : len(best)] = question.hits[best]
    return float(ndcg(hits, np.array([question.hidden]))[0])


class Trials:
    """Strategies that were tried on the same questions, some of them on the first ones alone.

    Args:
        figures: of each strategy.
    """

    def __init__(self, figures: Mapping[str, Figures]) -> None:
        self._figures = figures
        first = min(map(len, figures.values()))
        scores = {name: by_question(*one[:first].T).mean() for name, one in figures.items()}
        self.best_first = sorted(figures, key=lambda name: (-scores[name], name))

    @property
    def best(self) -> str:
        """What scores most; the default strategy, unless that is better by more than chance."""
        first = self.best_first[0]
        tried = DEFAULT_STRATEGY in self._figures
        return first if not tried or self.is_better(first, DEFAULT_STRATEGY) else DEFAULT_STRATEGY

    def is_better(self, one: str, other: str) -> bool:
        """Whether one scores more than another, by more than is likely to be chance."""
        difference, error = self._difference(one, other)
        return error is not None and difference > SURE * error

    def beside(self, chosen: str) -> tuple[Trial, ...]:
        """What each is worth beside the one that was chosen, best first."""
        trials = [self._trial(name, chosen) for name in self.best_first]
        return tuple(sorted(trials, key=lambda trial: -trial.difference))

    def _difference(self, one: str, other: str) -> tuple[float, float | None]:
        """How much better one is than another on the questions of both, and its error."""
        both = min(len(self._figures[one]), len(self._figures[other]))
        return paired_difference(
            by_question(*self._figures[one][:both].T), by_question(*self._figures[other][:both].T)
        )

    def _trial(self, name: str, chosen: str) -> Trial:
        """What one is worth: the chosen one's figures on all questions, and the difference to it.

        So one that was tried on the first questions alone can be compared, be these easy or not.
        """
        own, best = self._figures[name], self._figures[chosen]
        both = min(len(own), len(best))
        songs, tags = _means(best) + (_means(own[:both]) - _means(best[:both]))
        difference, error = self._difference(name, chosen)
        return Trial(
            strategy=name,
            song_ndcg=None if np.isnan(songs) else _rounded(songs),
            tag_ndcg=None if np.isnan(tags) else _rounded(tags),
            score=_rounded(by_question(*best.T).mean() + difference),
            difference=_rounded(difference),
            standard_error=_rounded(error or 0.0),
        )


def _ndcg(
    lists: Sequence[Sequence[object]], hidden: Sequence[AbstractSet[object]], k: int
) -> NDArray[np.float64]:
    hits = np.zeros((len(lists), k), np.bool_)
    for row, (items, those) in enumerate(zip(lists, hidden, strict=True)):
        hits[row, : len(items)] = [item in those for item in items]
    return ndcg(hits, np.array([len(those) for those in hidden], np.int64))


def _means(figures: Figures) -> NDArray[np.float64]:
    """(2,) of the songs and of the tags, NaN where no question hides any."""
    known = (~np.isnan(figures)).sum(axis=0)
    return np.asarray(np.nansum(figures, axis=0) / np.where(known, known, np.nan))


def _rounded(figure: float) -> float:
    return round(float(figure), 6)
