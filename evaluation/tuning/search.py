"""Pattern search, one setting at a time: simple, without gradients, and nearly free to resume.

After Hooke and Jeeves, *"Direct search" solution of numerical and statistical problems*, 1961,
doi:10.1145/321062.321069: each setting in turn is moved a step up or down, and on while that pays;
when no step of any pays, the steps get shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from melon.evaluation.tuning.space import Parameter

Model = TypeVar("Model", bound=BaseModel)

STRIDES = (2, 1)
"""How many values of a ladder a step passes: first two, to pass over small dips, then one."""

MIN_GAIN = 1e-4
"""What a step has to gain: less is noise, whatever the questions."""


class OutOfTime(Exception):
    """Raised by what measures, to end a search; the best so far stands."""


@dataclass(frozen=True, slots=True)
class Best(Generic[Model]):
    """The best settings of a search so far; `finished` if it ended by itself."""

    settings: Model
    score: float
    finished: bool


def pattern_search(
    start: Best[Model],
    parameters: Sequence[Parameter],
    measure: Callable[[Model], float],
    *,
    modalities: Iterable[str],
) -> Best[Model]:
    """Climb from `start` until no single step of any parameter gains `MIN_GAIN` any more.

    The path depends on the scores alone, so that a search goes the same way again.

    Args:
        start: where to begin, and the score there.
        parameters: the settings that are searched, in this order.
        measure: the score of settings; higher is better. May raise `OutOfTime`.
        modalities: which of songs, tags and title the questions give.
    """
    climber = _Climber(start, measure, frozenset(modalities))
    try:
        for stride in STRIDES:
            before = None
            while before != climber.score:
                before = climber.score
                for parameter in parameters:
                    climber.climb_along(parameter, stride)
    except OutOfTime:
        return Best(climber.settings, climber.score, finished=False)
    return Best(climber.settings, climber.score, finished=True)


class _Climber(Generic[Model]):
    """Keeps the best settings so far, also when `measure` raises."""

    def __init__(
        self, start: Best[Model], measure: Callable[[Model], float], modalities: frozenset[str]
    ) -> None:
        self.settings = start.settings
        self.score = start.score
        self._measure = measure
        self._modalities = modalities

    def climb_along(self, parameter: Parameter, stride: int) -> None:
        """Take strides of one parameter as long as they pay: up, or else down."""
        for step in (stride, -stride):
            if self._take(parameter, step):
                while self._take(parameter, step):
                    pass
                return  # the other direction is where it came from

    def _take(self, parameter: Parameter, step: int) -> bool:
        """Take one step if it pays, and return whether it did."""
        if not parameter.matters(self.settings, self._modalities):
            return False
        settings = parameter.stepped(self.settings, step)
        if settings is None:
            return False
        score = self._measure(settings)
        pays = score > self.score + MIN_GAIN
        if pays:
            self.settings, self.score = settings, score
        return pays
