"""Who may ask what, checked before anything is read of a request: host, origin, key and size."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from melon.service.address import is_loopback
from melon.service.failures import Refused, failure

MAX_BODY = 1 << 20
"""Bytes of a request's body: a query with 10,000 songs has a tenth of that."""

OPEN = ("/health", "/static/", "/api/docs", "/api/openapi.json")
"""Paths, and beginnings of paths, that need no key: they hold nothing of the catalogue."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Lets through what may be asked, and gives every answer the headers that browsers heed.

    Without a key, whoever can reach the service may ask; so that web pages from elsewhere cannot,
    through the browser of somebody on this machine, a request has to name this machine as its host
    (a name of theirs may be made to point here) and must not come from another site. With a key,
    whoever has it may ask, by whatever name.

    Args:
        app: is asked what passes.
        key: what requests bear, or None where none is needed.
        seconds: until a body has to be there.
    """

    def __init__(self, app: ASGIApp, *, key: str | None, seconds: float) -> None:
        self._app = app
        self._key = key.encode() if key else None
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                cached = b"no-store" if scope["path"].startswith("/api/v") else b"no-cache"
                given = dict(message["headers"])
                more = [*_HEADERS, (b"cache-control", cached)]
                message["headers"] += [pair for pair in more if pair[0] not in given]
            await send(message)

        headers = Headers(scope=scope)
        try:
            self._check(scope["path"], headers)
            receive = await self._read(headers, receive)
        except Refused as refused:
            more = {"Connection": "close"} if refused.status in (408, 413) else {}
            await failure(refused, more)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _check(self, path: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if self._key is None and not _names_loopback(host):
            raise Refused(
                421,
                f"this service is not {host!r}: without an API key it is for this machine alone",
                where="header Host",
                hint="ask it as localhost; behind a proxy, give it an API key",
            )
        if headers.get("sec-fetch-site") == "cross-site" and (
            headers.get("sec-fetch-mode") != "navigate" or path.startswith("/api/v")
        ):
            raise Refused(403, "pages of other sites may not ask", where="header Sec-Fetch-Site")
        origin = headers.get("origin")
        if origin is not None and _address(origin) != host.lower():
            raise Refused(403, "pages of other sites may not ask", where="header Origin")
        if self._key is None or path == "/" or path.startswith(OPEN):
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._key):
            raise Refused(
                401,
                "the API key is wrong" if given else "an API key is needed",
                where="header Authorization",
                hint="send Authorization: Bearer KEY",
            )

    async def _read(self, headers: Headers, receive: Receive) -> Receive:
        """All of the body, in time, to be received once more."""
        if _length(headers.get("content-length")) > MAX_BODY:
            raise _too_large()
        if "content-length" not in headers and "transfer-encoding" not in headers:
            return receive
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        break
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > MAX_BODY:
                        raise _too_large()
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise Refused(408, f"the body was not sent within {self._seconds:g} s") from None
        whole: Iterable[Message] = iter(
            [{"type": "http.request", "body": b"".join(parts), "more_body": False}]
        )

        async def receive_again() -> Message:
            for message in whole:
                return message
            return await receive()

        return receive_again


@lru_cache(maxsize=16)
def _names_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


def _address(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _length(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _too_large() -> Refused:
    return Refused(413, f"the body has more than {MAX_BODY:,} bytes", hint="ask for less at once")
