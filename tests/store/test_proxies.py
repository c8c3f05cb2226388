"""By which way a server is reached: REST and gRPC go the same, and never round this machine."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
from places import ServerPlace
from store_samples import points, publish

from melon.errors import InputError
from melon.settings import Settings
from melon.store import Collection, StoreUnavailable, open_store
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress
from melon.store.server.proxies import Proxy

PROXY = "http://proxy.invalid:3128"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("http", "https", "all", "no", "grpc"):
        monkeypatch.delenv(f"{kind}_proxy", raising=False)
        monkeypatch.delenv(f"{kind.upper()}_PROXY", raising=False)


@pytest.fixture
def refusing_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a proxy that lets nobody through, and the first lines that it heard."""
    heard: list[bytes] = []

    def refuse() -> None:
        with suppress(OSError):  # until it is closed
            while True:
                client, _ = proxy.accept()
                with client:
                    heard.append(client.recv(4096).split(b"\r\n")[0])
                    client.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as proxy:
        Thread(target=refuse, daemon=True).start()
        yield f"http://user:secret@127.0.0.1:{proxy.getsockname()[1]}", heard


def test_a_server_on_this_machine_is_reached_without(
    server_place: ServerPlace,
    refusing_proxy: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy elsewhere could not reach it, and would be given its key."""
    url, heard = refusing_proxy
    with monkeypatch.context() as environment:
        for variable in ("HTTP_PROXY", "http_proxy", "https_proxy", "grpc_proxy", "ALL_PROXY"):
            environment.setenv(variable, url)
        with server_place.open() as store:
            publish(store, {Collection.SONGS: points([1, 2])})
            assert store.open().count(Collection.SONGS) == 2
    assert heard == []


def test_another_is_asked_by_the_same_proxy_by_rest_and_grpc(
    refusing_proxy: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, heard = refusing_proxy
    monkeypatch.setenv("HTTP_PROXY", url)
    monkeypatch.setenv("grpc_proxy", "http://another.invalid:1")
    with ServerStore(ServerAddress("http://qdrant.invalid:6333", timeout=2)) as store:
        with pytest.raises(StoreUnavailable) as caught:
            store.live()
        assert "secret" not in str(caught.value)
        with pytest.raises(StoreUnavailable), store._connection.grpc() as client:
            client.get_collections()
    assert heard[0].startswith(b"GET http://qdrant.invalid:6333/aliases")
    assert b"CONNECT qdrant.invalid:6334 HTTP/1.1" in heard


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        ("http://a.example", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://a.example", {"http_proxy": "proxy.invalid:3128"}, PROXY),
        ("https://a.example", {"HTTP_PROXY": PROXY}, None),
        ("https://a.example", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://a.example", {"ALL_PROXY": PROXY}, PROXY),
        ("http://a.example", {"HTTP_PROXY": "", "ALL_PROXY": ""}, None),
        ("http://localhost:6333", {"ALL_PROXY": PROXY}, None),
        ("http://LOCALHOST.:6333", {"ALL_PROXY": PROXY}, None),
        ("http://qdrant.localhost:6333", {"ALL_PROXY": PROXY}, None),
        ("http://127.3.2.1", {"ALL_PROXY": PROXY}, None),
        ("http://[::1]:6333", {"ALL_PROXY": PROXY}, None),
        ("http://[::ffff:127.0.0.1]", {"ALL_PROXY": PROXY}, None),
        ("http://0.0.0.0:6333", {"ALL_PROXY": PROXY}, None),
        ("http://localhost.example", {"ALL_PROXY": PROXY}, PROXY),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": "b, a.example"}, None),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": "b a.example"}, None),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": ".example"}, None),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": "*.example"}, None),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": "EXAMPLE"}, None),
        ("http://a.example", {"ALL_PROXY": PROXY, "NO_PROXY": "http://a.example"}, None),
        ("http://a.example:1", {"ALL_PROXY": PROXY, "NO_PROXY": "a.example:1"}, None),
        ("http://a.example:1", {"ALL_PROXY": PROXY, "NO_PROXY": "a.example:2"}, PROXY),
        ("http://ba.example", {"ALL_PROXY": PROXY, "NO_PROXY": "a.example,,."}, PROXY),
        ("http://10.1.2.3", {"ALL_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, None),
        ("http://11.1.2.3", {"ALL_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, PROXY),
        ("http://[fd00::1]", {"ALL_PROXY": PROXY, "NO_PROXY": "[fd00::1]"}, None),
        ("http://[fd00::1]", {"ALL_PROXY": PROXY, "NO_PROXY": "fd00::/8"}, None),
    ],
)
def test_the_proxy_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, url: str, variables: dict[str, str], proxy: str | None
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    found = Proxy.towards(url)
    assert (found and found.url) == proxy


@pytest.mark.parametrize(
    ("variables", "variable", "texts"),
    [
        (
            {"HTTPS_PROXY": "socks5://u:secret@p:1080"},
            "HTTPS_PROXY",
            ["socks5://p:1080", "socksio"],
        ),
        ({"all_proxy": "socks5h://p"}, "all_proxy", ["socks5h://p", "socksio"]),
        ({"HTTPS_PROXY": "ftp://p"}, "HTTPS_PROXY", ["ftp://p", "http://proxy:3128"]),
        ({"https_proxy": "http://u:secret@p:x"}, "https_proxy", ["http://p:x"]),
        ({"HTTPS_PROXY": "http://[v1.a]"}, "HTTPS_PROXY", ["http://[v1.a]"]),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY", ["http://proxy:3128"]),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a,[::g"}, "NO_PROXY", ["'[::g' is not a host"]),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "a:b:c"}, "no_proxy", ["'a:b:c' is not a host"]),
    ],
)
def test_what_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], variable: str, texts: list[str]
) -> None:
    if importlib.util.find_spec("socksio"):
        monkeypatch.setattr("melon.store.server.proxies.find_spec", lambda _: None)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as refused:
        open_store(Settings(), url="https://a.example")
    assert refused.value.where == f"environment variable {variable}"
    assert not [text for text in texts if text not in str(refused.value)]
    assert "secret" not in str(refused.value)
    open_store(Settings(), url="http://localhost:6333").close()  # needs none of it


def test_uploads_need_a_proxy_that_grpc_can_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "https://proxy.invalid")
    with (
        open_store(Settings(), url="http://a.example") as store,
        pytest.raises(InputError, match="uploads go by gRPC"),
        store._connection.grpc(),
    ):
        pass
