"""What a retriever ranks for questions, before anything is filled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from melon.catalog import Playlist
from melon.evaluation.results import SONGS, TAGS
from melon.retrieval import (
    STRATEGIES,
    Constraints,
    PlaylistQuery,
    Ranking,
    Retriever,
    UnknownStrategy,
)

POPULAR = "popular"
"""Not a strategy of retrieval but what each has to beat: every list is all filling."""


def check_strategy(name: str, *others: str) -> None:
    """Make sure that there is a strategy of this name, or that it is `POPULAR` or of `others`.

    Raises:
        UnknownStrategy: there is none.
    """
    known = (*STRATEGIES, POPULAR, *others)
    if name not in known:
        raise UnknownStrategy(
            f"there is no strategy {name!r}", hint=f"strategies are {', '.join(known)}"
        )


def rankings(
    retriever: Retriever,
    questions: Sequence[Playlist],
    days: Sequence[date | None],
    strategy: str,
) -> list[Ranking]:
    """The songs and tags of each question, none of them younger than its day."""
    if strategy == POPULAR:
        return [Ranking((), ())] * len(questions)
    return retriever.rank_many(
        [as_query(question) for question in questions],
        [Constraints(until=day) for day in days],
        songs=SONGS,
        tags=TAGS,
        strategy=strategy,
    )


def as_query(question: Playlist) -> PlaylistQuery:
    """What a question asks; its own playlist is not to be its neighbour.

    A blank title is None already, and blank tags are gone: `melon.catalog` reads them so.
    """
    return PlaylistQuery(
        songs=question.songs,
        tags=question.tags,
        title=question.title,
        playlist=question.id,
    )
