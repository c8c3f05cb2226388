"""Masked questions become results, a score and a scorecard; playlists become questions."""

from melon.evaluation.distributions import Spread
from melon.evaluation.drawing import draw_kinds, fitting
from melon.evaluation.earlier import read_scorecards
from melon.evaluation.errors import (
    BadQuestions,
    BadResults,
    NothingToHide,
    TooFewItems,
    WorkerEnded,
)
from melon.evaluation.keys import StoreKeys
from melon.evaluation.metrics import ndcg
from melon.evaluation.misses import Miss, worst
from melon.evaluation.nearest import neighbours
from melon.evaluation.popular import POPULAR
from melon.evaluation.questions import KINDS, Pair, as_query, kind_of, paired, read_questions
from melon.evaluation.recommend import BATCH, recommend
from melon.evaluation.score import evaluate, score
from melon.evaluation.scorecard import (
    BeyondAccuracy,
    Quality,
    Scorecard,
    by_question,
    compared,
    paired_difference,
)
from melon.evaluation.semantics import Semantics, inspect
from melon.evaluation.split import SplitCounts, mask, split
from melon.evaluation.store_checks import Unknowns
from melon.evaluation.submission import (
    SONGS,
    TAGS,
    Result,
    ResultKeys,
    as_held,
    read_results,
    write_results,
)
from melon.evaluation.workers import Processes

__all__ = [
    "BATCH",
    "KINDS",
    "POPULAR",
    "SONGS",
    "TAGS",
    "BadQuestions",
    "BadResults",
    "BeyondAccuracy",
    "Miss",
    "NothingToHide",
    "Pair",
    "Processes",
    "Quality",
    "Result",
    "ResultKeys",
    "Scorecard",
    "Semantics",
    "SplitCounts",
    "Spread",
    "StoreKeys",
    "TooFewItems",
    "Unknowns",
    "WorkerEnded",
    "as_held",
    "as_query",
    "by_question",
    "compared",
    "draw_kinds",
    "evaluate",
    "fitting",
    "inspect",
    "kind_of",
    "mask",
    "ndcg",
    "neighbours",
    "paired",
    "paired_difference",
    "read_questions",
    "read_results",
    "read_scorecards",
    "recommend",
    "score",
    "split",
    "worst",
    "write_results",
]
