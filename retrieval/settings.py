"""The settings of a query: weights, exponents and sizes.

None of them needs a new release: the store has what playlists hold, the query the exponents.
The built-in settings are retrieval/defaults.json; docs/experiments.md says how they were found. A
setting's path says what it is for, as in
`neighbours.from_songs.to_tags.song_weight`: the part that reads it, the kind of query, the target.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melon.errors import first_problem
from melon.files import read_json
from melon.retrieval.errors import BadSettings

DEFAULTS = Path(__file__).with_name("defaults.json")


class QueryKind(StrEnum):
    """What is known of a query: each kind is answered by settings of its own.

    `SONGS_AND_TEXT` is songs with known tags, the query's or its title's; see `Seeds.kind`.
    """

    SONGS = "songs"
    SONGS_AND_TEXT = "songs_and_text"
    TAGS = "tags"
    TITLE = "title"


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_Weight = Annotated[float, Field(ge=0, le=10)]
_Discount = Annotated[float, Field(ge=-1, le=2)]
_Floor = Annotated[int, Field(ge=0)]


class Reweighting(_Settings):
    """Ridge regression of the neighbours' weights: those that hold much besides the seeds lose.

    The weights stay near the similarities (`penalty`) while the neighbours' sum should be 1 at
    each seed (counting `seen`) and 0 at everything else they hold (counting `unseen`).
    """

    penalty: float = Field(default=50.0, gt=0)
    unseen: float = Field(default=0.1, ge=0)
    seen: float = Field(default=0.3, ge=0)
    iterations: int = Field(default=2, ge=1, le=100, description="steps of conjugate gradients")


class Feedback(_Settings):
    """Songs that the playlists found first hold most, asked for too in a second search.

    Pseudo-relevance feedback, as Lavrenko and Croft (2001), doi:10.1145/383952.383972, mix what a
    query says with what its best hits hold. Few playlists have a title's words, and more its songs.
    """

    songs: int = Field(default=20, ge=1, le=1000, description="how many")
    weight: float = Field(default=2.0, gt=0, le=10, description="theirs, beside 1 of the query's")


class Hops(_Settings):
    """The two hops: from the seeds to playlists, from the playlists to songs or to tags.

    At the first hop, a seed counts its kind's weight · popularity^-discount. At the second one, a
    candidate's score is multiplied by popularity^-`candidate_discount`.
    """

    song_weight: _Weight = 0.0
    song_discount: _Discount = 0.25
    tag_weight: _Weight = 0.0
    tag_discount: _Discount = 0.25
    title_tag_weight: _Weight = 0.0
    title_tag_discount: _Discount = 0.25
    word_weight: _Weight = 0.0
    word_discount: _Discount = 0.25
    bigram_weight: _Weight = 0.0
    bigram_discount: _Discount = 0.25
    playlists: int = Field(default=500, ge=1, le=5000, description="how many are neighbours")
    min_songs: int = Field(default=0, ge=0, description="songs that a neighbour holds, at least")
    power: float = Field(default=1.5, ge=0, le=8, description="exponent of the neighbours' scores")
    candidate_discount: float = Field(default=0.0, ge=-1, le=1)
    candidates: int = Field(default=300, ge=10, le=10_000, description="before the discount")
    dislike_weight: _Weight = 0.75
    reweighting: Reweighting | None = None
    feedback: Feedback | None = None


class QueryEmbedding(_Settings):
    """Where in the co-embedding a query stands: the weighted means of its songs, tags and title.

    In a mean, a seed counts popularity^-`seed_discount`. What is disliked pushes the unit vector of
    the query away by `dislike_weight`.
    """

    song_weight: _Weight = 1.0
    tag_weight: _Weight = 1.0
    title_weight: _Weight = 1.0
    seed_discount: _Discount = 0.25
    dislike_weight: _Weight = 0.5


class Cosine(QueryEmbedding):
    """Candidates from the co-embedding, scored exp(sharpness · (cosine - 1)) · popularity^prior.

    The nearest songs of all are rarely popular, so the nearest are also sought among the songs
    that at least so many playlists hold, for each of `floors`. Each of several probes (see
    `vote`, `cluster`) looks for 100 at most.
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
    """The scores from neighbours and from the co-embedding, each scaled to at most 1, are added.

    The co-embedding's counts `weight` · score^`power`. Songs are fused by their own scores, tags
    by those of the playlists that hold them.
    """

    weight: float = Field(default=0.2, ge=0, le=10)
    power: float = Field(default=1.0, gt=0, le=10)


class SongFusion(Fusion):
    """Of the co-embedding's songs, only popular ones are worth adding to the neighbours'.

    One floor does as well here as the several of the strategy `mean`, in a third of the time.
    """

    floor: int = Field(
        default=10, ge=0, description="playlists that hold a song that is sought, at least"
    )


S = TypeVar("S", bound=BaseModel)
T = TypeVar("T", bound=BaseModel)


class Targets(_Settings, Generic[S, T]):
    """Settings of one kind of query, for the two things that are recommended."""

    to_songs: S
    to_tags: T


class ByKind(_Settings, Generic[S, T]):
    """Settings of one part of the search, for each kind of query."""

    from_songs: Targets[S, T]
    from_songs_and_text: Targets[S, T]
    from_tags: Targets[S, T]
    from_title: Targets[S, T]

    def of(self, kind: QueryKind) -> Targets[S, T]:
        """The settings for a kind of query."""
        targets: Targets[S, T] = getattr(self, f"from_{kind}")
        return targets


class RetrievalSettings(_Settings):
    """All settings of all strategies. May be pickled, as a whole.

    Attributes:
        neighbours: the two hops, by way of the neighbours.
        dense: the search in the co-embedding, where songs and playlists have dense vectors.
        hybrid: how the two are fused.
    """

    neighbours: ByKind[Hops, Hops]
    dense: ByKind[Cosine, Nearby]
    hybrid: ByKind[SongFusion, Fusion]

    def __reduce__(self) -> tuple[Any, ...]:
        """By value, for pickle does not find the classes that pydantic makes of generic ones."""
        return type(self).model_validate, (self.model_dump(),)

    @classmethod
    @cache
    def default(cls) -> RetrievalSettings:
        """The built-in settings."""
        return cls._read(DEFAULTS, {})

    @classmethod
    def load(cls, path: Path) -> RetrievalSettings:
        """Read a JSON file; what it leaves out has its default.

        Raises:
            BadSettings: a value cannot be used.
            MalformedJson, UnreadableFile: the file is not JSON, or cannot be opened.
        """
        return cls._read(path, cls.default().model_dump(mode="json"))

    @classmethod
    def _read(cls, path: Path, base: dict[str, Any]) -> RetrievalSettings:
        """The settings in a file; what it leaves out is as in `base`."""
        content = read_json(path)
        if not isinstance(content, dict):
            raise BadSettings(
                "it is not an object of settings",
                where=str(path),
                hint='write {"hybrid": {"from_songs": {"to_tags": {"weight": 0.6}}}}, say',
            )
        try:
            return cls.model_validate(_merged(base, content))
        except ValidationError as error:
            problem = first_problem(error)
            raise BadSettings(problem.what, where=f"{path}, {problem.place}") from None


def _merged(base: Any, over: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return base | {key: _merged(base.get(key), value) for key, value in over.items()}
