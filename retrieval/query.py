"""What is asked: part of a playlist, what is disliked, and which modality counts how much."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from melon.errors import InputError
from melon.store.schema import FIRST_TAG_ITEM


def _unique(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(dict.fromkeys(values))


def valid_text(text: object) -> object:
    """The text itself, if it can be encoded; anything else is not its matter.

    Raises:
        InputError: it holds a lone surrogate, as an argument that is not UTF-8 does.
    """
    if isinstance(text, str) and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{text!r} is not valid Unicode text", hint="write it in UTF-8"
            ) from None
    return text


Text = Annotated[str, BeforeValidator(valid_text)]
"""Text that any engine can be asked for."""

Id = Annotated[int, Field(ge=0, lt=FIRST_TAG_ITEM)]
"""Of a song or playlist: the ids that a point and a dimension of `items` can have."""

SongIds = Annotated[tuple[Id, ...], AfterValidator(_unique)]
Tags = Annotated[tuple[Text, ...], AfterValidator(_unique)]


class ModalityWeights(BaseModel):
    """How much the songs, the tags and the title count in a query. They need not sum to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    songs: float = Field(1.0, ge=0, allow_inf_nan=False)
    tags: float = Field(1.0, ge=0, allow_inf_nan=False)
    title: float = Field(1.0, ge=0, allow_inf_nan=False)


class PlaylistQuery(BaseModel):
    """Part of a playlist: any of songs, tags and a title. Empty, it asks for what is popular.

    `not_songs` and `not_tags` push away what is like them. `playlist` is the id of the playlist
    that is being continued, where it has one: it is then not its own neighbour.

    Raises:
        InputError: a text is not valid Unicode.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    songs: SongIds = ()
    tags: Tags = ()
    title: Text | None = None
    not_songs: SongIds = ()
    not_tags: Tags = ()
    weights: ModalityWeights = ModalityWeights()
    playlist: Id | None = None
