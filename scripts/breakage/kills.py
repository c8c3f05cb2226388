"""kill -9 at a random point of each command, again and again, on a store that lives through it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from breakage.operations import OPERATIONS, Around, Now, Step
from breakage.warm import Ended, Warm
from breakage.world import State, Violation, World

FIRST_GUESS = 0.3
"""Seconds of a command that was not measured yet."""


@dataclass
class Trials:
    """Commands on one store, most of which are disturbed, and all of which are finished."""

    world: World
    around: Around
    warm: Warm
    chance: random.Random
    thorough: float = 1.0
    """After which share of the commands all releases are read, and not only new ones."""

    in_a_row: int = 1
    """How often a command may be disturbed before it is let through."""

    apart: float = 0.0
    """The share of commands that build in a process of its own."""

    tried: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, quota: Mapping[str, int]) -> None:
        """Disturb each of these commands so many times.

        Raises:
            Violation: something was lost, or is wrong.
        """
        left = Counter(quota)
        state = self.world.check()
        while left := +left:
            step = self._next(state, list(left.elements()))
            if step is None:  # no store has what is wanted: change it
                step = self._next(state, ["restore", "drop"])
                assert step
            else:
                for _ in range(self.chance.randint(1, self.in_a_row)):
                    if left[step.name] <= 0 or not self._disturb(step, state):
                        break
                    left[step.name] -= 1
            state = self._finish(step)
        self.world.check()

    def _next(self, state: State, names: list[str]) -> Step | None:
        self.chance.shuffle(names)
        for name in dict.fromkeys(names):
            step = OPERATIONS[name](Now(self.world, self.around, state, self.chance))
            if step is not None:
                return step
        return None

    def _disturb(self, step: Step, before: State) -> bool:
        """Kill a command, and look at the store; whether it was there to be killed."""
        expected = self.seconds.get(step.name, FIRST_GUESS)
        ended = self.warm.run(
            step.arguments,
            self.world.place.environment,
            kill_after=self.chance.uniform(0, expected),
            group=self.chance.random() < 0.5,
            apart=self.chance.random() < self.apart,
        )
        if not ended.killed:
            check_end(step, ended, {0} if step.name != "drop" else {0, 2})
            self.seconds[step.name] = min(expected, ended.seconds)
            return False
        self.tried[step.name] += 1
        self._check_between(step, before)
        return True

    def _check_between(self, step: Step, before: State) -> None:
        with told(step):
            state = self.world.check(thorough=self.chance.random() < self.thorough)
            step.at_rest()
            check_between(before, state, step.after)

    def _finish(self, step: Step) -> State:
        """Run the same command again, and then remove what was left."""
        environment = self.world.place.environment
        ended = self.warm.run(step.arguments, environment)
        # What was dropped already cannot be dropped again.
        check_end(step, ended, {0} if step.name != "drop" else {0, 2})
        if ended.code == 0:
            known = self.seconds.get(step.name, 0.0)
            self.seconds[step.name] = max(ended.seconds, 0.8 * known)
        prune = ["releases", "prune", *self.world.place.options]
        check_end(step, self.warm.run(prune, environment), {0})
        with told(step):
            state = self.world.check(thorough=self.chance.random() < self.thorough)
            step.done()
            if state != step.after:
                raise Violation(f"{state} in place of {step.after}")
            self.world.check_clean(state)
        return state


class told:  # noqa: N801, used as a function
    """Say of a violation after which command it was seen."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception):
            command = " ".join(["melon", *self._step.arguments])
            raise Violation(f"after `{command}`: {error}") from error


def check_between(before: State, state: State, after: State) -> None:
    """Make sure that a store is as before or as afterwards, or that only releases are missing yet.

    Raises:
        Violation: it is not.
    """
    if state.live not in (before.live, after.live):
        raise Violation(f"{state.live} is live, not {before.live} nor {after.live}")
    # What was dropped, and is built again, is what was live before again.
    new = after.releases - before.releases
    if state.previous not in {before.previous, after.previous, *new}:
        raise Violation(f"{state.previous} was live, not {before.previous} nor {after.previous}")
    if lost := (before.releases & after.releases) - state.releases:
        raise Violation(f"lost: {sorted(lost)}")
    if more := state.releases - (before.releases | after.releases):
        raise Violation(f"made up: {sorted(more)}")


def check_end(step: Step, ended: Ended, codes: set[int]) -> None:
    """Make sure that a command ended in good order.

    Raises:
        Violation: it hung, ended otherwise, or with a traceback.
    """
    if ended.hung or ended.code not in codes or "Traceback" in ended.said:
        how = "hung" if ended.hung else f"ended with {ended.code}"
        command = " ".join(["melon", *step.arguments])
        raise Violation(f"`{command}` {how}: {ended.said[-2000:]}")
