"""An import into what others left: more, anew, interrupted, killed, or at the same time."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from importing_samples import TRAIN, by_key, contents, frame_report

from melon.catalog import (
    FIELDS_FILE,
    SONG_FILE,
    BadCorpus,
    find_corpus,
    from_frame,
    import_frame,
    write_import,
)
from melon.errors import ForeignFile, UnreadableFile


def test_importing_more_keeps_the_ids(tmp_path: Path):
    out = tmp_path / "own"
    frame_report(
        {"playlist_id": ["a", "a", "b"], "track_id": ["x", "y", "x"], "bpm": [1, 2, 1]}, out
    )
    first = contents(out)
    more = pd.DataFrame(
        {"playlist_id": ["c", "b", "b"], "track_id": ["z", "y", "17"], "bpm": [1.5, 2, 9]}
    )
    catalogue = from_frame(more)
    changes = write_import(catalogue, out)
    assert changes.playlists == {"added": 1, "changed": 1, "unchanged": 0}
    assert changes.songs == {"added": 2, "changed": 0, "unchanged": 1}
    found = contents(out)
    songs, before = by_key(found[SONG_FILE]), by_key(first[SONG_FILE])
    assert {key: songs[key]["id"] for key in before} == {k: v["id"] for k, v in before.items()}
    assert songs["17"]["id"] == 17
    assert songs["x"]["bpm"] == 1.0
    lists = {one["key"]: one["songs"] for one in found[TRAIN]}
    assert lists["a"] == [songs["x"]["id"], songs["y"]["id"]]
    assert lists["b"] == [songs["y"]["id"], 17]
    again = write_import(from_frame(more), out)
    assert again.playlists == {"added": 0, "changed": 0, "unchanged": 2}
    assert again.songs == {"added": 0, "changed": 0, "unchanged": 3}
    assert contents(out) == found

    import_frame(more, out=out, replace=True)
    anew = contents(out)
    assert {one["key"] for one in anew[TRAIN]} == {"b", "c"}
    assert by_key(anew[SONG_FILE]).keys() == {"y", "z", "17"}
    assert all(song["id"] == songs[key]["id"] for key, song in by_key(anew[SONG_FILE]).items())
    import_frame(pd.DataFrame({"playlist_id": ["a"], "track_id": ["x"]}), out=out)
    assert by_key(contents(out)[SONG_FILE])["x"]["id"] == before["x"]["id"]


def test_what_no_import_wrote_is_left_alone(tmp_path: Path):
    rows = pd.DataFrame({"playlist_id": [1], "track_id": [2]})
    for name in ("train.json", "letter.txt"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("mine")
        with pytest.raises(ForeignFile):
            import_frame(rows, out=tmp_path / name)
        assert (tmp_path / name / name).read_text() == "mine"


def test_an_interrupted_import_leaves_what_was_there(tmp_path: Path):
    out = tmp_path / "own"
    frame_report({"playlist_id": ["a"], "track_id": ["x"]}, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def interrupt(step: str, done: int, total: int | None) -> None:
        if step == "songs":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_frame(
            pd.DataFrame({"playlist_id": ["b"], "track_id": ["y"]}), out=out, progress=interrupt
        )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


KILLED = """
import os, sys
from pathlib import Path
import pandas as pd
from melon.catalog import import_frame

replace, moved = Path.replace, []

def import_and_die(out, moves, anew):
    def dying(self, target):
        made = replace(self, target)
        if Path(target).parent == out and Path(target).name != ".written-by":
            moved.append(target)
            if len(moved) == moves:
                os._exit(9)
        return made

    Path.replace = dying
    rows = pd.DataFrame({"playlist_id": ["b", "b"], "track_id": ["y", "z"], "bpm": [1.5, 2.5]})
    import_frame(rows, out=out, replace=anew)

for out in map(Path, sys.argv[1:]):
    moves, anew = out.name.split()
    if not (child := os.fork()):
        import_and_die(out, int(moves), anew == "anew")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, out
"""


def test_an_import_that_is_killed_while_its_files_move_is_completed(tmp_path: Path):
    """By the next one; until then nobody trains on half of it. No id is given twice."""
    outs = [tmp_path / f"{moves} {how}" for how, moves in product(("added", "anew"), range(1, 6))]
    for out in outs:
        frame_report({"playlist_id": ["a"], "track_id": ["x"], "bpm": [1]}, out)
    subprocess.run([sys.executable, "-c", KILLED, *map(str, outs)], check=True)
    for out in outs:
        anew = out.name.endswith("anew")
        with pytest.raises(BadCorpus, match="import"):
            find_corpus([out])
        frame_report({"playlist_id": ["c"], "track_id": ["w"]}, out)
        find_corpus([out])
        found = contents(out)
        songs = by_key(found[SONG_FILE])
        assert {song["id"] for song in songs.values()} == set(range(anew, 4)), out
        assert songs["y"]["bpm"] == 1.5
        assert by_key(found[TRAIN]).keys() == {*("" if anew else "a"), "b", "c"}
        assert not any(path.suffix == ".new" for path in out.iterdir())


def import_at_once(out: Path, key: str, gate: Any) -> None:
    rows = pd.DataFrame({"playlist_id": [key] * 500, "track_id": [f"{key}{n}" for n in range(500)]})
    gate.wait()
    import_frame(rows, out=out)


def test_of_two_imports_at_once_both_are_there(tmp_path: Path):
    processes = multiprocessing.get_context("spawn")
    gate = processes.Barrier(2)
    both = [
        processes.Process(target=import_at_once, args=(tmp_path / "own", key, gate)) for key in "ab"
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
        assert one.exitcode == 0
    found = contents(tmp_path / "own")
    assert by_key(found[TRAIN]).keys() == {"a", "b"}
    assert len({song["id"] for song in found[SONG_FILE]}) == 1000


def test_what_a_later_import_says_nothing_of_stays(tmp_path: Path):
    """Of playlists as of songs: entries alone leave titles, tags and the rest as they were."""
    out = tmp_path / "own"
    said = {"playlist_name": ["rainy"], "tags": ["rain"], "likes": [0], "updated": ["2020-01-02"]}
    frame_report({"playlist_id": ["a"], "track_id": ["x"], **said}, out)
    (before,) = contents(out)[TRAIN]
    frame_report({"playlist_id": ["a", "a"], "track_id": ["x", "y"]}, out)
    (after,) = contents(out)[TRAIN]
    assert after == {**before, "songs": [0, 1]}
    frame_report({"playlist_id": ["a"], "track_id": [None], "playlist_name": ["wet"]}, out)
    assert contents(out)[TRAIN] == [{**after, "plylst_title": "wet"}]


def test_ids_are_not_given_again_where_nobody_knows_which_are_taken(tmp_path: Path):
    frame_report({"playlist_id": ["a"], "track_id": ["x"]}, tmp_path)
    (tmp_path / "keys.parquet").unlink()
    with pytest.raises(UnreadableFile, match=r"keys\.parquet"):
        frame_report({"playlist_id": ["b"], "track_id": ["y"]}, tmp_path)


def test_a_type_that_is_given_wins_over_the_one_before(tmp_path: Path):
    out = tmp_path / "own"
    rows = {"playlist_id": [1, 1], "track_id": [5, 6], "mine": ["12", "x"], "few": ["a;b", "c"]}
    frame_report(rows, out)
    more = {"playlist_id": [2], "track_id": [7], "mine": [3], "few": ["d;e"]}
    lines = frame_report(more, out, types={"mine": "float", "few": "keyword[]"})
    found = contents(out)
    assert {one["name"]: (one["type"], one["many"]) for one in found[FIELDS_FILE]["songs"]} == {
        "mine": ("float", False),
        "few": ("keyword", True),
    }
    assert [song.get("mine") for song in found[SONG_FILE]] == [12.0, None, 3.0]
    assert [song.get("few") for song in found[SONG_FILE]] == [["a", "b"], ["c"], ["d", "e"]]
    frame_report({"playlist_id": [3], "track_id": [8], "few": ["f;g"]}, out)
    assert contents(out)[SONG_FILE][-1]["few"] == ["f", "g"]
    said = "mine becomes float, it was keyword: 1 value not of that type dropped"
    assert f"  {said}" in lines
    assert "  few becomes keyword[], it was keyword" in lines


def test_later_values_do_not_turn_a_field(tmp_path: Path):
    """It keeps its type, unless a wider one loses nothing; what does not fit is counted."""
    out = tmp_path / "own"
    frame_report({"playlist_id": [1], "track_id": [5], "bpm": [120], "plays": [7]}, out)
    more = {"playlist_id": [2, 2], "track_id": [6, 7], "bpm": ["fast", "90"], "plays": [1.5, 2]}
    lines = frame_report(more, out)
    found = contents(out)
    assert [song.get("bpm") for song in found[SONG_FILE]] == [120, None, 90]
    assert [song.get("plays") for song in found[SONG_FILE]] == [7.0, 1.5, 2.0]
    [stays] = [line for line in lines if "bpm stays" in line]
    assert stays.startswith("  bpm stays integer: 1 value not of that type dropped, such as 'fast'")
    assert "the type bpm=keyword" in stays
    assert "  plays becomes float, it was integer" in lines
