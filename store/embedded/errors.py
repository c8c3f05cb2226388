"""Failures of Edge as melon's errors: every call into Edge that may fail goes through here.

Edge raises a bare `Exception` for what it refuses. Where a file holds what it did not expect it
panics, which is a `BaseException` that no `except Exception` catches.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melon.errors import MelonError
from melon.store.errors import StoreUnavailable

_OF_THE_SYSTEM = re.compile(r"(?:os error|Errno) (\d+)")
_OF_THE_SHARD = {None, errno.ENOENT, errno.ENOTDIR}
"""Edge itself objects, or a file of the shard is missing."""

ANEW = "run `melon ingest` again"
"""What mends a release: another is built beside it."""

FULL_HINT = (
    "make room on the disk, or raise the limit of a file's size, and try again; `melon releases"
    " prune --keep 1` removes old releases"
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def edge_errors(
    kind: type[MelonError],
    where: str | Path,
    *,
    what: str = "",
    hint: str | None = None,
    panic: type[MelonError] | None = None,
) -> Iterator[None]:
    """Raise what Edge raises as `kind`, or as `StoreUnavailable` where the system refused it.

    Args:
        where: the shard or the release it concerns.
        what: what was tried; the words of Edge follow it.
        hint: what to do about it, unless the system refused it.
        panic: what a panic is raised as; `kind` by default.
    """
    try:
        yield
    except MelonError:
        raise
    except BaseException as error:
        panicked = _is_panic(error)
        if not panicked and not isinstance(error, Exception):
            raise
        said = f"the engine broke off: {error}" if panicked else str(error)
        reason = f"{what}: {said}" if what else said
        if panicked:
            hint = hint or ANEW
            raise (panic or kind)(reason, where=str(where), hint=hint) from error
        raise edge_error(kind, reason, where, hint) from error


def is_write_refusal(error: MelonError) -> bool:
    """Whether the system refused to write: no room, no right, or a read-only file system."""
    match = _OF_THE_SYSTEM.search(error.what)
    return match is not None and int(match[1]) in _FULL | _REFUSED


def _is_panic(error: BaseException) -> bool:
    """Whether it is pyo3's `PanicException`, which no module exports."""
    return type(error).__name__ == "PanicException"


def edge_error(
    kind: type[MelonError], reason: str, where: str | Path, hint: str | None = None
) -> MelonError:
    """The error for what Edge said; a full disk, for example, is no damage of the shard."""
    match = _OF_THE_SYSTEM.search(reason)
    code = int(match[1]) if match else None
    if code in _OF_THE_SHARD:
        return kind(reason, where=str(where), hint=hint)
    return StoreUnavailable(reason, where=str(where), hint=_what_to_do(code))


def _what_to_do(code: int | None) -> str | None:
    if code in _FULL:
        return FULL_HINT
    if code in _REFUSED:
        return "it needs read access to the directory, and to write needs write access"
    return None
