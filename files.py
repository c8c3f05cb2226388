"""Files that are whole or not there at all, and locks between processes."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from melon.errors import ForeignFile, ReplacedInput, UnwritableFile

_TEMPORARY = "tmp"


def fresh_name(path: Path, kind: str) -> Path:
    """A hidden name beside `path` for what is to take its place: `.name.0123abcd.kind`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{kind}")


def left_beside(path: Path, kind: str) -> Iterator[Path]:
    """What has a `fresh_name` beside `path`: somebody is at work on it, or was killed."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.{kind}")
    for other in path.parent.glob(f".{glob.escape(path.name)}.*.{kind}"):
        if name.fullmatch(other.name):
            yield other


class Replacement:
    """A text file that is written beside `path`, and takes its place when it is complete.

    Where `path` is a symbolic link, the file that it leads to is replaced. The mode bits of a
    file that is replaced stay. What killed processes left beside it is removed.
    """

    def __init__(self, path: Path) -> None:
        self._target = Path(os.path.realpath(path))
        _remove_left_behind(self._target)
        self._beside, self._file = _locked_beside(self._target)

    def write(self, text: str) -> None:
        """Append a text."""
        self._file.write(text)

    def commit(self) -> None:
        """Flush what was written to the disk, and move it to its place for good."""
        self._file.flush()
        with suppress(FileNotFoundError):
            os.fchmod(self._file.fileno(), stat.S_IMODE(self._target.stat().st_mode))
        os.fsync(self._file.fileno())
        self._beside.replace(self._target)
        self._file.close()  # and with it the lock, under which nobody removes the file
        with suppress(PermissionError):  # of a directory that may be written to, but not read
            sync_directory(self._target.parent)

    def discard(self) -> None:
        """Leave nothing behind; does nothing after `commit`."""
        with suppress(OSError):  # of a full disk, and said already
            self._file.close()
        with suppress(OSError):
            self._beside.unlink()


def _locked_beside(target: Path) -> tuple[Path, TextIO]:
    """A new file beside `target`, locked as long as this process has it open."""
    while True:
        path = fresh_name(target, _TEMPORARY)
        file = path.open("x", encoding="utf-8", newline="")
        with suppress(OSError):  # of a file system without locks: there, none is removed either
            fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return path, file
        file.close()  # another writer took it for one that was left, before it was locked


def _remove_left_behind(target: Path) -> None:
    """Remove what is beside `target` of writers that are dead: their locks are free."""
    for path in left_beside(target, _TEMPORARY):
        with suppress(OSError), path.open("rb") as left:  # not ours to remove, or still written
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


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
    flags = os.O_RDONLY if path.is_dir() else os.O_WRONLY | os.O_CREAT
    lock = os.open(path, flags, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


MARKER = ".written-by"
"""File that names what wrote a directory, and may replace it."""


def check_file(path: Path) -> None:
    """Make sure that a file could be written at `path`, in a directory that may yet be made.

    Where `path` is a link, the directory of what it leads to has to be there. Nothing is made,
    and a file that is there is left as it is.

    Raises:
        UnwritableFile: it could not, or something that is no regular file is there.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "is not a regular file")
        if path.is_symlink():
            _write_into(Path(os.path.realpath(path)).parent)
        else:
            _try(path.parent)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def check_beside(path: Path) -> None:
    """Make sure that something could be written beside `path`, to take its place.

    Raises:
        UnwritableFile: nothing could, and `path` is what it names.
    """
    try:
        _try(path.parent)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def check_directory(path: Path, files: Sequence[str], writer: str) -> None:
    """Make sure that `writer` could write `files` into a directory, replacing only its own.

    Raises:
        UnwritableFile: the directory could not be made or written to, or is a file.
        ForeignFile: one of the files is there, and `writer` did not claim the directory.
    """
    try:
        _try(path)
        marker = path / MARKER
        if marker.exists() and marker.read_bytes() == f"{writer}\n".encode():
            return
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error
    for name in files:
        if (path / name).exists():
            raise ForeignFile(
                f"is there already, and {writer} did not write it: it is left alone",
                where=str(path / name),
                hint=f"give a directory that is new or empty, or that {writer} wrote",
            )


def check_not_read(path: Path, inputs: Iterable[Path]) -> None:
    """Make sure that what is to be written at `path` replaces none of the inputs.

    Files are told apart by what they are, however their paths are spelled and through links. An
    input that lies in a directory would be replaced with it.

    Raises:
        ReplacedInput: an input is what is at `path`, or in it.
    """
    for read in filter(os.path.exists, inputs):
        if any(_same(path, place) for place in (read, *read.resolve().parents)):
            raise ReplacedInput(
                "this file is read, and would be replaced",
                where=str(read),
                hint="write to another place",
            )


def make_directory(path: Path) -> None:
    """Make a directory and those above it, unless they exist.

    Raises:
        UnwritableFile: it cannot be made, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def claim_directory(path: Path, writer: str) -> None:
    """Make a directory whose files `writer` may replace.

    Raises:
        UnwritableFile: it cannot be made or written to, or is a file.
    """
    make_directory(path)
    try:
        write_atomically(path / MARKER, f"{writer}\n")
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):  # one that is not there is no other's
        return one.samefile(other)
    return False


def _try(directory: Path) -> None:
    """Write into a directory, or into the one in which it would be made."""
    while not directory.exists() and not directory.is_symlink():
        directory = directory.parent
    _write_into(directory)


def _write_into(directory: Path) -> None:
    """Write a file without a name, of which nothing stays."""
    with TemporaryFile(dir=directory):
        pass
