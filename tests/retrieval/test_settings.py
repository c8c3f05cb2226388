"""A file of retrieval settings is used as it is meant, or refused where it is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from melon.errors import UnreadableFile
from melon.retrieval import BadSettings, RetrievalSettings
from melon.retrieval.settings import DEFAULTS


def refused(tmp_path: Path, text: str) -> BadSettings:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(BadSettings) as refusal:
        RetrievalSettings.load(path)
    return refusal.value


def test_a_file_that_is_not_there_is_named_with_the_reason(tmp_path: Path):
    path = tmp_path / "absent.json"
    with pytest.raises(UnreadableFile) as refusal:
        RetrievalSettings.load(path)
    assert str(refusal.value) == f"{path}: cannot be read: no such file or directory"


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path):
    path = tmp_path / "settings.json"
    path.write_text('{"hybrid": {"from_tags": {"to_songs": {"weight": 0.7}}}}')
    loaded, default = RetrievalSettings.load(path), RetrievalSettings.default()
    assert loaded.hybrid.from_tags.to_songs.weight == 0.7
    assert loaded.hybrid.from_tags.to_songs.power == default.hybrid.from_tags.to_songs.power
    assert loaded.neighbours == default.neighbours


def test_the_built_in_settings_leave_nothing_out():
    loaded = RetrievalSettings.load(DEFAULTS)
    assert DEFAULTS.read_text() == loaded.model_dump_json(indent=2) + "\n"


def test_settings_may_go_to_another_process(tmp_path: Path):
    path = tmp_path / "settings.json"
    path.write_text('{"hybrid": {"from_tags": {"to_songs": {"weight": 0.7}}}}')
    loaded = RetrievalSettings.load(path)
    assert pickle.loads(pickle.dumps(loaded)) == loaded != RetrievalSettings.default()


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999"])
@pytest.mark.parametrize(
    ("setting", "where"),
    [
        ('{"neighbours": {"from_songs": {"to_songs": {"reweighting": {"penalty": %s}}}}}',
         "neighbours.from_songs.to_songs.reweighting.penalty"),
        ('{"neighbours": {"from_songs": {"to_songs": {"reweighting": {"seen": %s}}}}}',
         "neighbours.from_songs.to_songs.reweighting.seen"),
        ('{"dense": {"from_title": {"to_songs": {"prior": %s}}}}',
         "dense.from_title.to_songs.prior"),
    ],
)  # fmt: skip
def test_a_number_is_finite(tmp_path: Path, setting: str, where: str, number: str):
    """An infinite penalty made weights of NaN, which no engine can be asked for."""
    assert str(refused(tmp_path, setting % number).where).endswith(f"settings.json, {where}")


def test_a_floor_is_a_number_of_playlists(tmp_path: Path):
    refused(tmp_path, '{"dense": {"from_songs": {"to_songs": {"floors": [0, -5]}}}}')


@pytest.mark.parametrize("text", ["[]", "null", "3", '"neighbours"', '[["hybrid", {}]]'])
def test_settings_are_an_object(tmp_path: Path, text: str):
    refusal = refused(tmp_path, text)
    assert refusal.what == "it is not an object of settings"
    assert refusal.where == str(tmp_path / "settings.json")


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ('{"hybrid": []}', "input should be an object", "hybrid"),
        ('{"hybird": {}}', "extra inputs are not permitted", "hybird"),
        (
            '{"dense": {"from_tags": {"to_songs": {"floors": [0, "x"]}}}}',
            "input should be a valid integer, unable to parse string as an integer",
            "dense.from_tags.to_songs.floors[1]",
        ),
        (
            '{"hybrid": {"from_tags": {"to_songs": {"power": 0}}}}',
            "input should be greater than 0",
            "hybrid.from_tags.to_songs.power",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, what: str, where: str):
    refusal = refused(tmp_path, text)
    assert (refusal.what, refusal.where) == (what, f"{tmp_path / 'settings.json'}, {where}")
