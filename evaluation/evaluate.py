"""Recommend, then score, in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from melon.evaluation.catalogue import Catalogue
from melon.evaluation.questions import Pair
from melon.evaluation.rankings import POPULAR
from melon.evaluation.recommend import BATCH, recommend
from melon.evaluation.score import score_in_order
from melon.evaluation.scorecard import Scorecard
from melon.evaluation.unknowns import Unknowns
from melon.evaluation.workers import Processes
from melon.retrieval import DEFAULT_STRATEGY, Retriever


def evaluate(
    retriever: Retriever,
    pairs: Sequence[Pair],
    *,
    strategy: str = DEFAULT_STRATEGY,
    until_playlist: bool = False,
    batch: int = BATCH,
    processes: Processes | None = None,
    unknown: Unknowns | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scorecard:
    """Answer questions with a strategy, and score what comes back; see `recommend` and `score`.

    The time of a question is the mean, filling and the start of `processes` included; with a
    `batch` of 1, each is asked alone. Nothing is cached of what the retriever was asked before,
    so that the time does not depend on it.

    Args:
        pairs: questions with their answers, as `paired` makes them.
    """
    unknown = Unknowns() if unknown is None else unknown
    questions, answers = [question for question, _ in pairs], [answer for _, answer in pairs]
    retriever = retriever.with_reader(retriever.engine_reader)
    started = time.perf_counter()
    results = list(
        recommend(
            retriever,
            questions,
            strategy=strategy,
            until_playlist=until_playlist,
            batch=batch,
            processes=processes,
            unknown=unknown,
            progress=progress,
        )
    )
    seconds = time.perf_counter() - started
    return score_in_order(
        results,
        answers,
        questions,
        catalogue=Catalogue(retriever.reader),
        strategy=strategy,
        ms_per_question=1000 * seconds / len(questions),
        unknown_questions=None if strategy == POPULAR else len(unknown.questions),
    )
