"""How to start one Qdrant: ports, settings, and the command line they amount to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qdrant_binary import IMAGE_DIGEST, VERSION, ServerUnavailable, fetch

HOST = "127.0.0.1"
IMAGE = f"qdrant/qdrant:v{VERSION}@{IMAGE_DIGEST}"
DOCKER_SECONDS = 30


@dataclass(frozen=True)
class Launch:
    """A command line and the environment for it, and the container's name if Docker runs it."""

    command: list[str]
    environment: dict[str, str]
    container: str | None = None


@dataclass(frozen=True)
class Ports:
    """The ports of one node on the loopback interface; `p2p` is for the rest of its cluster."""

    http: int
    grpc: int
    p2p: int

    @property
    def url(self) -> str:
        """Address of the REST API."""
        return f"http://{HOST}:{self.http}"

    @property
    def p2p_url(self) -> str:
        """Address at which the other nodes of its cluster reach this one."""
        return f"http://{HOST}:{self.p2p}"


@dataclass(frozen=True)
class Node:
    """One Qdrant that could be started; see `qdrant_server.running_server` for the fields.

    `bootstrap` is the `p2p_url` of a node whose cluster this one joins.
    """

    directory: Path
    ports: Ports
    api_key: str | None = field(default=None, repr=False)
    log_level: str = "WARN"
    settings: Mapping[str, str] = field(default_factory=dict)
    cluster: bool = False
    bootstrap: str | None = None

    @property
    def log(self) -> Path:
        """File of what the server prints."""
        return self.directory / "qdrant.log"

    def launch(self) -> Launch:
        """Return what runs this node in the foreground: the binary, or else Docker.

        Raises:
            ServerUnavailable: neither the binary nor Docker can be used on this machine.
        """
        try:
            binary = fetch()
        except ServerUnavailable as no_binary:
            docker = _working_docker()
            if docker is None:
                reason = f"cannot run Qdrant here: {no_binary}; and no Docker daemon answers"
                raise ServerUnavailable(reason) from None
            return self._launch_container(docker)
        return self._launch_binary(binary)

    def _launch_binary(self, binary: Path) -> Launch:
        settings = self._settings() | {
            "SERVICE__HOST": HOST,
            "SERVICE__HTTP_PORT": str(self.ports.http),
            "SERVICE__GRPC_PORT": str(self.ports.grpc),
            "SERVICE__ENABLE_STATIC_CONTENT": "false",
            "STORAGE__STORAGE_PATH": str(self.directory / "storage"),
            "STORAGE__SNAPSHOTS_PATH": str(self.directory / "snapshots"),
        }
        command = [str(binary)]
        if self.cluster:
            settings |= {"CLUSTER__ENABLED": "true", "CLUSTER__P2P__PORT": str(self.ports.p2p)}
            command += ["--uri", self.ports.p2p_url]
        if self.bootstrap:
            command += ["--bootstrap", self.bootstrap]
        return Launch(command, _environment(settings))

    def _launch_container(self, docker: str) -> Launch:
        if self.cluster:
            raise ServerUnavailable("a cluster on loopback needs the binary, not Docker")
        settings = self._settings()
        container = f"melon-qdrant-{self.ports.http}"
        command = [
            *(docker, "run", "--rm", "--name", container),
            *("--publish", f"{HOST}:{self.ports.http}:6333"),
            *("--publish", f"{HOST}:{self.ports.grpc}:6334"),
            *("--volume", f"{self.directory / 'storage'}:/qdrant/storage"),
        ]
        # By name only: the values, an API key among them, stay out of the process list.
        command += [f"--env=QDRANT__{name}" for name in settings]
        return Launch([*command, IMAGE], _environment(settings), container)

    def _settings(self) -> dict[str, str]:
        # No API key is left out, not empty: Qdrant takes "" for a key, and refuses everybody.
        key = {"SERVICE__API_KEY": self.api_key} if self.api_key else {}
        always = {"LOG_LEVEL": self.log_level, "TELEMETRY_DISABLED": "true"}
        return always | key | dict(self.settings)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our environment with these Qdrant settings, and none that happened to be set already."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("QDRANT_")}
    return ours | {f"QDRANT__{name}": value for name, value in settings.items()}


def _working_docker() -> str | None:
    docker = shutil.which("docker")
    if docker is None:
        return None
    command = [docker, "version", "--format", "{{.Server.Version}}"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=DOCKER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    return docker if asked.returncode == 0 else None
