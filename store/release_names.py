"""What releases are called: any name that is safe, and the names that `melon ingest` makes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass, replace
from itertools import count
from typing import Self

RELEASE_NAME = r"^[a-z0-9][a-z0-9-]*$"
DIGITS = 12

_MADE = re.compile(rf"r([0-9a-f]{{{DIGITS}}})(?:-([2-9]|[1-9][0-9]+))?")


def is_release_name(text: str) -> bool:
    """Whether a release could be called this: lower-case letters, digits and hyphens."""
    return re.fullmatch(RELEASE_NAME, text) is not None


@dataclass(frozen=True, slots=True)
class MadeName:
    """`r` and hexadecimal digits, which say what a release is made of: `r0123456789ab`.

    Where a release of that name is damaged, the next one has a number after it: `r0123456789ab-2`.
    """

    digest: str
    number: int = 1

    @classmethod
    def of(cls, recipe: str) -> Self:
        """The name of what is made by this recipe: the beginning of its SHA-256."""
        return cls(hashlib.sha256(recipe.encode()).hexdigest()[:DIGITS])

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The name that `str` writes like this, or None if `melon ingest` makes no such name."""
        found = _MADE.fullmatch(text)
        return cls(found[1], int(found[2] or 1)) if found else None

    def __str__(self) -> str:
        return f"r{self.digest}" + (f"-{self.number}" if self.number > 1 else "")

    def is_same_recipe(self, release: str) -> bool:
        """Whether the release of that name is made of the same as one of this name."""
        other = MadeName.parse(release)
        return other is not None and other.digest == self.digest

    def free(self, taken: Container[str]) -> MadeName:
        """This name, or where it is taken the same with the first number that is free."""
        names = (replace(self, number=number) for number in count(self.number))
        return next(name for name in names if str(name) not in taken)
