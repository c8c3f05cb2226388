"""Whatever names, files and servers say, nothing that a terminal acts upon reaches it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from command_line import Done, melon, melon_process
from fuzz_inputs import repair_manifest
from odd_release import build

from melon.embedding import EmbeddingSpace
from melon.store import Collection, Payload, PointId
from melon.store.embedded import EmbeddedStore

NASTY = "\x1b[2J\x07\r\n\x08\x7f\x9b31m\u202e\u2066\u200f\u2028\x1b]0;title\x07"
ACTED_UPON = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
NAMES = {"name", "title", "tag", "tags", "artists", "genre_names", "album", "word"}


def check(done: Done) -> None:
    """What a command printed has lines, and nothing else for a terminal to act upon."""
    for text in (done.out, done.err):
        found = ACTED_UPON.search(text)
        assert found is None, repr(text[max(found.start() - 40, 0) : found.end()])


@pytest.fixture(scope="module")
def nasty(demo_space: EmbeddingSpace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store at a nasty place, of which each name is nasty."""
    root = tmp_path_factory.mktemp("nasty") / f"store{NASTY}".replace("\0", "")

    def named(collection: Collection, point: PointId, payload: Payload) -> Payload:
        changed: Payload = {}
        for name, value in payload.items():
            if name in NAMES:
                value = [f"{v}{NASTY}" for v in value] if type(value) is list else f"{value}{NASTY}"
            changed[name] = value
        return changed | {"key": f"{collection}:{point}{NASTY}", "vector_source": 7}

    with EmbeddedStore(root) as store:
        build(demo_space, store, named)
    manifest = root / "releases" / "odd" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["genres"] = {code: f"{name}{NASTY}" for code, name in content["genres"].items()}
    content["melon_version"] = content["space"] = NASTY
    manifest.write_text(json.dumps(content))
    repair_manifest(manifest)
    return root


@pytest.mark.parametrize(
    "command",
    [
        ["query", "--title", "rainy day", "--song", "1", "--explain"],
        ["query", "--tag", f"no{NASTY}", "--song", f"no{NASTY}"],
        ["query", "--song", "1", "--genre", f"no{NASTY}"],
        ["query", "--playlist", f"no{NASTY}"],
        ["query", "--title", "rain", "--where", f"name{NASTY} = 1"],
        ["similar", "--song", "1", "--to", "songs,tags,playlists,words"],
        ["similar", "--tag", f"no{NASTY}"],
        ["find", "rain"],
        ["show", "song", "1"],
        ["show", "playlist", "1"],
        ["show", "artist", f"no{NASTY}"],
        *(["list", kind] for kind in ("tags", "artists", "genres", "fields")),
        ["status"],
        ["releases"],
        ["releases", "promote", f"no{NASTY}"],
        ["query", f"--no{NASTY}"],
        [f"no{NASTY}"],
    ],
    ids=lambda command: " ".join(command)[:24].encode("ascii", "replace").decode(),
)
def test_a_nasty_catalogue(nasty: Path, command: list[str]):
    store = ["--path", str(nasty)]
    for more, width in (([], "100"), (["--json"], "0")):
        done = melon(*command, *store, *more, environment={"COLUMNS": width})
        check(done)
        assert done.code == 2 or done.out, done.err


def test_json_says_the_same_in_escapes(nasty: Path):
    found = melon("list", "tags", "--json", "--path", str(nasty)).json()
    assert all(NASTY in one["tag"] for one in found["tags"])


@pytest.mark.parametrize(
    "command",
    [
        ["train", "{file}"],
        ["ingest", "{file}"],
        ["import", "{file}", "{file}out"],
        ["split", "{file}", "{file}out"],
        ["evaluate", "{file}", "{file}"],
        ["score", "{file}", "{file}"],
        ["query", "--title", "rain", "--path", "{file}"],
    ],
    ids=lambda command: command[0],
)
def test_nasty_files(tmp_path: Path, command: list[str]):
    file = tmp_path / f"no{NASTY}"
    file.write_text(f'[{{"id": "{NASTY}", "{NASTY}": 1}}]')
    for path in (file, tmp_path / f"missing{NASTY}"):
        check(melon(*(part.format(file=path) for part in command)))


class _Server(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = json.dumps({"title": f"qdrant {NASTY}", "status": {"error": NASTY}}).encode()
        self.send_response(self.server.code)  # type: ignore[attr-defined]
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(params=[200, 400, 403, 500])
def nasty_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server of which each answer is nasty."""
    server = HTTPServer(("127.0.0.1", 0), _Server)
    server.code = request.param  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_nasty_server(nasty_server: str):
    for command in (["query", "--title", "rain"], ["releases"], ["status", "--json"]):
        done = melon(*command, "--url", nasty_server)
        assert done.code in (1, 2)
        check(done)


def test_warnings_and_tracebacks():
    script = (
        "import warnings; from melon.commands.console import guard_stderr; guard_stderr();"
        f"warnings.warn({NASTY!r}); raise ValueError({NASTY!r})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "warning: " in done.stderr
    assert "ValueError: " in done.stderr
    check(Done(done.returncode, done.stdout, done.stderr))


def test_log_lines(nasty: Path):
    done = melon_process("show", "song", "1", "--path", str(nasty))
    assert "its field 'vector_source' cannot be 7" in done.err
    check(done)
