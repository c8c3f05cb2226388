"""The tutorial, command by command, on a part of its playlists."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
PLAYLISTS = 60
"""Of 2,000: enough to learn a ranking from, in a few seconds."""


@pytest.mark.usefixtures("nothing_found")
def test_every_command_of_the_tutorial_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^\$ (.*)$", "".join(blocks), re.MULTILINE)
    assert len(commands) > 12
    for command in commands:
        words = shlex.split(command)
        if words[0] in ("pip", "head"):
            continue
        if words[:2] == ["melon", "serve"]:
            serve(tmp_path)
            continue
        run(words, tmp_path)
        if words[0] == "python":
            shorten(tmp_path / "export.csv")
    assert (tmp_path / "map.html").stat().st_size > 100_000
    assert (tmp_path / "rainy.m3u8").read_text("utf-8").startswith("#EXTM3U")


def run(words: list[str], where: Path) -> None:
    program, *rest = words
    start = ["-m", "melon.cli"] if program == "melon" else []
    rest = [str(ROOT / word) if word.startswith("examples/") else word for word in rest]
    done = subprocess.run(
        [sys.executable, *start, *rest],
        cwd=where,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (words, done.stderr)


def serve(where: Path) -> None:
    """Ask the service that the tutorial ends with for its page, on a free port."""
    command = [sys.executable, "-m", "melon.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=where, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stderr
        try:
            address = next(
                found[0]
                for line in service.stderr
                if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
            )
            with httpx.Client(base_url=address, timeout=30) as client:
                assert "<title>" in client.get("/").text
                asked = client.get("/api/v1/query", params={"title": "rainy day"})
            assert asked.json()["songs"]
        finally:
            service.terminate()


def shorten(file: Path) -> None:
    head, *rows = file.read_text("utf-8").splitlines(keepends=True)
    names = list(dict.fromkeys(row.split(",")[0] for row in rows))[:PLAYLISTS]
    file.write_text("".join([head, *(row for row in rows if row.split(",")[0] in names)]), "utf-8")


TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MELON_")}
