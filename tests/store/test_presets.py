"""Presets: what each makes of a release, on both engines, and which one is chosen by size."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from places import DirectoryPlace, Place
from store_samples import manifest, points

from melon.store import DENSE, Collection, Preset, VectorQuery, VectorStore, preset_for
from melon.store.presets import INDEX_SETTINGS, hnsw_ef

POINTS, DIM, NEIGHBOURS = 3_000, 32, 20
SONGS = Collection.SONGS


@pytest.fixture
def graphs_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have so few points indexed; the thresholds are those of collections that are worth it."""
    for preset, settings in INDEX_SETTINGS.items():
        monkeypatch.setitem(
            INDEX_SETTINGS,
            preset,
            replace(settings, indexing_threshold_kb=100, full_scan_threshold_kb=50),
        )


@pytest.mark.usefixtures("graphs_for_few")
@pytest.mark.parametrize("preset", Preset)
def test_every_preset_finds_the_nearest(place: Place, store: VectorStore, preset: Preset) -> None:
    batch = points(range(POINTS), DIM)
    builder = store.build(manifest(dim=DIM, preset=preset))
    builder.upsert(SONGS, batch)
    builder.finish()
    reader = builder.reader()
    questions = np.random.default_rng(1).normal(size=(30, DIM)).astype(np.float32)
    unit = batch.dense / np.linalg.norm(batch.dense, axis=1, keepdims=True)
    nearest = np.argsort(-(questions @ unit.T), axis=1)[:, :NEIGHBOURS]
    answers = reader.query(SONGS, [VectorQuery(q, DENSE, NEIGHBOURS) for q in questions])
    found = [
        len(set(hits.ids) & set(row.tolist())) for hits, row in zip(answers, nearest, strict=True)
    ]
    recall = sum(found) / nearest.size
    assert recall == 1 if preset is Preset.EXACT else recall > 0.97
    [record] = reader.retrieve(SONGS, [7], vectors=True)
    assert record.vector is not None
    np.testing.assert_allclose(record.vector, unit[7], atol=1e-3)
    _check_config(place, preset)
    builder.abandon()


def _check_config(place: Place, preset: Preset) -> None:
    """What the engine says of how it keeps the vectors."""
    if isinstance(place, DirectoryPlace):
        [file] = (place.root / "releases").glob(".building-*/songs/edge_config.json")
        config = json.loads(file.read_text())
        vectors, hnsw = config["vectors"][DENSE], config["hnsw_config"]
        datatype, links = vectors.get("datatype"), hnsw["m"]
        on_disk = preset.has_graph and vectors.get("memory") == "cold"
    else:
        with place.client() as client:
            info = client.get_collection(f"{place.prefix}_songs__r1")
        assert isinstance(info.config.params.vectors, dict)
        params = info.config.params.vectors[DENSE]
        datatype, on_disk = params.datatype, bool(params.on_disk)
        links = info.config.hnsw_config.m
    half = preset is Preset.SMALL
    assert ((datatype or "float32").lower(), on_disk) == ("float16" if half else "float32", half)
    assert links == (0 if preset is Preset.EXACT else INDEX_SETTINGS[preset].m)


@pytest.mark.parametrize(
    ("points", "dim", "preset"),
    [
        (4_000, 64, Preset.EXACT),
        (49_999, 100, Preset.EXACT),
        (50_001, 100, Preset.BALANCED),
        (707_989, 300, Preset.BALANCED),
        (6_000_000, 100, Preset.SMALL),
    ],
)
def test_the_preset_is_chosen_by_size(points: int, dim: int, preset: Preset) -> None:
    assert preset_for(points, dim) is preset


def test_hnsw_ef_grows_with_the_limit_or_is_chosen() -> None:
    widths = [hnsw_ef(limit) for limit in (1, 100, 200, 1000)]
    assert widths == sorted(widths)
    assert all(ef >= limit for ef, limit in zip(widths, (1, 100, 200, 1000), strict=True))
    assert hnsw_ef(10, 5000) == 5000
    assert hnsw_ef(100, 120) == 120
    assert hnsw_ef(1000, 10) == 1000


def test_old_manifests_are_of_balanced_releases() -> None:
    fields = manifest().model_dump(mode="json")
    del fields["preset"]
    assert type(manifest()).model_validate(fields).preset is Preset.BALANCED
