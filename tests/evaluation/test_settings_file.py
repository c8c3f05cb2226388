"""A file of retrieval settings, and the commands that are told of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import melon
from evaluation_samples import HeldOut, write_json

from melon.retrieval import QueryKind


@pytest.fixture
def inverted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a few settings which make the fusion all co-embedding."""
    for name in ("MELON_QDRANT_URL", "MELON_RETRIEVAL"):
        monkeypatch.delenv(name, raising=False)
    part = {"weight": 10.0}
    changed = {f"from_{kind}": {"to_songs": part, "to_tags": part} for kind in QueryKind}
    return write_json(tmp_path / "mine.json", {"hybrid": changed})


def test_an_option_or_the_environment_names_the_settings(
    held_out: HeldOut, inverted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def songs(*options: str) -> tuple[list[int], bool]:
        arguments = ("--title", "rainy day", "--path", str(held_out.store), "--json")
        done = melon("query", *arguments, *options)
        return [song["id"] for song in done.json()["songs"]], f"settings: {inverted}" in done.err

    default, said = songs()
    assert not said
    named, said = songs("--settings", str(inverted))
    assert said
    assert named != default
    monkeypatch.setenv("MELON_RETRIEVAL", str(inverted))
    assert songs() == (named, True)
    empty = write_json(tmp_path / "empty.json", {})
    assert songs("--settings", str(empty)) == (default, False)


def test_recommend_and_evaluate_take_them(held_out: HeldOut, inverted: Path, tmp_path: Path):
    asked = write_json(tmp_path / "asked.json", json.loads(held_out.questions_file.read_text())[:9])
    hidden = write_json(tmp_path / "hidden.json", json.loads(held_out.answers_file.read_text())[:9])
    results, store = tmp_path / "results.json", ("--path", str(held_out.store))

    def score(*options: str) -> float:
        card = melon("evaluate", str(asked), str(hidden), *store, *options, "--json").json()
        assert melon("recommend", str(asked), "-o", str(results), *store, *options).code == 0
        assert melon("score", str(results), str(hidden), "--json").json()["score"] == card["score"]
        return float(card["score"])

    assert score() != score("--settings", str(inverted))


@pytest.mark.parametrize(
    "content", ["{", '{"hybrid": {"from_songs": {"to_songs": {"weight": -1}}}}', None]
)
def test_a_file_that_cannot_be_used_is_the_users_error(
    held_out: HeldOut, inverted: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
):
    if content is None:
        inverted.unlink()
    else:
        inverted.write_text(content)
    monkeypatch.setenv("MELON_RETRIEVAL", str(inverted))
    done = melon("query", "--title", "rain", "--path", str(held_out.store))
    assert done.code == 2
    assert str(inverted) in done.err
