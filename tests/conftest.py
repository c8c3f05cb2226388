"""What all tests share: hypothesis' settings and one real Qdrant server a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from qdrant_binary import ServerUnavailable, fetch
from qdrant_server import Endpoint, running_server

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

hypothesis.settings.register_profile("melon", deadline=None, print_blob=True)
hypothesis.settings.register_profile(
    "melon-ci", hypothesis.settings.get_profile("melon"), derandomize=True, database=None
)
hypothesis.settings.load_profile("melon-ci" if IN_CI else "melon")


@pytest.fixture(scope="session")
def qdrant_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One real server for the whole session; tests keep apart by the prefix of their collections.

    `MELON_TEST_QDRANT_URL` names a server that runs already (with `MELON_TEST_QDRANT_GRPC_PORT`
    and `MELON_TEST_QDRANT_API_KEY` where they differ from 6334 and none).
    """
    if url := os.environ.get("MELON_TEST_QDRANT_URL"):
        grpc_port = int(os.environ.get("MELON_TEST_QDRANT_GRPC_PORT", "6334"))
        yield Endpoint(url, grpc_port, os.environ.get("MELON_TEST_QDRANT_API_KEY"))
        return
    with ExitStack() as stack:
        try:
            # Tests make many small collections; a write-ahead log of the usual 32 MB for each
            # would be most of the work.
            server = running_server(
                tmp_path_factory.mktemp("qdrant"), settings={"STORAGE__WAL__WAL_CAPACITY_MB": "4"}
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


def give_up(reason: ServerUnavailable) -> NoReturn:
    """Fail in CI, where every test has to run; elsewhere skip, and say what is missing."""
    if IN_CI:
        pytest.fail(f"CI runs the tests of the server too: {reason}")
    pytest.skip(str(reason))


# The `store` fixture, parametrised over the two engines with the ids "embedded" and "server",
# belongs here: the server's variant builds on `qdrant_server`.
