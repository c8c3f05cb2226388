"""The figures of an evaluation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The scores of one submission; what follows `by_kind` is None where it is not known.

    `short_questions` counts those with fewer than 100 songs or 10 tags recommended, for want of
    more; `leaked_questions` those whose answers the store was trained on, `copied_questions`
    those that are copies of playlists that it was trained on, and `unknown_questions` those of
    which it knows nothing.
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


DIGITS = 6


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _round(figure, DIGITS) if isinstance(figure, float) else figure
        for name, figure in figures.items()
    }


def _round(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(float(figure), digits)
