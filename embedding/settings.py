"""How a space is trained: typed settings, and the named presets."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    model_validator,
)

from melon.embedding.bags import TokenKind
from melon.embedding.ragged import Ints
from melon.errors import InputError, first_problem
from melon.text import did_you_mean

DEFAULT_PRESET = "default"

USUAL_MIN_COUNT = 3
TRAINED_SHARE = 0.4
"""Share of the songs in playlists that a minimum count must leave to be trained."""

_ITEMS = frozenset(TokenKind) - {TokenKind.PLAYLIST}
_Count = Annotated[int, Field(ge=1)]


class TrainingSettings(BaseModel):
    """What training does with the bags: word2vec with negative sampling, and its parameters.

    The default predicts each token from the mean of its whole bag (CBOW, no shrinking window):
    measured on Melon it is several times cheaper than skip-gram and the better embedding for
    continuing playlists by their mean (docs/performance.md, Training).

    With `workers=1` the same corpus and settings give the same bytes each time. With more, the
    threads' updates interleave, and no seed makes two runs alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    skip_gram: bool = Field(default=False, description="skip-gram; else CBOW")
    dim: int = Field(default=100, ge=2, le=4096, description="dimensions of the vectors")
    epochs: int = Field(default=10, ge=1, description="passes over all bags")
    window: int = Field(
        default=60, ge=1, le=10_000, description="tokens to either side that are a token's context"
    )
    shrink_windows: bool = Field(
        default=False, description="draw each window's size from 1 to `window`"
    )
    shuffle: bool = Field(default=True, description="reshuffle every bag, and the bags, each epoch")
    add_output: bool = Field(
        default=True, description="a token's vector is the sum of its unit input and output vectors"
    )
    negative: int = Field(default=5, ge=1, le=1_000, description="negative samples for each pair")
    ns_exponent: float = Field(
        default=0.5, ge=-2, le=2, description="exponent of a token's count in their sampling"
    )
    sample: float = Field(
        default=0.0, ge=0, lt=1, description="subsampling of frequent tokens; 0 is off"
    )
    alpha: float = Field(default=0.05, gt=0, le=1, description="learning rate at the start")
    min_alpha: float = Field(default=0.0001, gt=0, le=1, description="learning rate at the end")
    min_count: int | None = Field(
        default=None,
        ge=1,
        description="bags that must hold a token for it to be trained; where none is given, 3, or"
        " fewer in a corpus whose songs are mostly rarer than that. Where one is given, it is that"
        " of all kinds but those in `min_counts`",
    )
    min_counts: dict[TokenKind, _Count] = Field(
        default_factory=lambda: {TokenKind.WORD: 10},
        description="the same for single kinds: 10 for words where neither of the two is given;"
        " playlists are never dropped",
    )
    kinds: frozenset[TokenKind] = Field(
        _ITEMS,
        min_length=1,
        description="kinds of token in a bag; without `playlist`, a playlist's vector is the mean"
        " of its songs', tags' and title words' unit vectors",
    )
    title_tags: bool = Field(default=True, description="known tags found in a title join its bag")
    title_pieces: int = Field(
        default=8000, ge=16, le=1_000_000, description="size of the title words' vocabulary"
    )
    title_tag_min_count: int = Field(
        default=5, ge=1, description="playlists of a tag to look it up for"
    )
    batch_words: int = Field(
        default=10_000, ge=100, le=10_000, description="tokens per job of a worker"
    )
    workers: int = Field(default=1, ge=1, le=64, description="threads; only 1 is reproducible")
    seed: int = Field(default=1, ge=0, lt=2**32, description="seed of everything that is drawn")

    @model_validator(mode="before")
    @classmethod
    def _one_for_all_kinds(cls, arguments: Any) -> Any:
        """Where `min_count` alone is set, words are no exception to it."""
        if (
            isinstance(arguments, dict)
            and arguments.get("min_count")
            and "min_counts" not in arguments
        ):
            return arguments | {"min_counts": {}}
        return arguments

    @field_serializer("kinds")
    def _sorted_kinds(self, kinds: frozenset[TokenKind]) -> list[str]:
        return sorted(kinds)

    def min_count_of(self, kind: TokenKind) -> int:
        """How many bags must hold a token of this kind for it to be trained."""
        if kind is TokenKind.PLAYLIST:
            return 1
        return self.min_counts.get(kind, self.min_count or USUAL_MIN_COUNT)

    def settled(self, song_counts: Ints) -> TrainingSettings:
        """The same settings with a `min_count`, chosen where there is none.

        Args:
            song_counts: (n,) int64, in how many bags each song stands.
        """
        if self.min_count is not None:
            return self
        counts = song_counts[song_counts > 0]
        chosen = next(
            (
                least
                for least in range(USUAL_MIN_COUNT, 1, -1)
                if np.count_nonzero(counts >= least) >= TRAINED_SHARE * len(counts)
            ),
            1,
        )
        return self.model_copy(update={"min_count": chosen})


PRESETS: dict[str, dict[str, Any]] = {
    DEFAULT_PRESET: {},
    "published": {
        "skip_gram": True,
        "add_output": False,
        "shrink_windows": True,
        "alpha": 0.025,
        "min_counts": {},
        "dim": 300,
        "epochs": 50,
        "window": 100,
        "shuffle": False,
        "negative": 5,
        "ns_exponent": -0.5,
        "sample": 0.001,
        "min_count": 10,
        "kinds": frozenset(TokenKind),
    },
}
"""The values of each preset that are not the defaults."""


def training_settings(preset: str = DEFAULT_PRESET, **changes: Any) -> TrainingSettings:
    """A preset, with some of its values changed.

    Raises:
        InputError: there is no such preset or setting, or a value is out of range.
    """
    if preset not in PRESETS:
        raise InputError(
            f"no training preset {preset!r}",
            hint=did_you_mean(preset, PRESETS) or f"the presets are: {', '.join(PRESETS)}",
        )
    try:
        return TrainingSettings.model_validate(PRESETS[preset] | changes)
    except ValidationError as error:
        problem = first_problem(error)
        raise InputError(
            f"{problem.what}, not {problem.value!r}", where=f"training setting {problem.place}"
        ) from None
