"""What `melon tune` searches: which settings, which values of each. All of it is data.

Every setting is a `Parameter` with a ladder of values, on which `pattern_search` steps up and down.
To search more, add a parameter; to search it more finely, add values. Left out are the settings
that questions cannot teach (`dislike_weight`: they dislike nothing) and those that are paid for in
time (`candidates`, `floors`, the `iterations` of the reweighting): benchmarks/candidates.py shows
what they are worth.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

Target = Literal["songs", "tags"]
TARGETS: tuple[Target, ...] = ("songs", "tags")
"""What is recommended, each with settings of its own."""


class Stage(StrEnum):
    """The parts of the settings that are searched, in this order: each builds on those before."""

    NEIGHBOURS = "neighbours"
    DENSE = "dense"
    HYBRID = "hybrid"

    @property
    def strategy(self) -> str:
        """The strategy that shows how good the stage's settings are."""
        return {"neighbours": "neighbours", "dense": "mean", "hybrid": "hybrid"}[self]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting and the values that it may take, in order.

    Attributes:
        path: the setting, inside the settings of a stage: `power`, `reweighting.seen`.
        ladder: its values in order, up or down. A last value of None leaves out the whole that
            the setting is part of, such as `reweighting`.
        modalities: the setting matters to questions that give any of these.
        needs: a path that must hold something other than 0 or None for the setting to matter.
    """

    path: str
    ladder: tuple[Any, ...]
    modalities: frozenset[str] = frozenset({"songs", "tags", "title"})
    needs: str | None = None

    def matters(self, settings: BaseModel, modalities: Iterable[str]) -> bool:
        """Whether a step of it can change an answer to questions that give these modalities."""
        if self.modalities.isdisjoint(modalities):
            return False
        return self.needs is None or bool(value_at(settings, self.needs))

    def stepped(self, settings: Model, steps: int) -> Model | None:
        """The settings with this one so many steps up or down its ladder; None past its end.

        A value between two of the ladder's is one step from either.
        """
        value = value_at(settings, self.path)
        index = bisect_left(self.ladder, _order(value), key=_order)
        on_it = index < len(self.ladder) and self.ladder[index] == value
        target = index + steps - (steps > 0 and not on_it)
        if not 0 <= target < len(self.ladder):
            return None
        return edited(settings, self.path, self.ladder[target])


def value_at(settings: BaseModel, path: str) -> Any:
    """The value of a setting; None if what it is part of is left out."""
    value: Any = settings
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def edited(settings: Model, path: str, value: Any) -> Model:
    """The settings with another value at a path, checked; None leaves out what it is part of.

    Raises:
        pydantic.ValidationError: the setting cannot have this value.
    """
    name, _, rest = path.partition(".")
    if rest and (value is not None or "." in rest):
        inner = getattr(settings, name)
        value = {rest: value} if inner is None else edited(inner, rest, value)
    return type(settings).model_validate(dict(settings) | {name: value})


def _order(value: Any) -> Any:
    return math.inf if value is None else value


WEIGHT = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
SEED_DISCOUNT = (-0.1, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0)

SEEDS_OF: Mapping[str, frozenset[str]] = {
    "song": frozenset({"songs"}),
    "tag": frozenset({"tags"}),
    "title_tag": frozenset({"title"}),
    "word": frozenset({"tags", "title"}),
    "bigram": frozenset({"tags", "title"}),
}
"""The kinds of seed at the first hop, and the modalities of a question that they come from."""

REWEIGHTED = frozenset({"songs"})

NEIGHBOURS = (
    *(Parameter(f"{seed}_weight", WEIGHT, modalities) for seed, modalities in SEEDS_OF.items()),
    Parameter("playlists", (20, 35, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000)),
    Parameter("power", (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)),
    Parameter(
        "candidate_discount",
        (-0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
    ),
    Parameter("min_songs", (0, 1, 2, 3, 5, 8, 12, 20)),
    Parameter(
        "reweighting.penalty", (6.0, 12.0, 25.0, 50.0, 100.0, 200.0, 400.0, None), REWEIGHTED
    ),
    Parameter("reweighting.unseen", (0.0, 0.03, 0.1, 0.3, 1.0), REWEIGHTED, "reweighting"),
    Parameter("reweighting.seen", (0.05, 0.1, 0.3, 0.6, 1.0, 2.0), REWEIGHTED, "reweighting"),
    *(
        Parameter(f"{seed}_discount", SEED_DISCOUNT, modalities, f"{seed}_weight")
        for seed, modalities in SEEDS_OF.items()
    ),
)
"""Inside `Hops`."""

QUERY_EMBEDDING = (
    Parameter("song_weight", WEIGHT, frozenset({"songs"})),
    Parameter("tag_weight", WEIGHT, frozenset({"tags"})),
    Parameter("title_weight", WEIGHT, frozenset({"title"})),
    Parameter("seed_discount", SEED_DISCOUNT),
)
"""Inside `QueryEmbedding`."""

COSINE = (
    Parameter(
        "prior", (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0)
    ),
    Parameter(
        "sharpness", (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 22.0, 27.0, 33.0, 40.0)
    ),
    *QUERY_EMBEDDING,
)
"""Inside `Cosine`."""

NEARBY = (
    Parameter("playlists", (50, 100, 200, 400)),
    Parameter("sharpness", (2.0, 5.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0)),
    *QUERY_EMBEDDING,
)
"""Inside `Nearby`."""

HYBRID = (
    Parameter(
        "weight", (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0, 8.0)
    ),
    Parameter("power", (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0), needs="weight"),
)
"""Inside `Fusion`."""

SPACE: Mapping[Stage, Mapping[Target, tuple[Parameter, ...]]] = {
    Stage.NEIGHBOURS: {"songs": NEIGHBOURS, "tags": NEIGHBOURS},
    Stage.DENSE: {"songs": COSINE, "tags": NEARBY},
    Stage.HYBRID: {"songs": HYBRID, "tags": HYBRID},
}
