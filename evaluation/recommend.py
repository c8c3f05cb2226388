"""Questions are answered through a `Retriever`: exactly as many songs and tags as are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import partial

from melon.catalog import Playlist
from melon.evaluation.errors import TooFewItems
from melon.evaluation.popular import PopularItems
from melon.evaluation.questions import POPULAR, check_strategy, rankings
from melon.evaluation.store_checks import Unknowns
from melon.evaluation.submission import SONGS, TAGS, Result
from melon.evaluation.workers import Part, Processes, workers
from melon.progress import Progress, ignore
from melon.retrieval import DEFAULT_STRATEGY, Ranking, Retriever

BATCH = 64
"""Questions that are answered together."""

THREADS = 2
"""Batches under way: engines answer one while Python ranks the other."""


def recommend(
    retriever: Retriever,
    questions: Sequence[Playlist],
    *,
    strategy: str = DEFAULT_STRATEGY,
    until_playlist: bool = False,
    batch: int = BATCH,
    processes: Processes | None = None,
    unknown: Unknowns | None = None,
    progress: Progress = ignore,
) -> Iterator[Result]:
    """Answer questions in their order, `SONGS` songs and `TAGS` tags each, no seed, no repeat.

    What the strategy leaves open is filled with the most popular songs and tags. A question's
    own playlist, where training knew it, is not its neighbour.

    Args:
        retriever: asks the store. Pin its release, or one promoted meanwhile answers the rest.
        questions: playlists with parts blanked.
        strategy: a name in `melon.retrieval.STRATEGIES`, or `POPULAR`.
        until_playlist: recommend no song younger than the day on which the playlist was last
            changed, where that is known. A song of unknown date could be younger: it is not
            recommended either, not even to fill.
        batch: how many questions are answered together; the answers do not depend on it. With 1,
            a question is asked when the one before it is answered and filled.
        processes: those that answer side by side; None for this one alone. `POPULAR` needs none.
        unknown: where what the store does not know is collected; `POPULAR` does not ask.
        progress: told how many questions are answered, as a step of the strategy's name.

    Raises:
        TooFewItems: too few songs, or tags, can be recommended for a question.
        UnknownStrategy: there is none of that name.
        WorkerEnded: one of several processes was killed.
    """
    check_strategy(strategy)
    popular = PopularItems(retriever.reader)
    if until_playlist:
        _check_earliest(popular, questions)
    days = [_last_day(question) if until_playlist else None for question in questions]
    parts = [slice(start, start + batch) for start in range(0, len(questions), batch)]

    asked = ((questions[part], days[part]) for part in parts)
    several = None if strategy == POPULAR else processes
    with _answering(retriever, strategy, several, len(questions), alone=batch == 1) as answer:
        for part, found in zip(parts, answer(asked), strict=True):
            for row, ranking in enumerate(found, part.start):
                if unknown is not None:
                    unknown.add(questions[row], ranking)
                yield _filled(popular, questions[row], ranking, days[row])
            progress(strategy, part.start + len(found), len(questions))


@contextmanager
def _answering(
    retriever: Retriever,
    strategy: str,
    processes: Processes | None,
    questions: int,
    *,
    alone: bool,
) -> Iterator[Callable[[Iterable[Part]], Iterator[list[Ranking]]]]:
    """What answers parts in their order: threads of this process, or several processes.

    `alone`, this one answers each part when it is wanted, without threads.
    """

    def ranked(part: Part) -> list[Ranking]:
        asked, days = part
        return rankings(retriever, asked, days, strategy)

    if processes is not None and (count := processes.count_for(questions)) > 1:
        with workers(count, processes.open_retriever, strategy) as answer:
            yield answer
    elif alone:
        yield partial(map, ranked)
    else:
        with _threads() as pool:
            yield partial(pool.map, ranked)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that are given nothing more to do once the results are not wanted any more."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _last_day(question: Playlist) -> date | None:
    return question.updated.date() if question.updated else None


def _check_earliest(popular: PopularItems, questions: Sequence[Playlist]) -> None:
    """Fail at once where the oldest playlist cannot be answered, and not after the others."""
    dated = [question for question in questions if question.updated]
    if dated:
        oldest = min(dated, key=lambda question: (_last_day(question), question.id))
        _filled(popular, oldest, Ranking((), ()), _last_day(oldest))


def _filled(
    popular: PopularItems, question: Playlist, ranking: Ranking, day: date | None
) -> Result:
    try:
        return Result(
            id=question.id,
            songs=popular.fill_songs(ranking.songs, SONGS, without=question.songs, until=day),
            tags=popular.fill_tags(ranking.tags, TAGS, without=question.tags),
        )
    except TooFewItems as error:
        hint = "songs of unknown date are not recommended either" if day else None
        raise TooFewItems(error.what, where=f"question {question.id}", hint=hint) from None
