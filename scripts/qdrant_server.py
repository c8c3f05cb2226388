"""Real Qdrant servers on this machine: one, or a cluster, for tests and for people without Docker.

In a program:

    with running_server(directory) as server:
        client = QdrantClient(server.url, grpc_port=server.grpc_port, prefer_grpc=True)

From the shell, in the foreground: `python scripts/qdrant_server.py --port 6333 --storage DIR`,
with the API key, if there is to be one, in `MELON_QDRANT_API_KEY`.

The server is the pinned binary (see `qdrant_binary`), or where there is none for this machine the
same version's Docker image. It dies with the process that started it, however that ends.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qdrant_binary import VERSION
from qdrant_node import HOST, Node, Ports

START_ATTEMPTS = 3
START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.02
PULL_SECONDS = 600
PORT_TAKEN = re.compile("address already in use|port is already allocated", re.IGNORECASE)

# Run by a small Python that then becomes the server: Linux ends the server when we end, kill -9
# included. (Not a preexec_fn: that is unsafe once gRPC has started its threads.)
DIE_WITH_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("whoever asked for this server is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""

# It ends with the server, whose last lines it prints after a Ctrl-C.
PRINT = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
for line in sys.stdin.buffer:
    if b"/dashboard" not in line:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
"""


class StartError(Exception):
    """A server did not come up; the message ends with its log."""


class PortTakenError(StartError):
    """Somebody else took the port between our choosing it and the server's listening on it."""


@dataclass
class Endpoint:
    """Where a Qdrant server answers."""

    url: str
    grpc_port: int
    api_key: str | None = field(default=None, repr=False)


class Server(Endpoint):
    """A Qdrant process of ours; what it stored survives `kill` and `stop`, for `restart`."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.ports.url, node.ports.grpc, node.api_key)
        self.node = node
        self._launch = node.launch()
        self._start()

    @property
    def pid(self) -> int:
        """The server's process id (of the Docker client, where Docker runs the server)."""
        return self._process.pid

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL)."""
        if self._process.poll() is None:
            if self._launch.container:  # it would outlive its client
                docker = self._launch.command[0]
                subprocess.run([docker, "kill", self._launch.container], capture_output=True)
            self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the server in good order (SIGTERM), or by force when it takes too long."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self) -> None:
        """Stop the server if it runs, and start it again on the same ports and storage."""
        self.stop()
        self._start()

    def _start(self) -> None:
        ports = self.node.ports
        if _accepts(ports.http) or _accepts(ports.grpc):
            raise PortTakenError(f"somebody answers on a port of {ports} already")
        self.node.directory.mkdir(parents=True, exist_ok=True)
        starter = [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid())]
        with self.node.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [*starter, *self._launch.command],
                cwd=self.node.directory,
                env=self._launch.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self) -> None:
        seconds = PULL_SECONDS if self._launch.container else START_SECONDS
        deadline = time.monotonic() + seconds
        ports = self.node.ports
        while not (_get(ports.http, "/readyz") and _accepts(ports.grpc)):
            if self._process.poll() is not None:
                break
            if time.monotonic() > deadline:
                raise StartError(f"not ready after {seconds} s at {self.url}; {self._said()}")
            time.sleep(POLL_SECONDS)
        # If a port was taken since, what answered may be another server, and ours may have gone
        # on without gRPC: only its log tells.
        said = self._said()
        if PORT_TAKEN.search(said):
            raise PortTakenError(f"a port of {ports} is taken; {said}")
        if self._process.poll() is not None:
            raise StartError(f"ended with status {self._process.returncode}; {said}")

    def _said(self) -> str:
        with self.node.log.open("rb") as log:
            log.seek(self._log_start)
            return f"{self.node.log} says:\n{log.read().decode(errors='replace')}"


@contextmanager
def running_server(
    storage: Path,
    *,
    api_key: str | None = None,
    log_level: str = "WARN",
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run one server on free ports of the loopback interface, and stop it at the end.

    Args:
        storage: Directory for its data and its log; may hold those of an earlier server.
        api_key: Required of every client; None lets everybody in.
        log_level: Qdrant's own: TRACE, DEBUG, INFO, WARN or ERROR.
        settings: Qdrant's settings, by the name of their environment variable without
            `QDRANT__`, for example `{"STORAGE__WAL__WAL_CAPACITY_MB": "4"}`.

    Raises:
        ServerUnavailable: this machine has neither the binary nor Docker.
        StartError: the server did not come up; the message ends with its log.
    """
    server = _start(Node(storage.resolve(), _free_ports(), api_key, log_level, settings or {}))
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def running_cluster(
    size: int,
    storage: Path,
    *,
    api_key: str | None = None,
    log_level: str = "WARN",
    settings: Mapping[str, str] | None = None,
) -> Iterator[list[Server]]:
    """Run a cluster of `size` servers that all know each other, and stop them at the end.

    The arguments and exceptions are those of `running_server`; each node keeps its data in a
    directory of its own below `storage`. A cluster needs the binary; Docker cannot run it.
    """
    servers: list[Server] = []
    with ExitStack() as stack:
        for number in range(size):
            node = Node(
                directory=storage.resolve() / f"node-{number}",
                ports=_free_ports(),
                api_key=api_key,
                log_level=log_level,
                settings=settings or {},
                cluster=True,
                bootstrap=servers[0].node.ports.p2p_url if servers else None,
            )
            server = _start(node)
            stack.callback(server.stop)
            servers.append(server)
        for server in servers:
            wait_for_peers(server, size)
        yield servers


def _start(node: Node) -> Server:
    for _ in range(START_ATTEMPTS - 1):
        with suppress(PortTakenError):
            return Server(node)
        node = replace(node, ports=_free_ports())
    return Server(node)


def wait_for_peers(server: Server, size: int) -> None:
    """Until a node knows that many nodes of its cluster, itself included, and who leads them.

    Raises:
        StartError: it does not.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        answer = _get(server.node.ports.http, "/cluster", server.api_key)
        cluster: dict[str, Any] = json.loads(answer)["result"] if answer else {}
        if len(cluster.get("peers", ())) == size and cluster["raft_info"]["leader"]:
            return
        time.sleep(POLL_SECONDS)
    raise StartError(f"{server.url} does not see {size} peers after {START_SECONDS} s: {answer!r}")


def _get(port: int, path: str, api_key: str | None = None) -> bytes | None:
    """Return the body of an answer with status 200, or None. Never asks a proxy."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path, headers={"api-key": api_key} if api_key else {})
        response = connection.getresponse()
        return response.read() if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except OSError:
        return False
    return True


def _free_ports() -> Ports:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for reserved in sockets:
            reserved.bind((HOST, 0))
        return Ports(*(reserved.getsockname()[1] for reserved in sockets))


def _print_without_dashboard() -> None:
    """Let stdout go through a process that leaves out the dashboard, which images alone have."""
    printing = subprocess.Popen([sys.executable, "-I", "-S", "-c", PRINT], stdin=subprocess.PIPE)
    assert printing.stdin
    os.dup2(printing.stdin.fileno(), sys.stdout.fileno())


def main() -> None:
    """Become a Qdrant server in the foreground; Ctrl-C stops it."""
    parser = argparse.ArgumentParser(description=f"Run Qdrant {VERSION} on {HOST}.")
    parser.add_argument("--port", type=int, default=6333, help="of the REST API")
    parser.add_argument("--grpc-port", type=int, default=None, help="default: --port + 1")
    parser.add_argument("--storage", type=Path, default=Path(".melon/server"), help="directory")
    parser.add_argument("--log-level", default="INFO", help="TRACE, DEBUG, INFO, WARN or ERROR")
    options = parser.parse_args()

    storage: Path = options.storage.resolve()
    ports = Ports(options.port, options.grpc_port or options.port + 1, p2p=0)
    api_key = os.environ.get("MELON_QDRANT_API_KEY") or None
    launch = Node(storage, ports, api_key, options.log_level).launch()
    storage.mkdir(parents=True, exist_ok=True)
    print(f"Qdrant {VERSION} on {ports.url}, gRPC on {ports.grpc}, data in {storage}", flush=True)
    os.chdir(storage)
    if not launch.container:
        _print_without_dashboard()
    os.execve(launch.command[0], launch.command, launch.environment)


if __name__ == "__main__":
    main()
