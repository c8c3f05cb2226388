"""Answers questions through a `Retriever`, with as many songs and tags as are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from melon.catalog import Playlist
from melon.evaluation.errors import TooFewItems
from melon.evaluation.popular import POPULAR, PopularItems
from melon.evaluation.store_checks import Unknowns
from melon.evaluation.submission import SONGS, TAGS, Result
from melon.evaluation.workers import Batch, Processes, rankings
from melon.progress import Progress, ignore
from melon.retrieval import Ranking, Retriever, check_strategy

BATCH = 64
"""Questions that are answered together."""


def recommend(
    retriever: Retriever,
    questions: Sequence[Playlist],
    *,
    strategy: str | None = None,
    until_playlist: bool = False,
    batch: int = BATCH,
    processes: Processes | None = None,
    unknown: Unknowns | None = None,
    progress: Progress = ignore,
) -> Iterator[Result]:
    """Answer questions in their order: `SONGS` songs and `TAGS` tags each, no seed, no repeat.

    What the strategy leaves open is filled with the most popular songs and tags; a list is shorter
    only where the store holds no more. The playlist of the question, where training knew it, is
    not among the neighbours.

    Args:
        retriever: asks the store. Pin its release, or one promoted meanwhile answers the rest.
        questions: playlists with parts blanked.
        strategy: a name in `melon.retrieval.STRATEGIES`, or `POPULAR`; by default the retriever's.
        until_playlist: recommend no song younger than the day on which the playlist was last
            changed, where that is known. A song of unknown date could be younger: it is not
            recommended either, not even to fill.
        batch: how many questions are answered together; the answers do not depend on it. With 1,
            a question is asked when the one before it is answered and filled.
        processes: answer side by side; None for this one alone. `POPULAR` needs no others.
        unknown: collects what the store does not know; `POPULAR` asks it nothing.
        progress: told how many questions are answered, as a step of the strategy's name.

    Raises:
        TooFewItems: too few songs of the store may be recommended for a question.
        UnknownStrategy: there is none of that name.
        WorkerEnded: one of several processes was killed.
    """
    strategy = retriever.strategy if strategy is None else strategy
    check_strategy(strategy, POPULAR)
    unknown = Unknowns() if unknown is None else unknown
    popular = PopularItems(retriever.reader)
    if until_playlist:
        _check_earliest(popular, questions)
    days = [_last_day(question) if until_playlist else None for question in questions]
    batches = [
        Batch(questions[start : start + batch], days[start : start + batch], strategy)
        for start in range(0, len(questions), batch)
    ]
    answered = 0
    with rankings(retriever, batches, None if strategy == POPULAR else processes) as ranked:
        for asked, answers in zip(batches, ranked, strict=True):
            for question, day, ranking in zip(asked.questions, asked.days, answers, strict=True):
                unknown.add(question, ranking)
                yield _filled(popular, question, ranking, day)
            answered += len(answers)
            progress(strategy, answered, len(questions))


def _check_earliest(popular: PopularItems, questions: Sequence[Playlist]) -> None:
    """Fail at once where the oldest playlist cannot be answered, and not after the others."""
    dated = [question for question in questions if question.updated]
    if dated:
        oldest = min(dated, key=lambda question: (_last_day(question), question.id))
        _filled(popular, oldest, Ranking((), ()), _last_day(oldest))


def _last_day(question: Playlist) -> date | None:
    return question.updated.date() if question.updated else None


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
        raise TooFewItems(
            error.what,
            where=f"question {question.id}",
            hint="songs of unknown date are not recommended either",
        ) from None
