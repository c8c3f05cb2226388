"""Scores results against what was hidden: as the challenge does it, and by kind of question."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from melon.catalog import Playlist
from melon.evaluation.errors import BadResults
from melon.evaluation.metrics import average_popularity, coverage, ndcg, r_precision, recall
from melon.evaluation.popular import POPULAR
from melon.evaluation.questions import Pair, check_same, kind_of, order_of_kind, paired
from melon.evaluation.recommend import BATCH, recommend
from melon.evaluation.scorecard import (
    BeyondAccuracy,
    Quality,
    Scorecard,
    by_question,
    official_score,
)
from melon.evaluation.store_checks import Unknowns, copied, leaked
from melon.evaluation.submission import SONGS, TAGS, Result
from melon.evaluation.workers import Processes
from melon.progress import Progress, ignore
from melon.retrieval import Retriever
from melon.store import Collection, PointId, ReleaseReader, tag_point_id

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    retriever: Retriever,
    pairs: Sequence[Pair],
    *,
    strategy: str | None = None,
    until_playlist: bool = False,
    batch: int = BATCH,
    processes: Processes | None = None,
    unknown: Unknowns | None = None,
    results: list[Result] | None = None,
    progress: Progress = ignore,
) -> Scorecard:
    """Answer questions with a strategy, and score what comes back; see `recommend` and `score`.

    The time of a question is the mean, filling and the start of `processes` included; with a
    `batch` of 1, each is asked alone. Nothing is cached of what the retriever was asked before,
    so that the time does not depend on it.

    Args:
        pairs: questions with their answers, as `paired` makes them.
        results: collects what is recommended.
    """
    unknown = Unknowns() if unknown is None else unknown
    questions, answers = [question for question, _ in pairs], [answer for _, answer in pairs]
    retriever = retriever.with_reader(retriever.engine_reader)
    strategy = retriever.strategy if strategy is None else strategy
    started = time.perf_counter()
    answered = list(
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
    if results is not None:
        results += answered
    return replace(
        score(answered, answers, questions, reader=retriever.reader),
        strategy=strategy,
        ms_per_question=1000 * seconds / len(questions),
        unknown_questions=None if strategy == POPULAR else len(unknown.questions),
        default=strategy == retriever.strategy,
    )


def score(
    results: Iterable[Result],
    answers: Sequence[Playlist],
    questions: Sequence[Playlist] | None = None,
    *,
    reader: ReleaseReader | None = None,
) -> Scorecard:
    """Score a submission: the official score, and more, overall and by kind of question.

    Each metric is the mean over the playlists that hide a song, or a tag; the score is
    `.85 · song nDCG@100 + .15 · tag nDCG@10`.

    Args:
        results: one for each answer, in any order.
        answers: what is hidden of each playlist.
        questions: what is left of each; without them, kinds are not told apart.
        reader: of the release that was asked; without it, coverage, popularity and how many
            answers the store was trained on, or copies of them, stay unknown.

    Raises:
        BadResults: results and answers are not of the same playlists.
        BadQuestions: questions and answers are not.
    """
    by_id = {result.id: result for result in results}
    check_same(by_id, answers, "results", BadResults)
    pairs = [] if questions is None else paired(questions, answers)
    kinds = np.array([kind_of(question) for question, _ in pairs])
    answers = [answer for _, answer in pairs] or answers
    results = [by_id[answer.id] for answer in answers]
    frame = _measures(results, answers)
    return Scorecard(
        strategy=None,
        quality=_quality(frame),
        by_question=by_question(
            frame["song_ndcg"].to_numpy(np.float64), frame["tag_ndcg"].to_numpy(np.float64)
        ),
        by_kind={
            kind: _quality(frame[kinds == kind])
            for kind in sorted(set(kinds.tolist()), key=order_of_kind)
        },
        beyond_accuracy=_beyond(results, reader) if reader else None,
        short_questions=sum(len(r.songs) < SONGS or len(r.tags) < TAGS for r in results),
        leaked_questions=len(leaked(reader, answers)) if reader else None,
        copied_questions=len(copied(reader, pairs)) if reader and pairs else None,
    )


def _measures(results: Sequence[Result], answers: Sequence[Playlist]) -> pd.DataFrame:
    """A row for each playlist, a column for each metric of accuracy."""
    import pandas as pd

    columns: dict[str, NDArray[np.float64]] = {}
    for name, k, lists, hidden in (
        ("song", SONGS, [r.songs for r in results], [a.songs for a in answers]),
        ("tag", TAGS, *_numbered([r.tags for r in results], [a.tags for a in answers])),
    ):
        hits = _hits(lists, hidden, k)
        counts = np.array([len(items) for items in hidden], np.int64)
        columns[f"{name}_ndcg"] = ndcg(hits, counts)
        columns[f"{name}_recall"] = recall(hits, counts)
        columns[f"{name}_r_precision"] = r_precision(hits, counts)
    return pd.DataFrame(columns)


def _hits(
    lists: Sequence[Sequence[int]], hidden: Sequence[Sequence[int]], k: int
) -> NDArray[np.bool_]:
    """Whether each item of n lists of up to k is hidden in its playlist: (n, k) bool.

    A playlist's row and an item are packed into one number, so one look-up serves all lists. A
    list that is shorter counts as if misses followed.
    """
    lengths = np.array([len(items) for items in lists])
    ranked = np.full((len(lists), k), MISS)
    ranked[np.arange(k) < lengths[:, None]] = [item for items in lists for item in items]
    rows = np.repeat(np.arange(len(hidden)), [len(items) for items in hidden])
    items = np.array([item for part in hidden for item in part], np.int64)
    keys = (rows << 32) | items
    return np.isin((np.arange(len(lists))[:, None] << 32) | ranked, keys)


MISS = 2**32 - 1
"""What is hidden in no playlist: no song and no number of a tag."""


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
    known = {name: _known(figure) for name, figure in figures.items()}
    return Quality(questions=len(frame), **known)


def _beyond(results: Sequence[Result], reader: ReleaseReader) -> BeyondAccuracy:
    songs = np.array([song for result in results for song in result.songs], np.int64)
    tags = np.array([tag for result in results for tag in result.tags], object)
    song_popularity = _popularity(reader, Collection.SONGS, songs, int)
    tag_popularity = _popularity(reader, Collection.TAGS, tags, tag_point_id)
    counts = reader.manifest.counts
    # No training playlist holds what the store does not know.
    return BeyondAccuracy(
        song_coverage=_known(coverage(songs[~np.isnan(song_popularity)], counts[Collection.SONGS])),
        tag_coverage=_known(coverage(tags[~np.isnan(tag_popularity)], counts[Collection.TAGS])),
        song_popularity=_known(average_popularity(np.nan_to_num(song_popularity))),
        tag_popularity=_known(average_popularity(np.nan_to_num(tag_popularity))),
    )


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure


def _popularity(
    reader: ReleaseReader,
    collection: Collection,
    items: NDArray[Any],
    point_id: Callable[[Any], PointId],
) -> NDArray[np.float64]:
    """How many training playlists hold each item: of the items' shape, NaN if not known."""
    unique, inverse = np.unique(items, return_inverse=True)
    ids = [point_id(item) for item in unique]
    records = reader.retrieve(collection, ids, payload=("popularity",))
    known = {record.id: record.payload["popularity"] for record in records}
    counts = np.array([known.get(one, np.nan) for one in ids], np.float64)
    return counts[inverse].reshape(items.shape)
