"""What a shell offers, asked as shells ask: by the environment of the command."""

from __future__ import annotations

import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import melon, on_one_engine
from places import Place

SCRIPT = Path(sys.executable).with_name("melon")


def asking(
    *words: str, shell: str = "bash", place: Place | None = None, **environment: str
) -> dict[str, str]:
    """The environment in which a shell asks for the last word, quotes and all."""
    if place is not None:
        words = (words[0], *place.options, *words[1:])
        environment = place.environment | environment
    line = ("melon", *words)
    asked = {
        "bash": {"COMP_WORDS": "\n".join(line), "COMP_CWORD": str(len(words))},
        "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(line)},
        "fish": {"_TYPER_COMPLETE_ARGS": " ".join(line), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    return {"_MELON_COMPLETE": f"complete_{shell}"} | asked | environment


def completed(*words: str, **asked: str | Place | None) -> list[str]:
    """What is offered for the last word."""
    done = melon(environment=asking(*words, **asked))  # type: ignore[arg-type]
    assert (done.code, done.err) == (0, "")
    return [line for line in done.out.splitlines() if line]


def completed_by_script(*words: str, shell: str = "bash", place: Place) -> list[str]:
    """The same, of the script that shells run."""
    environment = os.environ | asking(*words, shell=shell, place=place)
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return [line for line in done.stdout.splitlines() if line]


def test_tags_of_the_store(demo_place: Place):
    assert completed("query", "--tag", "rai", place=demo_place) == ["rainy\\ day", "rain"]
    assert completed("query", "--not-tag", "RAINY", place=demo_place) == ["rainy\\ day"]
    assert set(completed("similar", "-t", "비", place=demo_place)) == {"비오는날", "비\\ 오는\\ 날"}
    every = completed("query", "--tag", "", place=demo_place)
    assert len(every) == 50
    assert completed("query", "--tag", "nothing", place=demo_place) == []


def test_genres_releases_artists_and_songs(demo_place: Place):
    assert completed("query", "--genre", "jaz", place=demo_place)[0] == "Jazz"
    assert "GN0800" in completed("similar", "--genre", "GN08", place=demo_place)
    with demo_place.open() as store:
        live = store.live()
        artist = str(store.open().facet("songs", "artists", 1)[0][0])  # type: ignore[arg-type]
    assert completed("query", "--release", "r", place=demo_place) == [live]
    assert completed("releases", "promote", "", place=demo_place) == [live]
    offered = completed("query", "--artist", shlex.quote(artist[:2]), place=demo_place)
    assert artist.replace(" ", "\\ ") in offered
    assert completed("query", "--song", "b", place=demo_place)


@on_one_engine
def test_what_is_shown_is_of_the_kind_before_it(demo_place: Place):
    assert completed("show", "", place=demo_place) == ["song", "tag", "playlist", "artist"]
    assert completed("show", "tag", "rain", place=demo_place) == ["rainy\\ day", "rain"]
    for kind in ("song", "playlist", "artist"):
        offered = completed("show", kind, "b", place=demo_place)
        assert offered
        assert all(name.lower().startswith("b") for name in offered)
    assert completed("show", "nothing", "b", place=demo_place) == []


def test_keys(keyed_place: Place):
    songs = completed("query", "--song", "demo:song:17", place=keyed_place)
    assert "demo:song:17" in songs
    assert all(key.startswith("demo:song:17") for key in songs)
    assert "demo:list:7·💿" in completed("show", "playlist", "demo:list:7", place=keyed_place)


def cut(key: str) -> list[str]:
    """As bash cuts it, whose COMP_WORDBREAKS have a colon."""
    return [word for word in re.split("(:+)", key) if word]


@pytest.mark.parametrize(
    "command",
    ["query --song", "query --not-song", "query --exclude", "similar -s", "show song"],
)
def test_keys_that_bash_has_cut_at_their_colons(keyed_place: Place, command: str):
    """It goes on after the last colon."""
    offered = completed(*command.split(), *cut("demo:song:17"), place=keyed_place)
    assert "17" in offered
    assert all(rest.startswith("17") for rest in offered)
    assert completed(*command.split(), *cut("demo:song:"), place=keyed_place)


def test_keys_of_playlists(keyed_place: Place):
    for command in ("query", "similar"):
        assert "7·💿" in completed(command, "--playlist", *cut("demo:list:7"), place=keyed_place)


def test_names_of_fields(keyed_place: Place):
    assert completed("query", "--where", "b", place=keyed_place) == ["bpm"]
    assert "분위기" in completed("similar", "-w", "분", place=keyed_place)


@on_one_engine
@pytest.mark.parametrize(
    ("begun", "offered"),
    [("rainy\\ d", "rainy\\ day"), ('"rainy d', "rainy day"), ("'rainy d", "rainy day")],
)
def test_a_name_of_several_words_is_one_word_of_bash(demo_place: Place, begun: str, offered: str):
    assert completed("query", "--tag", begun, place=demo_place) == [offered]


@on_one_engine
@pytest.mark.parametrize(
    ("shell", "shown"), [("bash", "rainy\\ day"), ("zsh", '"rainy day"'), ("fish", "rainy day")]
)
def test_the_installed_script_offers_what_its_shell_quotes_itself(
    demo_place: Place, shell: str, shown: str
):
    [offered] = completed_by_script("query", "--tag", "rainy", shell=shell, place=demo_place)[:1]
    assert shown in offered
    assert [offered] == completed("query", "--tag", "rainy", shell=shell, place=demo_place)[:1]


def test_what_is_always_the_same():
    assert completed("query", "--strategy", "") == [
        "hybrid", "neighbours", "learned", "mean", "vote", "cluster"
    ]  # fmt: skip
    assert completed("evaluate", "--strategy", "po") == ["popular"]
    assert completed("list", "g") == ["genres"]
    assert completed("que") == ["query"]
    assert completed("ingest", "--preset", "s") == ["small"]
    assert completed("similar", "--to", "songs,t") == ["songs,tags"]
    assert completed("find", "a", "--kinds", "p") == ["playlists"]
    assert "--strategy" in completed("query", "--str")


@pytest.mark.parametrize(
    "options",
    [["--path", "nowhere"], ["--url", "http://127.0.0.1:9"], ["--url", "nowhere"], []],
    ids=["no store", "no server", "no address", "nothing named"],
)
@pytest.mark.usefixtures("nothing_found")
def test_it_is_silent_where_there_is_no_store(options: list[str], tmp_path: Path):
    for asked in (["--tag", "r"], ["--genre", ""], ["--release", ""], ["--song", "b"]):
        assert completed("query", *options, *asked, MELON_HOME=str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@on_one_engine
def test_it_is_fast(demo_place: Place):
    """In processor time, beside what has to be imported; once in several turns is enough."""

    def spent(run: Callable[[], object]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    needed = [sys.executable, "-c", "import numpy, pydantic, typer, typer.rich_utils"]
    turns = (
        (
            spent(lambda: completed_by_script("query", "--tag", "rai", place=demo_place)),
            spent(lambda: subprocess.run(needed, check=True)),
        )
        for _ in range(5)
    )
    assert any(ours < 2 * theirs for ours, theirs in turns)
