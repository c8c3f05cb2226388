"""Masked questions become results, a score and a scorecard; playlists become questions."""

from melon.evaluation.errors import (
    BadQuestions,
    BadResults,
    NothingToHide,
    TooFewItems,
    WorkerEnded,
)
from melon.evaluation.questions import (
    KINDS,
    POPULAR,
    Pair,
    check_strategy,
    kind_of,
    paired,
    read_questions,
)
from melon.evaluation.recommend import BATCH, recommend
from melon.evaluation.score import Catalogue, evaluate, score
from melon.evaluation.scorecard import BeyondAccuracy, Quality, Scorecard
from melon.evaluation.split import SplitCounts, mask, split
from melon.evaluation.store_checks import Unknowns, wrong_store_note
from melon.evaluation.submission import (
    SONGS,
    TAGS,
    Result,
    read_results,
    write_results,
)
from melon.evaluation.tuning import (
    BadJournal,
    Comparison,
    Journal,
    LeakedQuestions,
    Search,
    Stage,
    Tuned,
    save_settings,
    tune,
)
from melon.evaluation.workers import Processes

__all__ = [
    "BATCH",
    "KINDS",
    "POPULAR",
    "SONGS",
    "TAGS",
    "BadJournal",
    "BadQuestions",
    "BadResults",
    "BeyondAccuracy",
    "Catalogue",
    "Comparison",
    "Journal",
    "LeakedQuestions",
    "NothingToHide",
    "Pair",
    "Processes",
    "Quality",
    "Result",
    "Scorecard",
    "Search",
    "SplitCounts",
    "Stage",
    "TooFewItems",
    "Tuned",
    "Unknowns",
    "WorkerEnded",
    "check_strategy",
    "evaluate",
    "kind_of",
    "mask",
    "paired",
    "read_questions",
    "read_results",
    "recommend",
    "save_settings",
    "score",
    "split",
    "tune",
    "write_results",
    "wrong_store_note",
]
