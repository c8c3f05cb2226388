"""What can be wrong with questions, answers and results."""

from __future__ import annotations

from melon.errors import InputError, MelonError


class BadQuestions(InputError):
    """Questions or answers that cannot be read, or hold nothing."""


class BadResults(InputError):
    """Results that the official scorer would reject, or could not read."""


class TooFewItems(InputError):
    """The store, or what the constraint leaves of it, cannot fill a list."""


class WorkerEnded(MelonError):
    """A process that answers questions beside others ended, as for want of memory."""


class NothingToHide(InputError):
    """Playlists of which too few could be a question and its answer."""
