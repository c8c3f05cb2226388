"""The embedded engine: Qdrant Edge shards in a directory, no server needed.

    <root>/lock                          held by the one process that writes
    <root>/live                          name of the live release, replaced atomically
    <root>/releases/<release>/           manifest.json and one shard per collection
    <root>/releases/.building-…/         a build under way, or what a killed one left

Shards are built without a write-ahead log: a release is durable when it is sealed, and a build
that is cut short starts again. That also lets any number of processes read a release at once
(Edge's exclusive lock is on the log); only the opening of a shard, which rewrites its
configuration file, is serialised between processes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import IO, Self

from pydantic import ValidationError

from melon.store.embedded_release import MANIFEST, EmbeddedBuilder, EmbeddedReader
from melon.store.files import write_atomically
from melon.store.manifest import ReleaseManifest
from melon.store.protocol import (
    BadReleaseName,
    NoRelease,
    ReleaseInfo,
    StoreBusy,
    StoreUnavailable,
    check_schema,
)

BUILDING = ".building-"


class EmbeddedStore:
    """Releases as directories below `root`. Opening a store creates nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._readers: list[EmbeddedReader] = []

    @property
    def location(self) -> str:
        """The engine and its directory."""
        return f"embedded store {self.root}"

    def engine_version(self) -> str:
        """Qdrant Edge's version."""
        return f"qdrant-edge {version('qdrant-edge-py')}"

    def releases(self) -> list[ReleaseInfo]:
        """All complete releases, newest first."""
        live = self.live()
        found = [
            ReleaseInfo(_read_manifest(path.parent), live=path.parent.name == live)
            for path in self._releases_dir.glob(f"*/{MANIFEST}")
            if not path.parent.name.startswith(".")
        ]
        return sorted(found, key=lambda info: info.manifest.created, reverse=True)

    def live(self) -> str | None:
        """Name of the live release."""
        try:
            return self._live_file.read_text().strip() or None
        except FileNotFoundError:
            return None

    def open(self, release: str | None = None) -> EmbeddedReader:
        """A reader of a release, the live one by default."""
        name = release or self.live()
        if name is None:
            raise NoRelease(
                "it holds no live release", where=self.location, hint="run `melon ingest` first"
            )
        directory = self._releases_dir / name
        if not (directory / MANIFEST).is_file():
            raise NoRelease(
                f"it holds no release {name}",
                where=self.location,
                hint="`melon releases` lists what there is",
            )
        manifest = _read_manifest(directory)
        check_schema(manifest)
        reader = EmbeddedReader(directory, manifest)
        self._readers.append(reader)
        return reader

    def build(self, manifest: ReleaseManifest) -> EmbeddedBuilder:
        """Start a release; what killed builds left behind is removed first."""
        lock = self._lock()
        try:
            for left in self._releases_dir.glob(f"{BUILDING}*"):
                shutil.rmtree(left, ignore_errors=True)
            directory = self._releases_dir / f"{BUILDING}{manifest.release}-{os.getpid()}"
            return EmbeddedBuilder(directory, manifest, lock)
        except BaseException:
            lock.close()
            raise

    def promote(self, release: str) -> None:
        """Name `release` in the live file, atomically."""
        self._check_exists(release)
        with self._lock():
            write_atomically(self._live_file, release + "\n")

    def drop(self, release: str) -> None:
        """Delete a release that is not live."""
        self._check_exists(release)
        with self._lock():
            if release == self.live():
                raise BadReleaseName(
                    f"release {release} is live", hint="promote another release first"
                )
            doomed = self._releases_dir / f"{BUILDING}dropped-{release}"
            (self._releases_dir / release).rename(doomed)
            shutil.rmtree(doomed)

    def close(self) -> None:
        """Close every reader that this store opened."""
        while self._readers:
            self._readers.pop().close()

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

    def _check_exists(self, release: str) -> None:
        if not (self._releases_dir / release / MANIFEST).is_file():
            raise BadReleaseName(
                f"there is no release {release}", hint="`melon releases` lists what there is"
            )

    def _lock(self) -> IO[str]:
        try:
            self._releases_dir.mkdir(parents=True, exist_ok=True)
            lock = (self.root / "lock").open("w")
        except OSError as error:
            raise StoreUnavailable(str(error), where=self.location) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise StoreBusy(
                "another process is writing to it",
                where=self.location,
                hint="wait for the other `melon ingest` to end",
            ) from None
        return lock


def _read_manifest(directory: Path) -> ReleaseManifest:
    path = directory / MANIFEST
    try:
        return ReleaseManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreUnavailable(
            f"the manifest cannot be read: {error}",
            where=str(path),
            hint="remove the release's directory and run `melon ingest` again",
        ) from error
