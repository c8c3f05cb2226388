"""The figures of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The scores of one submission; what follows `by_kind` is None where it is not known.

    `short_questions` counts those with fewer than 100 songs or 10 tags recommended, for want of
    more; `leaked_questions` those whose answers the store was trained on, `copied_questions`
    those that are copies of playlists that it was trained on, and `unknown_questions` those of
    which it knows nothing. `default` is whether the strategy answers where none is named;
    `difference` is what the score is above that of the best strategy of a comparison, see
    `compared`. `by_question` (n,) float64 is what each question adds to the score: its mean is the
    score, or what there is of it where no answer hides songs, or none hides tags.
    """

    strategy: str | None
    quality: Quality
    by_kind: dict[str, Quality]
    beyond_accuracy: BeyondAccuracy | None = None
    ms_per_question: float | None = None
    short_questions: int | None = None
    leaked_questions: int | None = None
    copied_questions: int | None = None
    unknown_questions: int | None = None
    default: bool | None = None
    difference: float | None = None
    difference_standard_error: float | None = None
    by_question: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)

    @property
    def worth(self) -> float:
        """The score, or what there is of it where no answer hides songs, or none hides tags."""
        return 0.0 if self.by_question is None else float(self.by_question.mean())

    def to_json(self) -> dict[str, Any]:
        """As `melon score --json` prints it: fields may be added, never renamed."""
        known = self.beyond_accuracy
        beyond = asdict(known) if known else dict.fromkeys(BeyondAccuracy.__slots__)
        return {
            "strategy": self.strategy,
            **self.quality.to_json(),
            "by_kind": {kind: quality.to_json() for kind, quality in self.by_kind.items()},
            **_rounded(beyond),
            "ms_per_question": _round(self.ms_per_question, 3),
            "short_questions": self.short_questions,
            "leaked_questions": self.leaked_questions,
            "copied_questions": self.copied_questions,
            "unknown_questions": self.unknown_questions,
            "default": self.default,
            "difference": _round(self.difference, DIGITS),
            "difference_standard_error": _round(self.difference_standard_error, DIGITS),
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """Mean accuracy over some playlists; None where none of them hides a song, or a tag.

    nDCG and recall are @100 for songs and @10 for tags. `score_standard_error` is the sample
    standard deviation of the scores of playlists that hide songs and tags, over the root of their
    number; None for fewer than two.
    """

    questions: int
    song_ndcg: float | None
    tag_ndcg: float | None
    song_recall: float | None
    tag_recall: float | None
    song_r_precision: float | None
    tag_r_precision: float | None
    score_standard_error: float | None = None

    @property
    def score(self) -> float | None:
        """The official score."""
        if self.song_ndcg is None or self.tag_ndcg is None:
            return None
        return official_score(self.song_ndcg, self.tag_ndcg)

    def to_json(self) -> dict[str, Any]:
        """Every figure by its name."""
        return _rounded(asdict(self) | {"score": self.score})


@dataclass(frozen=True, slots=True)
class BeyondAccuracy:
    """How much of the catalogue is recommended at all, and how popular it is.

    None where there is nothing to recommend.

    Coverage is a share of the store's songs or tags, popularity the mean number of training
    playlists that contain a recommended one.
    """

    song_coverage: float | None
    tag_coverage: float | None
    song_popularity: float | None
    tag_popularity: float | None


SONG_WEIGHT, TAG_WEIGHT = 0.85, 0.15
"""Shares of the songs' and the tags' nDCG in the official score."""

Figures = TypeVar("Figures", float, "pd.Series[float]")


def official_score(song_ndcg: Figures, tag_ndcg: Figures) -> Figures:
    """The score of one playlist, or of many: .85 · song nDCG@100 + .15 · tag nDCG@10."""
    return SONG_WEIGHT * song_ndcg + TAG_WEIGHT * tag_ndcg


def compared(cards: Sequence[Scorecard]) -> list[Scorecard]:
    """Scorecards of the same questions and answers, best first, with what each is below the best.

    The standard error of a difference is that of the questions' own differences: strategies are
    asked the same, so it is much smaller than the scores' errors. None for fewer than two. Of those
    that score alike, the default comes first.
    """
    parts = [np.zeros(0) if card.by_question is None else card.by_question for card in cards]
    order = sorted(
        range(len(cards)), key=lambda row: (-float(parts[row].sum()), not cards[row].default)
    )
    return [
        replace(cards[row], difference=difference, difference_standard_error=error)
        for row in order
        for difference, error in [paired_difference(parts[row], parts[order[0]])]
    ]


def by_question(
    song_ndcg: NDArray[np.float64], tag_ndcg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each of n questions adds to the score (n,), of which the mean is the score.

    Songs, or tags, add nothing to the question that hides none. Each counts n / m times where m of
    the questions hide songs, or tags; one of them alone counts where no question hides the other.

    Args:
        song_ndcg: (n,), NaN where no song is hidden.
        tag_ndcg: (n,), NaN where no tag is.
    """
    weighted = ((SONG_WEIGHT, song_ndcg), (TAG_WEIGHT, tag_ndcg))
    hiding = [(weight, figures) for weight, figures in weighted if not np.isnan(figures).all()]
    whole = sum(weight for weight, _ in hiding)
    parts = [
        weight / whole / (~np.isnan(figures)).mean() * np.nan_to_num(figures)
        for weight, figures in hiding
    ]
    return np.asarray(sum(parts, np.zeros(len(song_ndcg))))


def paired_difference(
    scores: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[float, float | None]:
    """How much higher the mean of n scores is than that of others, and its standard error.

    Args:
        scores: (n,) of n questions, with `others` (n,) of the same ones.
    """
    differences = scores - others
    if len(differences) < 2:
        return float(differences.sum()), None
    return float(differences.mean()), float(differences.std(ddof=1) / len(differences) ** 0.5)


DIGITS = 6


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _round(figure, DIGITS) if isinstance(figure, float) else figure
        for name, figure in figures.items()
    }


def _round(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(float(figure), digits)
