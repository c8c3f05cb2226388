"""kill -9 at any moment of an ingest: readers notice nothing, and running it again suffices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ingest_samples import FULL, variant
from places import Place, ServerPlace, scratch_directory
from qdrant_server import running_server

from melon.embedding import EmbeddingSpace
from melon.errors import MelonError
from melon.ingest import Outcome, SparseWeights, ingest, release_name
from melon.store import Collection, Preset, VectorStore

STALLED = Path(__file__).with_name("stalled_ingest.py")


@pytest.fixture(scope="module")
def next_path(space: EmbeddingSpace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("space") / "next"
    variant(space, 1).save(path)
    space.save(path.with_name("before"))
    return path


@pytest.fixture(scope="module")
def next_space(next_path: Path) -> EmbeddingSpace:
    return EmbeddingSpace.load(next_path)


def environment(place: Place) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MELON_")}
    return kept | place.environment


def heed_terminals() -> None:
    """Also where the tests themselves are run by `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def kill_at(moment: str, place: Place, space: Path, told: signal.Signals = signal.SIGKILL) -> int:
    """Run `melon ingest` until that moment, and end it, as a power cut would; how it ended."""
    process = subprocess.Popen(
        [sys.executable, str(STALLED), moment, "ingest", str(space), *place.options],
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_terminals,
    )
    with process:
        assert process.stdout
        assert process.stderr
        said = process.stdout.readline()
        process.send_signal(told)
        assert said == "stalled\n", process.stderr.read()
    return process.returncode


def contents_of(place: Place) -> set[str]:
    """What is there of releases, complete or not."""
    if isinstance(place, ServerPlace):
        return {n.rpartition("__")[2] for n in place.collections() if not n.endswith("_releases")}
    return {path.name for path in (place.root / "releases").iterdir()}


def vector(store: VectorStore) -> np.ndarray:
    [record] = store.open().retrieve(Collection.SONGS, [FULL], vectors=True)
    assert record.vector is not None
    return record.vector


@pytest.mark.parametrize("moment", ["upload", "index", "sealed"])
def test_a_killed_ingest_can_simply_be_run_again(
    place: Place, space: EmbeddingSpace, next_space: EmbeddingSpace, next_path: Path, moment: str
) -> None:
    name = release_name(next_space, SparseWeights())
    with place.open() as store:
        before = ingest(space, store).manifest.release
        reader, served = store.open(), vector(store)

        assert kill_at(moment, place, next_path) == -signal.SIGKILL
        assert store.live() == before
        np.testing.assert_array_equal(vector(store), served)
        assert reader.count(Collection.SONGS) == 7
        complete = {info.manifest.release for info in store.releases()}
        assert complete == ({before, name} if moment == "sealed" else {before})

        result = ingest(next_space, store)
        assert result.outcome is (Outcome.PROMOTED if moment == "sealed" else Outcome.BUILT)
        assert store.live() == name
        assert contents_of(place) == {before, name}
        for collection, count in store.open().manifest.counts.items():
            assert store.open().count(collection) == count
        assert reader.count(Collection.SONGS) == 7  # the reader of the release before


@pytest.mark.parametrize(
    ("moment", "told"),
    [("upload", signal.SIGTERM), ("index", signal.SIGTERM), ("upload", signal.SIGHUP)],
)
def test_one_that_is_told_to_end_leaves_nothing(
    place: Place, space: EmbeddingSpace, next_path: Path, moment: str, told: signal.Signals
) -> None:
    """As by `docker stop`, `timeout`, or a terminal that is closed: no half of a release."""
    with place.open() as store:
        before = ingest(space, store).manifest.release
        assert kill_at(moment, place, next_path, told) == 128 + told
        assert contents_of(place) == {before}
        assert store.live() == before
        assert store.unlock(force=True).removed == ()


def test_one_killed_while_it_copies_the_release_before_can_be_run_again(
    place: Place, space: EmbeddingSpace, next_space: EmbeddingSpace, next_path: Path
) -> None:
    with place.open() as store:
        before = ingest(space, store, preset=Preset.BALANCED).manifest.release
        kill_at("copy", place, next_path)
        assert store.live() == before
        assert len(contents_of(place)) == 2
        result = ingest(next_space, store, before=space)
        assert result.outcome is Outcome.BUILT
        assert result.sent < sum(result.manifest.counts.values())
        assert contents_of(place) == {before, result.manifest.release}


def test_the_command_itself_runs_again(
    place: Place, space: EmbeddingSpace, next_space: EmbeddingSpace, next_path: Path
) -> None:
    """The real command after the kill of a real one, on a store that held nothing before."""
    kill_at("check", place, next_path)
    with place.open() as store:
        assert (store.live(), store.releases()) == (None, [])
        again = subprocess.run(
            [sys.executable, "-m", "melon.cli", "ingest", str(next_path), *place.options],
            env=environment(place),
            capture_output=True,
            text=True,
        )
        assert again.returncode == 0, again.stderr
        name = release_name(next_space, SparseWeights())
        assert f"release {name} is live" in again.stderr
        assert store.live() == name
        assert contents_of(place) == {name}


def test_a_killed_server_does_not_make_the_process_block_itself(
    space: EmbeddingSpace, qdrant_binary: Path
) -> None:
    """The mark of the ingest that failed outlives it, and its process is alive."""
    with scratch_directory() as directory, running_server(directory) as server:

        def kill(step: str, *_: object) -> None:
            if step == "upload":
                server.kill()

        place = ServerPlace(server, "melon")
        with place.open() as store, pytest.raises(MelonError):
            ingest(space, store, progress=kill)
        server.restart()
        with place.open() as store:
            assert ingest(space, store).outcome is Outcome.BUILT


def test_releases_that_an_interruption_left_too_many_are_dropped_next_time(
    place: Place, space: EmbeddingSpace
) -> None:
    """Killed between its promotion and the end of its cleaning up."""
    with place.open() as store:
        names = [ingest(variant(space, n), store).manifest.release for n in range(2)]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("melon.ingest.release.drop_older", lambda *_: ())
            newest = ingest(variant(space, 2), store).manifest.release
        assert len(store.releases()) == 3
        result = ingest(variant(space, 2), store)
        assert (result.outcome, result.dropped) == (Outcome.UNCHANGED, (names[0],))
        assert contents_of(place) == {names[1], newest}
