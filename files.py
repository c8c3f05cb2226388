"""Files that are read whole, replaced whole or not at all, and locks between processes."""

from __future__ import annotations

import csv
import errno
import glob
import json
import os
import re
import secrets
import shutil
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar

from melon.errors import MalformedJson, UnreadableFile, UnwritableFile, uncapitalized

T = TypeVar("T")

COPY_BYTES = 1 << 16

MAX_JSON_BYTES = 32 << 20
"""Of a file of JSON that is read whole; parsed, it may take twenty times as much."""

MAX_JSON_DEPTH = 64
"""Arrays and objects in one another."""

_TOO_DEEP = "malformed JSON: it is nested too deeply"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_bytes(path: Path, limit: int) -> bytes:
    """All of a regular file: a pipe in its place is refused, and not waited for.

    Raises:
        MissingFile: the file is not there.
        UnreadableFile: it cannot be opened or read, is not a regular file, or has more than `limit`
            bytes.
    """
    try:
        with open_regular(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UnreadableFile.from_os_error(path, error) from error
    if len(content) > limit:
        raise UnreadableFile(f"cannot be read: it has more than {limit:,} bytes", where=str(path))
    return content


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read its bytes; what else is there is an `OSError`, and no wait."""
    waits_not = getattr(os, "O_NONBLOCK", 0)  # for somebody who writes into a pipe
    binary = getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, os.O_RDONLY | waits_not | binary), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "is not a regular file")
    return file


def read_json(path: Path) -> object:
    """Read a file of one JSON value in UTF-8, with or without a byte order mark.

    Raises:
        MissingFile: the file is not there.
        UnreadableFile: it cannot be opened or read, is not a regular file, or has more than
            `MAX_JSON_BYTES`.
        MalformedJson: it holds something else, is nested deeper than `MAX_JSON_DEPTH`, repeats a
            key of an object, or has a number too long, or half a surrogate pair, which no encoding
            can write.
    """
    return parse_json(read_bytes(path, MAX_JSON_BYTES), path)


def parse_json(data: bytes, path: Path) -> object:
    """The one JSON value that the bytes of a file hold, in UTF-8.

    Raises:
        MalformedJson: as of `read_json`.
    """
    try:
        text = data.decode()
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=named_once)
    except UnicodeDecodeError as error:
        raise MalformedJson.not_utf8(path, data[error.start], error.start) from None
    except json.JSONDecodeError as error:
        what = f"malformed JSON: {uncapitalized(error.msg)}"
        byte = len(data) - len(error.doc[error.pos :].encode())
        raise MalformedJson(what, path=path, line=error.lineno, byte=byte) from None
    except RecursionError:
        raise MalformedJson(_TOO_DEEP, path=path) from None
    except ValueError as error:  # of a number too long to read, or a repeated key
        what = uncapitalized(str(error).partition("; use sys.")[0])  # advice for programmers
        raise MalformedJson(f"malformed JSON: {what}", path=path) from None
    if not _is_shallow(value):
        raise MalformedJson(_TOO_DEEP, path=path)
    if half := half_pair(text, value):
        raise MalformedJson(f"malformed JSON: {half} is half a surrogate pair", path=path)
    return value


def named_once(members: list[tuple[str, T]]) -> dict[str, T]:
    """The members of a JSON object, as an `object_pairs_hook`: decoders keep the last of a key.

    Raises:
        ValueError: a key is repeated.
    """
    found = dict(members)
    if len(found) < len(members):
        [(key, _)] = Counter(key for key, _ in members).most_common(1)
        raise ValueError(f"the key {key!r} is repeated")
    return found


def half_pair(text: str, value: object) -> str | None:
    """Half a surrogate pair in a value, read from JSON: no encoding can write it."""
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            return ascii(error.object[error.start])
    return None


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(MAX_JSON_DEPTH + 1):
        holders = [one for one in level if type(one) is dict or type(one) is list]
        if not holders:
            return True
        level = [
            part
            for holder in holders
            for part in (holder.values() if type(holder) is dict else holder)
        ]
    return False


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a whole file, a text in UTF-8; see `replacing`."""
    with replacing(path) as file:
        file.buffer.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that is written beside `path`, and takes its place when the block ends.

    When an exception ends the block, what was there stays. Where `path` is a symbolic link, the
    file that it leads to is replaced. The mode bits of a file that is replaced stay.
    """
    target = Path(os.path.realpath(path))
    with fresh_beside(target) as fresh:
        file = fresh.open("x", encoding="utf-8", newline="")
        try:
            yield file
            file.flush()
            with suppress(FileNotFoundError):
                shutil.copymode(target, fresh)
            os.fsync(file.fileno())
        finally:
            with suppress(OSError):  # a full disk, which is an error already
                file.close()
        fresh.replace(target)
        sync_directory(target.parent)


def copy_atomically(source: Path, target: Path) -> None:
    """Copy a file to a place that has the whole copy, or what was there before.

    Raises:
        UnreadableFile: the file cannot be read.
        UnwritableFile: the copy cannot be written.
    """
    with fresh_beside(target) as fresh:
        try:
            read = source.open("rb")
        except OSError as error:
            raise UnreadableFile.from_os_error(source, error) from error
        try:
            with read, fresh.open("xb") as written:
                shutil.copyfileobj(read, written)
                os.fsync(written.fileno())
            fresh.replace(target)
            sync_directory(target.parent)
        except OSError as error:
            raise UnwritableFile.from_os_error(target, error) from error


def data_in(file: BinaryIO, block: int) -> Iterator[tuple[int, int]]:
    """Where an open file has data, in whole blocks: (start, end), ascending, without its holes.

    All of it where the system does not tell.
    """
    size = os.fstat(file.fileno()).st_size
    end = 0
    while end < size:
        try:
            data = os.lseek(file.fileno(), end, os.SEEK_DATA)
            hole = os.lseek(file.fileno(), data, os.SEEK_HOLE)
        except AttributeError:  # not on this system
            data, hole = 0, size
        except OSError as error:
            if error.errno == errno.ENXIO:  # a hole to the end
                return
            data, hole = 0, size
        start = max(end, data // block * block)
        end = min(size, -(-hole // block) * block)
        if start < end:
            yield start, end


def copy_data(source: Path, target: Path) -> None:
    """Copy a file to one that is not there, with its holes.

    Raises:
        OSError: it cannot be read, or the copy cannot be written.
    """
    with source.open("rb") as read, target.open("xb") as written:
        for start, end in data_in(read, COPY_BYTES):
            read.seek(start)
            written.seek(start)
            for place in range(start, end, COPY_BYTES):
                written.write(read.read(min(COPY_BYTES, end - place)))
        written.truncate(os.fstat(read.fileno()).st_size)


@contextmanager
def fresh_beside(path: Path) -> Iterator[Path]:
    """A hidden name beside `path` for a file or directory that is to take its place.

    What is still there when the block ends is removed, and so is what killed processes left beside
    `path`. Other processes know by a lock that this one is at work: for `.name.0123abcd.new` it is
    `.name.0123abcd.lock`. It is another file because some systems lock no directory, and move no
    file that is open.
    """
    _remove_left_behind(path)
    lock = path.with_name(f".{path.name}.{secrets.token_hex(4)}.lock")
    fresh = lock.with_suffix(".new")
    with ExitStack() as at_the_end:
        at_the_end.callback(_remove, lock)  # once it is free: some systems remove no open file
        with suppress(OSError):  # a file system without locks, where none is removed either
            at_the_end.enter_context(locked(lock))
        at_the_end.callback(_remove, fresh)
        yield fresh


def _remove_left_behind(path: Path) -> None:
    """Remove what is beside `path` of processes that are dead: their locks are free."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.lock")
    for lock in path.parent.glob(f".{glob.escape(path.name)}.*.lock"):
        if name.fullmatch(lock.name):
            with suppress(OSError):  # it is locked, or not ours to remove
                with locked(lock, wait=False):
                    _remove(lock.with_suffix(".new"))
                lock.unlink()


def _remove(path: Path) -> None:
    """Remove a file or a directory, as far as that is possible."""
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path`, which is made if need be, and stays as it is.

    A lock ends with its process, however that ends.

    Raises:
        BlockingIOError: another has it, and it is not to be waited for.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(lock, wait=wait)
        yield
    finally:
        os.close(lock)


def _lock(file: int, *, wait: bool) -> None:
    """Lock an open file until it is closed.

    Not by `filelock` on every system: it adds 9 ms to each query of an embedded store, where
    `fcntl` costs nothing, and asks again and again where `fcntl` waits.
    """
    if sys.platform == "win32":
        from filelock import lock_descriptor

        if not lock_descriptor(file, blocking=wait):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def sync_directory(directory: Path) -> None:
    """Make renames in a directory durable, on systems that open directories."""
    with suppress(PermissionError):  # it may be written to, but not read
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_csv(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV, a line each, so that every reader gets back what they hold.

    Before Python 3.13, `csv` leaves a lone carriage return unquoted, which others read as the end
    of a row.
    """
    plain = csv.writer(file, lineterminator="\n")
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in str(cell) for cell in row) else plain).writerow(row)
