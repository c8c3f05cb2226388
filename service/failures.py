"""Errors as HTTP says them: the status, and what, where and a hint, as the command prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from melon.errors import InputError, MelonError, uncapitalized
from melon.retrieval import UnknownItem, UnknownSong
from melon.store import UnknownRelease

RETRY_AFTER = "1"
"""Seconds after which a request that could not be answered now may be sent again."""

DESCRIBED = "the API is described at /api/docs"


class Refused(MelonError):
    """A request that is not answered for what HTTP has a status for."""

    def __init__(
        self, status: int, what: str, *, where: str | None = None, hint: str | None = None
    ) -> None:
        self.status = status
        super().__init__(what, where=where, hint=hint)


def status_of(error: MelonError) -> int:
    """What HTTP calls an error: 4xx for what the caller gave, 503 for what failed around us."""
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, UnknownItem | UnknownSong | UnknownRelease):
        return 404
    return 400 if isinstance(error, InputError) else 503


def failure(error: MelonError, headers: Mapping[str, str] | None = None) -> Response:
    """An error as JSON, under its status."""
    status = status_of(error)
    more = dict(headers or {})
    if status in (503, 504):
        more.setdefault("Retry-After", RETRY_AFTER)
    if status == 401:
        more["WWW-Authenticate"] = "Bearer"
    said = {"what": error.what, "where": error.where, "hint": error.hint}
    return as_json({"error": said}, status=status, headers=more)


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON in UTF-8; a lone surrogate, which a message may quote, is escaped."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        content = body.encode()
    except UnicodeEncodeError:
        content = json.dumps(value).encode()
    return Response(content, status, headers, "application/json")


async def of_melon(_: Request, error: Exception) -> Response:
    """An error that melon raises on purpose."""
    assert isinstance(error, MelonError)
    return failure(error)


async def of_http(request: Request, error: Exception) -> Response:
    """A path that is not there, or a method that it does not have."""
    assert isinstance(error, HTTPException)
    said = {404: "there is no such path", 405: "this path does not take this method"}
    what = said.get(error.status_code, uncapitalized(str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return failure(Refused(error.status_code, what, hint=DESCRIBED), headers)


def _methods(request: Request) -> list[str]:
    """Those that a path has, in all of its routes; of a file, which has none of its own, GET."""
    routes = (one for one in request.app.routes if one.matches(request.scope)[0] != Match.NONE)
    methods = {method for route in routes for method in route.methods} or {"GET"}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


async def of_chance(_: Request, __: Exception) -> Response:
    """An error of melon's own, which is logged."""
    hint = "the service's log says more"
    return failure(Refused(500, "this should not have happened", hint=hint))
