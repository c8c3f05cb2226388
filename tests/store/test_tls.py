"""A server behind TLS whose certificate only a private authority vouches for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gateways import AUTHORITY, terminating_tls
from places import ServerPlace
from store_samples import Sample, publish

from melon.errors import InputError
from melon.store import Collection, StoreUnavailable
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress


@pytest.fixture
def address(server_place: ServerPlace) -> Iterator[ServerAddress]:
    """The server's address by HTTPS and gRPC over TLS."""
    plain = server_place.address
    with (
        terminating_tls(int(plain.url.rsplit(":", 1)[1])) as rest,
        terminating_tls(server_place.server.grpc_port) as grpc,
    ):
        yield replace(plain, url=f"https://127.0.0.1:{rest}", grpc_port=grpc)


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
