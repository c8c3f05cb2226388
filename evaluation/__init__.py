"""Masked questions become results, a score and a scorecard; playlists become questions."""

from melon.evaluation.catalogue import Catalogue
from melon.evaluation.errors import (
    BadQuestions,
    BadResults,
    NothingToHide,
    TooFewItems,
    WorkerEnded,
)
from melon.evaluation.evaluate import evaluate
from melon.evaluation.journal import BadJournal, Journal
from melon.evaluation.questions import KINDS, Pair, kind_of, paired, read_questions
from melon.evaluation.rankings import POPULAR, check_strategy
from melon.evaluation.recommend import BATCH, recommend
from melon.evaluation.results import SONGS, TAGS, Result, read_results, write_results
from melon.evaluation.score import score
from melon.evaluation.scorecard import BeyondAccuracy, Quality, Scorecard
from melon.evaluation.search_space import Stage
from melon.evaluation.split import SplitCounts, mask, split
from melon.evaluation.tune import Comparison, Search, Tuned, save_settings, tune
from melon.evaluation.tune_questions import LeakedQuestions
from melon.evaluation.unknowns import Unknowns, wrong_store_note
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
