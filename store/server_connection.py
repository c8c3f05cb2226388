"""The connection to a Qdrant server: clients, names, and failures as melon's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import grpc as grpc_transport
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from melon.errors import MelonError
from melon.store.protocol import NoRelease, StoreUnavailable
from melon.store.schema import Collection, collection_name

REST_PORT = 6333


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a Qdrant server is and how to speak to it.

    `timeout` is in seconds; `grpc_port` is the one after the URL's by default.
    """

    url: str
    api_key: str | None = None
    grpc_port: int | None = None
    ca_cert: str | None = None
    timeout: int = 60
    prefix: str = "melon"
    shard_number: int = 1
    replication_factor: int = 1

    def __repr__(self) -> str:
        return f"ServerAddress({self.url!r})"  # never the key


class ServerConnection:
    """A REST client for reads and, from the first write on, a gRPC client for uploads."""

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.location = f"Qdrant server {address.url}"
        self._rest = self._connect(prefer_grpc=False)

    @contextmanager
    def rest(self) -> Iterator[QdrantClient]:
        """The REST client; what fails inside is raised as one of melon's errors."""
        with self._errors():
            yield self._rest

    @contextmanager
    def grpc(self) -> Iterator[QdrantClient]:
        """The gRPC client; what fails inside is raised as one of melon's errors."""
        with self._errors():
            yield self._grpc

    def name(self, collection: Collection, release: str | None = None) -> str:
        """Name of a release's collection, or of the alias."""
        return collection_name(self.address.prefix, collection, release)

    @property
    def registry(self) -> str:
        """The collection that holds the manifests."""
        return f"{self.address.prefix}_releases"

    def close(self) -> None:
        """Close the clients."""
        self._rest.close()
        if "_grpc" in self.__dict__:
            self._grpc.close()

    @cached_property
    def _grpc(self) -> QdrantClient:
        return self._connect(prefer_grpc=True)

    def _connect(self, *, prefer_grpc: bool) -> QdrantClient:
        address = self.address
        options: dict[str, Any] = {"verify": address.ca_cert} if address.ca_cert else {}
        with self._errors():
            return QdrantClient(
                url=address.url,
                api_key=address.api_key,
                grpc_port=address.grpc_port or (urlsplit(address.url).port or REST_PORT) + 1,
                prefer_grpc=prefer_grpc,
                timeout=address.timeout,
                **options,
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ResponseHandlingException as error:
            raise self._unavailable(str(error.source)) from error
        except grpc_transport.RpcError as error:
            raise self._unavailable(str(error.details())) from error
        except UnexpectedResponse as error:
            if error.status_code in (401, 403):
                raise StoreUnavailable(
                    "the server refuses the API key",
                    where=self.location,
                    hint="set MELON_QDRANT_API_KEY",
                ) from None
            if error.status_code == 404:
                raise NoRelease(
                    f"a collection is missing: {_reason(error)}",
                    where=self.location,
                    hint="the release may have been dropped: open the live one again",
                ) from error
            raise MelonError(_reason(error), where=self.location) from error

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"it cannot be reached: {reason}",
            where=self.location,
            hint="start it with `docker compose up qdrant`, or set MELON_QDRANT_URL",
        )


def _reason(error: UnexpectedResponse) -> str:
    body = error.content.decode("utf-8", "replace") if error.content else error.reason_phrase
    return f"the server answered {error.status_code}: {body[:500]}"
