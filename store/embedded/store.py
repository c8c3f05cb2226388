"""The embedded engine: Qdrant Edge shards in a directory, no server needed.

    <root>/build.lock                    locked by the process that builds
    <root>/live                          name of the live release, and in the next line of the one
                                         that was live before; replaced atomically
    <root>/live.lock                     locked while a release is promoted or dropped
    <root>/releases/<release>/           manifest.json, files.json and one shard per collection
    <root>/releases/.building-…/         a build under way, or what a killed one left

Shards are built without a write-ahead log: a release is durable when it is sealed, and a build
that was interrupted starts again. So any number of processes can read a release at once, for what
Edge locks is the log. They open a shard one after the other only, because that rewrites its
configuration file. A release can be promoted while another is built.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Self
from weakref import WeakSet

from melon.errors import ForeignFile, MalformedJson, MissingFile, UnreadableFile
from melon.files import locked, read_bytes, read_json, write_atomically
from melon.progress import Progress, ignore
from melon.store.checked import CheckedReader
from melon.store.embedded.builder import EmbeddedBuilder
from melon.store.embedded.reader import EmbeddedReader
from melon.store.embedded.sealing import MANIFEST, differing_files
from melon.store.errors import (
    NoRelease,
    StoreBusy,
    StoreUnavailable,
    damaged_manifest,
    release_is_complete,
    release_is_live,
    store_closed,
    unknown_release,
)
from melon.store.evidence import check_whole
from melon.store.manifest import (
    ReleaseManifest,
    check_schema,
    is_release_name,
    manifest_to_read,
    parse_manifest,
    readable,
)
from melon.store.protocol import ReleaseInfo, Unlocked

BUILDING = ".building-"
LIVE_BYTES = 1024
"""More than two names of releases have."""

DROPPED = f"{BUILDING}dropped-"


class EmbeddedStore:
    """Releases as directories below `root`. Opening a store creates nothing.

    It stays with its directory if the process goes to work in another one.
    """

    repeats = True
    found = False

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.absolute()
        except OSError as error:  # the working directory is gone
            raise StoreUnavailable(
                f"the working directory is not there: {error}",
                where=str(root),
                hint="go to one that is, or give a path that begins with /",
            ) from error
        self._readers: WeakSet[EmbeddedReader] = WeakSet()
        self._opening = Lock()
        self._closed = False

    @property
    def location(self) -> str:
        """The engine and its directory."""
        return f"embedded store {self.root}"

    @property
    def exists(self) -> bool:
        """Whether the directory is that of a store; the first build makes it one."""
        return self._releases_dir.is_dir() or self._live_file.is_file()

    def engine_version(self) -> str:
        """Qdrant Edge's version."""
        return f"qdrant-edge {version('qdrant-edge-py')}"

    def releases(self) -> list[ReleaseInfo]:
        """All complete releases, newest first, without their title tokenizers."""
        live = self.live()
        infos = []
        paths = self._releases_dir.glob(f"[!.]*/{MANIFEST}")
        for manifest in readable(partial(_read_manifest, path) for path in paths):
            if manifest is not None:
                brief = manifest.model_copy(update={"title_tokenizer": b""})
                infos.append(ReleaseInfo(brief, live=manifest.release == live))
        return sorted(infos, key=lambda info: info.manifest.created, reverse=True)

    def live(self) -> str | None:
        """Name of the live release."""
        return self._live_then_previous()[0]

    def previous(self) -> str | None:
        """Name of the release that was live before the live one, if it is there."""
        previous = self._live_then_previous()[1]
        return previous if previous and self._holds(previous) else None

    def astray(self) -> dict[str, str | None]:
        """Nothing: one file names the live release."""
        return {}

    def open(self, release: str | None = None) -> CheckedReader:
        """A reader of a release, the live one by default."""
        self._check_store()
        manifest = manifest_to_read(self.location, release, self.live, self._manifest, self._names)
        reader = EmbeddedReader(self._releases_dir / manifest.release, manifest)
        with self._opening:
            self._check_open()
            self._readers.add(reader)
        return CheckedReader(reader)

    def build(
        self, manifest: ReleaseManifest, progress: Progress = ignore, *, base: str | None = None
    ) -> EmbeddedBuilder:
        """Start a release; what killed builds left behind is removed first."""
        self._check_open()
        self._check_place()
        with ExitStack() as lock:
            self._hold_build_lock(lock)
            if self._holds(manifest.release):
                raise release_is_complete(manifest.release)
            self._remove(self._releases_dir.glob(f"{BUILDING}*"))
            directory = self._releases_dir / f"{BUILDING}{manifest.release}-{os.getpid()}"
            begin = self._base(base, manifest, progress) if base else None
            return EmbeddedBuilder(directory, manifest, lock.pop_all(), begin, progress)

    def _base(self, release: str, manifest: ReleaseManifest, progress: Progress) -> Path | None:
        """The directory of a release that another can begin with, if that can be told."""
        base = self._manifest(release)
        if base is None or not manifest.may_begin_with(base):
            return None
        if self.damaged_files(release, progress):  # a copy of them would be sealed as sound
            return None
        return self._releases_dir / release

    def _names(self) -> list[str]:
        return [info.manifest.release for info in self.releases()]

    def promote(self, release: str) -> None:
        """Name `release` in the live file, atomically, if it is whole."""
        with self._switching():
            if (manifest := self._manifest(release)) is None:
                raise unknown_release(self.location, release, self._names())
            check_schema(manifest)
            with closing(EmbeddedReader(self._releases_dir / release, manifest)) as reader:
                check_whole(reader)
            try:
                live, previous = self._live_then_previous()
            except StoreUnavailable:  # what cannot be read is written anew
                live = previous = None
            before = previous if live == release else live
            write_atomically(self._live_file, f"{release}\n{before or ''}\n")

    def drop(self, release: str) -> None:
        """Delete a release that is not live, or what a killed drop left of it."""
        with self._switching():
            doomed = self._half_dropped(release)
            if self._holds(release):
                if release == self.live():
                    raise release_is_live(release)
                doomed.append(self._releases_dir / f"{DROPPED}{release}-{os.getpid()}")
                (self._releases_dir / release).rename(doomed[-1])
            elif not doomed:
                raise unknown_release(self.location, release, self._names())
        self._remove(doomed)

    def damaged_files(self, release: str, progress: Progress = ignore) -> list[str]:
        """The files of a release that are not what was sealed."""
        return list(differing_files(self._releases_dir / release, progress))

    def remove_left_behind(self) -> tuple[str, ...]:
        """Remove what killed builds and drops left."""
        self._check_open()
        if not self.exists:
            return ()
        with ExitStack() as lock:
            self._hold_build_lock(lock)
            left = sorted(self._releases_dir.glob(f"{BUILDING}*"))
            self._remove(left)
        return tuple(str(path) for path in left)

    def unlock(self, *, force: bool = False) -> Unlocked:
        """Nothing: locks end with their processes."""
        del force
        return Unlocked()

    def close(self) -> None:
        """Close every reader that this store opened; it opens no other."""
        with self._opening:
            self._closed = True
            readers = list(self._readers)
        for reader in readers:
            reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def _releases_dir(self) -> Path:
        return self.root / "releases"

    @property
    def _live_file(self) -> Path:
        return self.root / "live"

    def _live_then_previous(self) -> tuple[str | None, str | None]:
        self._check_open()
        try:
            lines = read_bytes(self._live_file, LIVE_BYTES).decode().split("\n")
        except MissingFile:
            return None, None
        except (UnreadableFile, UnicodeDecodeError) as error:
            reason = error.what if isinstance(error, UnreadableFile) else str(error)
            raise StoreUnavailable(reason, where=str(self._live_file)) from error
        live, previous = (line.strip() or None for line in (*lines, "")[:2])
        return live, previous

    def _half_dropped(self, release: str) -> list[Path]:
        """What killed drops left of a release."""
        name = re.compile(rf"{re.escape(DROPPED + release)}-\d+")
        dropped = self._releases_dir.glob(f"{DROPPED}*")
        return [path for path in dropped if name.fullmatch(path.name)]

    def _remove(self, paths: Iterable[Path]) -> None:
        """Remove directories that are no releases any more.

        Raises:
            StoreUnavailable: something of one is still there.
        """
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)  # another process may do the same
            if path.exists():
                raise StoreUnavailable(
                    "what is left of a release cannot be removed",
                    where=str(path),
                    hint="remove that directory by hand, or make it writable and run `melon"
                    " releases prune`",
                )

    def _holds(self, release: str) -> bool:
        """Whether there is such a release, readable or not."""
        return is_release_name(release) and (self._releases_dir / release / MANIFEST).exists()

    def _manifest(self, release: str) -> ReleaseManifest | None:
        if not is_release_name(release):
            return None  # it could name a directory elsewhere
        return _read_manifest(self._releases_dir / release / MANIFEST)

    def _check_open(self) -> None:
        if self._closed:
            raise store_closed(self.location)

    def _check_store(self) -> None:
        if not self.exists and self.live() is None:
            raise NoRelease(
                f"there is no store in {self.root}",
                hint="run `melon ingest` first, or name the directory of a store with --path",
            )

    def _check_place(self) -> None:
        """Refuse to build among files that are no store's."""
        try:
            others = (path for path in self.root.glob("[!.]*") if path.suffix != ".lock")
            foreign = not self.exists and self.root.is_dir() and any(others)
        except OSError as error:
            raise StoreUnavailable(str(error), where=self.location) from error
        if foreign:
            raise ForeignFile(
                "this directory holds something, and is not a store: it is left alone",
                where=str(self.root),
                hint="give a directory that is new, empty, or holds a store",
            )

    @contextmanager
    def _switching(self) -> Iterator[None]:
        self._check_open()
        try:
            self._check_store()
            with locked(self.root / "live.lock"):
                yield
        except OSError as error:
            raise StoreUnavailable(str(error), where=self.location) from error

    def _hold_build_lock(self, holder: ExitStack) -> None:
        try:
            self._releases_dir.mkdir(parents=True, exist_ok=True)
            holder.enter_context(locked(self.root / "build.lock", wait=False))
        except BlockingIOError:
            raise StoreBusy(
                "another process is building a release in it",
                where=self.location,
                hint="wait for the other `melon ingest` to end",
            ) from None
        except OSError as error:
            raise StoreUnavailable(str(error), where=self.location) from error


def _read_manifest(path: Path) -> ReleaseManifest | None:
    release = path.parent.name
    try:
        return parse_manifest(release, read_json(path))
    except MissingFile:
        return None
    except UnreadableFile as error:
        raise StoreUnavailable(error.what, where=error.where) from error
    except MalformedJson as error:
        raise damaged_manifest(release, error.what) from error
