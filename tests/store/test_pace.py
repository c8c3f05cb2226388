"""Where a server lets no more requests through: they wait as it says, or end with the wait."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from email.utils import formatdate

import grpc
import pytest
from gateways import answering, grpc_service
from places import ServerPlace
from qdrant_client import models
from store_samples import Sample, manifest, points, publish

from melon.store import Collection, LimitReached, StoreClosed, StoreUnavailable
from melon.store.server import ServerStore
from melon.store.server.pace import LONGEST_SECONDS, NO_WORD_SECONDS, Pace, seconds_to_wait
from melon.store.server.upsert import to_upsert

SONGS = Collection.SONGS
POINTS = points([1, 2, 3])


def upload(store: ServerStore) -> None:
    store._connection.upload(to_upsert("any", POINTS, None))


class Limiting(grpc.GenericRpcHandler):
    """Answers the first call with a status, and takes the others."""

    def __init__(self, code: grpc.StatusCode, retry_after: str | None = None) -> None:
        self.code = code
        self.retry_after = retry_after
        self.calls = 0

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls += 1
            if self.calls == 1:
                if self.retry_after is not None:
                    context.set_trailing_metadata((("retry-after", self.retry_after),))
                context.abort(self.code, "no")
            return b""

        return grpc.unary_unary_rpc_method_handler(handle)


def test_an_upload_is_sent_again_if_its_connection_ends(server_place: ServerPlace) -> None:
    handler = Limiting(grpc.StatusCode.UNAVAILABLE)
    with (
        grpc_service(handler) as port,
        ServerStore(replace(server_place.address, grpc_port=port)) as store,
    ):
        upload(store)
    assert handler.calls == 2


def test_a_build_waits_longer_and_tells_of_it(server_place: ServerPlace) -> None:
    told: list[tuple[str, int, int | None]] = []
    handler = Limiting(grpc.StatusCode.RESOURCE_EXHAUSTED, "2")
    with (
        grpc_service(handler) as port,
        ServerStore(replace(server_place.address, grpc_port=port, timeout=1)) as store,
    ):
        builder = store.build(manifest(), lambda *step: told.append(step))
        builder.upsert(SONGS, POINTS)
        builder._wait_for_answers(0)
        builder.abandon()
        assert handler.calls == 2
        handler.calls = 0
        with pytest.raises(StoreUnavailable, match="no more requests through for 2 seconds"):
            upload(store)
    assert ("wait for the server", 1, 2) in told


def test_a_rate_limit_is_waited_for(server_place: ServerPlace, songs_sample: Sample) -> None:
    """A server that allows 60 requests a minute lets the next one through after a second."""
    with server_place.open() as store:
        publish(store, songs_sample.contents)
        with store._connection.rest() as client:
            limits = models.StrictModeConfig(enabled=True, read_rate_limit=60)
            client.update_collection(f"{server_place.prefix}_songs", strict_mode_config=limits)
        began = time.monotonic()
        found = [store.open().count(SONGS) for _ in range(62)]
        assert time.monotonic() - began > 1
        assert set(found) == {300}


def test_what_is_too_long_or_will_never_be_is_an_error(
    server_place: ServerPlace, songs_sample: Sample
) -> None:
    with ServerStore(replace(server_place.address, timeout=2)) as store:
        publish(store, songs_sample.contents)
        name = f"{server_place.prefix}_songs__r1"
        with store._connection.rest() as client:
            limits = models.StrictModeConfig(enabled=True, read_rate_limit=1, write_rate_limit=9)
            client.update_collection(name, strict_mode_config=limits)
        reader = store.open()
        with pytest.raises(StoreUnavailable, match=r"no more requests through for [56].* seconds"):
            [reader.count(SONGS) for _ in range(9)]
        with pytest.raises(LimitReached) as caught:
            store._connection.upload(to_upsert(name, points(range(10)), None))
        assert caught.value.limit == "write_rate_limit"


def test_closing_ends_the_waiting() -> None:
    pace = Pace("there", 60)
    threading.Timer(0.1, pace.close).start()
    with pytest.raises(StoreClosed):
        pace.wait(50, 0)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("0", 0), ("120", 120), (" 7 ", 7), (formatdate(0, usegmt=True), 0), (None, NO_WORD_SECONDS)]
    + [("9" * 400, LONGEST_SECONDS), (formatdate(2e10, usegmt=True), LONGEST_SECONDS)]
    + [(odd, NO_WORD_SECONDS) for odd in ("", "soon", "-5", "1.5.3", "²")],
)
def test_how_long_to_wait(said: str | None, seconds: float) -> None:
    assert seconds_to_wait(said) == seconds


def test_what_a_callback_raises_in_a_wait_is_not_taken_for_the_servers(
    server_place: ServerPlace,
) -> None:
    def stop(*_: object) -> None:
        raise ValueError("ours")

    with (
        answering(429, b"no", headers={"retry-after": "1"}) as url,
        ServerStore(replace(server_place.address, url=url)) as store,
    ):
        store._connection.pace.begin_build(stop)
        with pytest.raises(ValueError, match="ours"):
            store.live()
