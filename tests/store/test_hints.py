"""What a command says in each situation that a server, its key or its network may be in."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import sleep

import pytest
from command_line import melon
from gateways import AUTHORITY, answering, listening, terminating_tls
from places import scratch_directory
from qdrant_client import models
from qdrant_server import Server, running_server
from store_samples import points, publish

from melon.settings import Settings
from melon.store import Collection, open_store
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress

KEY = "s3cret-key-of-the-tests-of-hints"
READER_KEY = "for-reading-only"
HTML = b"<html>Forbidden by policy</html>"


@pytest.fixture(scope="module")
def guarded(qdrant_binary: Path) -> Iterator[Server]:
    """A server that wants a key, of which some are JWTs, with a release that is not live."""
    settings = {
        "STORAGE__WAL__WAL_CAPACITY_MB": "4",
        "SERVICE__READ_ONLY_API_KEY": READER_KEY,
        "SERVICE__JWT_RBAC": "true",
    }
    with (
        scratch_directory() as directory,
        running_server(directory, api_key=KEY, settings=settings) as server,
    ):
        address = ServerAddress(server.url, KEY, server.grpc_port)
        with ServerStore(address) as store, store._connection.rest() as client:
            publish(store, {Collection.SONGS: points([1])})
            names = [models.DeleteAlias(alias_name=f"melon_{part}") for part in Collection]
            client.update_collection_aliases(
                [models.DeleteAliasOperation(delete_alias=name) for name in names]
            )
        yield server


def jwt(**claims: object) -> str:
    """A JSON Web Token that the key of the server has signed."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.digest(KEY.encode(), signed, "sha256")
    return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


Situation = Callable[[Server, ExitStack], dict[str, str]]
"""Brings it about, and returns the variables of a command in it, beside `MELON_HOME`."""


def named(**variables: str) -> Situation:
    """Only variables; `{rest}` and `{grpc}` stand for the URLs of the server."""

    def situation(server: Server, stack: ExitStack) -> dict[str, str]:
        grpc = f"127.0.0.1:{server.grpc_port}"
        rest = server.url.removeprefix("http://")
        return {name: value.format(rest=rest, grpc=grpc) for name, value in variables.items()}

    return situation


def with_key(key: str, **variables: str) -> Situation:
    return named(MELON_QDRANT_URL="http://{rest}", MELON_QDRANT_API_KEY=key, **variables)


def behind_tls(**variables: str) -> Situation:
    """The server behind TLS that a private authority vouches for, at `{tls}`."""

    def situation(server: Server, stack: ExitStack) -> dict[str, str]:
        port = stack.enter_context(terminating_tls(port_of(server.url)))
        at = {"tls": f"127.0.0.1:{port}", "port": port}
        return {name: value.format(**at) for name, value in variables.items()}

    return situation


def that_answers(status: int, body: bytes = HTML, **headers: str) -> Situation:
    """A gateway that answers everything with the same."""

    def situation(server: Server, stack: ExitStack) -> dict[str, str]:
        dashed = {name.replace("_", "-"): value for name, value in headers.items()}
        url = stack.enter_context(answering(status, body, headers=dashed))
        return {"MELON_QDRANT_URL": url, "MELON_QDRANT_API_KEY": KEY}

    return situation


def that_is_silent(server: Server, stack: ExitStack) -> dict[str, str]:
    url = stack.enter_context(listening(lambda connection: sleep(3)))
    return {"MELON_QDRANT_URL": url, "MELON_QDRANT_TIMEOUT": "1"}


def behind_a_proxy(status: int) -> Situation:
    """A server elsewhere, by a proxy on this machine."""

    def situation(server: Server, stack: ExitStack) -> dict[str, str]:
        url = stack.enter_context(answering(status, HTML))
        return {"MELON_QDRANT_URL": "http://qdrant.invalid:6333", "HTTP_PROXY": url}

    return situation


def with_none_live(server: Server, stack: ExitStack) -> dict[str, str]:
    """An embedded store with a release that is not live."""
    home = stack.enter_context(scratch_directory())
    with open_store(Settings(), path=home / "store") as store:
        publish(store, {Collection.SONGS: points([1])})
    (home / "store" / "live").unlink()
    return {"COMMAND": f"query --title rain --path {home / 'store'}"}


SITUATIONS: dict[str, tuple[Situation, list[str]]] = {
    "nobody is there": (
        named(MELON_QDRANT_URL="http://127.0.0.1:9"),
        ["refused", "start the server that MELON_QDRANT_URL names"],
    ),
    "nobody is there, and no port": (
        named(MELON_QDRANT_URL="http://127.9.9.9"),
        ["refused", "it has no port, so 6333 is taken"],
    ),
    "no such host": (
        named(MELON_QDRANT_URL="http://qdrant.invalid:6333"),
        ["no host has this name"],
    ),
    "it does not answer": (that_is_silent, ["timed out", "MELON_QDRANT_TIMEOUT"]),
    "unknown TLS authority": (
        behind_tls(MELON_QDRANT_URL="https://{tls}"),
        ["CERTIFICATE_VERIFY_FAILED", "MELON_QDRANT_CA_CERT"],
    ),
    "a certificate of another host": (
        behind_tls(MELON_QDRANT_URL="https://0.0.0.0:{port}", MELON_QDRANT_CA_CERT=str(AUTHORITY)),
        ["mismatch", "for another URL"],
    ),
    "a missing file of authorities": (
        named(MELON_QDRANT_URL="https://{rest}", SSL_CERT_FILE="/nowhere.pem"),
        ["/nowhere.pem: the TLS authority cannot be read", "SSL_CERT_FILE names a PEM file"],
    ),
    "http to a TLS port": (behind_tls(MELON_QDRANT_URL="http://{tls}"), ["write https://"]),
    "http to a TLS port of nginx": (
        that_answers(400, b"The plain HTTP request was sent to HTTPS port"),
        ["write https://"],
    ),
    "http where one is sent to https": (
        that_answers(301, Location="https://127.0.0.1/aliases"),
        ["leads to https://127.0.0.1/aliases", "write https://"],
    ),
    "https to a plain port": (named(MELON_QDRANT_URL="https://{rest}"), ["write http://"]),
    "a gRPC port for the REST one": (
        named(MELON_QDRANT_URL="http://{grpc}"),
        ["gRPC port: give the REST port, 6333"],
    ),
    "another service": (that_answers(200), ["not a Qdrant server", "URL of its REST interface"]),
    "a login page": (
        that_answers(302, Location="https://login.example/?from=/aliases&token=hidden"),
        ["leads to https://login.example/\n", "sign in"],
    ),
    "a gateway that wants a password": (
        that_answers(401, WWW_Authenticate='Basic realm="x"'),
        ["a user and a password", "https://user:password@host"],
    ),
    "a gateway that forbids it": (
        that_answers(403),
        ["not Qdrant, but a proxy or gateway", "Forbidden by policy"],
    ),
    "a gateway that takes small requests": (that_answers(413), ["413", "requests of 32 MB"]),
    "a gateway without its server": (that_answers(503), ["503", "ask again"]),
    "a gateway that limits requests": (
        that_answers(429, Retry_After="99"),
        ["no more requests through for 99 seconds", "MELON_QDRANT_TIMEOUT"],
    ),
    "a proxy that forbids it": (
        behind_a_proxy(403),
        ["not Qdrant, but a proxy or gateway", "variable HTTP_PROXY", "NO_PROXY"],
    ),
    "a proxy that wants a password": (behind_a_proxy(407), ["into its URL"]),
    "no key": (
        named(MELON_QDRANT_URL="http://{rest}"),
        ["wants an API key", "MELON_QDRANT_API_KEY"],
    ),
    "a wrong key": (with_key("wrong"), ["refuses the API key", "MELON_QDRANT_API_KEY"]),
    "a JWT that has expired": (with_key(jwt(access="r", exp=1)), ["expired", "to a new one"]),
    "a JWT of a user who is gone": (
        with_key(jwt(access="r", value_exists={"collection": "users", "matches": []})),
        ["JWT", "to a new one"],
    ),
    "a JWT that is shown no aliases": (
        with_key(jwt(access=[{"collection": "melon_releases", "access": "r"}])),
        ["may not do this", '"access": "r" to read'],
    ),
    "a read-only key for writing": (
        with_key(READER_KEY, COMMAND="releases drop r1"),
        ["a read-only key may not write"],
    ),
    "a JWT for reading for writing": (
        with_key(jwt(access="r"), COMMAND="releases drop r1"),
        ["a read-only key may not write"],
    ),
    "no releases": (with_key(KEY, MELON_PREFIX="nobody"), ["no live release", "`melon ingest`"]),
    "releases of which none is live": (
        with_key(KEY),
        ["none of its releases is live", "`melon releases promote r1`"],
    ),
    "the same, embedded": (
        with_none_live,
        ["none of its releases is live", "`melon releases --path ", " promote r1`"],
    ),
    "a day that no month has": (
        named(COMMAND="query --since 2015-02-30"),
        ["'2015-02-30' is not a date: day is out of range for month"],
    ),
    "a month that no year has": (
        named(COMMAND="query --until 2015-13"),
        ["'2015-13' is not a date", "month"],
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_has_its_message(
    situation: str, guarded: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make, texts = SITUATIONS[situation]
    for kind in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{kind}_proxy", raising=False)
        monkeypatch.delenv(f"{kind.upper()}_PROXY", raising=False)
    with ExitStack() as stack:
        variables = make(guarded, stack)
        command = variables.pop("COMMAND", "query --title rain")
        done = melon(*command.split(), environment={"MELON_HOME": str(tmp_path), **variables})
    assert done.code in (1, 2)
    assert done.out == ""
    assert not [text for text in texts if text not in done.err], done.err
    assert not [hidden for hidden in (KEY, "hidden", "Traceback") if hidden in done.err]
