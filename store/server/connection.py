"""The connection to a Qdrant server: clients, names, and failures as melon's errors."""

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

import grpc as grpc_transport
import httpx
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from melon.errors import InputError, MelonError
from melon.settings import DEFAULT_SERVER_URL
from melon.store.errors import (
    NoRelease,
    RequestRefused,
    StoreUnavailable,
    forked_store,
    store_closed,
)
from melon.store.schema import Collection, collection_name

REST_PORT = 6333
CONNECT_SECONDS = 5
"""An address that leads nowhere is given up sooner than a request that takes its time."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")

BACKGROUND_THREADS = 32
"""Calls that run in the background at once, of all who share a store; others wait their turn."""

_KEPT = httpx.Limits(max_keepalive_connections=2 * BACKGROUND_THREADS, keepalive_expiry=3)
"""Connections that stay open between requests, for less than the server's own 5 seconds: one for
each call in the background, and as many for those who wait for them."""

_GRPC_OPTIONS = {"grpc.use_local_subchannel_pool": 1}
"""Else a new store waits out the pauses between the attempts of one that lost the same server."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a Qdrant server is and how to speak to it.

    `timeout` is in seconds; `grpc_port` is the one after the URL's by default. `given_by` names the
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
    given_by: str | None = None

    def __repr__(self) -> str:
        return f"ServerAddress({self.shown!r})"  # never the key

    @property
    def shown(self) -> str:
        """The URL without a password that may be in it."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class ServerConnection:
    """A REST client for reads and, from the first write on, a gRPC client for uploads.

    May be shared by threads, but not by processes: on one connection, a process and one that it
    forked would read each other's answers.
    """

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.location = f"Qdrant server {address.shown}"
        parts = urlsplit(address.url)
        self._grpc_port = address.grpc_port or (parts.port or REST_PORT) + 1
        if address.api_key and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            log.warning("the API key travels unencrypted to %s: use https", self.location)
        self._process = os.getpid()
        self._connecting = Lock()
        self._closed = False
        # Its threads are started when they are needed.
        self._background = ThreadPoolExecutor(BACKGROUND_THREADS, thread_name_prefix="melon-ask")
        self._rest = self._connect(prefer_grpc=False)

    @contextmanager
    def rest(self) -> Iterator[QdrantClient]:
        """The REST client; what fails inside is raised as one of melon's errors.

        Raises:
            ForkedStore: it is another process's.
        """
        self._check_process()
        with self._errors(), self._of_qdrant():
            yield self._rest

    @contextmanager
    def grpc(self) -> Iterator[QdrantClient]:
        """The gRPC client, for any thread; what fails inside is raised as one of melon's errors.

        Raises:
            ForkedStore: it is another process's.
        """
        self._check_process()
        with self._errors():
            with self._connecting:
                client = self._grpc
            yield client

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """Begin a call in a thread; what comes back waits for its result, or raises its error.

        Raises:
            StoreClosed: the connection was closed.
            ForkedStore: it is another process's, and so are the threads.
        """
        self._check_process()
        try:
            return self._background.submit(call).result
        except RuntimeError as error:  # it takes no calls any more
            if not self._closed:
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
        self._closed = True
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
        if address.api_key:  # as a header, for the client's own argument warns on loopback, too
            options.setdefault("headers", {})["api-key"] = address.api_key
        with self._errors():
            return QdrantClient(
                url=address.url,
                port=REST_PORT,
                grpc_port=self._grpc_port,
                prefer_grpc=prefer_grpc,
                timeout=address.timeout,
                check_compatibility=False,  # one request more, and a warning where it fails
                limits=_KEPT,  # else each request to a local server connects anew
                event_hooks={"request": [_connect_soon]},
                **options,
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ResponseHandlingException as error:
            raise self._unavailable(error.source) from error
        except grpc_transport.RpcError as error:
            raise self._grpc_error(error) from error
        except UnexpectedResponse as error:
            if error.status_code == 401:
                raise self._key_refused() from None
            if error.status_code == 403:
                raise self._key_may_not(_reason(error)) from None
            if error.status_code == 404:
                raise NoRelease(
                    f"a collection is missing: {_reason(error)}",
                    where=self.location,
                    hint="the release may have been dropped: open the live one again",
                ) from error
            kind = RequestRefused if error.status_code in (400, 422) else MelonError
            raise kind(_reason(error), where=self.location) from error

    @contextmanager
    def _of_qdrant(self) -> Iterator[None]:
        """Tell another service from Qdrant: its answers fail in the client in many ways."""
        try:
            yield
        except (ApiException, AssertionError, ValueError) as error:
            if _may_be_foreign(error) and not self._is_qdrant():
                raise StoreUnavailable(
                    "what answers there is not a Qdrant server",
                    where=self.address.shown,
                    hint=f"give the URL of its REST interface, port {REST_PORT} by default",
                ) from error
            raise

    def _is_qdrant(self) -> bool:
        try:
            return "qdrant" in self._rest.info().title.lower()
        except ResponseHandlingException as error:
            return not _may_be_foreign(error)
        except (UnexpectedResponse, AssertionError, ValueError):
            return False

    def _grpc_error(self, error: grpc_transport.RpcError) -> MelonError:
        code, details = error.code(), error.details()
        if code in (
            grpc_transport.StatusCode.UNAVAILABLE,
            grpc_transport.StatusCode.DEADLINE_EXCEEDED,
        ):
            return StoreUnavailable(
                f"it cannot be reached: gRPC on port {self._grpc_port}: {details}",
                where=self.location,
                hint="uploads need its gRPC port: set MELON_QDRANT_GRPC_PORT, or"
                " MELON_QDRANT_CA_CERT for a private TLS authority",
            )
        if code == grpc_transport.StatusCode.UNAUTHENTICATED:
            return self._key_refused()
        if code == grpc_transport.StatusCode.PERMISSION_DENIED:
            return self._key_may_not(f"the server answered {code.name}: {details}")
        if code == grpc_transport.StatusCode.NOT_FOUND:
            return NoRelease(f"a collection is missing: {details}", where=self.location)
        return MelonError(f"the server answered {code.name}: {details}", where=self.location)

    def _key_refused(self) -> StoreUnavailable:
        return StoreUnavailable(
            "the server refuses the API key" if self.address.api_key else "it wants an API key",
            where=self.location,
            hint="set MELON_QDRANT_API_KEY",
        )

    def _key_may_not(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the API key may not do this: {reason}" if self.address.api_key else reason,
            where=self.location,
            hint="a read-only key may not write: set MELON_QDRANT_API_KEY to one that may",
        )

    def _unavailable(self, reason: Exception) -> StoreUnavailable:
        if self._closed:
            return store_closed(self.location)
        hint = "start it with `docker compose up qdrant`, or set MELON_QDRANT_URL"
        if isinstance(reason, httpx.RemoteProtocolError) and "illegal" in str(reason):
            hint = f"this may be its gRPC port: give the REST port, {REST_PORT} by default"
        elif given_by := self.address.given_by:
            hint = (
                f"start the server that {given_by} names, or give the URL of another one there"
                f" (`docker compose up qdrant` starts one on {DEFAULT_SERVER_URL})"
            )
        return StoreUnavailable(f"it cannot be reached: {reason}", where=self.location, hint=hint)


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


def _connect_soon(request: httpx.Request) -> None:
    limits = request.extensions.get("timeout", {})
    limits["connect"] = min(CONNECT_SECONDS, limits.get("connect") or CONNECT_SECONDS)


def _may_be_foreign(error: Exception) -> bool:
    """Whether an answer that the client did not expect may be another service's."""
    if isinstance(error, ResponseHandlingException):
        return isinstance(error.source, ValueError)  # an answer of another shape
    if isinstance(error, UnexpectedResponse):
        return (error.status_code or 0) < 500 and error.status_code not in (401, 403)
    return True


def _reason(error: UnexpectedResponse) -> str:
    body = error.content.decode("utf-8", "replace") if error.content else error.reason_phrase
    return f"the server answered {error.status_code}: {body[:500]}"
