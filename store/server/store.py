"""The server engine: collections of a Qdrant node or cluster, by qdrant-client.

A release is four collections (`melon_songs__<release>` …) and a point in `melon_releases` that
holds its manifest. The four aliases (`melon_songs` …) name the live release. One process builds
at a time, and one promotes or drops; a build that was killed is cleared away by the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from melon.store.errors import NoRelease, release_is_complete, release_is_live, unknown_release
from melon.store.manifest import ReleaseManifest, check_schema, find_manifest
from melon.store.protocol import ReleaseInfo, check_whole
from melon.store.server.aliases import Aliases
from melon.store.server.builder import ServerBuilder
from melon.store.server.connection import ServerAddress, ServerConnection
from melon.store.server.lease import Lease, switching
from melon.store.server.reader import ServerReader
from melon.store.server.registry import Registry


class ServerStore:
    """Releases in a Qdrant server. One store keeps its connections for as long as it lives."""

    def __init__(self, address: ServerAddress) -> None:
        self._connection = ServerConnection(address)
        self._registry = Registry(self._connection)
        self._aliases = Aliases(self._connection)

    @property
    def location(self) -> str:
        """The engine and its address."""
        return self._connection.location

    @property
    def exists(self) -> bool:
        """Taken for granted: what is asked of it first tells."""
        return True

    def engine_version(self) -> str:
        """The server's version."""
        with self._connection.rest() as client:
            return f"qdrant {client.info().version}"

    def releases(self) -> list[ReleaseInfo]:
        """All complete releases, newest first, without their title tokenizers."""
        live = self.live()
        found = self._registry.manifests()
        found.sort(key=lambda manifest: manifest.created, reverse=True)
        return [ReleaseInfo(manifest, live=manifest.release == live) for manifest in found]

    def live(self) -> str | None:
        """The release that the alias of the songs names."""
        return self._aliases.live()

    def astray(self) -> dict[str, str | None]:
        """Aliases that do not name the live release, as somebody else's doing leaves them."""
        return self._aliases.astray()

    def open(self, release: str | None = None) -> ServerReader:
        """A reader of a release, the live one by default."""
        manifest = find_manifest(self.location, release, self.live, self._registry.manifest)
        return ServerReader(self._connection, manifest)

    def build(self, manifest: ReleaseManifest) -> ServerBuilder:
        """Start a release; what killed builds left behind is removed first."""
        self._registry.check_names()
        self._aliases.check_names()
        lease = Lease(self._registry, manifest.release, self.location)
        try:
            if self._registry.holds(manifest.release):
                raise release_is_complete(manifest.release)
            self._registry.remove_left_behind(self.live())
            return ServerBuilder(self._connection, self._registry, manifest, lease)
        except BaseException:
            lease.end()
            raise

    def promote(self, release: str) -> None:
        """Move the four aliases in one request, once all that they are to name is there."""
        with self._switching(release):
            if (manifest := self._registry.manifest(release)) is None:
                raise unknown_release(self.location, release)
            check_schema(manifest)
            reader = ServerReader(self._connection, manifest)
            check_whole(reader)
            try:
                self._aliases.move(release)
            except NoRelease:
                check_whole(reader)  # which says more than that a collection is gone
                raise

    def drop(self, release: str) -> None:
        """Delete a release that is not live: first its entry, then its collections.

        Cut short, the next build does the rest.
        """
        with self._switching(release):
            self._check_exists(release)
            if release == self.live():
                raise release_is_live(release)
            self._registry.forget(release)
            self._registry.remove_collections(release)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _switching(self, release: str) -> Iterator[None]:
        self._check_exists(release)  # a name that is none leaves no trace
        with switching(self._registry, release, self.location):
            yield

    def _check_exists(self, release: str) -> None:
        if not self._registry.holds(release):
            raise unknown_release(self.location, release)
