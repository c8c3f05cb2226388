"""Everything that weighs on the query side: typed, documented, and searched by `melon tune`.

None of it needs a new release: the store holds who holds what, the query brings the exponents.
The defaults were found on playlists held out of Melon's training data (docs/quality.md).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melon.errors import InputError


class BadSettings(InputError):
    """A file of retrieval settings cannot be used."""


class Given(StrEnum):
    """What a query gives; different things are worth different settings."""

    SONGS = "songs"
    SONGS_AND_TEXT = "songs_and_text"
    TAGS = "tags"
    TITLE = "title"


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemWeight(_Settings):
    """A kind of seed at the first hop: each counts `weight` · popularity^-`discount`."""

    weight: float = Field(1.0, ge=0, le=10)
    discount: float = Field(0.25, ge=-1, le=2)

    def times(self, factor: float) -> ItemWeight:
        """The same discount at another weight."""
        return (
            self
            if factor == 1
            else ItemWeight.model_construct(weight=self.weight * factor, discount=self.discount)
        )


UNUSED = ItemWeight(weight=0)


class Reweighting(_Settings):
    """Ridge regression of the neighbours' weights: those that hold much besides the seeds pay.

    The weights stay near the similarities (`penalty`) while the neighbours' sum should be 1 at
    each seed (counting `seen`) and 0 at everything else they hold (counting `unseen`).
    """

    penalty: float = Field(50.0, gt=0)
    unseen: float = Field(0.1, ge=0)
    seen: float = Field(0.3, ge=0)
    iterations: int = Field(4, ge=1, le=100, description="steps of conjugate gradients")


class Hops(_Settings):
    """The two hops: from the seeds to playlists, from the playlists to songs or to tags."""

    songs: ItemWeight = UNUSED
    tags: ItemWeight = UNUSED
    words: ItemWeight = UNUSED
    bigrams: ItemWeight = UNUSED
    neighbours: int = Field(500, ge=1, le=5000, description="playlists at the first hop")
    least_songs: int = Field(0, ge=0, description="songs that a neighbour must hold")
    power: float = Field(1.5, ge=0, le=8, description="exponent of the neighbours' scores")
    discount: float = Field(0.0, ge=-1, le=1, description="candidates: popularity^-discount")
    candidates: int = Field(500, ge=10, le=10_000, description="found before the discount")
    dislike: float = Field(0.75, ge=0, le=10, description="weight of what is disliked")
    reweighting: Reweighting | None = None


class Targets(_Settings):
    """Songs and tags are found with settings of their own."""

    songs: Hops
    tags: Hops


def _item(weight: float, discount: float) -> ItemWeight:
    return ItemWeight(weight=weight, discount=discount)


class NeighbourSettings(_Settings):
    """Two-hop settings for each kind of query."""

    songs: Targets = Targets(
        songs=Hops(songs=_item(1, 0.2), discount=0.1, reweighting=Reweighting()),
        tags=Hops(songs=_item(1, 0.25), neighbours=100, power=1.25),
    )
    songs_and_text: Targets = Targets(
        songs=Hops(
            songs=_item(1, 0.2),
            tags=_item(0.6, 0.2),
            discount=0.1,
            reweighting=Reweighting(penalty=100),
        ),
        tags=Hops(songs=_item(1, 0.25), tags=_item(0.5, 0.1), neighbours=300, power=1.25),
    )
    tags: Targets = Targets(
        songs=Hops(
            tags=_item(0.75, 0.2),
            words=_item(1, 0.1),
            bigrams=_item(1, 0.25),
            neighbours=1000,
            least_songs=5,
        ),
        tags=Hops(
            tags=_item(0.6, 0.0),
            words=_item(1, 0.1),
            bigrams=_item(1, 0.25),
            power=3,
            discount=0.05,
        ),
    )
    title: Targets = Targets(
        songs=Hops(words=_item(1, 0.25), bigrams=_item(1, 0.25), neighbours=1500, least_songs=5),
        tags=Hops(words=_item(1, 0.25), bigrams=_item(0.5, 0.25), neighbours=300, power=2.5),
    )

    def of(self, given: Given) -> Targets:
        """The settings for a kind of query."""
        targets: Targets = getattr(self, given)
        return targets


class RetrievalSettings(_Settings):
    """All of them."""

    neighbours: NeighbourSettings = NeighbourSettings()

    @classmethod
    def load(cls, path: Path) -> RetrievalSettings:
        """Read a JSON file; what it leaves out has its default.

        Raises:
            BadSettings: it is not there, or a value cannot be used.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise BadSettings(error.strerror or str(error), where=str(path)) from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise BadSettings(first["msg"], where=f"{path}, {place}") from None
