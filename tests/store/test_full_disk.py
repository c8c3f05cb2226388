"""Full disks, read-only ones, and those of others: what is there is read, a build leaves nothing.

On file systems of their own, which only root may mount: elsewhere these tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import fill, mounted
from places import scratch_directory
from store_samples import Sample, manifest, points, publish

from melon.store import Collection, DamagedRelease, StoreUnavailable, verify
from melon.store.embedded import EmbeddedStore

SONGS = Collection.SONGS
MB = 1 << 20

READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from melon.store import Collection
from melon.store.embedded import EmbeddedStore

os.setuid(65534)
with EmbeddedStore(Path(sys.argv[1])) as store:
    reader = store.open()
    print([reader.count(collection) for collection in Collection])
"""


@pytest.fixture(scope="module")
def disk(songs_sample: Sample) -> Iterator[Path]:
    """A disk of 40 MB with a live release of 2 MB."""
    with scratch_directory() as directory, mounted(directory / "disk", image_mb=40) as disk:
        with EmbeddedStore(disk / "store") as store:
            publish(store, songs_sample.contents)
        yield disk


def read_all(root: Path) -> None:
    """Everything of the live release that is asked for is answered."""
    with EmbeddedStore(root) as store:
        reader = store.open()
        assert [reader.count(part) for part in Collection] == [300, 7, 0, 0]
        assert len(reader.find(SONGS, None, 9)) == 9
        assert verify(store).faults == ()


def test_a_release_is_read_on_a_full_disk(disk: Path) -> None:
    fill(disk)
    assert shutil.disk_usage(disk).free < MB
    before = sorted(disk.rglob("*"))
    read_all(disk / "store")
    assert sorted(disk.rglob("*")) == before


def test_a_release_that_there_is_no_room_for_is_not_begun(disk: Path) -> None:
    fill(disk, leave=3 * MB)
    counts = dict.fromkeys(Collection, 0) | {SONGS: 2_000}
    before = shutil.disk_usage(disk).free
    with EmbeddedStore(disk / "store") as store:
        with pytest.raises(
            StoreUnavailable,
            match=r"a release of 2,000 points takes some 7.1 MB .*, and 3.\d MB are free",
        ) as caught:
            store.build(manifest("r2", counts=counts))
        assert "hint: make room on the disk" in str(caught.value)
    assert shutil.disk_usage(disk).free == before


@pytest.mark.parametrize("free", [MB // 2, 2 * MB])
def test_a_disk_that_becomes_full_ends_the_build_and_nothing_else(
    disk: Path, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edge writes into holes of files, where a full disk ends its process by SIGBUS."""
    monkeypatch.setattr("melon.store.embedded.builder.check_room", lambda *_: None)
    fill(disk, leave=free)
    with EmbeddedStore(disk / "store") as store:
        with pytest.raises(StoreUnavailable) as caught:
            publish(store, {SONGS: points(range(8_000))}, "r2")
        assert not isinstance(caught.value, DamagedRelease)
        assert "hint: make room on the disk" in str(caught.value)
        assert [path.name for path in (store.root / "releases").iterdir()] == ["r1"]
    read_all(disk / "store")


def test_a_build_in_memory_that_is_full_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, holes take room as soon as they are read."""
    monkeypatch.setattr("melon.store.embedded.builder.check_room", lambda *_: None)
    with (
        mounted(tmp_path / "memory", "-t", "tmpfs", "-o", "size=64m", "tmpfs") as memory,
        EmbeddedStore(memory / "store") as store,
    ):
        with pytest.raises(StoreUnavailable, match="disk is full") as caught:
            publish(store, {SONGS: points(range(10))})
        assert "hint: make room on the disk" in str(caught.value)
        assert list((store.root / "releases").iterdir()) == []


def test_a_release_is_read_on_a_read_only_disk(disk: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "same", "--bind", "-o", "ro", str(disk)) as same:
        read_all(same / "store")
        with EmbeddedStore(same / "store") as store:
            for write in (lambda: store.promote("r1"), lambda: store.build(manifest("r2"))):
                with pytest.raises(StoreUnavailable, match="Read-only file system"):
                    write()


def test_a_release_is_read_by_somebody_who_may_not_write(disk: Path) -> None:
    disk.parent.chmod(0o755)
    command = [sys.executable, "-c", READ_AS_NOBODY, str(disk / "store")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[300, 7, 0, 0]\n"), done.stderr
