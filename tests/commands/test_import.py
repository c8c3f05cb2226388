"""`melon import`: from other people's playlists to answers under their keys, by commands alone."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import pytest
from command_line import Done, melon, on
from places import Place

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "format.md"
HEADER = ["Track URI", "Track Name", "Artist Name(s)", "Album Name", "Duration (ms)", "Explicit"]


@pytest.fixture
def exports(nowhere: Path) -> Path:
    """A folder of 30 CSV files, one a playlist: even and odd songs seldom share one."""
    folder = nowhere / "exports"
    folder.mkdir()
    for number in range(30):
        songs = [(number % 2 + 2 * step) % 40 for step in range(number % 5, number % 5 + 12)]
        with (folder / f"{'rainy' if number % 2 else 'sunny'} day {number}.csv").open("w") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(
                [f"spotify:track:{s}", f"Song {s}", "Artist", "A", 200_000 + s * 2_000, s % 3 == 0]
                for s in songs
            )
    return folder


def five_minutes() -> list[list[str]]:
    """The commands that docs/format.md shows, without `melon`."""
    section = FORMAT.read_text().split("### Five minutes\n")[1]
    [shown] = re.findall(r"```console\n(.*?)```", section, re.DOTALL)[:1]
    return [shlex.split(line.removeprefix("$ melon ")) for line in shown.splitlines()]


def test_the_five_minutes_of_the_page_on_the_format(place: Place, exports: Path):
    commands = five_minutes()
    assert [command[0] for command in commands] == ["import", "train", "ingest", "query"]
    done: list[Done] = []
    for command in commands:
        run = on(place) if command[0] in ("ingest", "query") else melon
        where = (
            [".melon/space"] if command[0] == "ingest" else []
        )  # the place has a home of its own
        done.append(run(*command, *where))
        assert done[-1].code == 0, done[-1].err
    said = done[0].err
    assert "one row an entry of the playlist that has the file's name" in said
    assert re.search(r"Duration \(ms\) +-> own field duration_ms", said)
    assert "own field duration_ms: integer, of 32 songs" in said
    assert "360 entries, 30 playlists, 32 songs" in said
    answer = done[-1].json()
    songs = answer["songs"]
    assert songs
    metadata = {song["key"]: song for song in json.loads(Path("own/song_meta.json").read_text())}
    for song in songs:
        assert metadata[song["key"]]["duration_ms"] < 240_000
        assert song["key"] != "spotify:track:1"
    odd = [int(song["key"].rpartition(":")[2]) % 2 for song in songs[:5]]
    assert sum(odd) >= 4, "songs of the playlists that hold the seed come first"


def test_a_dry_run_writes_nothing(exports: Path):
    done = melon("import", "exports", "--dry-run")
    assert (done.code, done.out) == (0, "")
    assert "the first playlists:" in done.err
    assert not Path("own").exists()
    done = melon("import", "exports")
    assert done.code == 2
    assert "error: --out: it is missing" in done.err


def test_what_is_not_clear_is_asked_for_by_a_command_that_says_it(nowhere: Path):
    """The hint is the command to give next; after it, there is nothing to ask."""
    Path("my list.csv").write_text("playlist_id,song_id,name\n1,5,gym\n2,6,jazz\n")
    asked = melon("import", "my list.csv", "--out", "own")
    assert asked.code == 2
    assert "the column 'name' may be the title of the playlist" in asked.err
    [command] = re.findall(r"hint: say what they are: melon (.*)", asked.err)
    done = melon(*shlex.split(command))
    assert done.code == 0, done.err
    playlists = json.loads(Path("own/train.json").read_text())
    assert [one["plylst_title"] for one in playlists] == ["gym", "jazz"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "there is no such file or directory"),
        (["a.xlsx"], "'.xlsx' is no format that can be imported"),
        (["empty.csv"], "there is nothing to import"),
        (["a.csv", "--map", "title"], "names no column"),
        (["a.csv", "--map", "title=x"], "there is no column 'x'"),
        (["a.csv", "--type", "bpm=number"], "'number' is no type"),
        (
            ["a.csv", "--map", "track=bpm", "--map", "track[]=track_id"],
            "track is given two columns: bpm and track_id",
        ),
        (["a.csv", "--map", "x=bpm", "--map", "x=track_id"], "x is given two columns: bpm and"),
        (["a.csv", "--type", "bpm=float", "--type", "bpm=text"], "'bpm' is given two types"),
        (["a.csv", "--encoding", "klingon"], "no encoding is called"),
        (["a.csv", "--out", "."], "holds something, and melon import did not make it"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], said: str, nowhere: Path):
    Path("a.csv").write_text("playlist_id,track_id,bpm\n1,2,3\n")
    Path("a.xlsx").write_bytes(b"PK")
    Path("empty.csv").touch()
    done = melon("import", *arguments, *(["--out", "own"] if "--out" not in arguments else []))
    assert done.code == 2
    assert said in done.err
    assert not Path("own").exists()


def test_a_file_in_place_of_the_directory_is_left_alone(nowhere: Path):
    Path("a.csv").write_text("playlist_id,track_id\n1,2\n")
    done = melon("import", "a.csv", "--out", "a.csv")
    assert done.code == 1
    assert "hint: there is a file where a directory should be: give another path" in done.err
    assert Path("a.csv").read_text() == "playlist_id,track_id\n1,2\n"
