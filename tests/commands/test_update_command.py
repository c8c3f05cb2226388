"""`melon update` takes up what is new, builds a release beside the live one, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Command, melon, on
from places import EMBEDDED, Place, place_on

from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.store import Preset

SPACE = ".melon/space"
NEW = [
    {"id": 90_000, "plylst_title": "rainy update", "tags": ["rain", "fresh"], "songs": [1, 2, 3]},
    {"id": 90_001, "plylst_title": "more", "tags": ["fresh"], "songs": [1, 2, 80_000]},
]
NEW_SONG = {"id": 80_000, "song_name": "Just Out", "artist_name_basket": ["Nobody Yet"]}


@pytest.fixture
def more(nowhere: Path, demo_space: EmbeddingSpace) -> Path:
    """What is new, and nothing else; the space lies in `.melon/space`."""
    demo_space.save(nowhere / ".melon" / "space")
    directory = nowhere / "more"
    directory.mkdir()
    (directory / "train.json").write_text(json.dumps(NEW))
    (directory / "song_meta.json").write_text(json.dumps([NEW_SONG, {"id": 1}]))
    return directory


def live(run: Command) -> str:
    release: str = run("status", "--json").json()["live"]
    return release


def test_what_is_new_is_found_after_an_update(place: Place, more: Path) -> None:
    run = on(place)
    assert run("ingest", SPACE).code == 0
    before = live(run)

    tried = run("update", str(more), "--space", SPACE, "--dry-run", "--json").json()
    assert tried["playlists"] == {"added": 2, "changed": 0, "unchanged": 0, "gone": 400}
    assert tried["songs"]["added"] == 1
    assert "release" not in tried

    done = run("update", str(more), "--space", SPACE)
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert ["added", "changed", "unchanged", "gone"] in lines
    assert ["playlists", "2", "0", "0", "400"] in lines
    assert "400 playlists, kept, unless --remove-gone is given" in done.err
    after = live(run)
    assert after != before
    assert f"release {after} is live" in done.err
    assert {info["release"] for info in run("releases", "--json").json()} == {before, after}

    assert "fresh" in run("list", "tags", "-n", "100").out
    assert "80000" in run("find", "just out").out
    near = run("similar", "--playlist", "90000", "--json").json()
    assert "fresh" in json.dumps(near, ensure_ascii=False)
    assert run("verify").code == 0

    again = run("update", str(more), "--space", SPACE, "--json")
    said = again.json()
    assert (said["outcome"], said["release"]) == ("unchanged", after)
    assert not any(said[kind]["added"] + said[kind]["changed"] for kind in ("songs", "playlists"))
    assert "nothing has changed since the space was made" in again.err
    assert "nothing to do" in run("ingest", SPACE).err
    assert run("backup", "new/release.melon").code == 0


def test_an_update_that_was_cut_off_is_completed_by_another(
    more: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The space is written, then the build fails: the release is made by running it again."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with place_on(EMBEDDED, None) as there:
        run = on(there)
        with monkeypatch.context() as patched:
            patched.setattr("melon.ingest.build.check_release", interrupt)
            assert run("update", str(more), "--space", SPACE).code == 130
        assert run("status", "--json").json()["live"] is None
        said = run("update", str(more), "--space", SPACE, "--json").json()
        assert said["outcome"] == "built"
        assert said["playlists"]["added"] == 0
        assert live(run) == said["release"]


def test_the_preset_that_somebody_chose_stays(more: Path, demo_space: EmbeddingSpace) -> None:
    with place_on(EMBEDDED, None) as there:
        with there.open() as store:
            ingest(demo_space, store, preset=Preset.BALANCED)
        run = on(there)
        assert run("update", str(more), "--space", SPACE).code == 0
        with there.open() as store:
            assert store.open().manifest.preset is Preset.BALANCED


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["more", "--space", "nothing"], "there is no space here"),
        (["nothing"], "there is no such file or directory"),
        (["more", "--strict", "--lenient"], "--strict stops at the first bad record"),
    ],
)
def test_what_cannot_be_updated_is_an_error(more: Path, options: list[str], said: str) -> None:
    done = melon("update", *options, "--path", "store")
    assert done.code == 2
    assert said in done.err
    assert not Path("store").exists()


def test_another_catalogue_loses_nothing(
    more: Path, demo_corpus: tuple[Path, DemoTruth], demo_space: EmbeddingSpace
) -> None:
    playlists = json.loads((demo_corpus[0] / "train.json").read_text())
    other = [playlist | {"songs": [], "plylst_title": "?", "tags": []} for playlist in playlists]
    for playlist in other:
        playlist["songs"] = [70_000 + playlist["id"]]
    (more / "train.json").write_text(json.dumps(other))
    (more / "song_meta.json").unlink()
    done = melon("update", str(more), "--space", SPACE, "--path", "store")
    assert done.code == 2
    assert "playlists have the title, or hold a song, of the one that has their id" in done.err
    assert EmbeddingSpace.load(Path(".melon/space")).hash == demo_space.hash
    assert not Path("store").exists()
