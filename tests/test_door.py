"""`melon.open()`: what a program asks, on both engines, and which store and settings it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from places import EMBEDDED, SERVER, DirectoryPlace, Place, ServerPlace

import melon
from melon.retrieval import RetrievalSettings
from melon.store import NoRelease, StoreClosed


@pytest.fixture
def where(demo_place: Place, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What of `melon.open` leads to the demo release, in an environment that leads nowhere else."""
    for name in [name for name in os.environ if name.startswith("MELON_")]:
        monkeypatch.delenv(name)
    if isinstance(demo_place, DirectoryPlace):
        return {"path": demo_place.root}
    for name, value in demo_place.environment.items():
        monkeypatch.setenv(name, value)
    return {"url": demo_place.server.url}


@pytest.fixture
def retriever(where: dict[str, Any]) -> Iterator[melon.Retriever]:
    with melon.open(**where) as opened:
        yield opened


def test_words_ask_what_a_query_of_them_asks(retriever: melon.Retriever):
    asked = melon.PlaylistQuery(title="rainy day", tags=("rain",), not_tags=("party",))
    said = retriever.recommend(title="rainy day", tags=["rain"], not_tags=["party"], limit=5)
    assert said.songs
    assert said == retriever.recommend(asked, limit=5)
    constraints = melon.Constraints(since="2000")
    narrowed = retriever.recommend(title="rainy day", constraints=constraints)
    assert narrowed == retriever.recommend(melon.PlaylistQuery(title="rainy day"), constraints)


def test_songs_are_said_by_id_or_by_name(retriever: melon.Retriever):
    songs = retriever.recommend(title="rainy day", limit=20).songs
    names = [song.name for song in songs]
    first, second = [song for song in songs if song.name and names.count(song.name) == 1][:2]
    assert first.name
    by_name = retriever.recommend(songs=[first.name, second.id], not_songs=[str(songs[-1].id)])
    asked = melon.PlaylistQuery(songs=(first.id, second.id), not_songs=(songs[-1].id,))
    assert by_name == retriever.recommend(asked)


def test_words_add_to_a_query(retriever: melon.Retriever):
    playlist = retriever.playlist(7)
    added = retriever.recommend(
        playlist, tags=["rain"], title="late", weights=melon.ModalityWeights(tags=2)
    )
    asked = melon.PlaylistQuery(
        songs=playlist.songs,
        tags=(*playlist.tags, "rain"),
        title="late",
        weights=melon.ModalityWeights(tags=2),
        playlist=7,
    )
    assert added == retriever.recommend(asked)


def test_nothing_said_asks_for_what_is_popular(retriever: melon.Retriever):
    assert retriever.recommend().fallback == "popularity"


def test_the_store_is_closed_at_the_end(where: dict[str, Any]):
    with melon.open(**where) as retriever:
        near = retriever.similar(melon.Item(tag="rain"), to=["tags"], limit=1)
        assert len(near[melon.Collection.TAGS]) == 1
    with pytest.raises(StoreClosed):
        retriever.recommend(title="rainy day")


def test_one_release_may_be_named(retriever: melon.Retriever, where: dict[str, Any]):
    with melon.open(**where, release=retriever.release) as named:
        assert named.release == retriever.release
    with pytest.raises(NoRelease):
        melon.open(**where, release="r0")


@pytest.mark.parametrize("demo_place", [SERVER], indirect=True)
def test_the_environment_names_a_server(
    demo_place: ServerPlace, where: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELON_QDRANT_URL", demo_place.server.url)
    with melon.open() as retriever:
        assert demo_place.server.url in retriever.recommend(tags=["rain"]).store


@pytest.mark.parametrize("demo_place", [EMBEDDED], indirect=True)
def test_the_store_of_the_home_and_the_settings_that_are_named_are_found(
    demo_place: DirectoryPlace,
    where: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """The store below `.melon`, where no server answers, as for the command."""
    monkeypatch.setattr("melon.store.connect._server_comes_first", lambda settings: False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".melon").mkdir()
    (tmp_path / ".melon" / "store").symlink_to(demo_place.root)
    with melon.open() as retriever:
        assert retriever.recommend(tags=["rain"]).songs
        assert retriever.settings == RetrievalSettings.default()
    mine = {"hybrid": {"from_songs": {"to_tags": {"weight": 0.6}}}}
    (tmp_path / "mine.json").write_text(json.dumps(mine))
    monkeypatch.setenv("MELON_RETRIEVAL", "mine.json")
    with melon.open() as retriever:
        assert retriever.settings.hybrid.from_songs.to_tags.weight == 0.6
    monkeypatch.setenv("MELON_RETRIEVAL", "not-there.json")
    with pytest.raises(melon.InputError, match="cannot be read"):
        melon.open()


def test_the_environment_names_the_strategy(
    retriever: melon.Retriever, where: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELON_STRATEGY", "mean")
    with melon.open(**where) as asking:
        answer = asking.recommend(tags=["rain"])
        assert answer.strategy == asking.strategy == "mean"
        assert answer == retriever.recommend(tags=["rain"], strategy="mean")
        assert asking.recommend(tags=["rain"], strategy="vote").strategy == "vote"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"path": 123}, "path"), ({"url": 123}, "url"), ({"path": b"store"}, "path")],
)
def test_a_place_of_another_kind_is_refused(arguments: dict[str, Any], said: str):
    with pytest.raises(TypeError, match=said) as refusal:
        melon.open(**arguments)
    assert isinstance(refusal.value, melon.InputError)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("rainy day",), 'title="rainy day"'),
        ({"tags": "rain"}, r"tags=\['rain'\]"),
        ({"songs": "Amber Risriswi"}, r"songs=\['Amber Risriswi'\]"),
        ({"songs": 7}, r"songs=\[7\]"),
        ({"not_songs": 7}, r"not_songs=\[7\]"),
        ({"title": 7}, "title"),
        ({"title": "rain", "constraints": {"genres": ["Jazz"]}}, "Constraints"),
        ({"title": "rain", "weights": 2}, "ModalityWeights"),
        ({"title": "rain", "variety": 0.5}, "Variety"),
    ],
)
@pytest.mark.parametrize("demo_place", [EMBEDDED], indirect=True)
def test_what_is_asked_with_another_kind_is_refused(
    retriever: melon.Retriever, asked: Any, said: str
):
    with pytest.raises(TypeError, match=said) as refusal:
        retriever.recommend(**asked) if isinstance(asked, dict) else retriever.recommend(*asked)
    assert isinstance(refusal.value, melon.InputError)


def test_all_names_are_there_and_open_is_not_taken_over():
    names: dict[str, Any] = {}
    exec("from melon import *", names)
    assert names.keys() - {"__builtins__"} == set(melon.__all__)
    assert "open" not in names
    assert set(melon.__all__) | {"open"} <= set(dir(melon))
    assert melon.__version__ == version("melon")
    with pytest.raises(AttributeError, match="no attribute 'recommend'"):
        melon.recommend  # type: ignore[attr-defined]  # noqa: B018


def test_the_import_loads_nothing_but_itself():
    """Which is what makes it quick: all else is loaded when it is first used."""
    program = "import sys; had = {*sys.modules}; import melon; print(*sorted({*sys.modules} - had))"
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, text=True) == "__future__ melon\n"


def test_the_package_runs_as_the_command():
    command = [sys.executable, "-m", "melon", "--version"]
    assert subprocess.check_output(command, text=True) == f"melon {version('melon')}\n"
