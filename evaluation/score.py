"""Results are scored against what was hidden: as the challenge does it, and by kind of question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from melon.catalog import Playlist
from melon.evaluation.catalogue import Catalogue
from melon.evaluation.errors import BadResults
from melon.evaluation.leaks import leaked
from melon.evaluation.metrics import average_popularity, coverage, ndcg, r_precision, recall
from melon.evaluation.questions import check_same, kind_of, order_of_kind, paired
from melon.evaluation.results import Result
from melon.evaluation.scorecard import BeyondAccuracy, Quality, Scorecard, official_score

if TYPE_CHECKING:
    import pandas as pd


def score(
    results: Iterable[Result],
    answers: Sequence[Playlist],
    questions: Sequence[Playlist] | None = None,
    *,
    catalogue: Catalogue | None = None,
    strategy: str | None = None,
    ms_per_question: float | None = None,
) -> Scorecard:
    """Score a submission: the official score, and more, overall and by kind of question.

    Each metric is the mean over the playlists that hide a song, or a tag; the score is
    `.85 · song nDCG@100 + .15 · tag nDCG@10`.

    Args:
        results: one for each answer, in any order.
        answers: what is hidden of each playlist.
        questions: what was given of each; without them, kinds are not told apart.
        catalogue: what could be recommended; without it, coverage, popularity and how many answers
            the store was trained on stay unknown.
        strategy: what made the results, for the record.
        ms_per_question: how long they took, for the record.

    Raises:
        BadResults: the results are not those of the answers' playlists.
        BadQuestions: the questions are not.
    """
    by_id = {result.id: result for result in results}
    check_same(by_id, answers, "results", BadResults)
    if questions is not None:
        pairs = paired(questions, answers)
        questions, answers = [question for question, _ in pairs], [answer for _, answer in pairs]
    return score_in_order(
        [by_id[answer.id] for answer in answers],
        answers,
        questions,
        catalogue=catalogue,
        strategy=strategy,
        ms_per_question=ms_per_question,
    )


def score_in_order(
    results: Sequence[Result],
    answers: Sequence[Playlist],
    questions: Sequence[Playlist] | None,
    *,
    catalogue: Catalogue | None,
    strategy: str | None,
    ms_per_question: float | None,
    unknown_questions: int | None = None,
) -> Scorecard:
    """As `score`, of results, answers and questions that are in the same order."""
    frame = _measures(results, answers)
    by_kind: dict[str, Quality] = {}
    if questions is not None:
        kinds = [kind_of(question) for question in questions]
        groups = {str(kind): part for kind, part in frame.groupby(kinds)}
        by_kind = {kind: _quality(groups[kind]) for kind in sorted(groups, key=order_of_kind)}
    return Scorecard(
        strategy=strategy,
        quality=_quality(frame),
        by_kind=by_kind,
        beyond_accuracy=_beyond(results, catalogue) if catalogue else None,
        ms_per_question=ms_per_question,
        leaked_questions=len(leaked(catalogue.reader, answers)) if catalogue else None,
        unknown_questions=unknown_questions,
    )


def _measures(results: Sequence[Result], answers: Sequence[Playlist]) -> pd.DataFrame:
    """A row for each playlist, a column for each metric of accuracy."""
    import pandas as pd

    columns: dict[str, NDArray[np.float64]] = {}
    for name, lists, hidden in (
        ("song", [r.songs for r in results], [a.songs for a in answers]),
        ("tag", *_numbered([r.tags for r in results], [a.tags for a in answers])),
    ):
        hits = _hits(lists, hidden)
        counts = np.array([len(items) for items in hidden], np.int64)
        columns[f"{name}_ndcg"] = ndcg(hits, counts)
        columns[f"{name}_recall"] = recall(hits, counts)
        columns[f"{name}_r_precision"] = r_precision(hits, counts)
    return pd.DataFrame(columns)


def _hits(lists: Sequence[Sequence[int]], hidden: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Whether each item of n lists of k is hidden in its playlist: (n, k) bool.

    A playlist's row and an item are one number together, so one look-up serves all lists.
    """
    ranked = np.array(lists, np.int64)
    rows = np.repeat(np.arange(len(hidden)), [len(items) for items in hidden])
    items = np.array([item for part in hidden for item in part], np.int64)
    keys = (rows << 32) | items
    return np.isin((np.arange(len(lists))[:, None] << 32) | ranked, keys)


def _numbered(
    lists: Sequence[tuple[str, ...]], hidden: Sequence[tuple[str, ...]]
) -> tuple[list[list[int]], list[list[int]]]:
    """Tags as numbers, the same tag the same number."""
    numbers: dict[str, int] = {}

    def number(tags: tuple[str, ...]) -> list[int]:
        return [numbers.setdefault(tag, len(numbers)) for tag in tags]

    return [number(tags) for tags in lists], [number(tags) for tags in hidden]


def _quality(frame: pd.DataFrame) -> Quality:
    figures = {str(name): mean for name, mean in frame.mean().items()}
    combined = official_score(frame["song_ndcg"], frame["tag_ndcg"])
    figures["score_standard_error"] = combined.sem()
    known = {name: None if np.isnan(figure) else figure for name, figure in figures.items()}
    return Quality(questions=len(frame), **known)


def _beyond(results: Sequence[Result], catalogue: Catalogue) -> BeyondAccuracy:
    songs = np.array([result.songs for result in results], np.int64)
    tags = np.array([result.tags for result in results], object)
    song_popularity = catalogue.song_popularity(songs)
    tag_popularity = catalogue.tag_popularity(tags)
    # No training playlist holds what the store does not know.
    return BeyondAccuracy(
        song_coverage=coverage(songs[~np.isnan(song_popularity)], catalogue.songs),
        tag_coverage=coverage(tags[~np.isnan(tag_popularity)], catalogue.tags),
        song_popularity=average_popularity(np.nan_to_num(song_popularity)),
        tag_popularity=average_popularity(np.nan_to_num(tag_popularity)),
    )
