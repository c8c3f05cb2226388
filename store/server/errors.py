"""Failures of qdrant-client and of its transports as melon's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc as grpc_transport
import httpx
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from melon.errors import MelonError
from melon.settings import DEFAULT_SERVER_URL
from melon.store.errors import NameTaken, NoRelease, RequestRefused, StoreUnavailable, store_closed

REST_PORT = 6333


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
        closed: whether the connection was closed; requests that fail then raise `StoreClosed`.
    """

    location: str
    url: str
    grpc_port: int
    has_key: bool
    secrets: tuple[str, ...]
    named_by: str | None
    closed: bool = False

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the errors of a block as melon's errors, without what they quote of secrets."""
        try:
            yield
        except (ResponseHandlingException, grpc_transport.RpcError, UnexpectedResponse) as error:
            known = self._of(error)
            what, quoted = known.what, False
            for secret in filter(None, self.secrets):
                quoted |= secret in f"{error}{what}"
                what = what.replace(secret, "…")
            hidden = type(known)(what, where=known.where, hint=known.hint)
            raise hidden from None if quoted else error

    def _of(
        self,
        error: ResponseHandlingException | grpc_transport.RpcError | UnexpectedResponse,
    ) -> MelonError:
        if isinstance(error, ResponseHandlingException):
            return self._unavailable(error.source)
        if isinstance(error, grpc_transport.RpcError):
            return self._of_grpc(error)
        return self._of_status(error)

    def _of_status(self, error: UnexpectedResponse) -> MelonError:
        if error.status_code == 401:
            return self._key_refused()
        if error.status_code == 403:
            return self._key_may_not(_reason(error))
        if error.status_code == 404:
            return NoRelease(
                f"a collection is missing: {_reason(error)}",
                where=self.location,
                hint="the release may have been dropped: open the live one again",
            )
        kind = RequestRefused if error.status_code in (400, 422) else MelonError
        return kind(_reason(error), where=self.location)

    @contextmanager
    def of_qdrant(self, client: QdrantClient) -> Iterator[None]:
        """Say that another service answers: the client fails in many ways on its answers."""
        try:
            yield
        except (ApiException, AssertionError, ValueError) as error:
            if _may_be_foreign(error) and not _is_qdrant(client):
                raise StoreUnavailable(
                    "what answers there is not a Qdrant server",
                    where=self.url,
                    hint=f"give the URL of its REST interface, port {REST_PORT} by default",
                ) from None  # which quotes the answer, whatever it is
            raise

    def _of_grpc(self, error: grpc_transport.RpcError) -> MelonError:
        code, details = error.code(), error.details()
        if code in (
            grpc_transport.StatusCode.UNAVAILABLE,
            grpc_transport.StatusCode.DEADLINE_EXCEEDED,
        ):
            return StoreUnavailable(
                f"it cannot be reached: gRPC on port {self.grpc_port}: {details}",
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
            "the server refuses the API key" if self.has_key else "it wants an API key",
            where=self.location,
            hint="set MELON_QDRANT_API_KEY",
        )

    def _key_may_not(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the API key may not do this: {reason}" if self.has_key else reason,
            where=self.location,
            hint="a read-only key may not write: set MELON_QDRANT_API_KEY to one that may",
        )

    def _unavailable(self, reason: Exception) -> StoreUnavailable:
        if self.closed:
            return store_closed(self.location)
        hint = "start it with `docker compose up qdrant`, or set MELON_QDRANT_URL"
        if isinstance(reason, httpx.RemoteProtocolError) and "illegal" in str(reason):
            hint = f"this may be its gRPC port: give the REST port, {REST_PORT} by default"
        elif self.named_by:
            hint = (
                f"start the server that {self.named_by} names, or give the URL of another one"
                f" there (`docker compose up qdrant` starts one on {DEFAULT_SERVER_URL})"
            )
        return StoreUnavailable(f"it cannot be reached: {reason}", where=self.location, hint=hint)


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
    except (UnexpectedResponse, AssertionError, ValueError):
        return False


def _may_be_foreign(error: Exception) -> bool:
    """Whether an unexpected answer may be from another service than Qdrant."""
    if isinstance(error, ResponseHandlingException):
        return isinstance(error.source, ValueError)  # an answer of another shape
    if isinstance(error, UnexpectedResponse):
        return (error.status_code or 0) < 500 and error.status_code not in (401, 403)
    return True


def _reason(error: UnexpectedResponse) -> str:
    body = error.content.decode("utf-8", "replace") if error.content else error.reason_phrase
    return f"the server answered {error.status_code}: {body[:500]}"
