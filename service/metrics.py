"""What Prometheus reads: requests by route and status, how long they took, and the release."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of the directory where several workers keep their counts."""

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counts of one application, or of all workers where they share a directory.

    Args:
        app: whose requests are counted.
        waiting: how many requests wait now.
        release: the release that answers, if any does.
    """

    def __init__(
        self, app: ASGIApp, waiting: Callable[[], int], release: Callable[[], str | None]
    ) -> None:
        self._app, self._waiting, self._release = app, waiting, release
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "melon_requests", "Requests.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "melon_request_seconds",
            "Time until a request is answered.",
            ("route",),
            registry=self._registry,
            buckets=SECONDS,
        )
        self._queue = Gauge(
            "melon_requests_waiting",
            "Requests that wait for a thread.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._answering = Gauge(
            "melon_release",
            "1 for the release that answers.",
            ("release",),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._named: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request and its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._requests.labels(route, str(status)).inc()
            self._seconds.labels(route).observe(time.perf_counter() - began)

    def text(self) -> tuple[bytes, str]:
        """What Prometheus reads, and its media type."""
        self._queue.set(self._waiting())
        release = self._release()
        if release != self._named:
            if self._named is not None:
                self._answering.labels(self._named).set(0)
            if release is not None:
                self._answering.labels(release).set(1)
            self._named = release
        registry = self._registry
        if os.environ.get(SHARED):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST
