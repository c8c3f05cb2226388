"""What an evaluation says, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd

SONG_WEIGHT, TAG_WEIGHT = 0.85, 0.15
"""What the songs' and the tags' nDCG count for in the official score."""

DIGITS = 6

Figures = TypeVar("Figures", float, "pd.Series[float]")


def official_score(song_ndcg: Figures, tag_ndcg: Figures) -> Figures:
    """The score of one playlist, or of many: .85 · song nDCG@100 + .15 · tag nDCG@10."""
    return SONG_WEIGHT * song_ndcg + TAG_WEIGHT * tag_ndcg


@dataclass(frozen=True, slots=True)
class Quality:
    """Mean accuracy over some playlists; None where none of them hides such an item.

    nDCG and recall are @100 for songs and @10 for tags. `score_standard_error` is that of the mean
    over the playlists that hide songs and tags: the sample standard deviation of their scores over
    the root of their number. None where fewer than two do.
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

    Coverage is a share of the store's songs or tags; popularity the mean number of training
    playlists that hold what is recommended.
    """

    song_coverage: float
    tag_coverage: float
    song_popularity: float
    tag_popularity: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The scores of one submission; None for what follows `by_kind`: not known.

    `leaked_questions` counts those whose answers the store was trained on, and
    `unknown_questions` those of which it knows nothing.
    """

    strategy: str | None
    quality: Quality
    by_kind: dict[str, Quality]
    beyond_accuracy: BeyondAccuracy | None = None
    ms_per_question: float | None = None
    leaked_questions: int | None = None
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
            "leaked_questions": self.leaked_questions,
            "unknown_questions": self.unknown_questions,
        }


COLUMNS = (
    "strategy",
    "given",
    "count>",
    "song nDCG>",
    "tag nDCG>",
    "score>",
    "±>",
    "song recall>",
    "tag recall>",
    "song R-prec>",
    "tag R-prec>",
    "ms each>",
)
WIDE = MappingProxyType(
    {
        "±>": 132,
        "song R-prec>": 124,
        "tag R-prec>": 124,
        "song recall>": 100,
        "tag recall>": 100,
        "ms each>": 74,
    }
)
"""How wide a terminal has to be to show these, too."""


def table(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `COLUMNS`: for each scorecard all questions, then each kind of question."""
    rows: list[tuple[object, ...]] = []
    for card in cards:
        rows.append(_row(card.strategy, "all", card.quality, card.ms_per_question))
        rows += [_row(None, kind, quality, None) for kind, quality in card.by_kind.items()]
    return rows


BEYOND_COLUMNS = (
    "strategy",
    "song coverage>",
    "tag coverage>",
    "song popularity>",
    "tag popularity>",
)
BEYOND_WIDE = MappingProxyType({"song popularity>": 72, "tag popularity>": 72})


def beyond_table(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `BEYOND_COLUMNS`, of the scorecards that know."""
    return [
        (
            card.strategy,
            f"{card.beyond_accuracy.song_coverage:.1%}",
            f"{card.beyond_accuracy.tag_coverage:.1%}",
            f"{card.beyond_accuracy.song_popularity:,.1f}",
            f"{card.beyond_accuracy.tag_popularity:,.1f}",
        )
        for card in cards
        if card.beyond_accuracy
    ]


def _row(
    strategy: str | None, kind: str, quality: Quality, milliseconds: float | None
) -> tuple[object, ...]:
    figures = (
        quality.song_ndcg,
        quality.tag_ndcg,
        quality.score,
        quality.score_standard_error,
        quality.song_recall,
        quality.tag_recall,
        quality.song_r_precision,
        quality.tag_r_precision,
    )
    return (
        strategy,
        kind,
        f"{quality.questions:,}",
        *(None if figure is None else f"{figure:.4f}" for figure in figures),
        None if milliseconds is None else f"{milliseconds:.2f}",
    )


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _round(figure, DIGITS) if isinstance(figure, float) else figure
        for name, figure in figures.items()
    }


def _round(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(float(figure), digits)
