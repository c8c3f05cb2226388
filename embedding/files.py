"""A space on disk: a directory of arrays, tables and JSON, with a manifest that vouches for them.

Nothing in it is code, and nothing is unpickled: vectors are `.npy`, tables Parquet, the rest JSON
and the title tokenizer's blob.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from melon.catalog import Genre
from melon.embedding.errors import DamagedSpace, NotASpace, SpaceBusy
from melon.embedding.manifest import (
    FILES,
    FORMAT,
    MANIFEST,
    PARTS,
    FileEntry,
    Manifest,
    Parts,
    manifest_of,
    read_manifest,
)
from melon.embedding.ragged import Vectors
from melon.embedding.reading import (
    TRAIN_AGAIN,
    check_members,
    columns_of,
    damaged,
    read_table,
    read_vectors,
)
from melon.errors import MalformedJson, MissingFile, UnreadableFile, UnwritableFile, first_problem
from melon.files import (
    MAX_JSON_BYTES,
    fresh_beside,
    locked,
    open_regular,
    read_bytes,
    read_json,
    sync_directory,
    write_atomically,
)
from melon.outputs import check_beside
from melon.ranking import Ranking
from melon.titles import MAX_TITLE_BYTES, DamagedTitleTokenizer, TitleTokenizer

_RANKING: TypeAdapter[Ranking | None] = TypeAdapter(Ranking | None)


def save_space(parts: Parts, path: Path) -> None:
    """Write a space beside `path`, then move it there. See `EmbeddingSpace.save`."""
    path = path.resolve()
    check_place(path)
    try:
        _save(parts, path)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error


def check_place(path: Path) -> None:
    """Make sure, before hours of training, that a space could be saved to `path`.

    Raises:
        NotASpace: `path` holds something else.
        UnwritableFile: no directory could be made there, or a mount point is there.
    """
    path = path.resolve()
    try:
        replaceable = not path.exists() or _is_space(path) or _is_empty(path)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error
    if not replaceable:
        raise NotASpace(
            "is there already, and is not a space: it is left alone",
            where=str(path),
            hint="give a directory that is new, empty, or holds a space",
        )
    if os.path.ismount(path):
        raise UnwritableFile(
            "is a mount point, which cannot be replaced",
            where=str(path),
            hint="give a directory inside it",
        )
    check_beside(path)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let no other process update the space at `path`: what it took up would be lost.

    Raises:
        SpaceBusy: one does.
    """
    path = path.resolve()
    with ExitStack() as held:
        try:
            if (path / MANIFEST).exists():
                held.enter_context(locked(path.with_name(f"{path.name}.lock"), wait=False))
        except BlockingIOError:
            raise SpaceBusy(
                "another process is updating it", where=str(path), hint="wait for it to end"
            ) from None
        except OSError:  # a file system without locks, or one that saving will complain of
            pass
        yield


def check_unchanged(path: Path, hash: str) -> None:
    """Make sure that the space at `path` is the one that was read there: training takes no lock.

    Raises:
        SpaceBusy: it is another one.
        MissingFile: it is gone.
    """
    if read_manifest(path / MANIFEST)["hash"] != hash:
        raise SpaceBusy(
            "another process has put another space there meanwhile, which is left alone",
            where=str(path),
            hint="run the command again",
        )


def _save(parts: Parts, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with fresh_beside(path) as fresh:
        fresh.mkdir()
        files = {name: _write(fresh / name, write) for name, write in _writers(parts).items()}
        manifest = json.dumps(manifest_of(parts, files), ensure_ascii=False, indent=1)
        write_atomically(fresh / MANIFEST, manifest)
        _take_place(fresh, path)
        sync_directory(path.parent)


_GENRES = TypeAdapter(list[tuple[str, str, str | None]])


def read_space(path: Path) -> Parts:
    """Read the parts of a space, and check them. See `EmbeddingSpace.load`."""
    try:
        content = read_manifest(path / MANIFEST)
    except MissingFile:
        raise NotASpace(
            f"there is no space here: {MANIFEST} is missing",
            where=str(path),
            hint=_missing_hint(path),
        ) from None
    manifest = Manifest.read(path / MANIFEST, content)
    for name in FILES:
        _check_file(path / name, manifest.files[name])
    fields = tuple(one.field() for one in manifest.fields)
    tables, vectors = {}, {}
    for part in PARTS:
        rows = manifest.counts[f"{part}s"]  # type: ignore[index]
        file = path / f"{part}_vectors.npy"
        with _reading(file):
            vectors[part] = read_vectors(file, rows, manifest.dim)
        file = path / f"{part}s.parquet"
        with _reading(file):
            tables[part] = read_table(file, columns_of(part, fields), rows)
    for part, held, name in (
        ("song", "songs", "id"),
        ("tag", "tags", "tag"),
        ("word", "words", "word"),
    ):
        lists, known = tables["playlist"][held], tables[part][name]
        check_members(path / "playlists.parquet", held, lists, known)
    with _reading(path / "genres.json"):
        genres = _GENRES.validate_python(read_json(path / "genres.json"))
    with _reading(path / "title.bin"):
        title = TitleTokenizer.from_bytes(read_bytes(path / "title.bin", MAX_TITLE_BYTES))
    with _reading(path / "ranking.json"):
        ranking = _RANKING.validate_python(read_json(path / "ranking.json"))
    return {
        "songs": tables["song"],
        "song_vectors": vectors["song"],
        "playlists": tables["playlist"],
        "playlist_vectors": vectors["playlist"],
        "tag_table": tables["tag"],
        "tag_vectors": vectors["tag"],
        "word_table": tables["word"],
        "word_vectors": vectors["word"],
        "genres": {code: Genre(code, name, parent) for code, name, parent in genres},
        "title": title,
        "settings": manifest.settings,
        "epochs": manifest.epochs,
        "fields": fields,
        "ranking": ranking,
        "manifest": content,
    }


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What is wrong with a file as an error that names it."""
    try:
        yield
    except ValidationError as error:
        problem = first_problem(error)
        damaged(path, f"{problem.place}: {problem.what}".removeprefix(": "))
    except (MalformedJson, DamagedTitleTokenizer) as error:
        raise DamagedSpace(error.what, where=str(path), hint=TRAIN_AGAIN) from error
    except OSError as error:
        # what the system refuses to read is not damaged; an `OSError` of Arrow has no number
        if error.errno is None:
            raise DamagedSpace(str(error), where=str(path), hint=TRAIN_AGAIN) from error
        raise UnreadableFile.from_os_error(path, error) from error


def content_hash(parts: Parts) -> str:
    """The hash that the space will have once it is saved, without writing it anywhere."""
    files = {name: _write(None, write) for name, write in _writers(parts).items()}
    return str(manifest_of(parts, files)["hash"])


def _writers(parts: Parts) -> dict[str, Callable[[IO[bytes]], None]]:
    def table(content: pa.Table) -> Callable[[IO[bytes]], None]:
        return lambda file: pq.write_table(content, file, compression="zstd")

    def array(content: Vectors) -> Callable[[IO[bytes]], None]:
        return lambda file: np.save(file, content, allow_pickle=False)

    genres = [[genre.code, genre.name, genre.parent] for genre in parts["genres"].values()]
    text = json.dumps(sorted(genres), ensure_ascii=False)
    return {
        "songs.parquet": table(parts["songs"]),
        "playlists.parquet": table(parts["playlists"]),
        "tags.parquet": table(parts["tag_table"]),
        "words.parquet": table(parts["word_table"]),
        "song_vectors.npy": array(parts["song_vectors"]),
        "playlist_vectors.npy": array(parts["playlist_vectors"]),
        "tag_vectors.npy": array(parts["tag_vectors"]),
        "word_vectors.npy": array(parts["word_vectors"]),
        "genres.json": lambda file: _write_all(file, text.encode("utf-8")),
        "title.bin": lambda file: _write_all(file, parts["title"].to_bytes()),
        "ranking.json": lambda file: _write_all(file, _RANKING.dump_json(parts["ranking"])),
    }


def _write_all(file: IO[bytes], content: bytes) -> None:
    file.write(content)


class _HashingFile(io.BufferedIOBase):
    """Passes on what is written to it, if there is a file to pass it to, and hashes it."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        view = memoryview(content)
        self._digest.update(view)
        self._size += view.nbytes
        if self._file is not None:
            self._file.write(view)
        return view.nbytes

    def tell(self) -> int:
        return self._size

    def entry(self) -> dict[str, Any]:
        """What the manifest says of the file."""
        return {"bytes": self._size, "sha256": self._digest.hexdigest()}


def _write(path: Path | None, write: Callable[[IO[bytes]], None]) -> dict[str, Any]:
    if path is None:
        hashing = _HashingFile(None)
        write(hashing)  # type: ignore[arg-type]
        return hashing.entry()
    with path.open("wb") as file:
        hashing = _HashingFile(file)
        write(hashing)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    return hashing.entry()


def _missing_hint(path: Path) -> str:
    previous = _previous(path.resolve())
    if (previous / MANIFEST).is_file():
        return f"saving was cut off at its last step: rename {previous} to {path.name}"
    return "train one with `melon train`"


def _check_file(path: Path, expected: FileEntry) -> None:
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size != expected.bytes:
                damaged(path, f"has {size} bytes in place of {expected.bytes}")
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DamagedSpace("is missing", where=str(path), hint=TRAIN_AGAIN) from None
    except OSError as error:
        raise UnreadableFile.from_os_error(path, error) from error
    if digest != expected.sha256:
        damaged(path, "was altered: its hash is not the manifest's")


def _take_place(fresh: Path, path: Path) -> None:
    """Move `fresh` to `path`; what was there comes back if that fails."""
    previous = _previous(path)
    if path.exists():
        shutil.rmtree(previous, ignore_errors=True)
        path.rename(previous)
    try:
        fresh.rename(path)
    except BaseException:
        if previous.exists():
            previous.rename(path)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _previous(path: Path) -> Path:
    return path.parent / f".{path.name}.previous"


def _is_space(path: Path) -> bool:
    """Whether there is a manifest that says so, even a damaged one."""
    try:
        with open_regular(path / MANIFEST) as file:
            return f'"{FORMAT}"'.encode() in file.read(MAX_JSON_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
