"""Qdrant's client for JavaScript as examples/package-lock.json pins it, for the test of an example.

npm fetches it, so the user's own npm configuration decides where it comes from; what arrives must
have the digests of the lock file.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
CACHE = ROOT / ".cache" / "javascript"
FETCH_SECONDS = 240


class ClientUnavailable(Exception):
    """This machine cannot run JavaScript with the client; the message says what is missing."""


def fetch(cache: Path = CACHE) -> Path:
    """Return a directory whose programs can import the client, made once for each lock file.

    Raises:
        ClientUnavailable: there is no Node.js, or npm could not fetch it.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise ClientUnavailable("Node.js, with npm, is not installed")
    lock = EXAMPLES / "package-lock.json"
    directory = cache / hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    if not directory.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
            for file in (lock, EXAMPLES / "package.json"):
                shutil.copy(file, scratch)
            _install(npm, Path(scratch))
            if not directory.is_dir():
                shutil.copytree(scratch, directory)
    return directory


def _install(npm: str, directory: Path) -> None:
    # Without peers: the client names a compiler as one, which it needs for its types alone.
    command = [npm, "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ClientUnavailable(f"npm did not fetch it within {FETCH_SECONDS} s") from None
    if done.returncode != 0:
        raise ClientUnavailable(f"npm could not fetch it:\n{done.stderr.strip()}")
