"""Which store is opened, and what is said when it cannot be."""

from __future__ import annotations

import io
import logging
import socket
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from gateways import answering, listening
from places import ServerPlace, scratch_directory
from pydantic import SecretStr
from qdrant_server import Endpoint, running_server
from store_samples import manifest, points, publish

from melon.commands.options import chosen_store
from melon.errors import InputError, MelonError
from melon.settings import Settings, load_settings
from melon.store import Collection, StoreUnavailable, open_store
from melon.store import connect as connecting

KEY = "s3cret-key-of-the-tests"
READER_KEY = "for-reading-only"


@pytest.fixture
def nobody() -> str:
    """A URL where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def guarded_server(qdrant_binary: Path) -> Iterator[Endpoint]:
    """A server that wants an API key, and has another one for reading."""
    settings = {
        "STORAGE__WAL__WAL_CAPACITY_MB": "4",
        "SERVICE__READ_ONLY_API_KEY": READER_KEY,
    }
    with (
        scratch_directory() as directory,
        running_server(directory, api_key=KEY, settings=settings) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with an embedded store that has a live release."""
    home = tmp_path_factory.mktemp("home")
    with open_store(Settings(), path=home / "store") as store:
        publish(store, {Collection.SONGS: points([1])})
    return home


@pytest.mark.parametrize("wrong", ["path", Path("path"), None])
def test_a_path_in_place_of_settings_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="settings are wanted, not") as refusal:
        open_store(wrong)
    assert isinstance(refusal.value, InputError)
    assert "path=" in str(refusal.value.hint)


class TestChoice:
    """url, path, MELON_QDRANT_URL, a server on localhost:6333, the embedded store."""

    @pytest.fixture(autouse=True)
    def _nobody_on_localhost(self, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
        monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", nobody)

    def opened(self, settings: Settings, **named: object) -> str:
        with open_store(settings, **named) as store:  # type: ignore[arg-type]
            return store.location

    def test_the_url_comes_first(self, nobody: str, tmp_path: Path) -> None:
        settings = Settings(qdrant_url="http://elsewhere:1", home=tmp_path)
        assert self.opened(settings, url=nobody) == f"Qdrant server {nobody}"

    def test_then_the_path(self, tmp_path: Path) -> None:
        settings = Settings(qdrant_url="http://elsewhere:1")
        assert self.opened(settings, path=tmp_path / "s") == f"embedded store {tmp_path / 's'}"

    def test_a_path_may_be_text(self, tmp_path: Path) -> None:
        with open_store(Settings(), path=str(tmp_path / "s")) as store:
            publish(store, {Collection.SONGS: points([1, 2, 3])})
            assert store.open().count(Collection.SONGS) == 3
        assert (tmp_path / "s").is_dir()

    def test_then_the_environment_even_if_nobody_answers(self, nobody: str) -> None:
        assert self.opened(Settings(qdrant_url=nobody)) == f"Qdrant server {nobody}"

    def test_then_a_server_on_this_machine(
        self, monkeypatch: pytest.MonkeyPatch, qdrant_server: Endpoint
    ) -> None:
        monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", qdrant_server.url)
        assert self.opened(Settings()) == f"Qdrant server {qdrant_server.url}"

    def test_and_last_the_embedded_store(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path)
        assert self.opened(settings) == f"embedded store {tmp_path / 'store'}"
        assert list(tmp_path.iterdir()) == []  # looking creates nothing

    @pytest.mark.parametrize(
        ("status", "body"),
        [(200, b"hello"), (200, b"{}"), (404, b'{"title": "not found"}'), (302, b"")],
    )
    def test_whoever_answers_has_to_be_qdrant(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, body: bytes
    ) -> None:
        with answering(status, body) as url:
            monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", url)
            assert self.opened(Settings(home=tmp_path)).startswith("embedded store")

    def test_a_working_directory_that_is_gone_is_said(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with pytest.raises(StoreUnavailable, match="working directory is not there"):
            open_store(Settings(), path="store")
        open_store(Settings(), path=tmp_path / "store").close()

    def test_both_are_one_too_many(self, nobody: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not both"):
            open_store(Settings(), url=nobody, path=tmp_path)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "localhost:6333",
            "ftp://host",
            "http://",
            "http://localhost:abc",
            "http://localhost:99999",
            "http://[::1",
            "http://local host",
            "http://a..b",
            "http://\udcff",
            "http://local\nhost",
            "http://host\0",
            "http://host:6333?api_key=hidden",
            "http://host:6333/?",
            "http://host:6333/dashboard#/hidden",
            "http://user:hidden#part@host",
            "http://user:hidden@host:abc",
            "http://user:hidden/part@host",
            "http://[v1.a]",
            "http://user:hidden@%",
            "http://１２７.0.0.1",
        ],
    )
    def test_a_url_has_to_be_one(self, url: str) -> None:
        with pytest.raises(InputError, match="URL") as refused:
            open_store(Settings(), url=url)
        assert "hidden" not in str(refused.value)

    @pytest.mark.parametrize("around", ["{}\n", " {} ", "\r\n{}"])
    def test_white_space_around_a_url_is_not_part_of_it(self, nobody: str, around: str) -> None:
        url = around.format(nobody)
        assert self.opened(Settings(), url=url) == f"Qdrant server {nobody}"
        assert self.opened(load_settings({"MELON_QDRANT_URL": url})) == f"Qdrant server {nobody}"


TITLE = b'{"title": "qdrant - vector search engine", "version": "1.16.3"}'


class TestFound:
    """A server on localhost:6333 that nobody named, beside an embedded store in the home."""

    def opened(self, settings: Settings) -> str:
        with open_store(settings) as store:
            return store.location.split()[0]

    def test_without_releases_it_does_not_come_before_an_embedded_store(
        self, monkeypatch: pytest.MonkeyPatch, server_place: ServerPlace, home: Path, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", server_place.server.url)
        settings = Settings(home=home, prefix=server_place.prefix)
        empty = Settings(home=home / "empty", prefix=server_place.prefix)
        assert self.opened(settings) == "embedded"
        assert self.opened(empty) == "Qdrant"
        with server_place.open() as store:
            publish(store, {Collection.SONGS: points([1])})
        assert self.opened(settings) == "Qdrant"
        assert self.opened(settings.model_copy(update={"prefix": "others"})) == "embedded"

    @pytest.mark.parametrize("key", [None, "wrong"])
    def test_one_that_does_not_say_what_it_holds_is_an_error(
        self,
        monkeypatch: pytest.MonkeyPatch,
        guarded_server: Endpoint,
        home: Path,
        key: str | None,
    ) -> None:
        monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", guarded_server.url)
        settings = Settings(home=home, qdrant_api_key=key and SecretStr(key), prefix="nobody")
        with pytest.raises(StoreUnavailable, match=r"answered 401\n.*--path, or --url") as refused:
            open_store(settings)
        assert refused.value.where == guarded_server.url
        assert self.opened(settings.model_copy(update={"qdrant_api_key": SecretStr(KEY)})) == (
            "embedded"
        )

    @pytest.mark.parametrize("lost", ["slow", "ended twice", "not there twice"])
    def test_one_that_is_slow_or_starts_is_waited_for(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lost: str
    ) -> None:
        asked: list[str] = []

        def answer(connection: socket.socket) -> None:
            asked.append(connection.recv(4096).decode())
            status = "200 OK"
            if lost == "slow":
                time.sleep(1)
            elif len(asked) < 3:
                status = "503 Service Unavailable"
                if lost == "ended twice":
                    return
            head = f"HTTP/1.1 {status}\r\ncontent-length: {len(TITLE)}\r\n\r\n"
            connection.sendall(head.encode() + TITLE)

        with listening(answer) as url:
            monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", url)
            assert self.opened(Settings(home=tmp_path)) == "Qdrant"

    @pytest.mark.parametrize("heard", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"])
    @pytest.mark.parametrize("ends", [True, False])
    def test_one_that_never_answers_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch, home: Path, heard: bytes, ends: bool
    ) -> None:
        """A new release in another store than the last one would be missed for long."""

        def answer(connection: socket.socket) -> None:
            connection.recv(4096)
            connection.sendall(heard)
            if not ends:
                connection.recv(1)

        with listening(answer) as url:
            monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", url)
            with pytest.raises(StoreUnavailable, match="does not answer") as refused:
                open_store(Settings(home=home, qdrant_timeout=1))
        assert refused.value.where == url

    def test_it_is_only_read_without_a_yes(
        self, monkeypatch: pytest.MonkeyPatch, server_place: ServerPlace, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", server_place.server.url)
        grpc_port = server_place.server.grpc_port
        settings = Settings(home=tmp_path, prefix=server_place.prefix, qdrant_grpc_port=grpc_port)
        with server_place.open() as store:
            publish(store, {Collection.SONGS: points([1])})
        with open_store(settings) as store:
            assert store.open().count(Collection.SONGS) == 1
            writes: tuple[Callable[[], object], ...] = (
                lambda: store.build(manifest("r2")),
                lambda: store.promote("r1"),
                lambda: store.drop("r1"),
            )
            for write in writes:
                with pytest.raises(InputError, match=r"not named.*\n.*--url http"):
                    write()
            store.found = False
            store.promote("r1")
        with open_store(settings, url=server_place.server.url) as store:
            store.promote("r1")

    @pytest.mark.parametrize("said", [True, False])
    def test_a_command_asks_in_a_terminal(
        self,
        monkeypatch: pytest.MonkeyPatch,
        qdrant_server: Endpoint,
        tmp_path: Path,
        said: bool,
    ) -> None:
        monkeypatch.setattr(connecting, "DEFAULT_SERVER_URL", qdrant_server.url)
        monkeypatch.setenv("MELON_HOME", str(tmp_path))
        monkeypatch.setattr("sys.stdin", Terminal("y\n" if said else "n\n"))
        assert chosen_store(None, None).found
        assert chosen_store(None, None, to_write=True).found is not said
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        assert chosen_store(None, None, to_write=True).found
        assert not chosen_store(qdrant_server.url, None, to_write=True).found


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestUnreachable:
    def test_says_where_and_what_to_do_at_once(self, nobody: str) -> None:
        start = time.monotonic()
        with open_store(Settings(), url=nobody) as store:
            for ask in (store.live, store.releases, store.engine_version, store.open):
                with pytest.raises(StoreUnavailable, match="docker compose up") as caught:
                    ask()
                assert nobody in str(caught.value)
            with pytest.raises(StoreUnavailable):
                store.build(manifest())
        assert time.monotonic() - start < 10

    @pytest.mark.parametrize("below", ["", "store", "some/where"])
    def test_a_file_is_no_embedded_store(self, tmp_path: Path, below: str) -> None:
        file = tmp_path / "file"
        file.write_text("not a directory")
        with pytest.raises(InputError, match=r"file is a file\n.*directory of a store"):
            open_store(Settings(), path=file / below)

    def test_a_path_that_cannot_be_looked_at_is_an_error_of_the_store(self) -> None:
        with (
            open_store(Settings(), path="x" * 300) as store,
            pytest.raises(StoreUnavailable, match="name too long"),
        ):
            store.live()

    def test_a_grpc_port_is_not_the_rest_port(self, server_place: ServerPlace) -> None:
        url = f"http://127.0.0.1:{server_place.server.grpc_port}"
        with (
            open_store(Settings(), url=url) as store,
            pytest.raises(StoreUnavailable, match="gRPC port: give the REST port, 6333"),
        ):
            store.live()

    def test_a_wrong_grpc_port_names_the_port(self, server_place: ServerPlace, nobody: str) -> None:
        port = int(nobody.rpartition(":")[2])
        settings = Settings(
            qdrant_url=server_place.server.url,
            qdrant_grpc_port=port,
            prefix=server_place.prefix,
        )
        with open_store(settings) as store:
            builder = store.build(manifest())
            builder.upsert(Collection.SONGS, points([1]))  # sent, and not answered yet
            with pytest.raises(StoreUnavailable, match=f"gRPC on port {port}"):
                builder.finish()
            builder.abandon()


class TestAnotherService:
    """Whatever else speaks HTTP there is said not to be Qdrant."""

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, b"<html>It works!</html>"),
            (200, b""),
            (200, b"{}"),
            (200, b"[]"),
            (200, b'"hello"'),
            (200, b"\xff"),
            (200, b'{"result": []}'),
            (200, b'{"title": "another service", "version": "1"}'),
            (302, b""),
            (400, b"<html>Bad request</html>"),
            (404, b"<html>Not found</html>"),
            (404, b'{"detail": "Not Found"}'),
        ],
    )
    def test_is_said_not_to_be_qdrant(self, status: int, body: bytes) -> None:
        with answering(status, body) as url, open_store(Settings(), url=url) as store:
            asked: tuple[Callable[[], object], ...] = (
                store.live,
                store.releases,
                store.open,
                lambda: store.open("r1"),
                lambda: store.build(manifest()),
            )
            for ask in asked:
                with pytest.raises(StoreUnavailable, match="is not a Qdrant server") as caught:
                    ask()
                assert caught.value.where == url
                assert caught.value.hint

    def test_a_gateway_without_its_server_is_quoted(self) -> None:
        with (
            answering(502, b"bad gateway") as url,
            open_store(Settings(), url=url) as store,
            pytest.raises(MelonError, match="answered 502: bad gateway"),
        ):
            store.live()

    def test_what_fails_beside_the_server_is_not_blamed_on_it(
        self, server_place: ServerPlace
    ) -> None:
        with (
            server_place.open() as store,
            pytest.raises(ValueError, match="of our own"),
            store._connection.rest(),
        ):
            raise ValueError("of our own")


class TestApiKey:
    def settings(self, server: Endpoint, key: str | None) -> Settings:
        return Settings(
            qdrant_url=server.url,
            qdrant_grpc_port=server.grpc_port,
            qdrant_api_key=SecretStr(key) if key else None,
            prefix="guarded",
        )

    def test_opens_the_door_for_reads_and_writes(self, guarded_server: Endpoint) -> None:
        with open_store(self.settings(guarded_server, KEY)) as store:
            publish(store, {Collection.SONGS: points([1, 2])})
            assert store.open().count(Collection.SONGS) == 2

    @pytest.mark.parametrize("key", [None, "wrong-" + KEY])
    def test_a_wrong_one_is_named_as_the_reason_and_never_shown(
        self,
        guarded_server: Endpoint,
        key: str | None,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        settings = self.settings(guarded_server, key)
        told = [repr(settings), str(settings)]
        with open_store(settings) as store:
            told += [repr(store), repr(vars(store)), store.location]
            for ask in (store.live, store.releases, store.open, lambda: store.build(manifest())):
                with pytest.raises(StoreUnavailable, match="MELON_QDRANT_API_KEY") as caught:
                    ask()
                told += [str(caught.value), repr(caught.value)]
                told += traceback.format_exception(caught.value)
        told += [caplog.text, *capfd.readouterr()]
        assert not [text for text in told if KEY in text]

    def test_one_for_reading_is_said_not_to_be_for_writing(self, guarded_server: Endpoint) -> None:
        with open_store(self.settings(guarded_server, READER_KEY)) as store:
            store.live()
            with pytest.raises(StoreUnavailable, match="the API key may not do this") as caught:
                store.build(manifest())
            assert "a read-only key may not write" in str(caught.value)
            with (
                pytest.raises(StoreUnavailable, match="the API key may not do this"),
                store._connection.grpc() as client,
            ):
                client.delete_collection("nothing")

    @pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY}\0", f"키{KEY}"])
    def test_what_no_header_can_hold_is_refused_and_not_shown(self, key: str) -> None:
        with pytest.raises(InputError, match=r"printable ASCII|control character") as refused:
            load_settings({"MELON_QDRANT_API_KEY": key})
        assert refused.value.where == "environment variable MELON_QDRANT_API_KEY"
        told = traceback.format_exception(refused.value)
        assert not [text for text in told if KEY in text]

    @pytest.mark.parametrize("around", ["{}", "{}\n", "\n {}\r\n"])
    def test_may_be_in_a_file(self, guarded_server: Endpoint, tmp_path: Path, around: str) -> None:
        file = tmp_path / "key"
        file.write_text(around.format(READER_KEY))
        variables = {"MELON_QDRANT_URL": guarded_server.url, "MELON_QDRANT_API_KEY_FILE": str(file)}
        with open_store(load_settings(variables)) as store:
            assert store.releases() is not None

    @pytest.mark.parametrize("held", [None, b"", b"\n", b"two\nlines", b"\xff", "키".encode()])
    def test_a_file_without_one_is_an_error(
        self, tmp_path: Path, nobody: str, held: bytes | None
    ) -> None:
        file = tmp_path / "key"
        if held is not None:
            file.write_bytes(held)
        settings = load_settings({"MELON_QDRANT_API_KEY_FILE": str(file)})
        with pytest.raises(InputError, match=r"cannot be read|printable ASCII") as refused:
            open_store(settings, url=nobody)
        assert refused.value.where == str(file)
        open_store(settings, path=tmp_path / "store").close()  # which needs no key

    def test_two_are_one_too_many(self, tmp_path: Path) -> None:
        variables = {"MELON_QDRANT_API_KEY": KEY, "MELON_QDRANT_API_KEY_FILE": str(tmp_path / "k")}
        with pytest.raises(InputError, match="MELON_QDRANT_API_KEY is there, too"):
            load_settings(variables)

    @pytest.mark.parametrize("status", [400, 403, 404, 500])
    def test_is_not_shown_by_a_server_that_quotes_it(self, status: int) -> None:
        basic = "dTpwYXNzd29yZA=="
        body = f'{{"status": {{"error": "you sent {KEY}, password and {basic}"}}}}'
        with answering(status, body.encode()) as url:
            settings = Settings(qdrant_api_key=SecretStr(KEY))
            with open_store(settings, url=url.replace("://", "://u:password@")) as store:
                with pytest.raises(MelonError) as caught:
                    store.live()
                told = [*traceback.format_exception(caught.value), repr(caught.value)]
        assert not [text for text in told for secret in (KEY, "password", basic) if secret in text]

    def test_a_password_in_the_url_is_not_shown_either(self, nobody: str) -> None:
        url = nobody.replace("://", f"://user:{KEY}@")
        with open_store(Settings(qdrant_url=url)) as store:
            with pytest.raises(StoreUnavailable) as caught:
                store.live()
            told = [store.location, repr(vars(store)), str(caught.value)]
        assert store.location == f"Qdrant server {nobody}"
        assert not [text for text in told if KEY in text]

    @pytest.mark.parametrize(
        ("before", "sent"),
        [
            ("user:pass@", "user:pass"),
            ("user@", "user:"),
            (":pass@", ":pass"),
            ("us%40er:p%3Aa%2Fs%23s@", "us@er:p:a/s#s"),
        ],
    )
    def test_user_and_password_in_the_url_are_sent(self, before: str, sent: str) -> None:
        heard: list[Message] = []
        with (
            answering(500, b"", heard) as url,
            open_store(Settings(), url=url.replace("://", f"://{before}")) as store,
        ):
            with pytest.raises(MelonError):
                store.live()
            headers = store._connection._grpc._client._grpc_headers
        basic = f"Basic {b64encode(sent.encode()).decode()}"
        assert heard[0]["authorization"] == basic
        assert ("authorization", basic) in headers

    def test_grpc_asks_for_it_too(self, guarded_server: Endpoint) -> None:
        from melon.store.server.connection import ServerAddress, ServerConnection

        address = ServerAddress(guarded_server.url, "wrong", guarded_server.grpc_port)
        connection = ServerConnection(address)
        assert "wrong" not in repr(address)
        with pytest.raises(MelonError, match="refuses the API key"), connection.grpc() as client:
            client.get_collections()
        connection.close()

    def test_a_key_over_plain_http_to_another_host_is_warned_of(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings = Settings(qdrant_url="http://qdrant.invalid:6333", qdrant_api_key=SecretStr(KEY))
        open_store(settings).close()
        assert "unencrypted" in caplog.text
        assert KEY not in caplog.text
