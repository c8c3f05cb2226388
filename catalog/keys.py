"""Which key of a catalogue has which id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain

from melon.fields import MAX_ID

_INTEGER = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)


class KeyIds:
    """The ids of songs or of playlists by their keys: a key that has an id keeps it.

    Args:
        ids: Of the keys that have one.
        taken: Ids that no further key can have.

    Attributes:
        ids: Key -> id.
    """

    def __init__(self, ids: Mapping[str, int] | None = None, taken: Iterable[int] = ()) -> None:
        self.ids = dict(ids or {})
        self._taken = {*self.ids.values(), *taken}

    def add(self, keys: Iterable[str]) -> list[int]:
        """The ids of keys, in their order; those that have none yet get one.

        A key that is an integer in 0..`MAX_ID`, as Python writes it, gets that id if it is free,
        so that a catalogue whose keys are integers has them as ids. Every other one gets the next
        above the largest id in use, and where there is none, the smallest that is free.
        """
        keys = list(keys)
        others = []
        for key in dict.fromkeys(keys):
            if key in self.ids:
                continue
            number = integer_of(key)
            if number is not None and number not in self._taken:
                self._give(key, number)
            else:
                others.append(key)
        largest = max(self._taken, default=-1)
        free = (number for number in range(largest) if number not in self._taken)
        for key, number in zip(others, chain(range(largest + 1, MAX_ID + 1), free), strict=False):
            self._give(key, number)
        return [self.ids[key] for key in keys]

    def _give(self, key: str, number: int) -> None:
        self.ids[key] = number
        self._taken.add(number)


def integer_of(key: str) -> int | None:
    """The id that a key writes: an integer in 0..`MAX_ID`, as Python writes it."""
    if not _INTEGER.fullmatch(key):
        return None
    number = int(key)
    return number if number <= MAX_ID else None
