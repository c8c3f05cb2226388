"""Whatever a server or a gateway before it answers, it is an answer or an error of melon's.

`MELON_TEST_ANSWERS` is how many random answers each method gets: 1,000 by hand, few by default.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import grpc
import numpy as np
import pytest
from gateways import grpc_service, listening
from places import SERVER, ServerPlace, place_on
from qdrant_server import Endpoint
from store_samples import DIM, FIRST_SONG, Sample, manifest, points, publish

from melon.errors import MelonError
from melon.store import DENSE, Collection, Filter, NumberRange, StoreUnavailable, VectorQuery
from melon.store.server import ServerStore
from melon.store.server.upsert import to_upsert

ANSWERS = int(os.environ.get("MELON_TEST_ANSWERS", "15"))
SONGS = Collection.SONGS

STATUSES = [200, 200, 200, 201, 202, 204, 301, 302, 304, 400, 401, 403, 404, 405, 407, 408, 409]
STATUSES += [411, 413, 418, 422, 429, 429, 451, 500, 501, 502, 503, 503, 504, 521, 599, 999]
RETRY_AFTER = ["0", "5", "99999", "-1", "soon", "", "1e3", "9" * 400, formatdate(0), "٣"]
HTML = b"<!doctype html><html><body>Please sign in</body></html>"
ODD: list[Any] = [
    None,
    True,
    -1,
    0.5,
    10**30,
    "",
    "x",
    [],
    {},
    [[]],
    {"": None},
    "\ud800",
    [1, "a"],
]


def random_json(chance: random.Random, depth: int = 3) -> Any:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(ODD)
    if chance.random() < 0.5:
        return [random_json(chance, depth - 1) for _ in range(chance.randrange(4))]
    names = ["result", "status", "points", "id", "score", "payload", "aliases", "config", "count"]
    chosen = chance.sample(names, chance.randrange(4))
    return {name: random_json(chance, depth - 1) for name in chosen}


def spoilt(chance: random.Random, answer: Any) -> Any:
    """The same with one value, somewhere in it, replaced or left out."""
    if not answer or not isinstance(answer, dict | list) or chance.random() < 0.1:
        return chance.choice(ODD)
    copy = dict(answer) if isinstance(answer, dict) else list(answer)
    key = chance.choice(list(copy) if isinstance(copy, dict) else range(len(copy)))
    if chance.random() < 0.15:
        del copy[key]
    else:
        copy[key] = spoilt(chance, copy[key])
    return copy


def random_body(chance: random.Random, real: bytes) -> bytes:
    """HTML, JSON of any shape, deep, or huge; mostly the true answer, spoilt."""
    kind = chance.randrange(12)
    if kind == 0:
        return chance.choice([HTML, b"", b"\xff\xfe\x00", b"OK", chance.randbytes(50)])
    if kind == 1:
        deep = chance.choice([200, 5_000, 100_000])
        return b'{"result":' + b"[" * deep + b"]" * deep + b"}"
    if kind == 2:
        return b'{"result":{"points":[' + b"1," * 200_000 + b"1]}}"
    if kind == 3:
        return b'{"result":' + b"9" * 6_000 + b"}"
    if kind == 4:
        return real[: chance.randrange(len(real) + 1)]
    with suppress(ValueError):
        if kind > 5:
            return json.dumps(spoilt(chance, json.loads(real))).encode()
    return json.dumps(random_json(chance)).encode()


class Gateway(ThreadingHTTPServer):
    """Passes requests on, but answers as chance has it while `troubled`."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), GatewayHandler)
        self.target = urlsplit(target).netloc
        self.chance = random.Random(0)
        self.troubled = False
        self.answered = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Clients end connections on what they do not understand."""


class GatewayHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway
    disable_nagle_algorithm = True  # or each answer takes 40 ms

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        inside = http.client.HTTPConnection(self.server.target)
        inside.request(self.command, self.path, body, dict(self.headers.items()))
        answer = inside.getresponse()
        real = answer.read()
        inside.close()
        chance = self.server.chance
        if not self.server.troubled or chance.random() < 0.4:
            self.send(answer.status, real, {"content-type": "application/json"})
            return
        self.server.answered += 1
        if (way := chance.random()) < 0.05:
            self.close_connection = True
        elif way < 0.1:
            self.wfile.write(chance.choice([b"\x00" * 40, b"HTTP/9 x\r\n\r\n", real, b"HTTP/1.1"]))
            self.close_connection = True
        else:
            self.send_any(chance, random_body(chance, real))

    def send_any(self, chance: random.Random, body: bytes) -> None:
        status = 200 if chance.random() < 0.5 else chance.choice(STATUSES)
        headers = {"content-type": chance.choice(["application/json", "text/html; charset=x", ""])}
        if status in (429, 503) and chance.random() < 0.8:
            headers["retry-after"] = chance.choice(RETRY_AFTER).encode().decode("latin-1")
        if 300 < status < 400 or chance.random() < 0.05:
            headers["location"] = chance.choice(["https://login.example/?x", "//[", "/", ""])
        if chance.random() < 0.05:
            headers["content-encoding"] = chance.choice(["gzip", "br", "x"])
            body = chance.choice([body, gzip.compress(body)])
        if chance.random() < 0.1:
            headers["content-length"] = str(len(body) + chance.choice([1, 1000]))
            self.close_connection = True
        self.send(status, body, headers)

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(gateway: Gateway) -> Iterator[Gateway]:
    with gateway:
        thread = threading.Thread(target=gateway.serve_forever)
        thread.start()
        try:
            yield gateway
        finally:
            gateway.shutdown()
            thread.join()


@dataclass
class Behind:
    """A store with release r1, and one behind a gateway."""

    gateway: Gateway
    store: ServerStore


@pytest.fixture(scope="module")
def behind(qdrant_server: Endpoint, songs_sample: Sample) -> Iterator[Behind]:
    with place_on(SERVER, qdrant_server) as place:
        assert isinstance(place, ServerPlace)
        with place.open() as store:
            publish(store, songs_sample.contents)
            publish(store, {SONGS: points([1])}, "r2")
            store.promote("r1")
        with serving(Gateway(qdrant_server.url)) as gateway:
            address = replace(place.address, url=gateway.url, timeout=1, api_key="any")
            with ServerStore(address) as store:
                yield Behind(gateway, store)


IDS = [FIRST_SONG + n for n in range(5)]
POPULAR = Filter(must=(NumberRange("popularity", gte=1),))
QUERY = VectorQuery(np.ones(DIM, np.float32), DENSE, 5, POPULAR, ("name",))


def build(store: ServerStore) -> None:
    """A whole release; what fails is removed, if that does not fail, too."""
    builder = store.build(manifest("r3"))
    try:
        builder.upsert(SONGS, points(IDS))
        builder.finish()
        builder.seal()
    finally:
        builder.abandon()


METHODS: dict[str, Callable[[ServerStore], object]] = {
    "live": lambda store: store.live(),
    "releases": lambda store: store.releases(),
    "astray": lambda store: store.astray(),
    "engine_version": lambda store: store.engine_version(),
    "open": lambda store: store.open(),
    "check_rights": lambda store: store._connection.check_rights(),
    "limits": lambda store: store._connection.limits(store._connection.name(SONGS, "r1")),
    "marks": lambda store: store._registry.marks(),
    "retrieve": lambda store: reader(store).retrieve(SONGS, IDS, vectors=True, sparse=True),
    "query": lambda store: reader(store).query(SONGS, [QUERY] * 3),
    "values": lambda store: reader(store).values(SONGS, "popularity", IDS),
    "top": lambda store: reader(store).top(SONGS, "popularity", 5),
    "find": lambda store: reader(store).find(SONGS, POPULAR, 5),
    "count": lambda store: reader(store).count(SONGS, POPULAR),
    "facet": lambda store: reader(store).facet(SONGS, "genres", 5),
    "promote": lambda store: store.promote("r2"),
    "build": build,
    "drop": lambda store: store.drop("r2"),
}


def reader(store: ServerStore) -> Any:
    """A reader that needs no answer to be opened."""
    from melon.store.server.reader import ServerReader

    return ServerReader(store._connection, manifest("r1"))


@pytest.mark.parametrize("method", METHODS)
def test_random_answers_are_answers_or_errors_of_melon(behind: Behind, method: str) -> None:
    """And the next request works."""
    gateway, store, ask = behind.gateway, behind.store, METHODS[method]
    gateway.chance.seed(method)
    seen = gateway.answered = 0
    while gateway.answered < ANSWERS and seen < 10 * ANSWERS:
        seen += 1
        gateway.troubled = True
        with suppress(MelonError):
            ask(store)
        gateway.troubled = False
        assert reader(store).count(SONGS) == 300
    assert gateway.answered >= ANSWERS


class RandomUploads(grpc.GenericRpcHandler):
    """Answers every call as chance has it."""

    def __init__(self) -> None:
        self.chance = random.Random(1)
        self.answered = 0
        self.troubled = True

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            if not self.troubled:
                return b""
            self.answered += 1
            chance = self.chance
            if chance.random() < 0.3:
                return chance.choice([b"", b"\xff" * 9, chance.randbytes(30), b"\x0a" * 10_000])
            code = chance.choice([code for code in grpc.StatusCode if code.value[0]])
            after = chance.choice([*RETRY_AFTER[:7], None])
            if after is not None:
                context.set_trailing_metadata((("retry-after", after),))
            details = chance.choice(["", "no", "<html>", "Write rate limit exceeded"])
            context.abort(code, details)
            raise AssertionError("abort raises")

        return grpc.unary_unary_rpc_method_handler(handle)


def upload(store: ServerStore) -> None:
    store._connection.upload(to_upsert("any", points(IDS), None))


def test_random_answers_by_grpc_are_errors_of_melon(server_place: ServerPlace) -> None:
    handler = RandomUploads()
    with (
        grpc_service(handler) as port,
        ServerStore(replace(server_place.address, grpc_port=port, timeout=1)) as store,
    ):
        while handler.answered < ANSWERS:
            handler.troubled = True
            with suppress(MelonError):
                upload(store)
            handler.troubled = False
            upload(store)


@pytest.mark.parametrize(
    "said",
    [b"", HTML, b"HTTP/1.1 302 Found\r\n\r\n", b"\x00" * 99],
    ids=["end", "html", "302", "0"],
)
def test_what_is_no_grpc_at_all_is_an_error_of_melon(
    server_place: ServerPlace, said: bytes
) -> None:
    with (
        listening(lambda connection: connection.sendall(said)) as url,
        ServerStore(
            replace(server_place.address, grpc_port=int(url.rpartition(":")[2]), timeout=1)
        ) as store,
        pytest.raises(StoreUnavailable, match="gRPC on port"),
    ):
        upload(store)
