"""Failures of qdrant-client and of its transports as melon's errors."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from traceback import walk_tb
from urllib.parse import urlsplit

import grpc as grpc_transport
import httpx
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from melon.errors import MelonError
from melon.settings import DEFAULT_SERVER_URL
from melon.store.errors import (
    LimitReached,
    NameTaken,
    NoRelease,
    RequestRefused,
    StoreUnavailable,
    store_closed,
)
from melon.store.server.proxies import Proxy
from melon.store.urls import shown_url

REST_PORT = 6333
TLS_SECONDS = 2.0

_KEY = "set MELON_QDRANT_API_KEY to"
_RIGHTS = f'{_KEY} one with global access: of a JWT, "access": "r" to read, "m" to write'
_OF_THE_KEY = (
    ("ExpiredSignature", f"it has expired: {_KEY} a new one"),
    ("(?i)(manage|write) access", f"a read-only key may not write: {_KEY} one that may"),
    ("access.* is required", _RIGHTS),
    ("JWT", f"{_KEY} a new one"),
)
"""What Qdrant answers to a key that may not do something, and what to do about it."""

_OF_LIMITS = (
    (r'for \\*"limit', "max_query_limit"),
    (r'for \\*"timeout', "max_timeout"),
    ("Exact search disabled|vector indexing is disabled", "search_allow_exact"),
    ("hnsw_ef", "search_max_hnsw_ef"),
    ("oversampling", "search_max_oversampling"),
    ("search batch size", "search_max_batchsize"),
    ("(upsert|update) limit", "upsert_max_batchsize"),
    ("Max vector storage size", "max_collection_vector_size_bytes"),
    ("Max payload storage size", "max_collection_payload_size_bytes"),
    ("Max points count", "max_points_count"),
    ("Filter condition limit", "filter_max_conditions"),
    ("Condition size limit", "condition_max_size"),
    ("number of payload ind", "max_payload_index_count"),
    ("Index required", "unindexed_filtering_retrieve"),
    ("Resident memory usage", "max_resident_memory_percent"),
    ("Read rate limit", "read_rate_limit"),
    ("Write rate limit", "write_rate_limit"),
)
"""What Qdrant answers to a request that strict mode does not let through, and the limit's name."""

_OF_CLIENTS = (ApiException, grpc_transport.RpcError)
_NOT_UNDERSTOOD = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    QdrantException,
    RecursionError,
    TypeError,
    ValueError,
)
"""What Python and qdrant-client raise on answers of another shape than Qdrant's."""

_WRITE_HTTPS = "it speaks TLS: write https:// in its URL"
_PROXY_PASSWORD = "the proxy wants a user and a password: write them into its URL"
_OF_THE_WAY = (
    (
        "mismatch|certificate has expired",
        "its certificate has to be renewed, or is for another URL",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "if a private authority has signed its certificate, name that by MELON_QDRANT_CA_CERT",
    ),
    (
        "WRONG_VERSION|RECORD_LAYER|record layer|EOF",
        "it may not speak TLS: write http:// in its URL",
    ),
    (r"illegal.*\\x15\\x03", _WRITE_HTTPS),
    ("illegal", f"this may be its gRPC port: give the REST port, {REST_PORT} by default"),
    ("ProxyError.*407", _PROXY_PASSWORD),
    (
        "[Nn]ame or service|name resolution|getaddrinfo|nodename",
        "no host has this name: correct it",
    ),
    ("ReadTimeout|WriteTimeout|Deadline", "MELON_QDRANT_TIMEOUT is how long to wait, in seconds"),
)
"""What is said of a connection that fails, and what to do about it: the first that fits."""


@dataclass(slots=True)
class ServerErrors:
    """Translates the errors of one server, and knows what their messages say of it.

    Attributes:
        location: the server, as people read it.
        url: its URL, without a password.
        grpc_port: where uploads go.
        has_key: whether an API key is sent.
        secrets: what no message may show, even if the server quotes it.
        named_by: the option or variable that the URL is from, for hints.
        proxy: by which it is reached.
        closed: whether the connection was closed; requests that fail then raise `StoreClosed`.
    """

    location: str
    url: str
    grpc_port: int
    has_key: bool
    secrets: tuple[str, ...]
    named_by: str | None
    proxy: Proxy | None
    closed: bool = False

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the errors of a block as melon's errors, without what they quote of secrets."""
        try:
            yield
        except MelonError:
            raise
        except (*_OF_CLIENTS, *_NOT_UNDERSTOOD) as error:
            if not _is_of_client(error):
                raise
            known = self._of(error)
            what, quoted = known.what, False
            for secret in filter(None, self.secrets):
                quoted |= secret in f"{error}{what}"
                what = what.replace(secret, "…")
            known.what, known.args = what, (what,)
            raise known from None if quoted else error

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Around what reads an answer: one of another shape is melon's error, too."""
        try:
            yield
        except MelonError:
            raise
        except _NOT_UNDERSTOOD as error:
            raise self._not_understood(error) from error

    def _of(self, error: Exception) -> MelonError:
        if isinstance(error, ResponseHandlingException):
            return self._of_source(error.source)
        if isinstance(error, grpc_transport.RpcError):
            return self._of_grpc(error)
        if isinstance(error, UnexpectedResponse):
            return self._of_status(error)
        return self._not_understood(error)

    def _not_understood(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"its answer cannot be understood: {type(error).__name__}: {str(error)[:200]}",
            where=self.location,
            hint="a proxy or gateway before it may have changed or cut it: ask again",
        )

    def _of_source(self, reason: Exception) -> MelonError:
        if isinstance(reason, MelonError):
            return reason
        return (
            self._of(reason) if isinstance(reason, _NOT_UNDERSTOOD) else self._unavailable(reason)
        )

    def _of_status(self, error: UnexpectedResponse) -> MelonError:
        if error.status_code == 401:
            return self._key_refused("Basic" in error.headers.get("www-authenticate", ""))
        if error.status_code == 403:
            return self._forbidden(_reason(error))
        if error.status_code == 407:
            return StoreUnavailable(_reason(error), where=self.location, hint=_PROXY_PASSWORD)
        if error.status_code == 404:
            return NoRelease(
                f"a collection is missing: {_reason(error)}",
                where=self.location,
                hint="the release may have been dropped: open the live one again; if this is it,"
                " `melon ingest` builds it anew",
            )
        if error.status_code == 413:
            return RequestRefused(
                _reason(error),
                where=self.location,
                hint="have the gateway before it let requests of 32 MB through",
            )
        if error.status_code in (400, 422, 429):
            return self._refused(_reason(error))
        if error.status_code in (502, 503, 504):
            return StoreUnavailable(
                _reason(error),
                where=self.location,
                hint="it may still be starting, or be out of reach for a gateway: ask again",
            )
        return MelonError(_reason(error), where=self.location)

    def _refused(self, reason: str) -> RequestRefused:
        if limit := _found_in(_OF_LIMITS, reason):
            return LimitReached(f"strict mode: {reason}", limit=limit, where=self.location)
        return RequestRefused(reason, where=self.location)

    @contextmanager
    def of_qdrant(self, client: QdrantClient) -> Iterator[None]:
        """Say that another service answers: the client fails in many ways on its answers."""
        try:
            yield
        except MelonError:
            raise
        except (ApiException, *_NOT_UNDERSTOOD) as error:
            if _is_of_client(error) and _may_be_foreign(error) and not _is_qdrant(client):
                # From None: it quotes the answer, whatever that is.
                raise self._foreign(error) from None
            raise

    def _foreign(self, error: Exception) -> StoreUnavailable:
        what = "what answers there is not a Qdrant server"
        hint = f"give the URL of its REST interface, port {REST_PORT} by default"
        if isinstance(error, UnexpectedResponse):
            target = shown_url(error.headers.get("location", ""))
            if b"HTTPS" in error.content:
                hint = _WRITE_HTTPS
            elif target.startswith(f"https://{urlsplit(self.url).hostname}"):
                what, hint = f"{what}: it leads to {target}", "write https:// in its URL"
            elif target:
                what = f"{what}: it leads to {target}"
                hint = (
                    "if one has to sign in there, have the gateway let requests with a key through"
                )
        return StoreUnavailable(what, where=self.url, hint=hint)

    def _of_grpc(self, error: grpc_transport.RpcError) -> MelonError:
        code, details = error.code(), error.details()
        if code in (
            grpc_transport.StatusCode.UNAVAILABLE,
            grpc_transport.StatusCode.DEADLINE_EXCEEDED,
        ):
            return StoreUnavailable(
                f"it cannot be reached: gRPC on port {self.grpc_port}: {details}",
                where=self.location,
                hint=_found_in(_OF_THE_WAY, str(details))
                or "uploads need its gRPC port: set MELON_QDRANT_GRPC_PORT",
            )
        if code == grpc_transport.StatusCode.UNAUTHENTICATED:
            return self._key_refused()
        if code == grpc_transport.StatusCode.PERMISSION_DENIED:
            return self._forbidden(f"the server answered {code.name}: {details}")
        if code == grpc_transport.StatusCode.NOT_FOUND:
            return NoRelease(f"a collection is missing: {details}", where=self.location)
        if code in (
            grpc_transport.StatusCode.INVALID_ARGUMENT,
            grpc_transport.StatusCode.RESOURCE_EXHAUSTED,
        ):
            return self._refused(f"the server answered {code.name}: {details}")
        return MelonError(f"the server answered {code.name}: {details}", where=self.location)

    def _key_refused(self, basic: bool = False) -> StoreUnavailable:
        if basic:
            return StoreUnavailable(
                "a gateway before it wants a user and a password",
                where=self.location,
                hint="write them into its URL: https://user:password@host",
            )
        return StoreUnavailable(
            "the server refuses the API key" if self.has_key else "it wants an API key",
            where=self.location,
            hint="set MELON_QDRANT_API_KEY",
        )

    def _forbidden(self, reason: str) -> StoreUnavailable:
        if hint := _found_in(_OF_THE_KEY, reason):
            what = f"the API key may not do this: {reason}"
        else:
            what = f"not Qdrant, but a proxy or gateway before it refuses this: {reason}"
            hint = self._by_proxy() or "have it let melon's requests through"
        return StoreUnavailable(what, where=self.location, hint=hint)

    def _by_proxy(self) -> str | None:
        if self.proxy is None:
            return None
        return f"the proxy is that of {self.proxy.variable}; NO_PROXY lists hosts to reach without"

    def _unavailable(self, reason: Exception) -> StoreUnavailable:
        if self.closed:
            return store_closed(self.location)
        hint = _found_in(_OF_THE_WAY, f"{type(reason).__name__}: {reason}") or self._by_proxy()
        ended = isinstance(reason, (httpx.RemoteProtocolError, httpx.ReadError))
        if not hint and ended and _speaks_tls(self.url):
            hint = _WRITE_HTTPS
        return StoreUnavailable(
            f"it cannot be reached: {reason}", where=self.location, hint=hint or self._start()
        )

    def _start(self) -> str:
        if not self.named_by:
            return "start it with `docker compose up qdrant`, or set MELON_QDRANT_URL"
        parts = urlsplit(self.url)
        port = "" if parts.port else f"; it has no port, so {REST_PORT} is taken"
        return (
            f"start the server that {self.named_by} names, or give the URL of another one there"
            f" (`docker compose up qdrant` starts one on {DEFAULT_SERVER_URL}){port}"
        )


def _found_in(hints: Iterable[tuple[str, str]], said: str) -> str | None:
    return next((hint for pattern, hint in hints if re.search(pattern, said)), None)


def _speaks_tls(url: str) -> bool:
    """Whether a handshake succeeds where plain text got no answer."""
    parts = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    place = (parts.hostname or "", parts.port or REST_PORT)
    try:
        with (
            socket.create_connection(place, timeout=TLS_SECONDS) as connected,
            context.wrap_socket(connected, server_hostname=parts.hostname),
        ):
            return parts.scheme == "http"
    except OSError:
        return False


def name_taken(what: str, location: str) -> NameTaken:
    """A collection or alias that melon did not make has a name that melon needs."""
    return NameTaken(
        f"{what} that melon did not make", where=location, hint="set another MELON_PREFIX"
    )


def _is_qdrant(client: QdrantClient) -> bool:
    try:
        return "qdrant" in client.info().title.lower()
    except ResponseHandlingException as error:
        return not _may_be_foreign(error)
    except (UnexpectedResponse, *_NOT_UNDERSTOOD):
        return False


def _is_of_client(error: Exception) -> bool:
    """Whether a client failed, on what it was answered, and not our own code."""
    frames = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return isinstance(error, _OF_CLIENTS) or any(
        name.partition(".")[0] == "qdrant_client" for name in frames
    )


def _may_be_foreign(error: Exception) -> bool:
    """Whether an unexpected answer may be from another service than Qdrant."""
    if isinstance(error, ResponseHandlingException):
        return isinstance(error.source, ValueError)  # an answer of another shape
    if isinstance(error, UnexpectedResponse):
        return (error.status_code or 0) < 500 and error.status_code not in (401, 403, 407, 413, 429)
    return True


def _reason(error: UnexpectedResponse) -> str:
    body = error.content.decode("utf-8", "replace") if error.content else error.reason_phrase
    with suppress(*_NOT_UNDERSTOOD):  # it is Qdrant's
        body = str(json.loads(body)["status"]["error"])
    return f"the server answered {error.status_code}: {body[:500]}"
