"""What is asked: part of a playlist, what is disliked, and which modality counts how much."""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp, ldexp
from numbers import Integral
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import core_schema

from melon.errors import InputError, WrongType, first_problem
from melon.fields import MAX_ID
from melon.text import clean_text


def _unique(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(dict.fromkeys(values))


def valid_text(text: object) -> object:
    """The value itself, unless it is text that cannot be encoded.

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


def _tag(value: object) -> object:
    """As a store holds it: composed (NFC), with nothing invisible before and after."""
    if not isinstance(value, str):
        return value
    valid_text(value)
    if (tag := clean_text(value)) is None:
        raise InputError("a tag is empty")
    return tag


def _title(value: object) -> object:
    if _is_blank(value):
        raise InputError("the title is empty", hint="leave it out if there is none")
    return value


def _word(value: object) -> object:
    if _is_blank(value):
        raise InputError("the word is empty")
    return value


def _is_blank(value: object) -> bool:
    """Whether it is a text, and nothing of it can be seen."""
    return isinstance(valid_text(value), str) and clean_text(str(value)) is None


def _no_bool(value: object) -> object:
    """Refuse what pydantic, and Python, take for 0 and 1."""
    if isinstance(value, bool):
        raise WrongType(f"{value} is not an id")
    return value


def _key(text: str) -> str:
    """A key as a store holds it."""
    if key := clean_text(text):
        return key
    raise InputError("a key is empty")


def whole(number: object, name: str) -> int:
    """A number of results, as numpy has it, too.

    Raises:
        WrongType: it is something else, such as "5" or True.
    """
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise WrongType(f"{name} is a whole number, not {number!r}")
    return int(number)


Text = Annotated[str, BeforeValidator(valid_text)]
"""Text that any engine can be asked for."""


def kept_as(kind: Any) -> GetPydanticSchema:
    """Have pydantic make this type, such as a tuple, of a field whose annotation accepts more."""
    return GetPydanticSchema(lambda _, handler: handler(kind))


_NAMED = core_schema.union_schema(
    [
        core_schema.int_schema(strict=True, ge=0, le=MAX_ID),
        core_schema.no_info_after_validator_function(_key, core_schema.str_schema(strict=True)),
        # numpy's integers, and whole floats
        core_schema.no_info_before_validator_function(
            _no_bool, core_schema.int_schema(ge=0, le=MAX_ID)
        ),
    ],
    mode="left_to_right",
    custom_error_type="named_type",
    custom_error_message=f"Input should be an id, 0 to {MAX_ID}, or a key",
)
Named = Annotated[int | str, GetPydanticSchema(lambda *_: _NAMED)]
"""A song or playlist: its id, as a point and a dimension of `items` can have it, or its key."""

Songs = Annotated[Sequence[int | str], kept_as(tuple[Named, ...]), AfterValidator(_unique)]
TagText = Annotated[str, BeforeValidator(_tag)]
Tags = Annotated[Sequence[str], kept_as(tuple[TagText, ...]), AfterValidator(_unique)]
Title = Annotated[str, BeforeValidator(_title)]
Word = Annotated[str, BeforeValidator(_word)]


class FrozenInput(BaseModel):
    """Input from outside, checked when it is made, and never changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def check(cls, value: object, example: str) -> None:
        """Refuse a value of another kind.

        Raises:
            WrongType: says what is wanted instead.
        """
        if not isinstance(value, cls):
            raise WrongType(f"a {cls.__name__} is wanted, not {value!r}", hint=f"write {example}")

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """One kind of error for whatever is wrong.

        Raises:
            InputError: names the field.
            WrongType: the same, where a value of another kind is wanted.
        """
        try:
            return handler(value)
        except ValidationError as error:
            problem = first_problem(error)
            what, place = problem.what, problem.place
            if problem.kind == "tuple_type" and isinstance(problem.value, str | int):
                what = f"it is a list: write {place}=[{problem.value!r}]"
            kind = WrongType if problem.kind.endswith("_type") else InputError
            raise kind(f"{cls.__name__}: {what}", where=place) from None


Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class ModalityWeights(FrozenInput):
    """How much the songs, the tags and the title count in a query: only their ratios matter.

    Raises:
        InputError: a weight is negative, more than 1000, or no number.
    """

    songs: Weight = 1.0
    tags: Weight = 1.0
    title: Weight = 1.0


class PlaylistQuery(FrozenInput):
    """Part of a playlist: any of songs, tags and a title. Empty, it asks for what is popular.

    Songs are ids, or texts: the key of a song, else its id in digits. `not_songs` and `not_tags`
    push away what is like them. `playlist` is the playlist that is being continued, by id or key,
    where the store may hold it: it is then no neighbour of itself.

    Tags are brought to the form that they have in stores: composed (NFC), with nothing invisible
    before and after. A tag that the store does not know in that spelling is looked up whatever its
    case and its spaces, and without its symbols, but only among the tags that titles are searched
    for, for the store has no index of spellings: a rarer tag must be spelt as the catalogue spells
    it.

    A blank text is refused: it would ask for what is popular where something else was meant. A
    playlist without a title has None, as `melon.catalog` reads the "" of the challenge's files.

    Raises:
        WrongType: a value is of the wrong kind, such as one tag in place of a list.
        InputError: an id is one that no song can have, a tag or the title is blank or not valid
            Unicode, or a song or tag is wanted and disliked at once.
    """

    songs: Songs = ()
    tags: Tags = ()
    title: Title | None = None
    not_songs: Songs = ()
    not_tags: Tags = ()
    weights: ModalityWeights = ModalityWeights()
    playlist: Named | None = None

    @property
    def relative_weights(self) -> ModalityWeights:
        """The weights of the parts that the query has, the largest from 1 to 2; else 0.

        They are multiplied by a power of two, which rounds nothing: the answer stays the same.
        """
        songs = self.weights.songs if self.songs else 0.0
        tags = self.weights.tags if self.tags else 0.0
        title = self.weights.title if self.title is not None else 0.0
        _, exponent = frexp(max(songs, tags, title))
        songs, tags, title = (ldexp(weight, 1 - exponent) for weight in (songs, tags, title))
        return ModalityWeights(songs=songs, tags=tags, title=title)

    def adding(self, **fields: object) -> PlaylistQuery:
        """The same query with more in its lists, and with another title or other weights.

        Args:
            fields: values by the names of fields; None changes nothing.

        Raises:
            InputError: as for a `PlaylistQuery`.
        """
        changes = {name: value for name, value in fields.items() if value is not None}
        if not changes:
            return self
        added = dict(PlaylistQuery.model_validate(changes))
        for name, value in self:
            if isinstance(value, tuple):
                added[name] = (*value, *added[name])
            elif name not in changes:
                added[name] = value
        return PlaylistQuery.model_validate(added)

    @model_validator(mode="after")
    def _is_no_contradiction(self) -> Self:
        refuse_contradiction("song", self.songs, self.not_songs)
        refuse_contradiction("tag", self.tags, self.not_tags)
        return self


def refuse_contradiction(
    kind: str, liked: Sequence[int | str], disliked: Sequence[int | str]
) -> None:
    """Raise an `InputError` if a song or tag is wanted and disliked at once."""
    if both := [name for name in liked if name in disliked]:
        raise InputError(
            f"{kind} {both[0]!r} is wanted and disliked at once", hint="leave one of the two out"
        )
