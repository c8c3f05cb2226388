"""`melon serve` as a process: where it listens, who may ask, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from command_line import melon, on_one_engine
from places import DirectoryPlace, Place

from melon.errors import MelonError
from melon.service import listen, usual_workers
from melon.service.address import UNREAD_SECONDS
from melon.service.sharing import LOOKS, NOT_BEGUN, Share, SharedSocket


@contextmanager
def serving(place: Place, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`melon serve` on a free port, and its URL; it is asked to end."""
    command = [sys.executable, "-m", "melon.cli", "serve", "--port", "0", *options, *place.options]
    process = subprocess.Popen(
        command, env=os.environ | place.environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        for line in process.stderr:
            if found := re.match(r"(http://\S+) is the page", line):
                break
        else:
            raise AssertionError("it ended")
        yield process, found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@on_one_engine
def test_two_processes_answer_and_end_when_they_are_told_to(demo_place: Place) -> None:
    with serving(demo_place, "--workers", "2") as (process, url):
        with httpx.Client(base_url=url, timeout=60) as client:
            answered = client.get("/api/v1/query", params={"title": "rainy day", "limit": 2})
            assert len(answered.json()["songs"]) == 2
            counted = client.get("/metrics").text
        assert 'melon_requests_total{route="/api/v1/query",status="200"} 1.0' in counted
    assert process.returncode == 0


@on_one_engine
def test_processes_share_connections_out_evenly_but_do_not_wait_for_one_that_is_stopped(
    demo_place: Place,
) -> None:
    with serving(demo_place, "--workers", "2") as (process, url), ExitStack() as opened:
        assert answered(opened.enter_context(connection(url, "/health/ready")))
        while True:  # until both take connections, and have opened the release
            with connection(url, "/health/ready") as one:
                assert answered(one)
                if len(counts := connections_of(process.pid, url)) == 2:
                    break
            assert process.poll() is None
        for one in [opened.enter_context(connection(url)) for _ in range(15)]:
            assert answered(one)
        assert list(connections_of(process.pid, url).values()) == [8, 8]
        stopped = next(iter(counts))
        os.kill(stopped, signal.SIGSTOP)
        try:
            for _ in range(3):
                assert answered(opened.enter_context(connection(url)))
        finally:
            os.kill(stopped, signal.SIGCONT)


def test_a_process_that_has_not_begun_is_not_waited_for() -> None:
    counts = [0, NOT_BEGUN]
    first, second = Share(counts, 0), Share(counts, 1)
    first.add(1)
    assert not first.is_larger
    second.begin()
    assert first.is_larger
    assert not second.is_larger


def test_each_connection_is_left_to_others_but_not_for_ever() -> None:
    counts = [1, 0]
    with (
        listen("127.0.0.1", 0) as listening,
        SharedSocket(listening, Share(counts, 0)) as there,
        ExitStack() as opened,
    ):
        for others in (1, 2):
            opened.enter_context(socket.create_connection(there.getsockname(), timeout=30))
            with pytest.raises(BlockingIOError):
                there.accept()
            counts[1] = counts[0]  # they took some, and are not freer now
            opened.enter_context(there.accept()[0])
            assert counts == [others + 1, others]
        opened.enter_context(socket.create_connection(there.getsockname(), timeout=30))
        for _ in range(LOOKS):
            with pytest.raises(BlockingIOError):
                there.accept()
        opened.enter_context(there.accept()[0])


@on_one_engine
def test_it_ends_when_it_is_told_to_before_it_answers(demo_place: Place) -> None:
    with serving(demo_place, "--workers", "1") as (process, _):
        pass
    assert process.returncode in (0, 128 + signal.SIGTERM)


@on_one_engine
def test_one_process_answers_and_ends_when_it_is_told_to(demo_place: Place) -> None:
    with serving(demo_place, "--workers", "1") as (process, url):
        with httpx.Client(base_url=url, timeout=60) as client:
            assert client.get("/health").json()["ready"]
        taken = melon("serve", "--port", url.rpartition(":")[2], *demo_place.options)
        assert taken.code == 1
        assert "cannot listen: address already in use" in taken.err
    assert process.returncode == 0


def test_the_release_is_opened_before_anybody_asks(demo_place: Place) -> None:
    with (
        serving(demo_place, "--workers", "1") as (process, url),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        while not re.search(r'^melon_release\{release=".+"\} 1', client.get("/metrics").text, re.M):
            assert process.poll() is None
            time.sleep(0.05)


def test_one_of_several_processes_says_that_there_is_nothing_to_answer_from(
    tmp_path: Path,
) -> None:
    nothing = DirectoryPlace(tmp_path / "store")
    with serving(nothing, "--workers", "2") as (process, url), ExitStack() as opened:
        while len(connections_of(process.pid, url)) < 2:  # until both were asked
            one = opened.enter_context(connection(url))
            assert answered(one)
            one.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            said = one.recv(1 << 16)
            while b"there is no store" not in said:
                more = one.recv(1 << 16)
                assert more
                said += more
        process.terminate()
        assert process.stderr
        assert process.stderr.read().count("there is nothing to answer from yet") == 1


def test_whoever_connects_before_it_answers_waits_and_nobody_else_gets_the_address() -> None:
    with listen("127.0.0.1", 0) as there:
        port = there.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        with pytest.raises(MelonError, match="address already in use"):
            listen("127.0.0.1", port)


def test_one_process_a_core_answers_up_to_four(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in ((1, 1), (3, 3), (64, 4)):
        monkeypatch.setattr("melon.service.start.usable_cores", lambda cores=cores: cores)
        assert usual_workers() == workers


def test_answers_are_sent_at_once() -> None:
    """asyncio looks at this before it has a connection not wait for more to send (TCP_NODELAY)."""
    with listen("127.0.0.1", 0) as there:
        assert there.proto == socket.IPPROTO_TCP


@on_one_engine
def test_who_sends_slowly_is_not_waited_for(demo_place: Place) -> None:
    """Whoever asks for nothing, or begins to, also after an answer: each within the limit."""
    whole = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with (
        serving(demo_place, "--workers", "1", "--time-limit", "1") as (_, url),
        ExitStack() as opened,
    ):
        connections = [
            opened.enter_context(socket.create_connection(address_of(url), timeout=60))
            for _ in range(3)
        ]
        _silent, beginning, answered = connections
        beginning.sendall(whole[:10])
        answered.sendall(whole)
        assert answered.recv(1 << 16).startswith(b"HTTP/1.1 200")
        answered.sendall(whole[:10])
        for _ in range(200):  # some 100 ms each, in which one more byte comes
            closed = [one for one in connections if ended(one)]
            if closed == connections:
                break
            for one in (beginning, answered):
                with suppress(OSError):
                    one.sendall(b"x")
        assert closed == connections


def connection(url: str, path: str = "/health/live") -> socket.socket:
    """A connection on which something has been asked."""
    one = socket.create_connection(address_of(url), timeout=30)
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return one


def answered(one: socket.socket) -> bool:
    return one.recv(1 << 16).startswith(b"HTTP/1.1 200")


def connections_of(parent: int, url: str) -> dict[int, int]:
    """How many connections at a URL each process has that another one started, where any.

    Skips the test where the system is not Linux.
    """
    if not Path("/proc/net/tcp").exists():
        pytest.skip("who has a connection is read from Linux' /proc")
    local, established = f":{address_of(url)[1]:04X}", "01"
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    here = {row[9] for row in table if row[1].endswith(local) and row[3] == established}
    counts = {}
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        files = []
        for file in Path(f"/proc/{child}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                files.append(str(file.readlink()))
        if count := sum(file[len("socket:[") : -1] in here for file in files):
            counts[int(child)] = count
    return counts


def address_of(url: str) -> tuple[str, int]:
    found = urlsplit(url)
    return str(found.hostname), found.port or 80


def ended(one: socket.socket) -> bool:
    """Whether the other side has closed a connection on which nothing else comes."""
    one.settimeout(0.05)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system is not Linux")
def test_who_does_not_read_is_not_waited_for() -> None:
    """Linux ends a connection whose other side takes nothing."""
    with listen("127.0.0.1", 0) as there, socket.create_connection(there.getsockname()[:2]):
        connection, _ = there.accept()
        with connection:
            option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert connection.getsockopt(*option) == 1000 * UNREAD_SECONDS


@on_one_engine
def test_others_may_ask_only_with_a_key(demo_place: Place) -> None:
    done = melon("serve", "--host", "0.0.0.0", *demo_place.options)
    assert done.code == 2
    assert "MELON_SERVE_API_KEY" in done.err


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = melon("serve")
    assert done.code == 1
    assert "jinja2, which is not installed" in done.err
    assert "pip install 'melon[web]'" in done.err
