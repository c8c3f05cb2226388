"""Opens a store: the one that the user named, or one that is there."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from melon.errors import InputError, WrongType
from melon.settings import DEFAULT_SERVER_URL, Settings
from melon.store.protocol import VectorStore
from melon.store.urls import checked_url

PROBE_SECONDS = 0.3


def open_store(
    settings: Settings, *, url: str | None = None, path: str | os.PathLike[str] | None = None
) -> VectorStore:
    """Open the first of these stores that is named, or answers.

    `url`, `path`, `MELON_QDRANT_URL`, a Qdrant server on localhost:6333, the embedded store below
    `settings.home`. Engines are imported only here, so that an embedded query does not wait for
    the import of qdrant-client.

    If a server that is named does not answer, the first request to it fails.

    Raises:
        WrongType: an argument is something else, such as a path in place of `settings`.
        InputError: both `url` and `path` are there, `url` is not a URL, or `path` is a file.
    """
    if not isinstance(settings, Settings):
        raise WrongType(
            f"settings are wanted, not {settings!r}",
            hint="write melon.open(path) to ask, or open_store(load_settings(), path=...)",
        )
    if not isinstance(url, str | None):
        raise WrongType(f"url is text, not {url!r}", hint="write url='http://localhost:6333'")
    if not isinstance(path, str | os.PathLike | None):
        raise WrongType(f"path is the path of a directory, not {path!r}")
    if url is not None and path is not None:
        raise InputError("give a server (--url) or a directory (--path), not both")
    if path is not None:
        return _embedded(Path(path))
    if url is not None:
        return _server(url, settings, "--url")
    if settings.qdrant_url is not None:
        return _server(settings.qdrant_url, settings, "MELON_QDRANT_URL")
    if server_answers(DEFAULT_SERVER_URL):
        return _server(DEFAULT_SERVER_URL, settings)
    return _embedded(settings.store_dir)


def server_answers(url: str) -> bool:
    """Whether a Qdrant server answers at `url`, asked briefly."""
    import http.client  # with what it needs of email and ssl more than a query can spare

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "localhost", parts.port or 6333, timeout=PROBE_SECONDS
    )
    try:
        connection.request("GET", "/")
        answer = json.loads(connection.getresponse().read(10_000))
        return isinstance(answer, dict) and "qdrant" in str(answer.get("title", "")).lower()
    except (OSError, ValueError, RecursionError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _embedded(root: Path) -> VectorStore:
    for part in (root, *root.parents):
        with suppress(OSError):  # where one may not look, the store says why
            if part.is_file():
                raise InputError(f"{part} is a file", hint="name the directory of a store")
    from melon.store.embedded import EmbeddedStore

    return EmbeddedStore(root)


def _server(url: str, settings: Settings, named_by: str | None = None) -> VectorStore:
    url = checked_url(url)
    from melon.store.server import ServerStore
    from melon.store.server.connection import ServerAddress

    return ServerStore(
        ServerAddress(
            url=url,
            api_key=settings.api_key,
            grpc_port=settings.qdrant_grpc_port,
            ca_cert=str(settings.qdrant_ca_cert) if settings.qdrant_ca_cert else None,
            timeout=settings.qdrant_timeout,
            prefix=settings.prefix,
            shard_number=settings.shard_number,
            replication_factor=settings.replication_factor,
            named_by=named_by,
        )
    )
