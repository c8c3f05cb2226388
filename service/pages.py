"""What browsers show: the page, and Swagger UI, from files of this package alone."""

from __future__ import annotations

import gzip
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from melon.plots import asset

HERE = Path(__file__).parent
PAGE = HERE / "page"
SWAGGER = HERE / "swagger"
MODULES = sorted({file.name for file in (PAGE / "static").glob("*.js")} - {"page.js", "theme.js"})
"""What `page.js` imports: browsers fetch all at once, not each when they come upon it."""

SWAGGER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""Swagger UI sets styles of its own."""

PACKED = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
"""Files that are kept compressed, as browsers take them."""


def router() -> APIRouter:
    """The routes of the page and of Swagger UI, none of which is part of the API."""
    pages = APIRouter(include_in_schema=False)
    templates = Jinja2Templates(PAGE / "templates")

    @pages.get("/")
    def page(request: Request) -> HTMLResponse:
        about = {"version": version("melon"), "modules": MODULES}
        return templates.TemplateResponse(request, "index.html", about)

    @pages.get("/api/docs")
    def docs() -> FileResponse:
        headers = {"Content-Security-Policy": SWAGGER_POLICY}
        return FileResponse(SWAGGER / "index.html", headers=headers)

    @pages.get("/api/docs/start.js")
    def start() -> FileResponse:
        return FileResponse(SWAGGER / "start.js")

    @pages.get("/api/docs/{name}")
    def packed(name: str, request: Request) -> Response:
        if name not in PACKED:
            raise HTTPException(404)
        content = (SWAGGER / f"{name}.gz").read_bytes()
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            content, headers = gzip.decompress(content), {}
        return Response(content, 200, headers, PACKED[name])

    @pages.get("/static/map.js")
    def map_script() -> Response:
        return Response(asset("map.js"), media_type="text/javascript")

    pages.routes.append(Mount("/static", StaticFiles(directory=PAGE / "static")))
    return pages
