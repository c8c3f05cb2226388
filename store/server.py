"""The server engine: collections of a Qdrant node or cluster, by qdrant-client.

A release is four collections (`melon_songs__<release>` …) and a point in `melon_releases` that
holds its manifest. The four aliases (`melon_songs` …) name the live release; they move in one
request.
"""

from __future__ import annotations

from typing import Self

from qdrant_client import models

from melon.store.manifest import ReleaseManifest
from melon.store.protocol import BadReleaseName, NoRelease, ReleaseInfo, check_schema
from melon.store.schema import Collection
from melon.store.server_connection import ServerAddress, ServerConnection
from melon.store.server_release import (
    ServerBuilder,
    ServerReader,
    registry_id,
    remove_collections,
)


class ServerStore:
    """Releases in a Qdrant server. One store keeps its connections for as long as it lives."""

    def __init__(self, address: ServerAddress) -> None:
        self._connection = ServerConnection(address)

    @property
    def location(self) -> str:
        """The engine and its address."""
        return self._connection.location

    def engine_version(self) -> str:
        """The server's version."""
        with self._connection.rest() as client:
            return f"qdrant {client.info().version}"

    def releases(self) -> list[ReleaseInfo]:
        """All complete releases, newest first."""
        live = self.live()
        with self._connection.rest() as client:
            if not client.collection_exists(self._connection.registry):
                return []
            selector = models.PayloadSelectorExclude(exclude=["title_tokenizer"])
            points, _ = client.scroll(self._connection.registry, limit=1000, with_payload=selector)
        found = [ReleaseManifest.model_validate(point.payload) for point in points]
        found.sort(key=lambda manifest: manifest.created, reverse=True)
        return [ReleaseInfo(manifest, live=manifest.release == live) for manifest in found]

    def live(self) -> str | None:
        """The release that the alias of the songs names."""
        alias = self._connection.name(Collection.SONGS)
        with self._connection.rest() as client:
            for known in client.get_aliases().aliases:
                if known.alias_name == alias:
                    return known.collection_name.rpartition("__")[2]
        return None

    def open(self, release: str | None = None) -> ServerReader:
        """A reader of a release, the live one by default."""
        name = release or self.live()
        if name is None:
            raise NoRelease(
                "it holds no live release", where=self.location, hint="run `melon ingest` first"
            )
        manifest = self._manifest(name)
        if manifest is None:
            raise NoRelease(
                f"it holds no release {name}",
                where=self.location,
                hint="`melon releases` lists what there is",
            )
        check_schema(manifest)
        return ServerReader(self._connection, manifest)

    def build(self, manifest: ReleaseManifest) -> ServerBuilder:
        """Start a release, in place of whatever an interrupted build of it left behind."""
        return ServerBuilder(self._connection, manifest)

    def promote(self, release: str) -> None:
        """Move the four aliases in one request."""
        self._check_exists(release)
        current = self.live()
        moves: list[models.AliasOperations] = []
        for collection in Collection:
            alias = self._connection.name(collection)
            if current is not None:
                old = models.DeleteAlias(alias_name=alias)
                moves.append(models.DeleteAliasOperation(delete_alias=old))
            new = models.CreateAlias(
                alias_name=alias, collection_name=self._connection.name(collection, release)
            )
            moves.append(models.CreateAliasOperation(create_alias=new))
        with self._connection.rest() as client:
            client.update_collection_aliases(moves)

    def drop(self, release: str) -> None:
        """Delete a release that is not live: first its entry, then its collections."""
        self._check_exists(release)
        if release == self.live():
            raise BadReleaseName(f"release {release} is live", hint="promote another one first")
        with self._connection.rest() as client:
            client.delete(self._connection.registry, [registry_id(release)], wait=True)
        remove_collections(self._connection, release)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _manifest(self, release: str) -> ReleaseManifest | None:
        with self._connection.rest() as client:
            if not client.collection_exists(self._connection.registry):
                return None
            found = client.retrieve(self._connection.registry, [registry_id(release)])
        return ReleaseManifest.model_validate(found[0].payload) if found else None

    def _check_exists(self, release: str) -> None:
        if self._manifest(release) is None:
            raise BadReleaseName(
                f"there is no release {release}", hint="`melon releases` lists what there is"
            )
