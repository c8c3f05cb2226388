"""How a server is spoken to: connections stay open, and a local one's answers come unpacked."""

from __future__ import annotations

import socket

import pytest
from places import ServerPlace
from store_samples import Sample, publish

from melon.store import Collection


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


def test_a_local_server_does_not_pack_its_answers(
    server_place: ServerPlace, songs_sample: Sample
) -> None:
    with server_place.open() as store:
        publish(store, songs_sample.contents)
        reader = store.open()
        with reader._connection.rest() as client:
            http = client.http.client._client
            answers = []
            http.event_hooks["response"] = [answers.append]
            found = reader.retrieve(Collection.SONGS, songs_sample.songs.ids)
    assert len(found) > 100
    assert "content-encoding" not in answers[0].headers
