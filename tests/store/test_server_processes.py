"""A server's connections belong to the process that opened them."""

from __future__ import annotations

import subprocess
import sys

from places import ServerPlace
from store_samples import points, publish

from melon.store import Collection

FORK = """
import os, signal, sys, warnings
from melon.store import Collection, ForkedStore
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress

url, grpc_port, key, prefix = sys.argv[1:]
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork where there are threads
address = ServerAddress(url, key or None, int(grpc_port), prefix=prefix)

def refused(ask):
    try:
        ask()
    except ForkedStore as error:
        assert "after the fork" in str(error)
        return True

with ServerStore(address) as store:
    reader = store.open()
    assert reader.in_background(lambda: reader.count(Collection.SONGS))() == 10
    if not (child := os.fork()):
        signal.alarm(60)  # ends what waits for ever
        assert refused(lambda: reader.count(Collection.SONGS))
        assert refused(lambda: reader.in_background(lambda: 1)())
        assert refused(store.open)
        assert refused(store.live)
        store.close()  # which is not to disturb the other process
        with ServerStore(address) as own:
            assert own.open().count(Collection.SONGS) == 10
    else:
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        assert reader.in_background(lambda: reader.count(Collection.SONGS))() == 10
"""


def test_a_forked_process_is_told_to_open_the_store_itself(server_place: ServerPlace) -> None:
    """On one connection, two processes would read each other's answers."""
    with server_place.open() as store:
        publish(store, {Collection.SONGS: points(range(10))})
    server = server_place.server
    arguments = [server.url, str(server.grpc_port), server.api_key or "", server_place.prefix]
    command = [sys.executable, "-c", FORK, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
