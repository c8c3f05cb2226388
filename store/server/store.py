"""The server engine: collections of a Qdrant node or cluster, by qdrant-client.

    melon_songs__<release> …             the four collections of a release
    melon_songs …                        four aliases, which name the live release
    melon_releases                       a point for each manifest, and for each work under way

One process can build at a time, and one can promote or drop. What a killed build left behind is
removed by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from melon.progress import Progress, ignore
from melon.store.checked import CheckedReader
from melon.store.errors import (
    NoRelease,
    release_is_complete,
    release_is_live,
    server_not_named,
    unknown_release,
)
from melon.store.evidence import check_whole
from melon.store.manifest import ReleaseManifest, check_schema, manifest_to_read
from melon.store.protocol import ReleaseInfo, Unlocked
from melon.store.server.aliases import Aliases
from melon.store.server.builder import ServerBuilder
from melon.store.server.connection import ServerAddress, ServerConnection
from melon.store.server.lease import Lease, switching, unlock
from melon.store.server.reader import ServerReader
from melon.store.server.registry import Registry


class ServerStore:
    """Releases in a Qdrant server. One store keeps its connections for as long as it lives."""

    def __init__(self, address: ServerAddress) -> None:
        self._connection = ServerConnection(address)
        self._registry = Registry(self._connection)
        self._aliases = Aliases(self._connection)
        self.found = address.found

    @property
    def location(self) -> str:
        """The engine and its address."""
        return self._connection.location

    @property
    def exists(self) -> bool:
        """Always: the first request fails where no server answers."""
        return True

    def engine_version(self) -> str:
        """The server's version."""
        with self._connection.rest() as client:
            return f"qdrant {client.info().version}"

    def releases(self) -> list[ReleaseInfo]:
        """All complete releases, newest first, without their title tokenizers."""
        live = self.live()
        manifests = self._registry.manifests()
        manifests.sort(key=lambda manifest: manifest.created, reverse=True)
        return [ReleaseInfo(manifest, live=manifest.release == live) for manifest in manifests]

    def live(self) -> str | None:
        """The release that the alias of the songs names."""
        live = self._aliases.live()
        if live is None:
            self._connection.check_rights()
        return live

    def previous(self) -> str | None:
        """Name of the release that was live before the live one, if that is known and there."""
        live = self.live()
        return None if live is None else self._registry.previous(live)

    def astray(self) -> dict[str, str | None]:
        """Aliases that do not name the live release, because somebody else moved them."""
        return self._aliases.astray()

    def open(self, release: str | None = None) -> CheckedReader:
        """A reader of a release, the live one by default."""
        manifest = manifest_to_read(
            self.location, release, self.live, self._registry.manifest, self._names
        )
        return CheckedReader(ServerReader(self._connection, manifest))

    def build(
        self, manifest: ReleaseManifest, progress: Progress = ignore, *, base: str | None = None
    ) -> ServerBuilder:
        """Start a release; what killed builds left behind is removed first."""
        self._check_named()
        self._registry.check_names()
        self._aliases.check_names()
        lease = Lease(self._registry, manifest.release)
        try:
            if self._registry.holds(manifest.release):
                raise release_is_complete(manifest.release)
            self._registry.remove_left_behind(self.live())
            begin = self._base(base, manifest) if base else None
            return ServerBuilder(self._connection, self._registry, manifest, lease, begin, progress)
        except BaseException:
            lease.end()
            raise

    def _base(self, release: str, manifest: ReleaseManifest) -> str | None:
        """A release that another can begin with, if it is one."""
        base = self._registry.manifest(release)
        return release if base and manifest.may_begin_with(base) else None

    def _names(self) -> list[str]:
        return [info.manifest.release for info in self.releases()]

    def promote(self, release: str) -> None:
        """Move the four aliases in one request, once all that they are to name is there."""
        with self._switching(release):
            if (manifest := self._registry.manifest(release)) is None:
                raise unknown_release(self.location, release, self._names())
            check_schema(manifest)
            reader = ServerReader(self._connection, manifest)
            check_whole(reader)
            live = self.live()
            if live is not None and live != release:
                self._registry.remember(release, live)
            try:
                self._aliases.move(release)
            except NoRelease:
                check_whole(reader)  # which says more than that a collection is gone
                raise

    def drop(self, release: str) -> None:
        """Delete a release that is not live: first its manifest, then its collections.

        If this is interrupted, the same again does the rest, and so does the next build.
        """
        if self._registry.is_half_dropped(release):
            with self._building(release):
                if self._registry.is_half_dropped(release) and release != self.live():
                    self._registry.remove_collections(release)
            return
        with self._switching(release):
            self._check_release(release)
            if release == self.live():
                raise release_is_live(release)
            self._registry.forget(release)
            self._registry.remove_collections(release)

    def damaged_files(self, release: str, progress: Progress = ignore) -> list[str]:
        """None: the server keeps its files itself."""
        del release, progress
        return []

    def remove_left_behind(self) -> tuple[str, ...]:
        """Delete what killed builds and drops left."""
        with self._building("left-overs"):
            return self._registry.remove_left_behind(self.live())

    def unlock(self, *, force: bool = False) -> Unlocked:
        """Remove marks of work under way that cannot be right, or whose process has ended."""
        self._check_named()
        return unlock(self._registry, force=force)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _switching(self, release: str) -> Iterator[None]:
        self._check_named()
        self._check_release(release)  # before a mark is put: a wrong name leaves no trace
        with switching(self._registry, release):
            yield

    @contextmanager
    def _building(self, release: str) -> Iterator[None]:
        """Keep others from building: whoever builds has collections without a manifest, too."""
        self._check_named()
        lease = Lease(self._registry, release)
        try:
            yield
        finally:
            lease.end()

    def _check_named(self) -> None:
        if self.found:
            raise server_not_named(self.location, self._connection.address.url)

    def _check_release(self, release: str) -> None:
        if not self._registry.holds(release):
            raise unknown_release(self.location, release, self._names())
