"""Routes that read what they are asked, from a URL or from JSON: all of it, and nothing twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from starlette.types import ASGIApp, Receive, Scope, Send

from melon.errors import InputError
from melon.files import parse_json
from melon.service.failures import DESCRIBED
from melon.service.requests import refused


class Route(APIRoute):
    """A route whose endpoint is asked in one model: a URL's parameters, or the JSON of a body.

    FastAPI describes it. Were it to read the model and to call the endpoint, too, that would take
    longer, and of what is said twice it would ignore all but the last.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.app = _answering(endpoint)


def _answering(endpoint: Callable[..., Awaitable[Response]]) -> ASGIApp:
    hints = get_type_hints(endpoint)
    asked = hints.pop("asked", None)
    in_path: dict[str, Any] = {
        name: (hint, ...) for name, hint in hints.items() if name not in ("request", "return")
    }
    path = create_model("Path", **in_path)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        given: dict[str, Any] = {}
        try:
            if in_path:
                given |= dict(path.model_validate(request.path_params))
            question = (asked or _Nothing).model_validate(await _said(request, asked or _Nothing))
            if asked:
                given["asked"] = question
        except ValidationError as error:
            raise refused(error, hint=DESCRIBED) from None
        response = await endpoint(request=request, **given)
        await response(scope, receive, send)

    return answer


class _Nothing(BaseModel):
    """What a route is asked that takes no parameters."""

    model_config = ConfigDict(extra="forbid")


async def _said(request: Request, asked: type[BaseModel]) -> dict[str, Any]:
    """What a request says, where its method has it.

    Raises:
        InputError: it says something elsewhere, too, which would be ignored.
    """
    if request.method == "POST":
        if request.query_params:
            raise InputError(
                "a POST is asked by its body alone", where="the URL", hint="say all in the body"
            )
        return await _json(request)
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise InputError(
            f"a {request.method} is asked by its URL alone",
            where="the body",
            hint="say all in the URL, or send it by POST",
        )
    return _parameters(request, asked)


async def _json(request: Request) -> dict[str, Any]:
    """The object that a body holds.

    Raises:
        InputError: it holds something else.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise InputError(
            f"the body is sent as {media_type or 'no type'}, not as JSON",
            hint="send a JSON object, and with it Content-Type: application/json",
        )
    content = parse_json(await request.body(), Path("the body"))
    if not isinstance(content, dict):
        raise InputError("the body is no JSON object", hint=DESCRIBED)
    return content


def _parameters(request: Request, asked: type[BaseModel]) -> dict[str, Any]:
    """What a URL says, with lists of what takes several values.

    Raises:
        InputError: there are several values of what takes one.
    """
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    found: dict[str, Any] = {}
    for name, values in given.items():
        field = asked.model_fields.get(name)
        if field is not None and _is_list(field.annotation):
            found[name] = values
        elif len(values) == 1:
            [found[name]] = values
        else:
            raise InputError(f"it takes one value, and {len(values)} are given", where=name)
    return found


def _is_list(annotation: object) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))
