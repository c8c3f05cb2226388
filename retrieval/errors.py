"""What can be wrong with a query, a constraint, or a file of settings."""

from __future__ import annotations

from melon.errors import InputError


class ConstraintError(InputError):
    """A constraint that is empty, contradicts itself, or names what the store does not know."""


class UnknownItem(InputError):
    """The store holds no such item, or no vector for it."""


class UnknownSong(InputError):
    """No song has this name or id."""


class AmbiguousSong(InputError):
    """Several songs have this name."""


class UnknownStrategy(InputError):
    """There is no strategy of this name."""


class BadSettings(InputError):
    """A file of retrieval settings cannot be used."""
