"""Whatever Edge cannot write is an error of ours with what to do, and nothing is left of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import DirectoryPlace, place_on
from store_samples import points, publish

from melon.store import Collection, DamagedRelease
from melon.store.embedded import EmbeddedStore

LIMITED = """
import resource, signal, sys
from pathlib import Path

from store_samples import manifest, points
from melon.store import Collection, DamagedRelease, StoreUnavailable
from melon.store.embedded import EmbeddedStore, builder, shards

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails, as on a full disk
root, failing, *options = sys.argv[1:]

def limit(step, size=0):
    if step == failing:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
"""

BUILD = (
    LIMITED
    + """
optimise = builder.optimise_shard

def optimise_limited(*arguments):
    limit("index", 10_000)  # enough for opening a shard
    optimise(*arguments)

builder.optimise_shard = optimise_limited
shards.SMALL_SHARD = 0 if options else 10_000
builder = None
with EmbeddedStore(Path(root)) as store:
    try:
        limit("build")
        builder = store.build(manifest())
        limit("upsert")
        builder.upsert(Collection.SONGS, points(range(2_000)))
        limit("finish")
        builder.finish()
        limit("seal")
        builder.seal()
    except StoreUnavailable as error:
        print(error)
        if builder:
            builder.abandon()
    assert list((store.root / "releases").iterdir()) == []
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    store.build(manifest()).abandon()  # nobody is left holding the lock
"""
)

READ = (
    LIMITED
    + """
limit("open")
with EmbeddedStore(Path(root)) as store:
    try:
        store.open().count(Collection.SONGS)
    except StoreUnavailable as error:
        assert not isinstance(error, DamagedRelease)
        print(error)
"""
)


def run(script: str, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def root() -> Iterator[Path]:
    with place_on("embedded", None) as place:
        assert isinstance(place, DirectoryPlace)
        yield place.root


@pytest.mark.parametrize(
    "step", ["build", "upsert", "finish", "index", "index in a child process", "seal"]
)
def test_a_full_disk_is_an_error_and_leaves_nothing(root: Path, step: str) -> None:
    said = run(BUILD, str(root), *step.split(maxsplit=1))
    assert "File too large" in said
    assert "hint: make room on the disk" in said


def test_a_full_disk_does_not_make_what_is_there_damaged(root: Path) -> None:
    """Opening a shard writes, too."""
    with EmbeddedStore(root) as store:
        publish(store, {Collection.SONGS: points([1])})
        assert "hint: make room on the disk" in run(READ, str(root), "open")
        assert store.open().count(Collection.SONGS) == 1


@pytest.mark.parametrize("lost", ["songs", "songs/segments/*/segment.json", "songs/*"])
def test_a_shard_that_is_not_whole_is_damaged(root: Path, lost: str) -> None:
    with EmbeddedStore(root) as store:
        publish(store, {Collection.SONGS: points([1])})
        for path in root.glob(f"releases/r1/{lost}"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        with pytest.raises(DamagedRelease, match="melon ingest"):
            store.open().count(Collection.SONGS)
