"""A server behind TLS whose certificate only a private authority vouches for.

`tls/` holds a certificate that signs itself, and its key; nothing but these tests uses them.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from places import ServerPlace
from store_samples import Sample, publish

from melon.errors import InputError
from melon.store import Collection, StoreUnavailable
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress

AUTHORITY = Path(__file__).parent / "tls" / "certificate.pem"


@pytest.fixture
def address(server_place: ServerPlace) -> Iterator[ServerAddress]:
    """The server's address by HTTPS and gRPC over TLS."""
    plain = server_place.address
    with (
        terminating_tls(int(plain.url.rsplit(":", 1)[1])) as rest,
        terminating_tls(server_place.server.grpc_port) as grpc,
    ):
        yield replace(plain, url=f"https://127.0.0.1:{rest}", grpc_port=grpc)


@contextmanager
def terminating_tls(port: int) -> Iterator[int]:
    """A port that takes TLS, and passes what is in it on to another one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(AUTHORITY, AUTHORITY.with_name("key.pem"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, context, port), daemon=True).start()
        yield listening.getsockname()[1]


def _serve(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):  # until it is closed
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_forward, args=(client, context, port), daemon=True).start()


def _forward(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        suppress(OSError),
        closing(context.wrap_socket(client, server_side=True)) as outside,
        socket.create_connection(("127.0.0.1", port)) as inside,
    ):
        threading.Thread(target=_copy, args=(inside, outside), daemon=True).start()
        _copy(outside, inside)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65_536):
            target.sendall(received)
        target.shutdown(socket.SHUT_RDWR)


def test_rest_and_grpc_trust_a_private_authority(
    address: ServerAddress, songs_sample: Sample
) -> None:
    with ServerStore(replace(address, ca_cert=str(AUTHORITY))) as store:
        publish(store, songs_sample.contents)
        assert store.open().count(Collection.SONGS) == len(songs_sample.songs.ids)


def test_without_the_authority_nothing_is_said(address: ServerAddress) -> None:
    with ServerStore(address) as store, pytest.raises(StoreUnavailable, match="CERTIFICATE"):
        store.releases()


@pytest.mark.parametrize("held", [None, b"", b"no certificate", b"\xff"])
def test_a_file_that_holds_no_authority_is_an_error(
    address: ServerAddress, tmp_path: Path, held: bytes | None
) -> None:
    authority = tmp_path / "authority.pem"
    if held is not None:
        authority.write_bytes(held)
    with pytest.raises(InputError, match="authority cannot be read") as refused:
        ServerStore(replace(address, ca_cert=str(authority)))
    assert refused.value.where == str(authority)
    assert "MELON_QDRANT_CA_CERT" in str(refused.value.hint)
