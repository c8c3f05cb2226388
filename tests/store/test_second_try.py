"""Behind a balancer that closes connections while requests are on their way."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import pytest
from places import ServerPlace
from store_samples import DIM, Sample, points, publish

from melon.store import DENSE, Collection, StoreUnavailable, VectorQuery
from melon.store.server import ServerStore


class Balancer(ThreadingHTTPServer):
    """Answers `kept` requests of each connection, and closes it when one more is there."""

    daemon_threads = True

    def __init__(self, target: str, kept: int, cut: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = urlsplit(target).netloc
        self.kept = kept
        self.cut = cut
        self.asked: list[str] = []
        self.ended = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Balancer
    answered = 0

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        last = self.answered == self.server.kept
        self.server.ended += last
        self.close_connection = last
        self.answered += 1
        if last and not self.server.cut:
            return
        inside = http.client.HTTPConnection(self.server.target)
        inside.request(self.command, self.path, body, dict(self.headers.items()))
        answer = inside.getresponse()
        content = answer.read()
        inside.close()
        self.send_response(answer.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if last else content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def balanced(
    place: ServerPlace, kept: int, cut: bool = False
) -> Iterator[tuple[Balancer, ServerStore]]:
    with Balancer(place.server.url, kept, cut) as balancer:
        thread = Thread(target=balancer.serve_forever)
        thread.start()
        try:
            with ServerStore(replace(place.address, url=balancer.url)) as store:
                yield balancer, store
        finally:
            balancer.shutdown()
            thread.join()


@pytest.mark.parametrize("cut", [False, True], ids=["no answer", "half an answer"])
def test_every_read_is_asked_anew_and_no_write_is_lost(
    server_place: ServerPlace, songs_sample: Sample, cut: bool
) -> None:
    """One request a connection: without a second try, every other read would fail."""
    with balanced(server_place, kept=1, cut=cut) as (balancer, store):
        publish(store, songs_sample.contents)
        ids = list(songs_sample.songs.ids)
        query = VectorQuery(np.ones(DIM, np.float32), DENSE, 3)
        for _ in range(4):
            assert [info.live for info in store.releases()] == [True]
            reader = store.open()
            assert reader.count(Collection.SONGS) == len(ids)
            assert len(reader.retrieve(Collection.SONGS, ids)) == len(ids)
            assert len(reader.query(Collection.SONGS, [query])[0].ids) == 3
            assert len(reader.find(Collection.SONGS, None, 3)) == 3
            assert len(reader.top(Collection.SONGS, "popularity", 3)) == 3
            assert reader.values(Collection.SONGS, "popularity", ids[:3])
            assert reader.facet(Collection.SONGS, "genres", 3)
    assert balancer.ended > 20


def test_a_read_is_asked_twice_and_a_write_once(server_place: ServerPlace) -> None:
    with server_place.open() as store:
        publish(store, {Collection.SONGS: points([1])})
    with balanced(server_place, kept=0) as (balancer, store):
        with pytest.raises(StoreUnavailable):
            store.live()
        assert balancer.asked == ["GET /aliases"] * 2
        del balancer.asked[:]
        with pytest.raises(StoreUnavailable), store._connection.rest() as client:
            client.delete_collection("nothing")
        assert balancer.asked == ["DELETE /collections/nothing"]
