"""The files of a sealed release: durable, and each with its size and checksum beside the manifest.

Edge changes no file of a shard that is only read: measured over opening, searching and closing it,
it writes its configuration files anew with what they held, and touches others. So all of them have
to be what they were. Names that begin with a point are of files on their way to another name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
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

FILES = "files.json"
"""File of a release's directory that tells its other files."""

BLOCK = 1 << 16
READ_FIRST = {"version.info", "segment.json", "edge_config.json"}
"""Files that are read whenever a shard is opened."""

REPORT_BYTES = 64 << 20


class SealedFile(BaseModel):
    """What a file was when the release was sealed; `checksum` as `checksum_of` gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    checksum: str


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
            files[name] = SealedFile(size=size, checksum=checksum_of(file))
    write_atomically(directory / FILES, SealedFiles(files=files).model_dump_json())
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


def check_files(directory: Path, files: dict[str, SealedFile], part: str = "") -> None:
    """Make sure that the files below `part` of a release are there, of their sizes, and no others.

    This is to be done before Edge sees them: it panics at some that are cut, is killed by others,
    and deletes a segment whose version it cannot read. So files by which Edge knows a segment are
    read. Each of the others takes a few microseconds.

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
        if name not in named and (fault := _content_fault(directory, name, sealed)):
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
    zeros = bytes(BLOCK)
    for start, end in data_in(file, BLOCK):
        file.seek(start)
        for number in range(start // BLOCK, -(-end // BLOCK)):
            block = file.read(BLOCK)
            if block != zeros[: len(block)]:
                digest.update(number.to_bytes(8, "little"))
                digest.update(block)
    return digest.hexdigest()


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
        elif entry.name in READ_FIRST and (fault := _content_fault(directory, name, files[name])):
            yield fault
    for name in expected:
        yield f"{name} is missing"


def _content_fault(directory: Path, name: str, sealed: SealedFile) -> str | None:
    try:
        with open_regular(directory / name) as file:
            same = checksum_of(file) == sealed.checksum
    except OSError as error:
        return f"{name} cannot be read: {reason_of(error)}"
    return None if same else f"{name} is not what was sealed"


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
