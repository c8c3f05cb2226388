"""The application: the API, its description, health and metrics, and the page."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from melon.errors import MelonError
from melon.service import failures, pages, routes
from melon.service.asking import Limits, Service
from melon.service.guard import Guard
from melon.service.metrics import Metrics
from melon.service.source import Source


def create_app(
    source: Source,
    *,
    key: str | None = None,
    limits: Limits | None = None,
    home: Path | None = None,
) -> ASGIApp:
    """An ASGI application that answers from a source, which it does not close.

    Args:
        source: opens the store.
        key: what requests have to bear; None where only this machine can ask.
        limits: how much it takes on.
        home: where `melon map` keeps maps, if it does.
    """
    limits = limits or Limits()
    service = Service(source, limits, home)

    app = FastAPI(
        title="melon",
        version=version("melon"),
        summary="Continues and tags music playlists.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(MelonError, failures.of_melon)
    app.add_exception_handler(HTTPException, failures.of_http)
    app.add_exception_handler(Exception, failures.of_chance)
    metrics = Metrics(
        Guard(app, key=key, seconds=limits.seconds),
        lambda: service.waiting,
        lambda: source.release,
    )

    @app.get("/metrics", include_in_schema=False)
    async def counts(_: Request) -> Response:
        content, media_type = metrics.text()
        return Response(content, media_type=media_type)

    for router in (routes.router(service, secured=key is not None), pages.router()):
        app.routes.extend(router.routes)  # included, each would be matched more than once
    return _answering_head(metrics)


def _answering_head(app: ASGIApp) -> ASGIApp:
    """Answers HEAD as GET, without the body."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await app({**scope, "method": "GET"}, receive, send_head)
        else:
            await app(scope, receive, send)

    return answer
