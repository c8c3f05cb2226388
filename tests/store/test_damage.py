"""A release that was damaged or copied behind the store's back is told so, and mended beside."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from command_line import melon
from places import DirectoryPlace, Place, ServerPlace, place_on, rewrite_manifest
from qdrant_client import models
from store_samples import DIM, FIRST_SONG, Sample, points, publish

from melon.store import Collection, DamagedRelease, VectorStore, tag_point_id, verify
from melon.store.embedded import EmbeddedStore, reader
from melon.store.embedded.sealing import checksum_of
from melon.store.embedded.shards import open_shard

SONGS = Collection.SONGS


def test_a_panic_of_the_engine_is_a_damaged_release(tmp_path: Path) -> None:
    """It is a BaseException, which every `except Exception` lets pass."""
    with EmbeddedStore(tmp_path / "store") as store:
        publish(store, {SONGS: points([1])})
        status = next(store.root.glob("releases/r1/songs/segments/*/**/is_null/status.dat"))
        status.write_bytes(b"")
        with pytest.raises(DamagedRelease, match="engine broke off") as caught:
            open_shard(store.root / "releases" / "r1" / SONGS)
        assert type(caught.value.__cause__).__name__ == "PanicException"
        assert "melon ingest" in str(caught.value)


def test_a_copied_release_is_not_promoted_under_another_name(
    place: Place, store: VectorStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be dropped with the release whose name its manifest has."""
    for release in ("r2", "r1"):
        publish(store, {SONGS: points([1])}, release)
    if isinstance(place, ServerPlace):
        with place.client() as client:
            registry = f"{place.prefix}_releases"
            [copied] = [p.id for p in client.scroll(registry)[0] if p.payload["release"] == "r2"]
            client.set_payload(registry, {"release": "r1"}, [copied], wait=True)
        name = "r2"
    else:
        releases = place.root / "releases"
        shutil.copytree(releases / "r1", releases / "copy")
        name = "copy"
        assert {info.manifest.release for info in store.releases()} == {"r1", "r2"}
        assert "release copy: it is a copy of release r1" in caplog.text
    for refused in (store.promote, store.open):
        with pytest.raises(DamagedRelease, match="copy of release r1"):
            refused(name)
    assert store.live() == "r1"
    if not isinstance(place, ServerPlace):
        store.drop(name)
        assert store.open().count(SONGS) == 1


@pytest.fixture(scope="module")
def sealed(songs_sample: Sample) -> Iterator[Path]:
    """A store with the sample's release, to be copied."""
    with place_on("embedded", None) as place:
        assert isinstance(place, DirectoryPlace)
        with place.open() as store:
            publish(store, songs_sample.contents)
        yield place.root


@pytest.fixture
def copied(sealed: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    subprocess.run(["cp", "-r", "--sparse=always", sealed, tmp_path / "store"], check=True)
    return tmp_path / "store"


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def add_beside(path: Path) -> None:
    (path.parent / "another.dat").write_bytes(b"1")


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("version.info", Path.unlink),
        ("version.info", flip),
        ("payload_storage/page_0.dat", cut),
        ("payload_storage/page_0.dat", add_beside),
    ],
)
def test_files_that_cannot_be_right_never_reach_the_engine(
    copied: Path, file: str, damage: Callable[[Path], object]
) -> None:
    """It panics at some, dies of others, and deletes a segment that lacks its version."""
    [damaged] = copied.glob(f"releases/r1/songs/segments/*/{file}")
    damage(damaged)
    left = sorted(path for path in copied.rglob("*") if path.suffix != ".lock")
    with EmbeddedStore(copied) as store:
        with pytest.raises(DamagedRelease, match=r"songs/segments/.*") as caught:
            store.open().count(SONGS)
        assert "melon ingest --rebuild" in str(caught.value)
        with pytest.raises(DamagedRelease):
            store.promote("r1")
        assert store.open().count(Collection.TAGS) == 7
        assert len(verify(store).faults) == 1
    assert sorted(path for path in copied.rglob("*") if path.suffix != ".lock") == left


def set_high_bit(path: Path, place: int) -> None:
    """Of a number of four bytes."""
    with path.open("r+b") as file:
        file.seek(place + 3)
        [value] = file.read(1)
        file.seek(place + 3)
        file.write(bytes([value ^ 0x80]))


@pytest.mark.parametrize(
    ("file", "place"),
    [("vector_storage-w2v/deleted/status.dat", 0), ("mutable_id_tracker.mappings", 13)],
)
def test_numbers_that_end_the_process_never_reach_the_engine(
    copied: Path, file: str, place: int
) -> None:
    """It allocates as much memory as they say."""
    [damaged] = copied.glob(f"releases/r1/songs/segments/*/{file}")
    set_high_bit(damaged, place)
    with EmbeddedStore(copied) as store:
        with pytest.raises(DamagedRelease, match=f"{file} is not what was sealed") as caught:
            store.open().count(SONGS)
        assert "melon ingest --rebuild" in str(caught.value)
        [fault] = verify(store).faults
        assert fault.endswith(f"{file} is not what was sealed")


def test_a_manifest_that_changed_is_noticed(copied: Path) -> None:
    """It holds what titles are cut by, and how what is found is ranked."""
    manifest = copied / "releases" / "r1" / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"melon_version":"0.0"', '"melon_version":"0.1"')
    )
    with EmbeddedStore(copied) as store:
        with pytest.raises(DamagedRelease, match=r"manifest\.json is not what was sealed"):
            store.open().count(SONGS)
        with pytest.raises(DamagedRelease):
            store.promote("r1")


def rotate_vectors(root: Path) -> None:
    """Give each song the vector of the one before it."""
    [chunk] = root.glob("releases/r1/songs/segments/*/vector_storage-w2v/vectors/chunk_0.mmap")
    vectors = np.memmap(chunk, np.float32, "r+", shape=(300, DIM))
    vectors[:] = np.roll(vectors, 1, axis=0)
    vectors.flush()


@pytest.fixture
def far_from_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if what is damaged lay where opening does not read."""
    monkeypatch.setattr(reader, "check_files", lambda *_: None)


@pytest.mark.usefixtures("far_from_heads")
def test_vectors_that_changed_places_are_found_without_reading_all(copied: Path) -> None:
    rotate_vectors(copied)
    with EmbeddedStore(copied) as store:
        with pytest.raises(DamagedRelease, match=r"songs: others are near point \d+ by w2v"):
            store.promote("r1")
        [fault] = verify(store).faults
        assert fault.endswith("chunk_0.mmap is not what was sealed")


def test_every_byte_of_a_release_is_verified(copied: Path) -> None:
    """One bit of a file of each name, the manifest's too, and of what is between their data."""
    release = copied / "releases" / "r1"
    files = [path for path in sorted(release.rglob("*.*")) if path.is_file()]
    files = [path for path in files if path.suffix != ".lock" and path.name != "files.json"]
    rng = np.random.default_rng(0)
    chosen = {path.name: path for path in files}.values()
    with EmbeddedStore(copied) as store:
        assert verify(store).faults == ()
        for path in chosen:
            with path.open("r+b") as file:
                before = checksum_of(file)
                place = int(rng.integers(path.stat().st_size))
                file.seek(place)
                [value] = file.read(1)
                file.seek(place)
                file.write(bytes([value ^ 1]))
                file.flush()
                assert checksum_of(file) != before, path
        assert len(store.damaged_files("r1")) == len(chosen) > 10


def test_a_copy_that_fills_the_holes_is_the_same(copied: Path) -> None:
    with EmbeddedStore(copied) as store:
        for path in copied.rglob("tracker.dat"):
            path.write_bytes(path.read_bytes())
        assert store.damaged_files("r1") == []


def test_a_release_without_its_list_of_files_is_damaged(copied: Path) -> None:
    (copied / "releases" / "r1" / "files.json").write_text("{}")
    with EmbeddedStore(copied) as store:
        for ask in (lambda: store.open().count(SONGS), lambda: verify(store)):
            with pytest.raises(DamagedRelease, match="list of its files"):
                ask()


def test_what_changed_on_a_server_is_found(server_place: ServerPlace, songs_sample: Sample) -> None:
    with server_place.open() as store, server_place.client() as client:
        publish(store, songs_sample.contents)
        told: list[str] = []
        assert verify(store, progress=lambda step, *_: told.append(step)).faults == ()
        assert set(told) == {"points"}
        known = sorted(point.point for point in store.open().manifest.evidence[SONGS])
        name = f"{server_place.prefix}_songs__r1"
        client.set_payload(name, {"name": "another"}, [FIRST_SONG], wait=True)
        vectors = [models.PointVectors(id=point, vector={"w2v": [1.0] * DIM}) for point in known]
        client.update_vectors(name, vectors[1:], wait=True)
        client.delete(f"{server_place.prefix}_tags__r1", [tag_point_id("rainy day")], wait=True)
        faults = verify(store).faults
        assert faults[0] == f"songs: the payload of point {FIRST_SONG} is another"
        assert any(fault.startswith("songs: others are near point") for fault in faults)
        assert "its collection of tags holds 6 points of 7" in faults
        with pytest.raises(DamagedRelease, match=r"the payload of point 1000 is another; .* more"):
            store.promote("r1")


def test_what_is_known_survives_another_engines_last_digits(
    place: Place, songs_sample: Sample
) -> None:
    with place.open() as store:
        publish(store, songs_sample.contents)
        evidence = store.open().manifest.model_dump(mode="json")["evidence"]
        for point in evidence["songs"]:
            for answer in point["answers"]:
                answer["scores"] = [score * (1 + 1e-6) for score in answer["scores"]]
        rewrite_manifest(place, "r1", evidence=evidence)
        store.promote("r1")


@pytest.mark.usefixtures("far_from_heads")
def test_the_commands_say_what_is_damaged(copied: Path) -> None:
    at = ("--path", str(copied))
    whole = melon("verify", *at)
    assert (whole.code, whole.out) == (0, "")
    assert "release r1 is whole: 307 points, 12 known answers" in whole.err
    assert melon("status", *at, "--json").json()["faults"] == []
    rotate_vectors(copied)
    for command, fault in (("verify", "is not what was sealed"), ("status", "near point")):
        done = melon(command, *at, "--json")
        assert done.code == 1
        assert fault in json.loads(done.out)["faults"][-1]
        assert "error: release r1: " in done.err
        assert "--rebuild`" in done.err
    assert melon("verify", "r2", *at).code == 2
