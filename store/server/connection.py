"""The connection to a Qdrant server: its clients, and the names of collections."""

from __future__ import annotations

import logging
import os
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

import grpc as grpc_transport
import httpx
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.grpc import UpdateBatchPoints, UpsertPoints
from qdrant_client.http.exceptions import ResponseHandlingException

from melon.errors import InputError
from melon.store.errors import StoreUnavailable, forked_store, store_closed
from melon.store.schema import Collection, collection_name
from melon.store.server.errors import REST_PORT, ServerErrors
from melon.store.server.limits import KnownLimits, Limits
from melon.store.server.pace import Pace
from melon.store.server.proxies import Proxy
from melon.store.server.transport import BACKGROUND_THREADS, CONNECT_SECONDS, Passed, Transport
from melon.store.urls import is_loopback, not_a_server, shown_url

RECONNECT_SECONDS = 0.2
"""Before an upload is sent again whose connection ended."""

_GRPC_OPTIONS = {
    # Without it, a new store waits for an older one that lost the same server to reconnect.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
}

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a Qdrant server is and how to speak to it.

    `timeout` is in seconds; `grpc_port` is the one after the URL's by default. `named_by` names the
    option or variable that the URL is from, for hints; nobody named a server that was `found`.
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
    found: bool = False

    def __repr__(self) -> str:
        return f"ServerAddress({self.shown!r})"  # never the key

    @property
    def shown(self) -> str:
        """The URL without a password that may be in it."""
        return shown_url(self.url)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(urlsplit(self.url).hostname)

    @property
    def headers(self) -> dict[str, str]:
        """The headers by which a request is let in; those of `https://user:password@host`, too.

        The key is a header, for the client's argument for it warns on loopback, too.
        """
        headers = {"api-key": self.api_key} if self.api_key else {}
        parts = urlsplit(self.url)
        if parts.username is not None or parts.password is not None:
            named = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            headers["authorization"] = f"Basic {b64encode(named.encode()).decode()}"
        return headers


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose certificates are trusted, for httpx and for gRPC, which would know different ones."""

    context: ssl.SSLContext | bool
    certificates: bytes | None = None

    @classmethod
    def by(cls, address: ServerAddress) -> Self:
        """The authorities of `MELON_QDRANT_CA_CERT`, else of `SSL_CERT_FILE`, else the usual ones.

        Raises:
            InputError: the file cannot be read, or holds no authority.
        """
        if urlsplit(address.url).scheme == "http":
            return cls(False)  # no certificates, and loading takes 20 ms
        variable = "MELON_QDRANT_CA_CERT" if address.ca_cert else "SSL_CERT_FILE"
        file = address.ca_cert or os.environ.get("SSL_CERT_FILE")
        if not file:
            return cls(True)
        try:
            return cls(ssl.create_default_context(cafile=file), Path(file).read_bytes())
        except OSError as error:  # an SSLError is one
            raise InputError(
                f"the TLS authority cannot be read: {error}",
                where=file,
                hint=f"{variable} names a PEM file",
            ) from error


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
            secrets=(
                *(header.removeprefix("Basic ") for header in address.headers.values()),
                unquote(parts.password or ""),
            ),
            named_by=address.named_by,
            proxy=Proxy.towards(address.url),
        )
        if address.headers and parts.scheme == "http" and not address.is_loopback:
            what = "API key" if address.api_key else "password"
            log.warning("the %s travels unencrypted to %s: use https", what, self.location)
        self._trusted = Trusted.by(address)  # once: paths may be relative
        self._process = os.getpid()
        self._connecting = Lock()
        self.pace = Pace(self.location, address.timeout)
        self._limits = KnownLimits(self.location, self.limits)
        self._background = ThreadPoolExecutor(BACKGROUND_THREADS, thread_name_prefix="melon-ask")
        self._rest = self._connect(prefer_grpc=False)

    @contextmanager
    def rest(self) -> Iterator[QdrantClient]:
        """The REST client; errors of the block are raised as melon's errors.

        Raises:
            ForkedStore: it was opened in another process.
        """
        self._check_process()
        try:
            with self._errors.translated(), self._errors.of_qdrant(self._rest):
                yield self._rest
        except Passed as passed:
            raise passed.error from None

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

    @contextmanager
    def http(self) -> Iterator[httpx.Client]:
        """A client for what qdrant-client cannot stream; errors of the block are melon's errors.

        Raises:
            ForkedStore: it was opened in another process.
        """
        self._check_process()
        with self._errors.translated():
            try:
                with httpx.Client(
                    base_url=self._rest.http.client.host,
                    headers=self.address.headers | {"accept-encoding": "identity"},
                    timeout=httpx.Timeout(self.address.timeout, connect=CONNECT_SECONDS),
                    transport=httpx.HTTPTransport(**self._way),
                ) as client:
                    yield client
            except httpx.HTTPError as error:
                raise ResponseHandlingException(error) from error

    def upload(self, request: UpsertPoints | UpdateBatchPoints) -> None:
        """Store points; they are sent again if the connection ends, or after a wait if it has to.

        Points have ids, so that storing them twice changes nothing.
        """
        tries, waited = 0, 0.0
        while True:
            with self.grpc() as client:
                try:
                    points = client.grpc_points
                    if isinstance(request, UpsertPoints):
                        points.Upsert(request, timeout=self.address.timeout)
                    else:
                        points.UpdateBatch(request, timeout=self.address.timeout)
                    return
                except ResourceExhaustedResponse as error:
                    waited = self.pace.wait(error.retry_after_s, waited)
                except grpc_transport.RpcError as error:
                    tries += 1
                    if tries > 1 or error.code() is not grpc_transport.StatusCode.UNAVAILABLE:
                        raise
                    time.sleep(RECONNECT_SECONDS)

    def understood(self) -> AbstractContextManager[None]:
        """Around what is made of an answer: an answer of another shape is a `StoreUnavailable`."""
        return self._errors.understood()

    def limits(self, name: str) -> Limits:
        """What the strict mode of a collection allows."""

        def read(info: Any) -> Limits:
            config = info["config"].get("strict_mode_config") or {}
            return Limits.model_validate(config if config.get("enabled") else {})

        return self._request("GET", name, "", read)

    def within_limits(self, name: str, ask: Callable[[Limits], T]) -> T:
        """Ask a collection, again if it has limits that the request can keep to.

        Raises:
            LimitReached: it cannot.
        """
        return self._limits.keep(name, ask)

    def post(self, name: str, path: str, body: bytes, read: Callable[[Any], T]) -> T:
        """Send a collection a request by qdrant-client, and read its result as JSON has it.

        A pydantic model of every hit would take longer than the server's search.
        """
        return self._request("POST", name, path, read, content=body)

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

    def check_rights(self) -> None:
        """Make sure that the key may see all: one for some collections is shown no others' aliases.

        Raises:
            StoreUnavailable: it is for some collections.
        """
        if self.address.api_key:
            try:
                with self.rest() as client:
                    client.cluster_status()
            except StoreUnavailable as error:
                if "Global access" in error.what:
                    raise

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
        self.pace.close()
        self._background.shutdown(wait=False)
        self._rest.close()
        if "_grpc" in self.__dict__:
            self._grpc.close()

    def _request(
        self, method: str, name: str, path: str, read: Callable[[Any], T], **options: Any
    ) -> T:
        with self.rest() as client:
            answer: dict[str, Any] = client.http.client.request(
                type_=dict[str, Any],
                method=method,
                url=f"/collections/{{name}}{path}",
                path_params={"name": name},
                headers={"Content-Type": "application/json"},
                **options,
            )
            with self._errors.understood():
                return read(answer["result"])

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise forked_store(self.location)

    @property
    def _way(self) -> dict[str, Any]:
        """Options of `httpx.HTTPTransport`."""
        proxy = self._errors.proxy
        return {
            "verify": self._trusted.context,
            "proxy": httpx.Proxy(proxy.url) if proxy else None,
        }

    @cached_property
    def _grpc(self) -> QdrantClient:
        return self._connect(prefer_grpc=True)

    def _connect(self, *, prefer_grpc: bool) -> QdrantClient:
        address = self.address
        headers = address.headers
        if address.is_loopback:  # packing takes longer than it saves there
            headers["accept-encoding"] = "identity"
        proxy = self._errors.proxy
        grpc_options: dict[str, object] = {
            **_GRPC_OPTIONS,
            "grpc.enable_http_proxy": int(proxy is not None),
            "root_certificates": self._trusted.certificates,
        }
        if proxy and prefer_grpc:
            if not proxy.takes_grpc:
                raise proxy.unusable("uploads go by gRPC", "it takes http:// proxies alone")
            grpc_options["grpc.http_proxy"] = proxy.url
        try:
            return QdrantClient(
                url=address.url,
                port=REST_PORT,
                grpc_port=self._errors.grpc_port,
                prefer_grpc=prefer_grpc,
                timeout=address.timeout,
                check_compatibility=False,  # one request more, and a warning where it fails
                headers=headers,
                transport=Transport(self.pace, **self._way),
                grpc_options=grpc_options,
            )
        except ValueError:  # a name of a host that the client does not take; it quotes the URL
            raise not_a_server(address.url) from None
