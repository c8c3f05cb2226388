"""Connections of which nobody can hold one for ever by sending slowly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from melon.service.sharing import Share

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as HTTPProtocol
else:  # by httptools, where that is installed: it takes less time
    from uvicorn.protocols.http.auto import AutoHTTPProtocol as HTTPProtocol


def connections(seconds: float, share: Share) -> type[HTTPProtocol]:
    """Connections that are closed where the headers of a request are not sent within so long.

    uvicorn itself waits for as long as a client sends nothing at first, or some of them now and
    then. The guard has a body sent in time.
    """

    class Connection(HTTPProtocol):
        until: float | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.wait()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            share.add(-1)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)  # which ends waiting
            if self.cycle is None or self.cycle.response_complete:
                self.wait()
            else:
                self.until = None

        def wait(self) -> None:
            self.until = self.until or self.loop.time() + seconds
            self.timeout_keep_alive_task = self.loop.call_at(
                self.until, self.timeout_keep_alive_handler
            )

    return Connection
