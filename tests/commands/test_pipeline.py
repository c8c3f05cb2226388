"""From playlists to recommendations by the command line alone."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import melon, on
from places import Place, ServerPlace

from melon.commands.split import split
from melon.demo import DemoScale, DemoTruth
from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.store import VectorStore

EVALUATION = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"


def test_train_ingest_query(place: Place, demo_corpus: tuple[Path, DemoTruth], nowhere: Path):
    """What the README shows. Results alone go to stdout; the defaults fit together."""
    small = ("--dim", "16", "--epochs", "3", "--no-ranking")
    trained = melon("train", str(demo_corpus[0]), *small)
    assert (trained.code, trained.out) == (0, "")
    assert "500 songs" in trained.err
    assert Path(".melon/space/manifest.json").is_file()

    run = on(place)
    ingested = run("ingest", ".melon/space")
    assert (ingested.code, ingested.out) == (0, "")
    assert "is live" in ingested.err
    release = run("status", "--json").json()["live"]
    assert release in ingested.err

    again = run("ingest", ".melon/space")
    assert (again.code, again.out) == (0, "")
    assert "nothing to do" in again.err

    found = run("query", "--title", "rainy day", "-n", "5", "--tag-limit", "3")
    assert found.code == 0
    assert "Songs" in found.out
    assert "Tags" in found.out
    assert found.err.startswith("store: ")
    assert len(found.err.splitlines()) == 1


def test_train_says_how_much_was_trained(
    demo_corpus: tuple[Path, DemoTruth], demo_space: EmbeddingSpace, nowhere: Path
):
    corpus, small = (
        str(demo_corpus[0]),
        ("--dim", "2", "--epochs", "1", "--out", "space", "--no-ranking"),
    )
    done = melon("train", corpus, "--min-count", "1", *small)
    held = int((demo_space.song_popularity > 0).sum())
    tags = len(demo_space.tags)
    assert f"\ntrained {held} songs and {tags} tags; placed {500 - held} songs" in done.err

    too_many = max(demo_space.song_popularity.max(), demo_space.tag_popularity.max()) + 1
    done = melon("train", corpus, "--min-count", str(too_many), *small)
    assert done.code == 0
    said = "\ntrained 0 songs and 0 tags, for none is in enough playlists (--min-count); placed "
    assert said in done.err
    assert f" and {tags} tags by their playlists or metadata" in done.err


def test_train_of_titles_alone_says_that_there_is_nothing_else(nowhere: Path):
    titles = [{"id": n, "plylst_title": "rain night", "songs": [], "tags": []} for n in range(20)]
    Path("train.json").write_text(json.dumps(titles))
    done = melon("train", "train.json", "--dim", "2", "--epochs", "1", "--out", "space")
    assert done.code == 0
    assert "\ntrained 0 songs and 0 tags\n" in done.err


def other(space: EmbeddingSpace) -> EmbeddingSpace:
    return replace(space, song_vectors=-space.song_vectors)


def test_releases_are_listed_promoted_and_dropped(place: Place, demo_space: EmbeddingSpace):
    run = on(place)
    nothing = run("releases")
    assert (nothing.code, nothing.out) == (0, "")
    assert "melon ingest" in nothing.err
    assert run("releases", "--json").json() == []
    with place.open() as store:
        first, second = (
            ingest(space, store).manifest.release for space in (demo_space, other(demo_space))
        )

    def live() -> dict[str, bool]:
        return {info["release"]: info["live"] for info in run("releases", "--json").json()}

    assert live() == {first: False, second: True}
    table = run("releases").out
    assert first in table
    assert table.count("live") == 1

    pinned = run("query", "--tag", "rain", "--release", first, "--json").json()
    assert pinned["release"] == first
    assert run("query", "--tag", "rain", "--json").json()["release"] == second

    promoted = run("releases", "promote", first)
    assert (promoted.code, promoted.out) == (0, "")
    assert live() == {first: True, second: False}
    assert run("query", "--tag", "rain", "--json").json()["release"] == first

    refused = run("releases", "drop", first)
    assert refused.code == 2
    assert f"release {first} is live" in refused.err
    assert "promote RELEASE`" in refused.err
    assert run("releases", "drop", second).code == 0
    assert live() == {first: True}
    for command in ("promote", "drop"):
        gone = run("releases", command, second)
        assert gone.code == 2
        assert "melon releases" in gone.err


def test_the_options_of_releases_may_stand_before_the_subcommand(
    place: Place, demo_space: EmbeddingSpace
):
    with place.open() as store:
        release = ingest(demo_space, store).manifest.release
    done = melon("releases", *place.options, "promote", release, environment=place.environment)
    assert done.code == 0, done.err
    assert place.options[1] in done.err


def test_the_demo_ends_with_songs_for_a_rainy_day(monkeypatch: pytest.MonkeyPatch, nowhere: Path):
    """Twice: without constraints, and with a genre and years that every song then has.

    Settings that the environment names for other catalogues do not matter to it.
    """
    monkeypatch.setenv("MELON_RETRIEVAL", "not-there.json")
    small = DemoScale(playlists=300, songs=500, tags=40, songs_per_playlist=12)
    monkeypatch.setattr(DemoScale, "SMALL", small)
    done = melon("demo", "--out", "over here")
    assert done.code == 0, done.err
    assert "settings:" not in done.err
    monkeypatch.delenv("MELON_RETRIEVAL")
    shown = [line[len("$ melon ") :] for line in done.err.splitlines() if line.startswith("$ ")]
    assert ["--genre=Jazz" in line for line in shown] == [False, True]
    assert "".join(melon(*shlex.split(line)).out for line in shown) == done.out
    assert done.out.count("Songs") == done.out.count("Tags") == 2
    constrained = done.out.split("Songs")[2].split("Tags")[0].strip().splitlines()[1:]
    assert constrained
    for line in constrained:
        assert "Jazz" in line
        assert any(f" {year}" in line for year in range(1990, 2010))


def test_the_demo_corpus_alone(monkeypatch: pytest.MonkeyPatch, nowhere: Path):
    small = DemoScale(playlists=50, songs=500, tags=40)
    monkeypatch.setattr(DemoScale, "SMALL", small)
    assert melon("demo", "-o", "here", "--corpus-only").code == 0
    assert sorted(path.name for path in Path("here").iterdir()) == ["corpus"]
    assert Path("here/corpus/train.json").is_file()
    assert melon("demo", "-o", "here", "--corpus-only", "--seed", "1").code == 0


@pytest.mark.parametrize("name", ["train.json", "song_meta.json", "genre_gn_all.json"])
def test_the_demo_replaces_no_other_corpus(nowhere: Path, name: str):
    mine = Path("my/corpus", name)
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = melon("demo", "--out", "my")
    assert (done.code, done.out) == (2, "")
    assert f"{mine}: is there already, and `melon demo` did not write it" in done.err
    assert [path.name for path in nowhere.rglob("*") if path.is_file()] == [name]
    assert mine.read_text() == "mine"


def test_evaluating_as_its_page_says(demo_corpus: tuple[Path, DemoTruth], nowhere: Path):
    """Word for word, but for what makes it quick; metadata and all, in a store of its own."""
    shown = re.findall(r"^\$ melon (.*held-out.*)$", EVALUATION.read_text(), re.MULTILINE)
    assert [line.split()[0] for line in shown] == ["split", "train", "ingest", "evaluate"]
    split_help = (inspect.getdoc(split) or "").splitlines()
    for line in shown:
        assert f"melon {line.removesuffix(' --strategy all')}" in split_help

    Path("DIR").symlink_to(demo_corpus[0])
    quick = {
        "split": ["--hold-out", "0.25"],
        "train": ["--dim", "16", "--epochs", "3", "--no-ranking"],
    }
    for line in shown:
        done = melon(*line.split(), *quick.get(line.split()[0], []))
        assert done.code == 0, done.err
    songs = melon("query", "--tag", "rain", "--path", "held-out/store", "--json").json()["songs"]
    assert all(song["name"] and song["genres"] for song in songs)
    assert not Path(".melon").exists()


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_training_leaves_nothing(
    demo_corpus: tuple[Path, DemoTruth], nowhere: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("melon.embedding.build.train_vectors", interrupt)
    done = melon("train", str(demo_corpus[0]), "--out", "space")
    assert (done.code, done.out) == (130, "")
    assert list(nowhere.iterdir()) == []


def test_what_was_read_is_said_before_training_and_once(
    demo_corpus: tuple[Path, DemoTruth], monkeypatch: pytest.MonkeyPatch
):
    said = "read 400 playlists and 500 songs\n"
    small = ("--dim", "2", "--epochs", "2", "--out", "space", "--no-ranking")
    train = ("train", str(demo_corpus[0]), *small)
    assert melon(*train).err.count(said) == 1
    monkeypatch.setattr("melon.embedding.build.train_vectors", interrupt)
    assert melon(*train).err.startswith(said)


def test_an_interrupted_ingest_leaves_what_is_live(
    place: Place, demo_space: EmbeddingSpace, nowhere: Path, monkeypatch: pytest.MonkeyPatch
):
    """At the last moment, when all is sent: nothing half stays, and a second try succeeds."""
    run = on(place)
    with place.open() as store:
        live = ingest(demo_space, store).manifest.release
        before = contents(place, store)
    other(demo_space).save(nowhere / "space")
    with monkeypatch.context() as patched:
        patched.setattr("melon.ingest.build.check_release", interrupt)
        done = run("ingest", "space")
    assert (done.code, done.out) == (130, "")
    with place.open() as store:
        assert contents(place, store) == before
    assert run("status", "--json").json()["live"] == live
    assert run("ingest", "space").code == 0
    assert run("status", "--json").json()["live"] != live


def contents(place: Place, store: VectorStore) -> tuple[list[str], set[str]]:
    """The releases, and every collection or directory that there is."""
    if isinstance(place, ServerPlace):
        stored = place.collections()
    else:
        stored = {str(path.relative_to(place.root)) for path in place.root.glob("releases/*")}
    return [info.manifest.release for info in store.releases()], stored
