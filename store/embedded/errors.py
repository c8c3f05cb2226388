"""Failures of Edge as melon's errors: Edge itself raises a bare `Exception` for all of them."""

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

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def edge_errors(
    kind: type[MelonError], where: str | Path, *, what: str = "", hint: str | None = None
) -> Iterator[None]:
    """Raise what Edge raises as `kind`, or as `StoreUnavailable` where the system refused it.

    Args:
        where: the shard or the release it concerns.
        what: what was tried; the words of Edge follow it.
        hint: what to do about it, unless the system refused it.
    """
    try:
        yield
    except MelonError:
        raise
    except Exception as error:
        reason = f"{what}: {error}" if what else str(error)
        raise edge_error(kind, reason, where, hint) from error


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
        return "make room on the disk, or raise the limit of a file's size, and try again"
    if code in _REFUSED:
        return "it needs read and write access to the directory"
    return None
