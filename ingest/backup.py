"""A release in one file: a zip archive of its manifest and points, with a hash of every part.

Nothing in it is code, and nothing of it is unpacked to a place that it names. `backup.json` says
what there is; of each collection `songs/0.jsonl` has the ids and payloads of the first `PART`
points, `songs/0.vectors` their dense vectors (float32, a row of zeros for none), `songs/0.sparse`
their sparse ones (lengths and indices uint32, values float32), and so on. All numbers are
little-endian.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from melon.errors import (
    InputError,
    MalformedJson,
    UnreadableFile,
    UnwritableFile,
    counted,
    first_problem,
    uncapitalized,
)
from melon.fields import MAX_ID
from melon.files import (
    MAX_JSON_BYTES,
    fresh_beside,
    half_pair,
    open_regular,
    parse_json,
    sync_directory,
)
from melon.ingest.contents import Points
from melon.ingest.transfer import place_release, rows_of, stored_points
from melon.progress import Progress, ignore
from melon.store import (
    SCHEMA,
    Collection,
    PointBatch,
    PointId,
    ReleaseManifest,
    ReleaseReader,
    VectorStore,
    field_checks,
)

FORMAT = "melon-backup"
FORMAT_VERSION = 1
CONTENTS = "backup.json"
PART = 4096
MAX_PART_BYTES = 1 << 28
"""Of one file of the archive, unpacked."""

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBERED = (Collection.SONGS, Collection.PLAYLISTS)


class BadBackup(InputError):
    """A file is no backup, or a damaged one."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    bytes: int = Field(ge=0, le=MAX_PART_BYTES)
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Contents(BaseModel):
    """What `backup.json` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["melon-backup"]
    format_version: StrictInt
    part: Annotated[StrictInt, Field(ge=1, le=PART)]
    manifest: ReleaseManifest
    files: dict[str, _File]


class _Part(NamedTuple):
    """Some points, by column; `sparse` has the indices and values of each."""

    ids: list[PointId]
    dense: NDArray[np.float32]
    sparse: list[tuple[Any, Any]]
    payloads: list[dict[str, Any]]


def back_up(reader: ReleaseReader, path: Path, progress: Progress = ignore) -> None:
    """Write a release into a file, in place of one that is there; it is whole or not there.

    Two backups of a release are the same, byte by byte: what it is verified by is left out, for a
    store gathers it anew.

    Args:
        reader: of the release.
        path: the file.
        progress: told of step `backup`, and how many points are written.

    Raises:
        DamagedRelease: something of the release is missing.
        UnwritableFile: the file cannot be written.
    """
    parts = stored_points(reader)
    total, done = sum(map(len, parts.values())), 0
    files: dict[str, _File] = {}
    try:
        with fresh_beside(path) as fresh:
            with fresh.open("xb") as file:
                with ZipFile(file, "w", allowZip64=True) as archive:
                    for collection, points in parts.items():
                        for start in range(0, len(points), PART):
                            batch = points.batch(start, start + PART)
                            for kind, content in _packed(batch).items():
                                name = f"{collection}/{start // PART}.{kind}"
                                files[name] = _add(archive, name, content)
                            done += len(batch.ids)
                            progress("backup", done, total)
                    contents = _Contents(
                        format=FORMAT,
                        format_version=FORMAT_VERSION,
                        part=PART,
                        manifest=reader.manifest.model_copy(update={"evidence": {}}),
                        files=files,
                    )
                    _add(archive, CONTENTS, contents.model_dump_json().encode())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            sync_directory(path.resolve().parent)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def _packed(batch: PointBatch) -> Mapping[str, bytes]:
    lines = (
        json.dumps({"id": point, "payload": payload}, ensure_ascii=False, separators=(",", ":"))
        for point, payload in zip(batch.ids, batch.payloads, strict=True)
    )
    packed = {
        "jsonl": "".join(f"{line}\n" for line in lines).encode(),
        "vectors": batch.dense.astype("<f4").tobytes(),
    }
    if batch.sparse is not None:
        lengths = np.diff(batch.sparse.indptr).astype("<u4")
        indices, values = batch.sparse.indices.astype("<u4"), batch.sparse.values.astype("<f4")
        packed["sparse"] = lengths.tobytes() + indices.tobytes() + values.tobytes()
    return packed


def _add(archive: ZipFile, name: str, content: bytes) -> _File:
    info = ZipInfo(name)  # of 1980: when it was written makes no difference
    info.compress_type = ZIP_STORED if name.endswith(".vectors") else ZIP_DEFLATED
    archive.writestr(info, content)
    return _File(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def restore(
    path: Path, store: VectorStore, *, promote: bool = True, progress: Progress = ignore
) -> tuple[ReleaseManifest, bool]:
    """Build the release of a backup in a store, check all of it there, and make it live.

    Args:
        path: the backup.
        store: where it goes.
        promote: whether it becomes the live one.
        progress: told how many points each step has done: `read`, `upload`, `index songs` and so
            on, `check`, `compare`.

    Returns:
        The release's manifest, and whether it was built, and was not there already.

    Raises:
        BadBackup: the file is no backup, or a damaged one. Nothing was written.
        UnreadableFile: it cannot be read.
        DamagedRelease, CheckFailed, StoreUnavailable: see `copy_release`.
    """
    with open_backup(path) as backup:
        manifest = backup.contents.manifest
        built = place_release(
            manifest, lambda: backup.points(progress), store, promote=promote, progress=progress
        )
    return manifest, built


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup to read its points; see `restore` for what it raises."""
    try:
        file = open_regular(path)
    except OSError as error:
        raise UnreadableFile.from_os_error(path, error) from error
    with file:
        try:
            backup = Backup(path, file)
        except BadZipFile as error:
            raise BadBackup(
                f"is no backup: {uncapitalized(str(error))}",
                where=str(path),
                hint="give a file that `melon backup` wrote, all of it",
            ) from error
        yield backup


class Backup:
    """An open backup."""

    def __init__(self, path: Path, file: BufferedReader) -> None:
        self.path = path
        self._archive = ZipFile(file)
        try:
            content = parse_json(self._read(CONTENTS, MAX_JSON_BYTES), path)
            self.contents = _Contents.model_validate(content)
        except MalformedJson as error:
            self.refuse(f"{CONTENTS}: {error.what}")
        except ValidationError as error:
            problem = first_problem(error)
            self.refuse(f"{CONTENTS}: {problem.place}: {problem.what}")
        if self.contents.format_version != FORMAT_VERSION:
            self.refuse(
                f"is a backup of format {self.contents.format_version}, and this melon reads "
                f"{FORMAT_VERSION}"
            )

    def refuse(self, what: str) -> NoReturn:
        """Raise what is wrong with it."""
        raise BadBackup(
            what, where=str(self.path), hint="make the backup again, or take another copy of it"
        )

    def points(self, progress: Progress) -> Mapping[Collection, Points]:
        """The points of each collection, after all of them were read once."""
        counts = self.contents.manifest.counts
        total, done = sum(counts.values()), 0
        parts: dict[Collection, Points] = {}
        for collection in Collection:
            ids: list[PointId] = []
            for number in range(math.ceil(counts.get(collection, 0) / self.contents.part)):
                ids += self.part(collection, number).ids
                progress("read", done + len(ids), total)
            if any(one >= other for one, other in pairwise(ids)):  # type: ignore[operator]
                self.refuse(f"its {collection} are not in the order of their ids")
            done += len(ids)
            parts[collection] = _BackedUp(self, collection, ids)
        return parts

    def part(self, collection: Collection, number: int) -> _Part:
        """Some points of a collection."""
        manifest = self.contents.manifest
        count = min(self.contents.part, manifest.counts[collection] - number * self.contents.part)
        schema = manifest.schema(collection)
        name = f"{collection}/{number}"
        lines = self._file(f"{name}.jsonl").splitlines()
        if len(lines) != count:
            self.refuse(f"{name} holds {counted(len(lines), 'point')} in place of {count}")
        checks = field_checks(schema)
        ids, payloads = [], []
        for line in lines:
            try:
                text = line.decode()
                point = json.loads(text)
                id_, payload = point["id"], point["payload"]
                right = (
                    _is_id(collection, id_)
                    and not half_pair(text, payload)
                    and all(checks.get(field, _is_plain)(value) for field, value in payload.items())
                )
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                right = False
            if not right:
                self.refuse(f"{name} holds a point that is none of melon's: {line[:80]!r}")
            ids.append(id_)
            payloads.append(payload)
        vectors = self._file(f"{name}.vectors")
        if len(vectors) != 4 * count * manifest.dim:
            self.refuse(f"the vectors of {name} are not of {manifest.dim} dimensions")
        dense = np.frombuffer(vectors, "<f4").reshape(count, manifest.dim)
        sparse = self._sparse(f"{name}.sparse", count) if schema.sparse else []
        return _Part(ids, dense, sparse, payloads)

    def _sparse(self, name: str, count: int) -> list[tuple[Any, Any]]:
        content = self._file(name)
        lengths = np.frombuffer(content[: 4 * count], "<u4").astype(np.int64)
        held = int(lengths.sum())
        if len(content) != 4 * (count + 2 * held):
            self.refuse(f"{name} is cut short")
        indices = np.frombuffer(content, "<u4", held, 4 * count)
        values = np.frombuffer(content, "<f4", held, 4 * (count + held))
        ends = np.cumsum(lengths)[:-1]
        rows = list(zip(np.split(indices, ends), np.split(values, ends), strict=True))
        if not np.isfinite(values).all() or any((row[1:] <= row[:-1]).any() for row, _ in rows):
            self.refuse(f"{name} holds what is no sparse vector")
        return rows

    def _file(self, name: str) -> bytes:
        known = self.contents.files.get(name)
        if known is None:
            self.refuse(f"does not list {name}")
        content = self._read(name, known.bytes)
        if hashlib.sha256(content).hexdigest() != known.sha256:
            self.refuse(f"{name} was altered: its hash is another")
        return content

    def _read(self, name: str, limit: int) -> bytes:
        """A file of the archive, and no more of it than it should have."""
        try:
            with self._archive.open(name) as file:
                content = file.read(limit + 1)
        except (KeyError, BadZipFile, EOFError, zlib.error, RuntimeError, ValueError) as error:
            self.refuse(f"{name} cannot be read: {uncapitalized(str(error))}")
        except OSError as error:
            raise UnreadableFile.from_os_error(self.path, error) from error
        if len(content) > limit:
            self.refuse(f"{name} has more than {limit:,} bytes")
        return content


class _BackedUp:
    """The points of one collection of a backup."""

    def __init__(self, backup: Backup, collection: Collection, ids: Sequence[PointId]) -> None:
        self.ids = ids
        self._size = backup.contents.part
        self._has_sparse = SCHEMA[collection].sparse is not None
        self._part = lru_cache(maxsize=1)(lambda number: backup.part(collection, number))

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, start: int, stop: int) -> PointBatch:
        """The points from row `start` to before row `stop`."""
        stop = min(stop, len(self))
        some = []
        for number in range(start // self._size, math.ceil(stop / self._size)):
            first = number * self._size
            rows = slice(max(start - first, 0), stop - first)
            part = self._part(number)
            some.append(
                _Part(part.ids[rows], part.dense[rows], part.sparse[rows], part.payloads[rows])
            )
        sparse = [row for part in some for row in part.sparse]
        return PointBatch(
            self.ids[start:stop],
            np.vstack([part.dense for part in some]),
            rows_of(sparse) if self._has_sparse else None,
            [payload for part in some for payload in part.payloads],
        )


def _is_id(collection: Collection, point: object) -> bool:
    if collection in _NUMBERED:
        return type(point) is int and 0 <= point <= MAX_ID
    return isinstance(point, str) and _UUID.fullmatch(point) is not None


def _is_plain(value: object) -> bool:
    """Whether an engine takes it for a field that melon does not know."""
    if isinstance(value, list):
        return all(not isinstance(one, list) and _is_plain(one) for one in value)
    return isinstance(value, str | bool | int) or (
        isinstance(value, float) and math.isfinite(value)
    )
