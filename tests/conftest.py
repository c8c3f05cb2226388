"""What all tests share: hypothesis' settings, one real Qdrant server a session, and stores."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import javascript_client
import machine
import pytest
from faults import Faults
from javascript_client import ClientUnavailable
from kept import Kept, kept_on
from keyed_demo import keyed
from places import (
    EMBEDDED,
    ENGINES,
    SERVER,
    Place,
    ServerPlace,
    memory,
    place_on,
    scratch_directory,
)
from qdrant_binary import ServerUnavailable, fetch
from qdrant_server import Endpoint, running_server
from some_ranking import some_ranking

from melon.catalog import find_corpus
from melon.demo import DemoScale, DemoTruth, make_demo
from melon.embedding import EmbeddingSpace, build_from_files, training_settings
from melon.ingest import ingest
from melon.store import VectorStore

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("melon", deadline=None, print_blob=True)
hypothesis.settings.register_profile(
    "melon-ci", hypothesis.settings.get_profile("melon"), derandomize=True, database=None
)
hypothesis.settings.load_profile("melon-ci" if machine.IN_CI else "melon")


STRICT = "STORAGE__COLLECTION__STRICT_MODE__"
HOSTED = {
    f"{STRICT}ENABLED": "true",
    f"{STRICT}UNINDEXED_FILTERING_RETRIEVE": "false",
    f"{STRICT}UNINDEXED_FILTERING_UPDATE": "false",
    f"{STRICT}MAX_PAYLOAD_INDEX_COUNT": "100",
}
"""What Qdrant's hosted service sets for new collections."""


class RootIsADirectory:
    """To pytest the repository's root is no package: it would import it by the directory's name."""

    @pytest.hookimpl
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Dir | None:
        return pytest.Dir.from_parent(parent, path=path) if path == ROOT else None


def pytest_configure(config: pytest.Config) -> None:
    """Keep `tmp_path`, too, in memory if there is room: many tests have a store in it."""
    config.pluginmanager.register(RootIsADirectory())
    config.addinivalue_line("markers", "long: of a file that is begun before the others")
    if root := memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(root))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: begun last, one would run while the other worker has none left."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_report_header() -> str:
    """Name the client, for the store's tests are run with the oldest one, too."""
    return f"qdrant-client: {version('qdrant-client')}"


@pytest.fixture(scope="session")
def qdrant_server() -> Iterator[Endpoint]:
    """One real server for the whole session; tests keep apart by the prefix of their collections.

    It is as strict as a hosted one, or not at all where `MELON_TEST_QDRANT_PLAIN` is set.
    `MELON_TEST_QDRANT_URL` names a server that runs already (with `MELON_TEST_QDRANT_GRPC_PORT`
    and `MELON_TEST_QDRANT_API_KEY` where they differ from 6334 and none).
    """
    if url := os.environ.get("MELON_TEST_QDRANT_URL"):
        grpc_port = int(os.environ.get("MELON_TEST_QDRANT_GRPC_PORT", "6334"))
        yield Endpoint(url, grpc_port, os.environ.get("MELON_TEST_QDRANT_API_KEY"))
        return
    strict = {} if os.environ.get("MELON_TEST_QDRANT_PLAIN") else HOSTED
    with ExitStack() as stack:
        try:
            # Tests make many small collections; a write-ahead log of the usual 32 MB for each
            # would be most of the work.
            server = running_server(
                stack.enter_context(scratch_directory()),
                settings={"STORAGE__WAL__WAL_CAPACITY_MB": "4", **strict},
            )
            running = stack.enter_context(server)
        except ServerUnavailable as reason:
            give_up(reason)
        yield running


@pytest.fixture(scope="session")
def qdrant_binary() -> Path:
    """The pinned server's binary, for tests that need the process itself or a cluster."""
    try:
        return fetch()
    except ServerUnavailable as reason:
        give_up(reason)


@pytest.fixture(scope="session")
def javascript() -> Path:
    """A directory from which JavaScript can import Qdrant's client."""
    try:
        return javascript_client.fetch()
    except ClientUnavailable as reason:
        give_up(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window.

    For a module, not the session: while it is open, Playwright's event loop counts as running in
    this thread, and `asyncio.run` is refused. It takes a second to start.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        give_up("chromium is not installed")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; the test fails if it reports an error or asks another host for anything."""
    with browser.new_context() as context:
        faults = Faults(context)
        yield context.new_page()
    assert not faults.seen


def give_up(reason: ServerUnavailable | ClientUnavailable | str) -> NoReturn:
    """Fail in CI, where every test has to run; elsewhere skip, and say what is missing."""
    if machine.IN_CI:
        pytest.fail(f"CI runs the tests of the server, JavaScript and the browser too: {reason}")
    pytest.skip(str(reason))


@pytest.fixture
def nothing_found() -> None:
    """For those who name no store: a server on localhost:6333 would answer them."""
    with suppress(OSError), socket.create_connection(("localhost", 6333), timeout=1):
        give_up("the server on localhost:6333 is not the tests', and would be found")


def server_for(engine: str, request: pytest.FixtureRequest) -> Endpoint | None:
    """The session's server, started only for those tests that run on it."""
    return request.getfixturevalue("qdrant_server") if engine == SERVER else None


@pytest.fixture(scope="session")
def kept_embedded() -> Iterator[Kept]:
    """What is only read, on the embedded engine."""
    with Kept(EMBEDDED) as kept:
        yield kept


@pytest.fixture(scope="session")
def kept_server(qdrant_server: Endpoint) -> Iterator[Kept]:
    """What is only read, on the server."""
    with Kept(SERVER, qdrant_server) as kept:
        yield kept


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """An empty place on each engine, for tests that open several stores on it."""
    with place_on(request.param, server_for(request.param, request)) as there:
        yield there


@pytest.fixture
def server_place(qdrant_server: Endpoint) -> Iterator[ServerPlace]:
    """An empty place on the server, for what only a server has."""
    with place_on(SERVER, qdrant_server) as there:
        assert isinstance(there, ServerPlace)
        yield there


@pytest.fixture
def store(place: Place) -> Iterator[VectorStore]:
    """An empty store on each engine: what runs on one has to run on the other."""
    with place.open() as opened:
        yield opened


@pytest.fixture(scope="session")
def demo_corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    """The smallest demo corpus that still shows what is planted in it, and what that is."""
    directory = tmp_path_factory.mktemp("demo-corpus")
    scale = DemoScale(playlists=400, songs=500, tags=60, songs_per_playlist=12)
    return directory, make_demo(directory, scale=scale)


@pytest.fixture(scope="session")
def demo_truth(demo_corpus: tuple[Path, DemoTruth]) -> DemoTruth:
    """What is planted in the demo corpus."""
    return demo_corpus[1]


@pytest.fixture(scope="session")
def demo_space(demo_corpus: tuple[Path, DemoTruth]) -> EmbeddingSpace:
    """A space trained on the demo corpus: nine of ten nearest songs share their mood."""
    settings = training_settings(dim=16, epochs=10, window=5, title_pieces=64, workers=1, seed=1)
    space = build_from_files(find_corpus([demo_corpus[0]]), settings)
    return replace(space, ranking=some_ranking())


@pytest.fixture(scope="session", params=ENGINES)
def demo_place(request: pytest.FixtureRequest, demo_space: EmbeddingSpace) -> Place:
    """Where the demo space is live, on each engine. Only to be read."""
    return kept_on(request.param, request).place("demo", partial(ingest, demo_space))


@pytest.fixture(scope="session")
def demo_store(request: pytest.FixtureRequest, demo_place: Place) -> VectorStore:
    """A store where the demo space is live, on each engine. Only to be read."""
    return kept_on(demo_place.engine, request).store("demo")


@pytest.fixture(scope="session", params=ENGINES)
def keyed_place(request: pytest.FixtureRequest, demo_space: EmbeddingSpace) -> Place:
    """Where the demo space is live with keys and own fields, on each engine. Only to be read."""
    return kept_on(request.param, request).place("keyed", partial(ingest, keyed(demo_space)))


@pytest.fixture(scope="session")
def keyed_store(request: pytest.FixtureRequest, keyed_place: Place) -> VectorStore:
    """A store where that space is live, on each engine. Only to be read."""
    return kept_on(keyed_place.engine, request).store("keyed")
