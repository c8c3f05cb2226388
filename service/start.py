"""Starts a service: its socket, its processes, and the store that each of them opens."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from melon.processes import end_with, usable_cores
from melon.retrieval import RetrievalSettings
from melon.service.address import MAX_CONNECTIONS
from melon.service.sharing import NOT_BEGUN, Share, SharedSocket
from melon.service.source import Source
from melon.settings import load_settings
from melon.store import open_store

RESTART_SECONDS = 1.0
"""Between two starts of a process that ended by itself."""

USUAL_WORKERS = 4
"""At most, where nobody says how many: each holds what it has read of a store for itself."""

GRACE_SECONDS = 15
"""For requests under way, when the service is to end."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is served and how; each process makes its own store and application of it.

    Attributes:
        url: a Qdrant server, or None.
        path: the directory of an embedded store, or None.
        settings: retrieval settings as JSON.
        key: what requests have to bear, or None.
        workers: processes.
        seconds: until a request is given up.
        prepare: called first in each process.
    """

    url: str | None
    path: Path | None
    settings: str
    key: str | None = field(repr=False)
    workers: int
    seconds: float
    prepare: Callable[[], None]


def usual_workers() -> int:
    """How many processes answer where nobody says so: one works on one core."""
    return min(usable_cores(), USUAL_WORKERS)


def serve(plan: Plan, there: socket.socket) -> None:
    """Answer requests until the process is told to end, by Ctrl-C or SIGTERM."""
    if plan.workers == 1:
        _answer(plan, there, Share([0], 0))
        return
    with TemporaryDirectory(prefix="melon-metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        _supervise(plan, there)


def serve_tools(source: Source) -> None:
    """Answer an agent on stdin and stdout until it closes them."""
    from melon.service import tools

    tools.serve_tools(source)


def _supervise(plan: Plan, there: socket.socket) -> None:
    """Keep so many processes running until this one is told to end."""
    ending = False

    def end(*_: object) -> None:
        nonlocal ending
        ending = True

    def start(place: int) -> BaseProcess:
        counts[place] = NOT_BEGUN
        process = spawn.Process(target=_work, args=(plan, there, Share(counts, place), os.getpid()))
        process.start()
        return process

    spawn = multiprocessing.get_context("spawn")
    counts = spawn.RawArray("i", plan.workers)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    workers = [start(place) for place in range(plan.workers)]
    while not ending:
        wait([worker.sentinel for worker in workers], timeout=RESTART_SECONDS)
        for place, worker in enumerate(workers):
            if not worker.is_alive() and not ending:
                _forget(worker)
                time.sleep(RESTART_SECONDS)
                workers[place] = start(place)
    for worker in workers:
        worker.terminate()
    until = time.monotonic() + GRACE_SECONDS
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        worker.kill()


def _forget(worker: BaseProcess) -> None:
    """Leave out of the metrics what only a running process has."""
    from prometheus_client import multiprocess

    log.warning("process %s ended with %s; another one is started", worker.pid, worker.exitcode)
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _work(plan: Plan, there: socket.socket, share: Share, parent: int) -> None:
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    plan.prepare()
    _answer(plan, there, share)


def _answer(plan: Plan, there: socket.socket, share: Share) -> None:
    import uvicorn

    from melon.service.app import create_app
    from melon.service.asking import Limits
    from melon.service.connection import connections

    shared = SharedSocket(there, share)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            share.begin()
            await super().startup(sockets=sockets)
            shared.listen(MAX_CONNECTIONS)  # again: asyncio takes `backlog` for this, too

    settings = load_settings()
    timeout = min(settings.qdrant_timeout, math.ceil(plan.seconds))
    store = open_store(
        settings.model_copy(update={"qdrant_timeout": timeout}), url=plan.url, path=plan.path
    )
    source = Source(
        store,
        RetrievalSettings.model_validate_json(plan.settings),
        settings.strategy,
        warns=share.place == 0,  # the others would say the same
    )
    app = create_app(source, key=plan.key, limits=Limits(seconds=plan.seconds), home=settings.home)
    config = uvicorn.Config(
        app,
        http=connections(plan.seconds, share),
        lifespan="off",
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,  # others are answered 503
        backlog=1,  # connections that a process takes at a time: it would take those of others, too
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config)
    Thread(target=source.open_early, daemon=True).start()
    if plan.workers == 1:
        for told in (signal.SIGTERM, signal.SIGINT):
            # Before uvicorn heeds them itself; and it raises them again when it has ended.
            signal.signal(told, server.handle_exit)
    server.run(sockets=[shared])
    source.close()
