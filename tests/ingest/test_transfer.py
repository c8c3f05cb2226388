"""A release arrives whole in another store, by a copy or a backup, and nothing else does."""

from __future__ import annotations

import json
import os
import random
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from fuzz_readers import SECONDS, time_limit
from fuzz_stores import BackupFuzz
from hypothesis import given, settings
from hypothesis import strategies as st
from places import EMBEDDED, DirectoryPlace

from melon.errors import MelonError, UnreadableFile
from melon.ingest import BadBackup, back_up, copy_release, restore
from melon.ingest.transfer import digest, stored_points
from melon.retrieval import PlaylistQuery, Retriever
from melon.store import Collection, ReleaseReader, VectorStore

on_embedded = pytest.mark.parametrize("demo_place", [EMBEDDED], indirect=True)


def same_points(one: ReleaseReader, other: ReleaseReader) -> None:
    for collection in Collection:
        ours, theirs = (stored_points(reader)[collection] for reader in (one, other))
        assert list(ours.ids) == list(theirs.ids)
        first, second = ours.batch(0, len(ours)), theirs.batch(0, len(theirs))
        assert digest(first) == digest(second)
        np.testing.assert_allclose(first.dense, second.dense, atol=1e-6)


def test_a_copy_is_the_same_release(demo_store: VectorStore, store: VectorStore):
    reader = demo_store.open()
    assert copy_release(reader, store)
    assert store.live() == reader.manifest.release
    arrived = store.open()
    manifests = [one.manifest.model_dump(exclude={"evidence"}) for one in (arrived, reader)]
    assert manifests[0] == manifests[1]
    same_points(reader, arrived)
    query = PlaylistQuery(title="rainy day", songs=[1, 2])
    answers = [Retriever(one).recommend(query, limit=20).songs for one in (demo_store, store)]
    assert [song.id for song in answers[0]] == [song.id for song in answers[1]]
    assert not copy_release(reader, store)  # it is there already


@on_embedded
def test_a_backup_is_restored_and_no_larger_than_its_data(demo_store: VectorStore, tmp_path: Path):
    reader = demo_store.open()
    file = tmp_path / "release.melon"
    back_up(reader, file)
    with ZipFile(file) as archive:
        assert file.stat().st_size < sum(info.file_size for info in archive.infolist())
    steps = set()
    with DirectoryPlace(tmp_path / "store").open() as store:
        manifest, built = restore(
            file, store, promote=False, progress=lambda step, *_: steps.add(step)
        )
        assert built
        assert store.live() is None
        same_points(reader, store.open(manifest.release))
        assert {"read", "upload", "check", "compare"} <= steps
        assert not restore(file, store)[1]
        assert store.live() == manifest.release
        again = tmp_path / "again.melon"
        back_up(store.open(), again)
    assert again.read_bytes() == file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "again.melon",
        "release.melon",
        "store",
    ]


def rewrite(file: Path, **changed: bytes) -> None:
    """Write a backup again with some files changed or added."""
    with ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in (files | changed).items():
            archive.writestr(name, content)


@on_embedded
def test_hostile_backups(demo_store: VectorStore, tmp_path: Path):
    file, place = tmp_path / "release.melon", tmp_path / "store"

    def refused(what: str, **changed: bytes) -> None:
        back_up(demo_store.open(), file)
        rewrite(file, **changed)
        with DirectoryPlace(place).open() as store, pytest.raises(BadBackup, match=what) as error:
            restore(file, store)
        assert error.value.where == str(file)
        assert not place.exists()

    refused("songs/0.vectors was altered", **{"songs/0.vectors": bytes(32_000)})
    refused("more than", **{"songs/0.vectors": bytes(10 << 20)})
    refused("backup.json: ", **{"backup.json": b'{"format": "zip"}'})
    refused("nested too deeply", **{"backup.json": b"[" * 100_000})
    back_up(demo_store.open(), file)
    with ZipFile(file) as archive:
        contents = json.loads(archive.read("backup.json"))
        tags = archive.read("tags/0.jsonl").replace(b'"tag":"', b'"tag":"\\ud800', 1)
    known = contents["files"]["tags/0.jsonl"]
    known |= {"bytes": len(tags), "sha256": sha256(tags).hexdigest()}
    changed = {"backup.json": json.dumps(contents).encode(), "tags/0.jsonl": tags}
    refused(r"tags/0 holds a point that is none of melon's: .*ud800", **changed)
    del contents["files"]["tags/0.jsonl"]
    refused("does not list tags/0.jsonl", **{"backup.json": json.dumps(contents).encode()})
    file.write_bytes(b"PK" + bytes(100))
    with (
        DirectoryPlace(place).open() as store,
        pytest.raises(BadBackup, match="backup: file is") as no,
    ):
        restore(file, store)
    assert "`melon backup`" in (no.value.hint or "")
    file.unlink()
    os.mkfifo(file)
    with DirectoryPlace(place).open() as store, pytest.raises(UnreadableFile, match="regular"):
        restore(file, store)


@on_embedded
def test_a_restore_is_run_again_and_writes_nowhere_else(demo_store: VectorStore, tmp_path: Path):
    """Names in an archive are not looked at: only what melon wrote there is read."""

    def interrupt(step: str, done: int, total: int | None) -> None:
        if step == "upload":
            raise KeyboardInterrupt

    file = tmp_path / "release.melon"
    back_up(demo_store.open(), file)
    rewrite(file, **{"../outside": b"x", f"{tmp_path}/absolute": b"x", "songs/link": b"/etc"})
    with DirectoryPlace(tmp_path / "store").open() as store:
        with pytest.raises(KeyboardInterrupt):
            restore(file, store, progress=interrupt)
        assert store.releases() == []
        assert restore(file, store)[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release.melon", "store"]


@on_embedded
def test_odd_backups_are_read_or_refused(demo_place: DirectoryPlace, tmp_path: Path):
    fuzz = BackupFuzz(demo_place.root, tmp_path)

    @settings(max_examples=100)
    @given(st.integers(0, 2**32))
    def each(seed: int) -> None:
        with time_limit(SECONDS), suppress(MelonError):
            fuzz(random.Random(seed))

    each()
