"""The files of a sealed release: durable, and each with its size and checksum beside the manifest.

Edge changes no file of a shard that is only read: measured over opening, searching and closing it,
it writes its configuration files anew with what they held, and touches others. So all of them have
to be what they were. Names that begin with a point are of files on their way to another name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melon.errors import MelonError, counted, first_problem, reason_of
from melon.files import data_in, open_regular, read_json, sync_directory, write_atomically
from melon.progress import Progress, ignore
from melon.store.embedded.errors import ANEW
from melon.store.errors import DamagedRelease, damaged_release

MANIFEST = "manifest.json"
"""File of a release's directory that says that it is complete."""

FILES = "files.json"
"""File of a release's directory that tells its other files."""

BLOCK = 1 << 16
HEAD = 1 << 14
"""Bytes of a file's beginning that are read whenever a shard is opened. There stand the versions by
which Edge keeps or deletes a segment, and the numbers by which it allocates memory: where one of
these has changed, Edge may ask for more than there is, and end the process."""

IDS = "id_tracker.mappings"
"""In the names of files of ids. Edge takes any number in them for the size of a table, so they are
read whole whenever a shard is opened."""

REPORT_BYTES = 64 << 20


class SealedFile(BaseModel):
    """What a file was when the release was sealed.

    Attributes:
        checksum: as `checksum_of` gives it.
        head: as `head_of` gives it, where the file has more than `HEAD` bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    checksum: str
    head: str | None = None


class SealedFiles(BaseModel):
    """All files of a release but this list, by their paths in its directory, with slashes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, SealedFile]


def seal_files(directory: Path) -> None:
    """Make a release's files and directories durable, and list them.

    Raises:
        OSError: one cannot be read or written.
    """
    files = {}
    for name, _ in sorted(_files_in(directory), key=itemgetter(0)):
        # For writing, too: some systems sync no file that is open for reading alone.
        with (directory / name).open("r+b") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
            head = head_of(directory / name) if size > HEAD else None
            files[name] = SealedFile(size=size, checksum=checksum_of(file), head=head)
    sealed = SealedFiles(files=files).model_dump_json(exclude_none=True)
    write_atomically(directory / FILES, sealed)
    for parent, _, _ in os.walk(directory):
        sync_directory(Path(parent))


def sealed_files(directory: Path) -> dict[str, SealedFile]:
    """The files of a sealed release.

    Raises:
        DamagedRelease: the list is not there, or cannot be read.
    """
    try:
        return SealedFiles.model_validate(read_json(directory / FILES)).files
    except ValidationError as error:
        problem = first_problem(error)
        reason = f"{problem.place}: {problem.what}" if problem.place else problem.what
    except MelonError as error:
        reason = error.what
    raise DamagedRelease(
        f"the list of its files cannot be read: {reason}", where=str(directory / FILES), hint=ANEW
    )


def check_manifest(directory: Path, files: dict[str, SealedFile]) -> None:
    """Make sure that a release's manifest is what it was, all of it.

    Raises:
        DamagedRelease: it is not.
    """
    sealed = files.get(MANIFEST)
    expected = sealed.checksum if sealed else ""
    if fault := _fault(MANIFEST, _checksum_at, str(directory / MANIFEST), expected):
        raise damaged_release(directory.name, [fault])


def check_files(directory: Path, files: dict[str, SealedFile], part: str = "") -> None:
    """Make sure that the files below `part` of a release are there, of their sizes, and no others.

    This is to be done before Edge sees them: it panics at some that are cut, is killed by others,
    and deletes a segment whose version it cannot read. So what it allocates memory by is read, too:
    13 ms of processor time more for the 718 files of Melon's release.

    Raises:
        DamagedRelease: names those that differ.
    """
    if differing := list(_differing_at_sight(directory, files, part)):
        raise damaged_release(directory.name, differing)


def differing_files(directory: Path, progress: Progress = ignore) -> Iterator[str]:
    """What of a sealed release is not what it was, all of it read.

    Args:
        progress: told as `files` how many bytes of how many were read; holes count, too.

    Raises:
        DamagedRelease: the list of the files cannot be read.
    """
    files = sealed_files(directory)
    wrong = list(_differing_at_sight(directory, files))
    yield from wrong
    named = {text.partition(" ")[0] for text in wrong}
    total, done, told = sum(file.size for file in files.values()), 0, 0
    progress("files", 0, total)
    for name, sealed in files.items():
        if name not in named and (
            fault := _fault(name, _checksum_at, str(directory / name), sealed.checksum)
        ):
            yield fault
        done += sealed.size
        if done - told > REPORT_BYTES or done == total:
            progress("files", done, total)
            told = done


def checksum_of(file: BinaryIO) -> str:
    """SHA-256 of a file's blocks of 64 KiB that are not all zeros, each after its number.

    Edge's files are long and mostly holes. What a copy wrote into holes, which are zeros, makes no
    difference.
    """
    digest = hashlib.sha256()
    for start, end in data_in(file, BLOCK):
        file.seek(start)
        for number in range(start // BLOCK, -(-end // BLOCK)):
            _add_block(digest, number, file.read(BLOCK))
    return digest.hexdigest()


def head_of(path: str | Path) -> str:
    """The checksum of a file's first `HEAD` bytes, or of all that it has.

    Raises:
        OSError: it cannot be read.
    """
    file = os.open(path, _TO_READ)
    try:
        head = os.read(file, HEAD)
    finally:
        os.close(file)
    digest = hashlib.sha256()
    _add_block(digest, 0, head)
    return digest.hexdigest()


def _add_block(digest: hashlib._Hash, number: int, block: bytes) -> None:
    if block != _ZEROS[: len(block)]:
        digest.update(number.to_bytes(8, "little"))
        digest.update(block)


_ZEROS = bytes(BLOCK)
_TO_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _differing_at_sight(
    directory: Path, files: dict[str, SealedFile], part: str = ""
) -> Iterator[str]:
    expected = {name: file.size for name, file in files.items() if _is_below(name, part)}
    for name, entry in _files_in(directory, part):
        size = expected.pop(name, None)
        if size is None:
            if name != FILES:
                yield f"{name} was not there when it was sealed"
        elif (now := entry.stat().st_size) != size:
            yield f"{name} has {counted(now, 'byte')} of {size:,}"
        elif fault := _fault_at_sight(name, entry, files[name]):
            yield fault
    for name in expected:
        yield f"{name} is missing"


def _fault_at_sight(name: str, entry: os.DirEntry[str], sealed: SealedFile) -> str | None:
    if IDS in entry.name:
        return _fault(name, _checksum_at, entry.path, sealed.checksum)
    head = sealed.head if sealed.size > HEAD else sealed.checksum
    return _fault(name, head_of, entry.path, head) if head else None


def _fault(name: str, checksum: Callable[[str], str], path: str, expected: str) -> str | None:
    try:
        same = checksum(path) == expected
    except OSError as error:
        return f"{name} cannot be read: {reason_of(error)}"
    return None if same else f"{name} is not what was sealed"


def _checksum_at(path: str) -> str:
    with open_regular(Path(path)) as file:
        return checksum_of(file)


def _is_below(name: str, part: str) -> bool:
    return not part or name.startswith(f"{part}/")


def _files_in(directory: Path, part: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files of a release, or of a part of it, that stay what they are, with their names."""
    with suppress(FileNotFoundError), os.scandir(directory / part) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.endswith(".lock"):
                continue
            name = f"{part}/{entry.name}" if part else entry.name
            if entry.is_dir():
                yield from _files_in(directory, name)
            else:
                yield name, entry
