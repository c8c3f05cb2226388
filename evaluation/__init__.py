"""Masked questions become results, a score and a scorecard; playlists become questions."""

from melon.evaluation.catalogue import Catalogue
from melon.evaluation.errors import BadQuestions, BadResults, NothingToHide, TooFewItems
from melon.evaluation.evaluate import evaluate
from melon.evaluation.questions import KINDS, kind_of, read_questions
from melon.evaluation.recommend import BATCH, POPULAR, recommend
from melon.evaluation.results import SONGS, TAGS, Result, read_results, write_results
from melon.evaluation.score import score
from melon.evaluation.scorecard import Quality, Scorecard, Spread
from melon.evaluation.split import SplitCounts, mask, split

__all__ = [
    "BATCH",
    "KINDS",
    "POPULAR",
    "SONGS",
    "TAGS",
    "BadQuestions",
    "BadResults",
    "Catalogue",
    "NothingToHide",
    "Quality",
    "Result",
    "Scorecard",
    "SplitCounts",
    "Spread",
    "TooFewItems",
    "evaluate",
    "kind_of",
    "mask",
    "read_questions",
    "read_results",
    "recommend",
    "score",
    "split",
    "write_results",
]
