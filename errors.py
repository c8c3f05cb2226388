"""The errors that melon raises on purpose: what was wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError


class MelonError(Exception):
    """Something failed around us: a store that is unreachable, a file that cannot be written.

    Args:
        what: One sentence that names the object and the value that was wrong.
        where: The file, record, field or address it concerns.
        hint: What the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        message = f"{self.where}: {self.what}" if self.where else self.what
        return f"{message}\n  hint: {self.hint}" if self.hint else message


class InputError(MelonError):
    """The input is wrong: a malformed file, an impossible constraint, an unknown name."""

    exit_code = 2


class WrongType(InputError, TypeError):
    """A value of the wrong kind, such as one text in place of a list."""


_WRONG_KIND: dict[type[OSError], str] = {
    IsADirectoryError: "give the path of a file",
    NotADirectoryError: "there is a file where a directory should be: give another path",
}
"""What to do about a path at which there is something of another kind."""


class UnreadableFile(InputError):
    """A file that is missing, is a directory, or may not be read."""

    @classmethod
    def from_os_error(cls, path: Path, error: OSError) -> UnreadableFile:
        """Say which file the operating system would not open, and why."""
        absent = isinstance(error, (FileNotFoundError, NotADirectoryError))
        kind = MissingFile if absent else UnreadableFile
        hint = _WRONG_KIND.get(type(error))
        return kind(f"cannot be read: {reason_of(error)}", where=str(path), hint=hint)


class MissingFile(UnreadableFile):
    """A file that is not there."""


class MalformedJson(InputError):
    """A file that is not the JSON it should be.

    Args:
        what: What is wrong.
        path: The file.
        hint: What the reader can do about it; by default, to correct the file.
        place: Where it is wrong, from the outside in: `record` and `line` count from 1, `byte`
            from 0. Empty where the place is not known.
    """

    def __init__(
        self,
        what: str,
        *,
        path: Path,
        hint: str | None = None,
        **place: int,
    ) -> None:
        self.path = path
        self.place = place
        steps = (f"{name} {number}" for name, number in place.items())
        hint = hint or "correct it there, or write it again with a JSON encoder"
        super().__init__(what, where=", ".join([str(path), *steps]), hint=hint)

    @classmethod
    def not_utf8(cls, path: Path, value: int, byte: int) -> MalformedJson:
        """Say which byte of a file is not part of any UTF-8 text, and what its value is."""
        what = f"byte 0x{value:02x} is not valid UTF-8"
        return cls(what, path=path, hint="write it in UTF-8", byte=byte)


class UnwritableFile(MelonError):
    """A file that cannot be written: no such directory, no right to it, no room."""

    @classmethod
    def from_os_error(cls, path: Path, error: OSError) -> UnwritableFile:
        """Say which file the operating system would not write, and why."""
        hint = _WRONG_KIND.get(type(error))
        return cls(f"cannot be written: {reason_of(error)}", where=str(path), hint=hint)


class MissingExtra(MelonError):
    """A library that one of melon's extras brings, and that is not installed."""


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Say of a library that cannot be imported in the block which extra of melon's brings it.

    Raises:
        MissingExtra: one is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"it takes {error.name}, which is not installed",
            hint=f"pip install 'melon[{extra}]'",
        ) from error


class ForeignFile(InputError):
    """A file that would be replaced by a command that did not write it."""


class ReplacedInput(InputError):
    """A file that is read, and would be replaced by the result."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value that pydantic refused.

    Attributes:
        location: the names and indices that lead to it; empty where it is the whole.
        what: the reason, to be put after a colon: "input should be greater than 0".
        kind: pydantic's name of it, such as `missing`.
        value: what was refused. It may be a secret, so that only some callers put it in a message.
    """

    location: tuple[int | str, ...]
    what: str
    kind: str
    value: object = field(repr=False)

    @property
    def place(self) -> str:
        """The location as people write it: `dense.from_title.to_songs.floors[1]`."""
        return place_of(self.location)


def first_problem(error: ValidationError) -> Problem:
    """The first of the problems that pydantic has with a value."""
    return problems(error)[0]


def problems(error: ValidationError) -> list[Problem]:
    """The problems that pydantic has with a value."""
    return [
        Problem(
            one["loc"],
            # pydantic's message names a class of ours
            "input should be an object"
            if one["type"] == "model_type"
            else uncapitalized(one["msg"].removeprefix("Value error, ")),
            one["type"],
            one["input"],
        )
        for one in error.errors(include_url=False, include_context=False)
    ]


_ALTERNATIVES = ("constrained-int", "constrained-str")
"""What pydantic adds to a location that takes a number or a text."""


def place_of(location: tuple[int | str, ...]) -> str:
    """Names after dots and indices in brackets: `songs[3]`."""
    named = (part for part in location if part not in _ALTERNATIVES)
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in named)
    return "".join(parts).removeprefix(".")


def counted(count: int, one: str, many: str | None = None) -> str:
    """How many there are, for a message: `1 song`, `2,019 songs`; `many` where no s is added."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def sized(n: int) -> str:
    """How large a file of so many bytes is, for a message: `9 kB`, `1,250.0 MB`."""
    return f"{n / 1e6:,.1f} MB" if n >= 1e5 else f"{-(-n // 1000)} kB"


def uncapitalized(message: str) -> str:
    """Fit another library's message into a sentence."""
    is_word = message.split(" ", 1)[0].istitle()  # and not a name, such as NaN
    return message[:1].lower() + message[1:] if is_word else message


def reason_of(error: OSError) -> str:
    """What the operating system says, to be put after a colon: "no such file or directory"."""
    return uncapitalized(error.strerror or str(error))
