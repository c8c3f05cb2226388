"""What can be wrong with questions, answers and results."""

from __future__ import annotations

from melon.errors import InputError, MelonError


class BadQuestions(InputError):
    """Questions or answers that cannot be read, do not belong together, or are too few."""


class BadResults(InputError):
    """Results that the official scorer would reject, or could not read."""


class TooFewItems(InputError):
    """The store has too few songs, under the constraint, to fill a list."""


class WorkerEnded(MelonError):
    """One of several processes that answer questions was killed, perhaps for want of memory."""


class NothingToHide(InputError):
    """Too few playlists have enough in them to become a question and its answer."""
