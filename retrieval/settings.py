"""Everything that weighs on the query side: typed, documented, and searched by `melon tune`.

None of it needs a new release: the store holds who holds what, the query brings the exponents.
The defaults are in retrieval/defaults.py; docs/quality.md says how they were found.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melon.errors import InputError, first_problem, reason_of


class BadSettings(InputError):
    """A file of retrieval settings cannot be used."""


class QueryKind(StrEnum):
    """What is known of what a query gives; different things are worth different settings.

    `SONGS_AND_TEXT` is songs with known tags, the query's or its title's; see `Seeds.kind`.
    """

    SONGS = "songs"
    SONGS_AND_TEXT = "songs_and_text"
    TAGS = "tags"
    TITLE = "title"


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ItemWeight(_Settings):
    """A kind of seed at the first hop: each counts `weight` · popularity^-`discount`."""

    weight: float = Field(default=1.0, ge=0, le=10)
    discount: float = Field(default=0.25, ge=-1, le=2)


class Reweighting(_Settings):
    """Ridge regression of the neighbours' weights: those that hold much besides the seeds pay.

    The weights stay near the similarities (`penalty`) while the neighbours' sum should be 1 at
    each seed (counting `seen`) and 0 at everything else they hold (counting `unseen`).
    """

    penalty: float = Field(default=50.0, gt=0)
    unseen: float = Field(default=0.1, ge=0)
    seen: float = Field(default=0.3, ge=0)
    iterations: int = Field(default=2, ge=1, le=100, description="steps of conjugate gradients")


class Hops(_Settings):
    """The two hops: from the seeds to playlists, from the playlists to songs or to tags."""

    songs: ItemWeight = ItemWeight(weight=0)
    tags: ItemWeight = ItemWeight(weight=0)
    title_tags: ItemWeight = ItemWeight(weight=0)
    words: ItemWeight = ItemWeight(weight=0)
    bigrams: ItemWeight = ItemWeight(weight=0)
    neighbours: int = Field(default=500, ge=1, le=5000, description="playlists at the first hop")
    least_songs: int = Field(default=0, ge=0, description="songs that a neighbour must hold")
    power: float = Field(default=1.5, ge=0, le=8, description="exponent of the neighbours' scores")
    discount: float = Field(
        default=0.0, ge=-1, le=1, description="candidates: popularity^-discount"
    )
    candidates: int = Field(default=300, ge=10, le=10_000, description="found before the discount")
    dislike: float = Field(default=0.75, ge=0, le=10, description="weight of what is disliked")
    reweighting: Reweighting | None = None


class QueryEmbedding(_Settings):
    """Where in the co-embedding a query stands: what of it counts, and how much."""

    songs: float = Field(default=1.0, ge=0, le=10, description="weight of the mean of the songs")
    tags: float = Field(default=1.0, ge=0, le=10, description="weight of the mean of the tags")
    title: float = Field(default=1.0, ge=0, le=10, description="weight of the mean of the title")
    discount: float = Field(
        default=0.25, ge=-1, le=2, description="a seed counts popularity^-discount"
    )
    dislike: float = Field(default=0.5, ge=0, le=10, description="how far dislikes push, of a unit")


_Floor = Annotated[int, Field(ge=0)]


class Cosine(QueryEmbedding):
    """Candidates from the co-embedding, scored exp(sharpness · (cosine - 1)) · popularity^prior.

    What is nearest of all is rarely what is popular, so the nearest are also sought among the
    points that at least so many playlists hold, for each of `floors`.
    """

    sharpness: float = Field(default=12.0, ge=0, le=100)
    prior: float = Field(default=1.0, ge=-1, le=4)
    floors: tuple[_Floor, ...] = Field(default=(0, 20), min_length=1, max_length=8)
    candidates: int = Field(default=200, ge=10, le=10_000, description="sought above each floor")


class Nearby(QueryEmbedding):
    """The playlists nearest in the co-embedding: each counts exp(sharpness · (cosine - best))."""

    playlists: int = Field(default=200, ge=1, le=5000, description="how many")
    sharpness: float = Field(default=20.0, ge=0, le=100)


class Fusion(_Settings):
    """What the neighbours give and the co-embedding gives, each scaled to a maximum of 1, added up.

    The co-embedding's counts `weight` · score^`power`. Songs are fused by their own scores, tags
    by those of the playlists that hold them.
    """

    weight: float = Field(default=0.2, ge=0, le=10)
    power: float = Field(default=1.0, gt=0, le=10)


class SongFusion(Fusion):
    """What of the co-embedding is worth adding to the neighbours' songs is popular.

    Beside the neighbours, one floor does as well as the several of `mean`, in a third of the time.
    """

    floor: int = Field(
        default=10, ge=0, description="playlists that hold a song that is sought, at least"
    )


S = TypeVar("S", bound=BaseModel)
T = TypeVar("T", bound=BaseModel)


class Targets(_Settings, Generic[S, T]):
    """Songs and tags are found with settings of their own."""

    songs: S
    tags: T


class ByKind(_Settings, Generic[S, T]):
    """Settings for each kind of query."""

    songs: Targets[S, T]
    songs_and_text: Targets[S, T]
    tags: Targets[S, T]
    title: Targets[S, T]

    def of(self, kind: QueryKind) -> Targets[S, T]:
        """The settings for a kind of query."""
        targets: Targets[S, T] = getattr(self, kind)
        return targets


# Pydantic lets only those be pickled that are made at the top of a module, parts before wholes.
HopTargets = Targets[Hops, Hops]
DenseTargets = Targets[Cosine, Nearby]
FusionTargets = Targets[SongFusion, Fusion]
HopSettings = ByKind[Hops, Hops]
DenseSettings = ByKind[Cosine, Nearby]
FusionSettings = ByKind[SongFusion, Fusion]


class RetrievalSettings(_Settings):
    """All settings of all strategies. May be pickled, as a task of another process is."""

    neighbours: HopSettings
    dense: DenseSettings
    hybrid: FusionSettings

    @classmethod
    @cache
    def default(cls) -> RetrievalSettings:
        """What `retrieval/defaults.py` holds."""
        from melon.retrieval.defaults import DEFAULTS

        return cls.model_validate(DEFAULTS)

    @classmethod
    def load(cls, path: Path) -> RetrievalSettings:
        """Read a JSON file; what it leaves out has its default.

        Raises:
            BadSettings: it is not there, or a value cannot be used.
        """
        try:
            given = json.loads(path.read_bytes())
        except OSError as error:
            raise BadSettings(reason_of(error), where=str(path)) from error
        except ValueError as error:
            raise BadSettings(f"it is not JSON: {error}", where=str(path)) from error
        except RecursionError:
            raise BadSettings("it is nested too deeply", where=str(path)) from None
        if not isinstance(given, dict):
            raise BadSettings(
                "it is not an object of settings", where=str(path), hint="`melon tune` writes one"
            )
        try:
            return cls.model_validate(_merged(cls.default().model_dump(mode="json"), given))
        except ValidationError as error:
            problem = first_problem(error)
            raise BadSettings(problem.what, where=f"{path}, {problem.place}") from None


def _merged(base: Any, over: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return base | {key: _merged(base.get(key), value) for key, value in over.items()}
