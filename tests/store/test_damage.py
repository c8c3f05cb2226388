"""A release that was damaged or copied behind the store's back is told so, and mended beside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from places import Place, ServerPlace
from store_samples import points, publish

from melon.store import Collection, DamagedRelease, VectorStore
from melon.store.embedded import EmbeddedStore
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
