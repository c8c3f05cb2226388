"""The registry of a server: one point for each complete release, and for each work under way.

Every collection of a release belongs to a manifest or to the mark of a build. Others were left
behind by a killed build or an interrupted drop.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid5

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from melon.store.manifest import (
    MadeName,
    ReleaseManifest,
    is_release_name,
    parse_manifest,
    readable,
)
from melon.store.schema import NAMESPACE, Collection
from melon.store.server.cluster import replicate
from melon.store.server.connection import ServerConnection
from melon.store.server.errors import name_taken
from melon.store.server.limits import Limits
from melon.store.server.marks import Mark

PAGE = 100
CONFLICT = 409
_MARK_FIELDS = {"build", "host", "pid", "process", "renewed"}
_LARGE = models.PayloadSelectorExclude(exclude=["title_tokenizer"])
_SMALL = models.PayloadSelectorInclude(include=["release", *Mark.model_fields])


class Registry:
    """The collection `<prefix>_releases`, which is made when something is first written to it.

    Its few points are read without a filter, for which a server may want an index.
    """

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._name = f"{connection.address.prefix}_releases"
        self._known = False

    @property
    def name(self) -> str:
        """The collection's."""
        return self._name

    @property
    def location(self) -> str:
        """The server, as people read it."""
        return self._connection.location

    def manifests(self) -> list[ReleaseManifest]:
        """All manifests that this melon can read, without their title tokenizers."""
        records = self._scroll(_LARGE, marks=False)
        return list(readable(partial(self._parse, record) for record in records))

    def manifest(self, release: str) -> ReleaseManifest | None:
        """The whole manifest of a release, if there is one."""
        records = self._retrieve(release, payload=True)
        return parse_manifest(release, records[0].payload or {}) if records else None

    def holds(self, release: str) -> bool:
        """Whether there is a manifest of the release."""
        return bool(self._retrieve(release, payload=False))

    def register(self, manifest: ReleaseManifest) -> None:
        """Store a manifest: from now on the release is complete.

        If the registry has fewer copies than the release, it gets as many first, so that it is
        not lost with a node.

        Raises:
            IndexingFailed, StoreUnavailable: a copy could not be made.
        """
        copies = self._connection.address.replication_factor
        if copies > 1:
            with self._connection.rest() as client:
                if client.collection_exists(self._name):
                    replicate(self._connection, [self._name], copies)
        self._put(_manifest_id(manifest.release), manifest.model_dump(mode="json"))

    def remember(self, release: str, previous: str) -> None:
        """Note beside a manifest which release is live when it is promoted."""
        with self._connection.rest() as client:
            client.set_payload(
                self._name, {"previous": previous}, [_manifest_id(release)], wait=True
            )

    def previous(self, release: str) -> str | None:
        """The release that was live when this one was promoted, if that is known and there."""
        records = self._retrieve(release, payload=["previous"])
        previous = (records[0].payload or {}).get("previous") if records else None
        return previous if isinstance(previous, str) and self.holds(previous) else None

    def forget(self, release: str) -> None:
        """Remove a manifest: the release is no longer complete."""
        self._delete(_manifest_id(release))

    def marks(self) -> dict[str, dict[str, Any]]:
        """The marks of work under way, by their ids."""
        return {str(mark.id): mark.payload or {} for mark in self._scroll(_SMALL, marks=True)}

    def put_mark(self, mark_id: str, mark: dict[str, Any]) -> None:
        """Store a new mark of work on a release, which it names as `build`."""
        self._put(mark_id, mark)

    def renew_mark(self, mark_id: str, mark: dict[str, Any]) -> bool:
        """Store a mark again if it is still there, and return whether it was.

        A point that is chosen by a filter is changed, and never created.
        """
        this_mark = models.Filter(must=[models.HasIdCondition(has_id=[mark_id])])
        with self._connection.rest() as client:
            if not self._is_there(client):
                return False
            client.set_payload(self._name, mark, this_mark, wait=True)
            return bool(client.retrieve(self._name, [mark_id], with_payload=False))

    def remove_mark(self, mark_id: str) -> None:
        """Remove a mark."""
        self._delete(mark_id)

    def remove_collections(self, release: str) -> None:
        """Delete the collections of a release, those that exist."""
        with self._connection.rest() as client:
            for collection in Collection:
                client.delete_collection(self._connection.name(collection, release))

    def is_half_dropped(self, release: str) -> bool:
        """Whether there are collections that `melon ingest` named, and no manifest."""
        if MadeName.parse(release) is None or self.holds(release):
            return False
        with self._connection.rest() as client:
            return any(
                client.collection_exists(self._connection.name(collection, release))
                for collection in Collection
            )

    def remove_left_behind(self, live: str | None) -> tuple[str, ...]:
        """Delete the collections of releases that are not complete, and return their names.

        No build may be under way.

        Only those with names that `melon ingest` makes: `melon_songs__backup` and
        `melon_songs__r2024` were made by somebody else.
        """
        manifests = self._scroll(_SMALL, marks=False)  # those of another melon, too
        complete = {(record.payload or {})["release"] for record in manifests} | {live}
        removed = []
        with self._connection.rest() as client:
            for known in client.get_collections().collections:
                release = self._made_release(known.name)
                if release is not None and release not in complete:
                    client.delete_collection(known.name)
                    removed.append(known.name)
        return tuple(sorted(removed))

    def check_names(self) -> None:
        """Refuse a prefix whose names are taken by collections that melon did not make.

        Raises:
            NameTaken: names one of them.
        """
        names = {self._connection.name(collection) for collection in Collection}
        with self._connection.rest() as client:
            for known in client.get_collections().collections:
                if known.name in names:
                    raise name_taken(f"{known.name} is a collection", self.location)
        for marks in (False, True):
            self._scroll(_SMALL, marks=marks)

    def _made_release(self, name: str) -> str | None:
        """The release of a collection, if `melon ingest` makes collections of that name."""
        for collection in Collection:
            first = f"{self._connection.name(collection)}__"
            if name.startswith(first) and MadeName.parse(release := name.removeprefix(first)):
                return release
        return None

    def _parse(self, record: models.Record) -> ReleaseManifest:
        payload = record.payload or {}
        return parse_manifest(str(payload.get("release")), payload)

    def _retrieve(self, release: str, *, payload: bool | list[str]) -> list[models.Record]:
        if not is_release_name(release):
            return []  # it could be text that has no id
        with self._connection.rest() as client:
            if not self._is_there(client):
                return []
            return client.retrieve(self._name, [_manifest_id(release)], with_payload=payload)

    def _scroll(self, payload: models.PayloadSelector, *, marks: bool) -> list[models.Record]:
        with self._connection.rest() as client:
            if not self._is_there(client):
                return []
        points = self._connection.within_limits(self._name, partial(self._pages, payload))
        records = [point for point in points if _is_mark(point) is marks]
        for record in records:
            if not _is_ours(record):
                what = f"{self._name} is a collection with a point {record.id}"
                raise name_taken(what, self.location)
        return records

    def _pages(self, payload: models.PayloadSelector, limits: Limits) -> list[models.Record]:
        records: list[models.Record] = []
        following = None
        while True:
            with self._connection.rest() as client:
                page, following = client.scroll(
                    self._name, limit=limits.page(PAGE), offset=following, with_payload=payload
                )
            records += page
            if following is None:
                return records

    def _is_there(self, client: QdrantClient) -> bool:
        """Whether the collection exists.

        Raises:
            NameTaken: it has vectors, so melon did not make it.
        """
        if not client.collection_exists(self._name):
            return False
        if not self._known:
            params = client.get_collection(self._name).config.params
            if params.vectors or params.sparse_vectors:
                what = f"{self._name} is a collection with vectors"
                raise name_taken(what, self.location)
            self._known = True
        return True

    def _put(self, point_id: str, payload: dict[str, Any]) -> None:
        point = models.PointStruct(id=point_id, vector={}, payload=payload)
        with self._connection.rest() as client:
            if not self._is_there(client):
                self._create()
            client.upsert(self._name, [point], wait=True)

    def _delete(self, point_id: str) -> None:
        with self._connection.rest() as client:
            if self._is_there(client):
                client.delete(self._name, [point_id], wait=True)

    def _create(self) -> None:
        copies = self._connection.address.replication_factor
        with self._connection.rest() as client:
            try:
                client.create_collection(self._name, vectors_config={}, replication_factor=copies)
            except UnexpectedResponse as error:
                if error.status_code != CONFLICT:  # else another process was faster
                    raise


def _is_mark(record: models.Record) -> bool:
    return "build" in (record.payload or {})


def _is_ours(record: models.Record) -> bool:
    payload = record.payload or {}
    if _is_mark(record):
        return payload.keys() >= _MARK_FIELDS
    return str(record.id) == _manifest_id(str(payload.get("release")))


def _manifest_id(release: str) -> str:
    return str(uuid5(NAMESPACE, f"release:{release}"))
