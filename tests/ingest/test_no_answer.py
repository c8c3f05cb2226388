"""A store that cannot be asked says nothing of its releases: none is built beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from places import DirectoryPlace, ServerPlace, place_on

from melon.embedding import EmbeddingSpace
from melon.errors import MelonError
from melon.ingest import Outcome, SparseWeights, ingest, release_name
from melon.store import ReleaseReader, StoreUnavailable, VectorStore
from melon.store.embedded import EmbeddedStore
from melon.store.server import ServerStore

LIMITED = """
import resource, signal, sys
from melon.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
main()
"""


@pytest.fixture
def root() -> Iterator[Path]:
    with place_on("embedded", None) as place:
        assert isinstance(place, DirectoryPlace)
        yield place.root


def ingest_limited(space: EmbeddingSpace, root: Path, at: Path, largest: int) -> str:
    """What `melon ingest` says where no file may have more bytes than that."""
    space.save(at)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MELON_")}
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(largest), "ingest", str(at), "--path", str(root)],
        env=kept,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_without_room_nothing_is_built(space: EmbeddingSpace, root: Path, tmp_path: Path) -> None:
    said = ingest_limited(space, root, tmp_path / "space", 1_000_000)
    assert "make room on the disk" in said
    assert list((root / "releases").iterdir()) == []
    with EmbeddedStore(root) as store:
        assert ingest(space, store).outcome is Outcome.BUILT


@dataclass(frozen=True)
class Fault:
    """The first request whose path ends so, and whose body holds `naming`, fails.

    By a status, or by silence; what is `lost` is only the answer, after the server has done it.
    """

    path: str
    naming: bytes = b""
    status: int | None = None
    lost: bool = False


@contextmanager
def in_front(place: ServerPlace, fault: Fault) -> Iterator[ServerStore]:
    """The place behind a proxy that has a fault."""
    over = threading.Event()
    failed: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # which would wait between an answer's head and its body

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.partition("?")[0]
            if failed or not path.endswith(fault.path) or fault.naming not in body:
                self.answer(*self.ask(body))
                return
            failed.append(self.path)
            if fault.lost:
                status, _ = self.ask(body)
                assert status == 200
                self.close_connection = True
            elif fault.status is not None:
                self.answer(fault.status, b"{}")
            else:
                over.wait()
                self.close_connection = True

        def ask(self, body: bytes) -> tuple[int, bytes]:
            kept = ("api-key", "content-type")
            headers = {name: self.headers[name] for name in kept if name in self.headers}
            url = place.server.url + self.path
            request = Request(url, body or None, headers, method=self.command)
            try:
                with urlopen(request) as answer:
                    return answer.status, answer.read()
            except HTTPError as error:
                with error:
                    return error.code, error.read()

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{proxy.server_port}"
    try:
        with ServerStore(replace(place.address, url=url, timeout=2)) as store:
            yield store
        assert failed
    finally:
        over.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()


@pytest.mark.parametrize(
    ("status", "error"), [(None, StoreUnavailable), (503, MelonError), (403, StoreUnavailable)]
)
def test_a_server_that_does_not_answer_is_an_error(
    server_place: ServerPlace,
    space: EmbeddingSpace,
    status: int | None,
    error: type[MelonError],
) -> None:
    with server_place.open() as store:
        live = ingest(space, store).manifest.release
        held = server_place.collections()
        counting = Fault("/points/count", status=status)
        with in_front(server_place, counting) as busy, pytest.raises(error):
            ingest(space, busy)
        assert server_place.collections() == held
        assert [info.manifest.release for info in store.releases()] == [live]
        assert ingest(space, store).outcome is Outcome.UNCHANGED


def test_a_release_is_not_left_complete_without_its_collections(
    server_place: ServerPlace, space: EmbeddingSpace
) -> None:
    """The server has stored the manifest, and the ingest does not know it."""
    with server_place.open() as store:
        sealing = Fault("_releases/points", naming=b"title_tokenizer", lost=True)
        with in_front(server_place, sealing) as cut_off, pytest.raises(StoreUnavailable):
            ingest(space, cut_off)
        assert store.releases() == []
        assert server_place.collections() == {f"{server_place.prefix}_releases"}
        result = ingest(space, store)
        assert result.outcome is Outcome.BUILT
        assert result.manifest.release == release_name(space, SparseWeights())


@pytest.mark.parametrize("lost", [True, False])
def test_a_build_mark_that_stays_does_not_fail_what_is_done(
    server_place: ServerPlace, space: EmbeddingSpace, lost: bool
) -> None:
    with in_front(server_place, Fault("_releases/points/delete", lost=lost)) as cut_off:
        assert ingest(space, cut_off).outcome is Outcome.BUILT
    with server_place.open() as store:
        assert store.live() == release_name(space, SparseWeights())


def test_aliases_that_moved_without_an_answer_are_no_failure(
    server_place: ServerPlace, space: EmbeddingSpace
) -> None:
    alias = f'"{server_place.prefix}_words"'
    moving = Fault("/collections/aliases", naming=alias.encode(), lost=True)
    with in_front(server_place, moving) as cut_off:
        assert ingest(space, cut_off).outcome is Outcome.BUILT
    with server_place.open() as store:
        assert store.live() == release_name(space, SparseWeights())


def test_a_shard_that_cannot_be_opened_for_want_of_room_is_an_error(
    space: EmbeddingSpace, root: Path, tmp_path: Path
) -> None:
    with EmbeddedStore(root) as store:
        live = ingest(space, store).manifest.release
        said = ingest_limited(space, root, tmp_path / "space", 0)  # opening writes a little
        assert "the shard cannot be opened" in said
        assert "make room on the disk" in said
        assert [path.name for path in (root / "releases").iterdir()] == [live]


def test_what_was_looked_at_is_closed_again(
    store: VectorStore, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(space, store)
    opened: list[ReleaseReader] = []
    closed: list[ReleaseReader] = []
    open_release = type(store).open

    def watched(self: VectorStore, release: str | None = None) -> ReleaseReader:
        reader = open_release(self, release)
        close = reader.close
        monkeypatch.setattr(reader, "close", lambda: (closed.append(reader), close()))
        opened.append(reader)
        return reader

    monkeypatch.setattr(type(store), "open", watched)
    assert ingest(space, store).outcome is Outcome.UNCHANGED
    assert len(opened) == 1
    assert closed == opened
