"""The connection to a Qdrant server: its clients, and the names of collections."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit

from qdrant_client import QdrantClient

from melon.errors import InputError
from melon.store.errors import forked_store, store_closed
from melon.store.schema import Collection, collection_name
from melon.store.server.errors import REST_PORT, ServerErrors
from melon.store.server.transport import BACKGROUND_THREADS, Transport

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_GRPC_OPTIONS = {"grpc.use_local_subchannel_pool": 1}
"""Without it, a new store waits for an older one that lost the same server to reconnect."""

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a Qdrant server is and how to speak to it.

    `timeout` is in seconds; `grpc_port` is the one after the URL's by default. `named_by` names the
    option or variable that the URL is from, for hints.
    """

    url: str
    api_key: str | None = None
    grpc_port: int | None = None
    ca_cert: str | None = None
    timeout: int = 60
    prefix: str = "melon"
    shard_number: int = 1
    replication_factor: int = 1
    named_by: str | None = None

    def __repr__(self) -> str:
        return f"ServerAddress({self.shown!r})"  # never the key

    @property
    def shown(self) -> str:
        """The URL without a password that may be in it."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class ServerConnection:
    """A REST client for reads and, from the first write on, a gRPC client for uploads.

    May be shared by threads, but not by processes: after a fork, parent and child would read each
    other's answers from the same connection.
    """

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.location = f"Qdrant server {address.shown}"
        parts = urlsplit(address.url)
        self._errors = ServerErrors(
            location=self.location,
            url=address.shown,
            grpc_port=address.grpc_port or (parts.port or REST_PORT) + 1,
            has_key=address.api_key is not None,
            named_by=address.named_by,
        )
        if address.api_key and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            log.warning("the API key travels unencrypted to %s: use https", self.location)
        self._process = os.getpid()
        self._connecting = Lock()
        self._background = ThreadPoolExecutor(BACKGROUND_THREADS, thread_name_prefix="melon-ask")
        self._rest = self._connect(prefer_grpc=False)

    @contextmanager
    def rest(self) -> Iterator[QdrantClient]:
        """The REST client; errors of the block are raised as melon's errors.

        Raises:
            ForkedStore: it was opened in another process.
        """
        self._check_process()
        with self._errors.translated(), self._errors.of_qdrant(self._rest):
            yield self._rest

    @contextmanager
    def grpc(self) -> Iterator[QdrantClient]:
        """The gRPC client, for any thread; errors of the block are raised as melon's errors.

        Raises:
            ForkedStore: it was opened in another process.
        """
        self._check_process()
        with self._errors.translated():
            with self._connecting:
                client = self._grpc
            yield client

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """Begin a call in a thread; what comes back waits for its result, or raises its error.

        Raises:
            StoreClosed: the connection was closed.
            ForkedStore: it was opened in another process.
        """
        self._check_process()
        try:
            return self._background.submit(call).result
        except RuntimeError as error:  # the pool of threads was shut down
            if not self._errors.closed:
                raise
            raise store_closed(self.location) from error

    def name(self, collection: Collection, release: str | None = None) -> str:
        """Name of a release's collection, or of the alias."""
        return collection_name(self.address.prefix, collection, release)

    def close(self) -> None:
        """Close the clients; requests that are under way may fail, as `StoreClosed`.

        In a forked process there is nothing to close: the connections are its parent's.
        """
        if self._process != os.getpid():
            return
        self._errors.closed = True
        self._background.shutdown(wait=False)
        self._rest.close()
        if "_grpc" in self.__dict__:
            self._grpc.close()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise forked_store(self.location)

    @cached_property
    def _grpc(self) -> QdrantClient:
        return self._connect(prefer_grpc=True)

    def _connect(self, *, prefer_grpc: bool) -> QdrantClient:
        address = self.address
        options = _trusting(Path(address.ca_cert)) if address.ca_cert else {}
        options.setdefault("grpc_options", {}).update(_GRPC_OPTIONS)
        parts = urlsplit(address.url)
        if parts.scheme == "http":  # there are no certificates to verify, and loading takes 20 ms
            options["verify"] = False
        if parts.hostname in LOOPBACK:  # packing takes longer than it saves there
            options["headers"] = {"accept-encoding": "identity"}
        if address.api_key:  # as a header, for the client's argument for it warns on loopback, too
            options.setdefault("headers", {})["api-key"] = address.api_key
        with self._errors.translated():
            return QdrantClient(
                url=address.url,
                port=REST_PORT,
                grpc_port=self._errors.grpc_port,
                prefer_grpc=prefer_grpc,
                timeout=address.timeout,
                check_compatibility=False,  # one request more, and a warning where it fails
                transport=Transport(verify=options.pop("verify", True)),
                **options,
            )


def _trusting(authority: Path) -> dict[str, Any]:
    """The client's options, for REST and for gRPC, to trust a private TLS authority."""
    try:
        certificates = authority.read_bytes()
        context = ssl.create_default_context(cafile=str(authority))
    except OSError as error:  # an SSLError is one
        raise InputError(
            f"the TLS authority cannot be read: {error}",
            where=str(authority),
            hint="MELON_QDRANT_CA_CERT names a PEM file",
        ) from error
    return {"verify": context, "grpc_options": {"root_certificates": certificates}}
