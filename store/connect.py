"""Opens a store: the one that the user named, or one that is there."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

from melon.errors import InputError, WrongType
from melon.settings import DEFAULT_SERVER_URL, Settings
from melon.store.errors import StoreUnavailable
from melon.store.protocol import VectorStore
from melon.store.urls import checked_url

ANSWER_SECONDS = 10.0
"""For so long a server that nobody named may be slow, or not yet there behind its gateway."""

POLL_SECONDS = 0.2


def open_store(
    settings: Settings, *, url: str | None = None, path: str | os.PathLike[str] | None = None
) -> VectorStore:
    """Open the first of these stores that is named, or is there.

    `url`, `path`, `MELON_QDRANT_URL`, a Qdrant server on localhost:6333, the embedded store below
    `settings.home`. Engines are imported only here, so that an embedded query does not wait for
    the import of qdrant-client.

    If a server that is named does not answer, the first request to it fails. One that was found is
    only read (see `VectorStore.found`), and if it holds no live release, an embedded store that
    has one comes first.

    Raises:
        WrongType: an argument is something else, such as a path in place of `settings`.
        InputError: both `url` and `path` are there, `url` is not a URL, or `path` is a file.
        StoreUnavailable: what is on localhost:6333 does not answer, or not say what it holds.
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
    if _server_comes_first(settings):
        return _server(DEFAULT_SERVER_URL, settings)
    return _embedded(settings.store_dir)


def _server_comes_first(settings: Settings) -> bool:
    """Whether a Qdrant answers on this machine, and is to be taken before the embedded store."""
    until = time.monotonic() + min(ANSWER_SECONDS, settings.qdrant_timeout)
    title = _ask("/", None, until)
    if not (isinstance(title, dict) and "qdrant" in str(title.get("title", "")).lower()):
        return False
    if not (settings.store_dir / "live").is_file():
        return True
    aliases = _ask("/aliases", settings.api_key, until)
    return f'"{settings.prefix}_songs"' in json.dumps(aliases)


def _ask(path: str, key: str | None, until: float) -> object:
    """What a service on this machine answers, as JSON; None if nobody is there, or it is no JSON.

    Whoever takes the connection is there. A gateway may do so for a server that is still starting.

    Raises:
        StoreUnavailable: it does not answer until then, or not without another key.
    """
    parts = urlsplit(DEFAULT_SERVER_URL)
    place = (parts.hostname or "localhost", parts.port or 6333)
    while (left := until - time.monotonic()) > 0:
        try:
            connected = socket.create_connection(place, timeout=left)
        except TimeoutError:
            break
        except OSError:
            return None
        import http.client  # with what it needs of email and ssl more than a query can spare

        connection = http.client.HTTPConnection(*place)
        connection.sock = connected
        with closing(connection), suppress(OSError):  # time out, or a connection that ends
            connection.request("GET", path, headers={"api-key": key} if key else {})
            try:
                answer = connection.getresponse()
                if answer.status in (401, 403):
                    raise _unclear(f"does not say what it holds: it answered {answer.status}")
                if answer.status < 500:
                    return json.loads(answer.read())
            except (http.client.RemoteDisconnected, http.client.IncompleteRead):
                pass
            except (ValueError, RecursionError, http.client.HTTPException):
                return None
        time.sleep(max(0, min(POLL_SECONDS, until - time.monotonic())))
    raise _unclear("does not answer")


def _unclear(what: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"what is there {what}",
        where=DEFAULT_SERVER_URL,
        hint="name the store: --path, or --url and MELON_QDRANT_API_KEY",
    )


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
            found=named_by is None,
        )
    )
