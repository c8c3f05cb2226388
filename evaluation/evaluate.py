"""Recommend, then score, in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from melon.catalog import Playlist
from melon.evaluation.catalogue import Catalogue
from melon.evaluation.recommend import BATCH, recommend
from melon.evaluation.score import score
from melon.evaluation.scorecard import Scorecard
from melon.retrieval import DEFAULT_STRATEGY, Retriever


def evaluate(
    retriever: Retriever,
    questions: Sequence[Playlist],
    answers: Sequence[Playlist],
    *,
    strategy: str = DEFAULT_STRATEGY,
    until_playlist: bool = False,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Scorecard:
    """Answer questions with a strategy, and score the answers; see `recommend` and `score`.

    The time of a question is the mean, filling included; with a `batch` of 1, each is asked
    alone.
    """
    started = time.perf_counter()
    results = list(
        recommend(
            retriever,
            questions,
            strategy=strategy,
            until_playlist=until_playlist,
            batch=batch,
            progress=progress,
        )
    )
    seconds = time.perf_counter() - started
    return score(
        results,
        answers,
        questions,
        catalogue=Catalogue(retriever.reader),
        strategy=strategy,
        ms_per_question=1000 * seconds / len(questions),
    )
