"""Places where tests keep releases: a directory, or a corner of the session's server."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4, uuid5

from fuzz_inputs import repair_manifest
from qdrant_client import QdrantClient
from qdrant_server import Endpoint

from melon.store import VectorStore
from melon.store.embedded import EmbeddedStore
from melon.store.schema import NAMESPACE
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 12 << 30  # a session takes 10 GB at most: Edge fills holes of each small release

EMBEDDED, SERVER = "embedded", "server"
ENGINES = (EMBEDDED, SERVER)


@dataclass(frozen=True)
class DirectoryPlace:
    """A directory for an embedded store."""

    root: Path
    engine: str = EMBEDDED

    def open(self) -> VectorStore:
        """A store of its own on this place; close it."""
        return EmbeddedStore(self.root)

    @property
    def environment(self) -> dict[str, str]:
        """What makes the `melon` command use this place, beside `--path`."""
        return {"MELON_HOME": str(self.root.parent)}

    @property
    def options(self) -> list[str]:
        """What makes the `melon` command use this place."""
        return ["--path", str(self.root)]


@dataclass(frozen=True)
class ServerPlace:
    """A prefix on a server that nobody else uses."""

    server: Endpoint
    prefix: str
    engine: str = SERVER

    def open(self) -> VectorStore:
        """A store of its own on this place; close it."""
        return ServerStore(self.address)

    @property
    def address(self) -> ServerAddress:
        """How to reach it."""
        return ServerAddress(
            self.server.url,
            api_key=self.server.api_key,
            grpc_port=self.server.grpc_port,
            prefix=self.prefix,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What makes the `melon` command use this place, beside `--url`."""
        key = {"MELON_QDRANT_API_KEY": self.server.api_key} if self.server.api_key else {}
        return {
            "MELON_PREFIX": self.prefix,
            "MELON_QDRANT_GRPC_PORT": str(self.server.grpc_port),
            **key,
        }

    @property
    def options(self) -> list[str]:
        """What makes the `melon` command use this place."""
        return ["--url", self.server.url]

    @contextmanager
    def client(self) -> Iterator[QdrantClient]:
        """A client without melon in between."""
        client = QdrantClient(
            self.server.url,
            api_key=self.server.api_key,
            grpc_port=self.server.grpc_port,
            timeout=60,
            check_compatibility=False,  # a thread that may outlive the server
        )
        try:
            yield client
        finally:
            client.close()

    def collections(self) -> set[str]:
        """Names of all collections that are here."""
        with self.client() as client:
            return self._collections(client)

    def clear(self) -> None:
        """Remove all that is here; aliases go with their collections."""
        with self.client() as client:
            for name in self._collections(client):
                client.delete_collection(name)

    def _collections(self, client: QdrantClient) -> set[str]:
        names = {known.name for known in client.get_collections().collections}
        return {name for name in names if name.startswith(f"{self.prefix}_")}


Place = DirectoryPlace | ServerPlace


def rewrite_manifest(place: Place, release: str, **fields: object) -> None:
    """As if another version of melon had written it, or something had damaged it."""
    if isinstance(place, ServerPlace):
        point = str(uuid5(NAMESPACE, f"release:{release}"))
        with place.client() as client:
            client.set_payload(f"{place.prefix}_releases", fields, [point], wait=True)
    else:
        path = place.root / "releases" / release / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))
        repair_manifest(path)


def memory() -> Path | None:
    """Where directories are in memory if there is room: most of a small release's time is fsync's.

    Not where programs must not run from there, for some tests make one.
    """
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > MEMORY_NEEDED else None


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory in memory if there is room."""
    with tempfile.TemporaryDirectory(
        prefix="melon-test-", dir=memory(), ignore_cleanup_errors=True
    ) as directory:
        yield Path(directory)


@contextmanager
def place_on(engine: str, server: Endpoint | None) -> Iterator[Place]:
    """A new, empty place, cleared away at the end; `server` is needed for the server engine."""
    if engine == EMBEDDED:
        with scratch_directory() as directory:
            yield DirectoryPlace(directory / "store")
        return
    assert server is not None
    place = ServerPlace(server, f"t{uuid4().hex[:12]}")
    try:
        yield place
    finally:
        place.clear()
