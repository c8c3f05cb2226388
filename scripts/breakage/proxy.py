"""What stands before both ports of a server, of REST and of gRPC, and spoils what passes."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from qdrant_server import Endpoint

CHUNK = 1 << 16
DRIP = 512
NOISE = 16
"""Bytes in a row, which no JSON and no frame of HTTP/2 survives."""

FAULTS = ("slow", "drip", "cut", "garbled answers", "garbled requests", "silence")


class Proxy:
    """Passes on what it gets, as `fault` has it; what is under way feels a change at once.

    `slow` waits before each part, and `drip` passes on a few bytes at a time; `cut` ends each
    connection in the middle of what is said next; `garbled` puts noise into it; `silence` passes on
    nothing any more.
    """

    def __init__(self, server: Endpoint, chance: random.Random) -> None:
        self.fault: str | None = None
        self._chance = chance
        self._listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ports = [one.getsockname()[1] for one in self._listening]
        self.endpoint = Endpoint(f"http://127.0.0.1:{ports[0]}", ports[1])
        targets = (int(server.url.rpartition(":")[2]), server.grpc_port)
        for listening, target in zip(self._listening, targets, strict=True):
            threading.Thread(target=self._accept, args=(listening, target), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        for listening in self._listening:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def _accept(self, listening: socket.socket, target: int) -> None:
        with suppress(OSError):  # until it is closed
            while True:
                outside, _ = listening.accept()
                threading.Thread(target=self._connect, args=(outside, target), daemon=True).start()

    def _connect(self, outside: socket.socket, target: int) -> None:
        try:
            inside = socket.create_connection(("127.0.0.1", target))
        except OSError:
            outside.close()
            return
        for one in (outside, inside):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._pump, args=(inside, outside, True), daemon=True)
        back.start()
        self._pump(outside, inside, False)
        back.join()
        for one in (outside, inside):
            one.close()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if not self._pass(data, target, answers):
                    break
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _pass(self, data: bytes, target: socket.socket, answers: bool) -> bool:
        """Pass on some bytes, and return whether the connection goes on."""
        match self.fault:
            case "slow":
                time.sleep(0.02)
            case "drip":
                for start in range(0, len(data), DRIP):
                    target.sendall(data[start : start + DRIP])
                    time.sleep(0.002)
                return True
            case "cut":
                target.sendall(data[: len(data) // 2])
                return False
            case "garbled answers" if answers:
                data = self._garbled(data)
            case "garbled requests" if not answers:
                data = self._garbled(data)
            case "silence":
                self._keep_silent()
                return False
        target.sendall(data)
        return True

    def _keep_silent(self) -> None:
        while self.fault == "silence":
            time.sleep(0.02)

    def _garbled(self, data: bytes) -> bytes:
        at = self._chance.randrange(max(1, len(data) - NOISE))
        noise = bytes(self._chance.randrange(128, 256) for _ in range(NOISE))
        return data[:at] + noise[: len(data) - at] + data[at + NOISE :]


@contextmanager
def before(server: Endpoint, chance: random.Random) -> Iterator[Proxy]:
    """A proxy before a server."""
    proxy = Proxy(server, chance)
    try:
        yield proxy
    finally:
        proxy.fault = None
        proxy.close()
