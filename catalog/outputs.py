"""Whether something could be written at a path: asked before the work, not after it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile

from melon.catalog.errors import UnwritableFile


def check_file(path: Path) -> None:
    """Make sure that a file could be written at `path`, in a directory that may yet be made.

    Nothing is made, and a file that is there is left as it is.

    Raises:
        UnwritableFile: it could not, or something that is no regular file is there.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "is not a regular file")
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error
    check_beside(path)


def check_beside(path: Path) -> None:
    """Make sure that something could be written beside `path`, to take its place.

    Raises:
        UnwritableFile: nothing could, and `path` is what it names.
    """
    try:
        _try(path.parent)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def check_directory(path: Path) -> None:
    """Make sure that a directory could be made at `path`, or be written to if it is there.

    Raises:
        UnwritableFile: it could not, or is a file.
    """
    try:
        _try(path)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def _try(directory: Path) -> None:
    """Write a file without a name into a directory, or into the one in which it would be made."""
    while not directory.exists():
        directory = directory.parent
    with TemporaryFile(dir=directory):
        pass
