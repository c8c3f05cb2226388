"""`melon serve`: a store's answers over HTTP, and a page to see them."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from melon.commands.console import guard_stderr, note, prepare_streams
from melon.commands.options import (
    PathOption,
    SettingsOption,
    UrlOption,
    chosen_settings,
    chosen_store,
    not_empty,
)

MAX_WORKERS = 256


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on.", callback=not_empty)
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_WORKERS,
            help="Processes that answer: by default one a core, up to four.",
        ),
    ] = None,
    time_limit: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds until a request is given up.")
    ] = 10.0,
    settings: SettingsOption = None,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Serve the API and a page over HTTP, from the live release, until Ctrl-C.

    Nothing can be changed through it. On another address than this machine's own, requests need
    the API key that MELON_SERVE_API_KEY says.
    """
    from melon.errors import InputError, needing
    from melon.service import Plan, is_loopback, listen, usual_workers
    from melon.service import serve as serve_plan
    from melon.settings import DEFAULT_SERVER_URL, load_settings

    with needing("web"):
        for library in ("fastapi", "jinja2", "prometheus_client", "uvicorn"):
            import_module(library)

    environment = load_settings()
    key = environment.service_key
    if key is None and not is_loopback(host):
        raise InputError(
            "others than this machine can reach this address, and there is no API key",
            where=f"--host {host}",
            hint="set MELON_SERVE_API_KEY or MELON_SERVE_API_KEY_FILE",
        )
    retrieval = chosen_settings(settings)
    with chosen_store(url, path) as store:
        if store.found:
            url = DEFAULT_SERVER_URL
        elif url is None and path is None and environment.qdrant_url is None:
            path = environment.store_dir
    with listen(host, port) as there:
        shown, number = there.getsockname()[:2]
        shown = f"[{shown}]" if ":" in shown else shown
        note(f"http://{shown}:{number} is the page, http://{shown}:{number}/api/docs the API")
        serve_plan(
            Plan(
                url=url,
                path=path,
                settings=retrieval.model_dump_json(),
                key=key,
                workers=workers or usual_workers(),
                seconds=time_limit,
                prepare=prepare_process,
            ),
            there,
        )


def prepare_process() -> None:
    """Let what another process says, too, reach stderr as notes do."""
    prepare_streams()
    guard_stderr()
