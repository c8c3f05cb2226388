"""How REST requests travel to a server: which connections are kept, and which fail."""

from __future__ import annotations

import re
from typing import Any

import httpx

from melon.errors import MelonError
from melon.store.server.pace import Pace, seconds_to_wait

BACKGROUND_THREADS = 32
"""Calls that run in the background at once, for one store; others wait their turn."""

CONNECT_SECONDS = 5
"""Connecting takes no longer than this, though a request may."""

_KEPT = httpx.Limits(max_keepalive_connections=2 * BACKGROUND_THREADS, keepalive_expiry=3)
"""Connections that stay open between requests, for less than the 5 seconds after which the server
closes them: one for each call in the background, and as many for the threads that wait for them."""

_NOT_KEPT = httpx.Limits(max_keepalive_connections=0)

_ENDED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_READS = re.compile(r".*/(points(/scroll|/count|/query(/batch)?)?|facet)")
"""Paths of the reads that are sent as POST."""


class Passed(BaseException):
    """Carries what a callback of ours raised past a client that would take it for its own."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Transport(httpx.BaseTransport):
    """Keeps connections for reads. One that ends without an answer is asked anew, on a new one.

    A balancer may close a connection at any time, and so just when a request is on its way. A write
    may have been done by then and is not sent twice: each has a connection of its own.

    One that is not let through, for there were too many, waits and is sent again.

    Args:
        pace: waits.
        options: of `httpx.HTTPTransport`.
    """

    def __init__(self, pace: Pace, **options: Any) -> None:
        self._pace = pace
        self._kept = httpx.HTTPTransport(limits=_KEPT, **options)
        self._new = httpx.HTTPTransport(limits=_NOT_KEPT, **options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; a read is sent once more if its connection ends before the answer does.

        Raises:
            httpx.TransportError: there is no answer.
            StoreUnavailable: it would have to wait too long.
        """
        waited = 0.0
        while _has_to_wait(answer := self._sent(request)):
            try:
                waited = self._pace.wait(seconds_to_wait(answer.headers.get("retry-after")), waited)
            except MelonError:  # which the client passes on
                raise
            except Exception as error:
                raise Passed(error) from error
        return answer

    def _sent(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        limits["connect"] = min(CONNECT_SECONDS, limits.get("connect") or CONNECT_SECONDS)
        if _only_reads(request):
            try:
                answer = self._kept.handle_request(request)
                answer.read()
            except _ENDED:
                pass
            else:
                return answer
        return self._new.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._kept.close()
        self._new.close()


def _has_to_wait(answer: httpx.Response) -> bool:
    """Whether to send the request again later; Qdrant says of one that costs too much no when."""
    if answer.status_code not in (429, 503):
        return False
    answer.read()
    if "retry-after" in answer.headers:
        return True
    return answer.status_code == 429 and b"rate limit exceeded" not in answer.content


def _only_reads(request: httpx.Request) -> bool:
    asks = request.method == "POST" and _READS.fullmatch(request.url.path)
    return request.method == "GET" or bool(asks)
