"""Reports of how far a task has come."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a step, how much of it is done, and of how much; None if nobody knows.

A few times a second at most, never twice at once, maybe from another thread than the one that
began the work. An exception that it raises ends the work.
"""


def ignore(step: str, done: int, total: int | None) -> None:
    """Report to nobody."""
