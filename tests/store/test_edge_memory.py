"""Where an embedded shard keeps what it reads: not in memory of its own, nor holes in the cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from melon.store import Collection, Preset
from melon.store.embedded.shards import create_shard
from melon.store.presets import INDEX_SETTINGS

MEMORY = {
    Preset.BALANCED: ("cached", "cached"),
    Preset.EXACT: ("cold", "cold"),
    Preset.SMALL: ("cold", "cached"),
}
"""Of what is read of points, and of the sparse vectors."""


@pytest.mark.parametrize("preset", Preset)
def test_nothing_is_pinned(tmp_path: Path, preset: Preset) -> None:
    path = tmp_path / "playlists"
    create_shard(path, Collection.PLAYLISTS, 4, INDEX_SETTINGS[preset]).close()
    kept = json.loads((path / "edge_config.json").read_text())
    points, sparse = MEMORY[preset]
    assert kept["payload_memory"] == kept["vectors"]["w2v"]["memory"] == points
    assert kept["sparse_vectors"]["items"]["memory"] == sparse
