"""Retrieval settings become those that suit a catalogue: searched on masked playlists."""

from melon.evaluation.tuning.journal import BadJournal, Journal
from melon.evaluation.tuning.questions import LeakedQuestions
from melon.evaluation.tuning.space import Stage
from melon.evaluation.tuning.tune import Comparison, Search, Tuned, save_settings, tune

__all__ = [
    "BadJournal",
    "Comparison",
    "Journal",
    "LeakedQuestions",
    "Search",
    "Stage",
    "Tuned",
    "save_settings",
    "tune",
]
