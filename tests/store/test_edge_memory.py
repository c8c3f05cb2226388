"""Where an embedded shard keeps what it reads: in the system's cache, not in memory of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kept import kept_on
from places import EMBEDDED
from store_samples import Sample, publish

from melon.store import Collection, Preset
from melon.store.embedded.shards import create_shard
from melon.store.presets import INDEX_SETTINGS

MEMORY = {Preset.BALANCED: "cached", Preset.EXACT: "cached", Preset.SMALL: "cold"}


@pytest.mark.parametrize("preset", Preset)
def test_nothing_is_pinned(tmp_path: Path, preset: Preset) -> None:
    path = tmp_path / "playlists"
    create_shard(path, Collection.PLAYLISTS, 4, INDEX_SETTINGS[preset]).close()
    kept = json.loads((path / "edge_config.json").read_text())
    assert kept["payload_memory"] == kept["vectors"]["w2v"]["memory"] == MEMORY[preset]
    assert kept["sparse_vectors"]["items"]["memory"] == "cached"


def test_the_files_of_a_small_release_are_not_read_ahead(
    request: pytest.FixtureRequest, songs_sample: Sample
) -> None:
    place = kept_on(EMBEDDED, request).place(
        "sample", lambda store: publish(store, songs_sample.contents)
    )
    (path,) = Path(*place.options[1:]).glob("releases/*/songs/edge_config.json")
    kept = json.loads(path.read_text())
    assert kept["payload_memory"] == kept["vectors"]["w2v"]["memory"] == "cold"
