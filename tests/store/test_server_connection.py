"""How a server is spoken to: connections stay open, and a local one's answers come unpacked."""

from __future__ import annotations

import socket
import threading

import numpy as np
import pytest
from places import ServerPlace
from store_samples import DIM, Sample, publish

from melon.store import DENSE, SCHEMA, Collection, StoreClosed, VectorQuery
from melon.store.server.reader import _json
from melon.store.server.translate import to_query
from melon.store.server.transport import BACKGROUND_THREADS


def test_requests_share_a_connection(
    server_place: ServerPlace, songs_sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    connect = socket.create_connection

    def counted(*arguments, **options):
        opened.append(arguments[0])
        return connect(*arguments, **options)

    with server_place.open() as store:
        publish(store, songs_sample.contents)
        monkeypatch.setattr(socket, "create_connection", counted)
        reader = store.open()
        for _ in range(5):
            assert reader.count(Collection.SONGS)
    assert len(opened) <= 1


@pytest.mark.parametrize(("fit", "requests"), [(None, 1), (0, 8), (2, 4), (3, 3)])
def test_a_batch_of_queries_is_as_few_requests_as_its_size_allows(
    server_place: ServerPlace,
    songs_sample: Sample,
    monkeypatch: pytest.MonkeyPatch,
    fit: int | None,
    requests: int,
) -> None:
    """fit: how many queries have room in a request; None: as many as it is in earnest."""
    one = VectorQuery(np.ones(DIM, np.float32), DENSE, 3)
    if fit is not None:
        size = len(_json(to_query(one, SCHEMA[Collection.SONGS])))
        monkeypatch.setattr("melon.store.server.reader.QUERY_BYTES", fit * size + size // 2)
    with server_place.open() as store:
        publish(store, songs_sample.contents)
        reader = store.open()
        with store._connection.rest() as client:
            sent = []
            client.http.client._client.event_hooks["request"].append(sent.append)
            answers = reader.query(Collection.SONGS, [one] * 8)
    assert len(sent) == requests
    assert len({tuple(hits.ids) for hits in answers}) == 1
    assert len(answers) == 8


def test_a_local_server_does_not_pack_its_answers(
    server_place: ServerPlace, songs_sample: Sample
) -> None:
    with server_place.open() as store:
        publish(store, songs_sample.contents)
        reader = store.open()
        with store._connection.rest() as client:
            http = client.http.client._client
            answers = []
            http.event_hooks["response"] = [answers.append]
            found = reader.retrieve(Collection.SONGS, songs_sample.songs.ids)
    assert len(found) > 100
    assert "content-encoding" not in answers[0].headers


def test_many_threads_that_share_a_reader_do_not_wait_for_each_other(
    server_place: ServerPlace, songs_sample: Sample
) -> None:
    """As where a server of many threads has one Retriever."""
    with server_place.open() as store:
        publish(store, songs_sample.contents)
        reader = store.open()
        together = threading.Barrier(BACKGROUND_THREADS, timeout=30)

        def count() -> int:
            together.wait()
            return reader.count(Collection.SONGS)

        counts = [reader.in_background(count) for _ in range(BACKGROUND_THREADS)]
        assert [count() for count in counts] == [len(songs_sample.songs.ids)] * BACKGROUND_THREADS


def test_a_closed_store_begins_no_call(server_place: ServerPlace, songs_sample: Sample) -> None:
    with server_place.open() as store:
        publish(store, songs_sample.contents)
        reader = store.open()
        reader.in_background(lambda: reader.count(Collection.SONGS))()
    with pytest.raises(StoreClosed):
        reader.in_background(lambda: reader.count(Collection.SONGS))
