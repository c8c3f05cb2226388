"""Files and directories that are to be written: checked before hours of work, and claimed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from melon.errors import ForeignFile, ReplacedInput, UnreadableFile, UnwritableFile
from melon.files import read_bytes, write_atomically

MARKER = ".written-by"
"""File that names what wrote a directory, and may replace it."""


def check_file(path: Path) -> None:
    """Make sure that a file could be written at `path`, in a directory that may yet be made.

    Where `path` is a link, the directory of what it leads to has to be there. Nothing is made,
    and a file that is there is left as it is.

    Raises:
        UnwritableFile: it could not, or something that is no regular file is there.
    """
    with writing_to(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "is not a regular file")
        if path.is_symlink():
            _write_into(Path(os.path.realpath(path)).parent)
        else:
            _try(path.parent)


def check_beside(path: Path) -> None:
    """Make sure that something could be written beside `path`, to take its place.

    Raises:
        UnwritableFile: nothing could; the error names `path`.
    """
    with writing_to(path):
        _try(path.parent)


def check_directory(path: Path, files: Sequence[str], writer: str) -> None:
    """Make sure that `writer` could write `files` into a directory, replacing only its own.

    Raises:
        UnwritableFile: the directory could not be made or written to, or is a file.
        ForeignFile: one of the files is there, and `writer` did not claim the directory.
    """
    with writing_to(path):
        _try(path)
    with suppress(UnreadableFile):
        if read_bytes(path / MARKER, len(writer) + 1) == f"{writer}\n".encode():
            return
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
    with writing_to(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Say of the operating system's errors in the block which file or directory they concern.

    Raises:
        UnwritableFile: in place of one.
    """
    try:
        yield
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def write_file(path: Path, content: str | bytes) -> None:
    """Write a whole file, and its directory if that is not there; see `replacing`.

    Raises:
        UnwritableFile: it cannot be written.
    """
    make_directory(path.parent)
    with writing_to(path):
        write_atomically(path, content)


def claim_directory(path: Path, writer: str) -> None:
    """Make a directory whose files `writer` may replace.

    Raises:
        UnwritableFile: it cannot be made or written to, or is a file.
    """
    make_directory(path)
    with writing_to(path):
        write_atomically(path / MARKER, f"{writer}\n")


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):  # a file that is not there is the same as no other
        return one.samefile(other)
    return False


def _try(directory: Path) -> None:
    """Write into a directory, or into the one in which it would be made."""
    while not directory.exists() and not directory.is_symlink():
        directory = directory.parent
    _write_into(directory)


def _write_into(directory: Path) -> None:
    """Write a file without a name, which is gone when it is closed."""
    with TemporaryFile(dir=directory):
        pass
