"""Files that are whole or not there at all, and locks between processes."""

from __future__ import annotations

import fcntl
import glob
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Replacement:
    """A text file that is written beside `path`, and takes its place when it is complete.

    Where `path` is a symbolic link, the file that it leads to is replaced. The mode bits of a
    file that is replaced stay. What killed processes left beside it is removed.
    """

    def __init__(self, path: Path) -> None:
        self._target = Path(os.path.realpath(path))
        _remove_left_over(self._target)
        unique = f"{os.getpid()}.{secrets.token_hex(4)}"
        self._beside = self._target.with_name(f".{self._target.name}.{unique}.tmp")
        self._file = self._beside.open("x", encoding="utf-8", newline="")
        with suppress(OSError):  # of a file system without locks
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, text: str) -> None:
        """Append a text."""
        self._file.write(text)

    def commit(self) -> None:
        """Flush what was written to the disk, and move it to its place for good."""
        self._file.flush()
        with suppress(FileNotFoundError):
            os.fchmod(self._file.fileno(), stat.S_IMODE(self._target.stat().st_mode))
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self._target)
        with suppress(PermissionError):  # of a directory that may be written to, but not read
            sync_directory(self._target.parent)

    def discard(self) -> None:
        """Leave nothing behind; does nothing after `commit`."""
        with suppress(OSError):  # of a full disk, and said already
            self._file.close()
        with suppress(OSError):
            self._beside.unlink()


def _remove_left_over(target: Path) -> None:
    """Remove what is beside `target` of writers that are dead, on this machine or another one."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.*.tmp"):
        if _runs(path.name.split(".")[-3]):
            continue
        with suppress(OSError), path.open("rb") as left:  # not ours to remove, or still written
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _runs(pid: str) -> bool:
    """Whether this machine has such a process. What is no number is taken for one."""
    if not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_atomically(path: Path, text: str) -> None:
    """Write a whole text file; see `Replacement`."""
    new = Replacement(path)
    try:
        new.write(text)
        new.commit()
    finally:
        new.discard()


def sync_directory(directory: Path) -> None:
    """Make renames in a directory durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path`, which is made, or the directory that is there.

    Raises:
        BlockingIOError: another has it, and it is not to be waited for.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    lock = os.open(path, flags, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
