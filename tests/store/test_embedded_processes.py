"""Many processes read one embedded release at once, also while another builds and promotes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from places import DirectoryPlace, place_on
from store_samples import manifest, points, publish

from melon.store import Collection, ReleaseIsLive, StoreBusy, UnknownRelease
from melon.store.embedded import EmbeddedStore

READERS = 3

READ = """
import json, sys
from pathlib import Path
import numpy as np
from melon.store import DENSE, Collection, VectorQuery
from melon.store.embedded import EmbeddedStore

with EmbeddedStore(Path(sys.argv[1])) as store:
    reader = store.open()
    query = VectorQuery(np.ones(8, np.float32), DENSE, 5, exact=True)
    print("opened", flush=True)
    while (line := sys.stdin.readline()):
        [hits] = reader.query(Collection.SONGS, [query])
        print(json.dumps([reader.count(Collection.SONGS), [hit.id for hit in hits]]), flush=True)
"""


FORK = """
import os, signal, sys, warnings
from pathlib import Path
from melon.store import Collection, ForkedStore
from melon.store.embedded import EmbeddedStore

warnings.simplefilter("ignore", DeprecationWarning)  # of a fork where there are threads
with EmbeddedStore(Path(sys.argv[1])) as store:
    reader = store.open()
    reader.count(Collection.SONGS)
    if not (child := os.fork()):
        signal.alarm(60)  # ends what waits for ever
        for collection in Collection:  # those too that were not opened
            try:
                reader.count(collection)
            except ForkedStore as error:
                assert "after the fork" in str(error)
            else:
                raise AssertionError("it answered")
        assert store.open().count(Collection.SONGS) == 10  # it is this process that opens it
    else:
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        assert reader.count(Collection.SONGS) == 10
"""


class ReadingProcess:
    """Opens the live release, and reads from it whenever it is asked."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", READ, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def opened(self) -> bool:
        assert self._process.stdout
        return self._process.stdout.readline() == "opened\n"

    def ask(self) -> list[object]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer: list[object] = json.loads(self._process.stdout.readline())
        return answer

    def end(self) -> None:
        self._process.communicate()


def test_readers_in_other_processes_are_not_disturbed() -> None:
    with place_on("embedded", None) as place:
        assert isinstance(place, DirectoryPlace)
        with place.open() as store:
            publish(store, {Collection.SONGS: points(range(50))}, "r1")
            processes = [ReadingProcess(place.root) for _ in range(READERS)]
            try:
                assert all(process.opened() for process in processes)
                first = [process.ask() for process in processes]
                assert first == [first[0]] * READERS
                assert first[0][0] == 50

                counts = dict.fromkeys(Collection, 0) | {Collection.SONGS: 60}
                builder = store.build(manifest("r2", counts=counts))
                builder.upsert(Collection.SONGS, points(range(60), seed=1))
                assert [process.ask() for process in processes] == first
                builder.finish()
                builder.seal()
                store.promote("r2")
                assert [process.ask() for process in processes] == first
                late = ReadingProcess(place.root)
                processes.append(late)
                assert late.opened()
                assert late.ask()[0] == 60
            finally:
                for process in processes:
                    process.end()


def test_another_process_cannot_build_at_the_same_time() -> None:
    with place_on("embedded", None) as place:
        assert isinstance(place, DirectoryPlace)
        place.root.mkdir()
        holding = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import fcntl, sys\n"
                "lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
                "print('held', flush=True); sys.stdin.read()",
                str(place.root / "build.lock"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holding.stdout
        assert holding.stdout.readline() == "held\n"
        with place.open() as store:
            with pytest.raises(StoreBusy, match="another process"):
                store.build(manifest())
            holding.kill()  # a lock dies with its process
            holding.communicate()
            store.build(manifest()).abandon()


def test_whatever_is_promoted_and_dropped_at_once_the_live_release_is_there() -> None:
    with place_on("embedded", None) as place:

        def operate(seed: int) -> None:
            rng = random.Random(seed)
            with place.open() as own:
                for _ in range(20):
                    act = rng.choice([own.promote, own.drop])
                    with suppress(UnknownRelease, ReleaseIsLive):  # gone already, or live
                        act(f"r{rng.randrange(4)}")
                    own.open()

        with place.open() as store:
            for release in ("r0", "r1", "r2", "r3"):
                publish(store, {}, release)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(operate, range(4)))
        with place.open() as store:
            assert store.open().count(Collection.SONGS) == 0


def test_indexes_are_built_whatever_lies_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qdrant_edge.py").write_text("raise ImportError('not the engine')")
    monkeypatch.chdir(tmp_path)
    # In a process of its own:
    monkeypatch.setattr("melon.store.embedded.builder.SMALL_RELEASE", 0)
    with EmbeddedStore(tmp_path / "store") as store:
        publish(store, {Collection.SONGS: points(range(10))})
        assert store.open().count(Collection.SONGS) == 10


def test_a_forked_process_is_told_to_open_the_store_itself(tmp_path: Path) -> None:
    """Edge would wait for ever in it: a server that loads the application before it forks hung."""
    with EmbeddedStore(tmp_path / "store") as store:
        publish(store, {Collection.SONGS: points(range(10))})
    command = [sys.executable, "-c", FORK, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
