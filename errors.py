"""The errors that melon raises on purpose: what was wrong, where, and what to do about it."""

from __future__ import annotations


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
    """What the user gave is wrong: a malformed file, an impossible constraint, an unknown name."""

    exit_code = 2
