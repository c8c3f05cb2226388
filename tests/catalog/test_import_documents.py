"""JSON documents of other shapes: all playlists in them come in, and what does not is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from importing_samples import SONG_FILE, by_key, lists_of, read, written

from melon.catalog import BadImport, JsonArray
from melon.errors import MalformedJson


def track(number: int, **more: Any) -> dict[str, Any]:
    return {"track_uri": f"t:{number}", "track_name": f"N{number}", "artist_name": "X"} | more


def playlist(name: str, *numbers: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "tracks": [track(number) for number in numbers]} | more


def lists(document: Any, tmp_path: Path, name: str = "a.json") -> dict[str, list[str]]:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return lists_of(written(path, tmp_path / "own"))


A, B = playlist("A", 1, 2), playlist("B", 2, 3)
BOTH = {"A": ["t:1", "t:2"], "B": ["t:2", "t:3"]}


@pytest.mark.parametrize(
    "document",
    [
        {"playlists": [A], "archived": [B]},
        {"playlists": [A], "data": [B], "version": 1},
        {"mine": [A], "followed": [B]},
        {"tracks": [track(9)], "lists": [A, B]},
        {"user": {"id": 1, "playlists": {"total": 2, "items": [A, B]}}},
        {"items": [{"name": "A", "tracks": {"data": A["tracks"]}}, B]},
        [{"playlists": [A]}, {"playlists": [B]}],
        f"{json.dumps({'playlists': [A]})}\n{json.dumps({'info': 1, 'playlists': [B]})}",
        {"count": 2, "playlists": [{"playlist": A}, {"playlist": B, "by": "me"}]},
        {"A": A["tracks"], "B": B["tracks"]},
        {"A": ["t:1", "t:2"], "B": ["t:2", "t:3"]},
        {"A": {"tracks": A["tracks"]}, "B": {"tracks": B["tracks"], "likes": 3}},
        {"x": {"id": "A", "tracks": A["tracks"]}, "y": {"id": "B", "tracks": B["tracks"]}},
        {"A": {"name": "one", "tracks": A["tracks"]}, "B": {"name": "one", "tracks": B["tracks"]}},
        {"version": 1, "playlists": {"A": A, "B": B}},
    ],
)
def test_every_playlist_of_a_document_comes_in(document: Any, tmp_path: Path):
    assert lists(document, tmp_path) == BOTH


ROWS = {"playlist_id": ["A", "A", "B", "B"], "track_id": ["t:1", "t:2", "t:2", "t:3"]}


@pytest.mark.parametrize("orient", ["list", "dict", "index", "records", "split", "tight"])
def test_a_table_comes_in_by_columns_and_by_rows(orient: Any, tmp_path: Path):
    """As pandas writes it, which numbers rows in some."""
    document = pd.DataFrame(ROWS).to_dict(orient)
    assert lists(json.dumps(document), tmp_path) == BOTH


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records"])
def test_a_table_of_pandas_is_in_its_order_and_all_of_it_is_read(orient: Any, tmp_path: Path):
    """Rows that were sorted have the numbers that they had before."""
    text = pd.DataFrame(ROWS, index=[3, 1, 2, 0]).to_json(orient=orient)
    assert lists(text, tmp_path) == BOTH
    assert not [line for line in read(tmp_path / "a.json").report.counted() if "left out" in line]


def test_rows_of_lists_take_the_names_beside_them(tmp_path: Path):
    """Wherever these stand; as SQL's services write it, too."""
    rows = [list(row) for row in zip(*ROWS.values(), strict=True)]
    assert lists({"rows": rows, "columns": [*ROWS], "truncated": False}, tmp_path) == BOTH
    assert lists({"results": {"columns": [*ROWS], "rows": rows}}, tmp_path) == BOTH
    assert lists({"columns": [*ROWS], "data": [*rows, ["A"]]}, tmp_path) == BOTH
    [refused] = [line for line in read(tmp_path / "a.json").report.counted() if "skipped" in line]
    assert 'record 5 is no object: ["A"]' in refused


@pytest.mark.parametrize("columns", [None, [0, 1], "ab"])
@pytest.mark.parametrize("name", ["data", "rows", "playlists"])
def test_rows_of_lists_without_names_are_refused(name: str, columns: Any, tmp_path: Path):
    document = {"columns": columns, name: [["A", "t:1"], ["B", "t:2"]]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(BadImport, match=r'record 1 is no object: \["A", "t:1"\]'):
        read(tmp_path / "a.json")


def test_rows_beside_the_tracks_of_a_playlist_are_no_table(tmp_path: Path):
    playlist = {"title": "A", "tracks": ["t:1", "t:2"], "data": [[1, 2], [3, 4]]}
    assert lists(playlist, tmp_path) == {"A": ["t:1", "t:2"]}


@pytest.mark.parametrize("orient", ["split", "table", "records"])
def test_a_table_without_rows_is_empty(orient: Any, tmp_path: Path):
    (tmp_path / "a.json").write_text(pd.DataFrame(ROWS)[:0].to_json(orient=orient))
    with pytest.raises(BadImport, match="it is empty"):
        read(tmp_path / "a.json")


@pytest.mark.parametrize("song", ["track", "item"])
def test_a_table_of_other_names_is_asked_about(song: str, tmp_path: Path):
    document = {"user": {"0": "A", "1": None}, song: {"0": "t:1", "1": "t:2"}}
    with pytest.raises(BadImport, match=f"columns are user, {song}\n"):
        lists(document, tmp_path)


def test_columns_of_lists_are_playlists(tmp_path: Path):
    document = {"name": ["A", "B"], "songs": [["t:1", "t:2"], ["t:2", "t:3"]]}
    assert lists(document, tmp_path) == BOTH


def test_lists_by_their_titles_may_be_empty(tmp_path: Path):
    assert lists({"none": [], "A": ["t:1"]}, tmp_path) == {"none": [], "A": ["t:1"]}


def test_one_playlist_of_lists_is_one(tmp_path: Path):
    assert lists({"tags": ["rain"], "songs": ["t:1"]}, tmp_path, "A.json") == {"A": ["t:1"]}


def test_songs_by_their_keys_have_them(tmp_path: Path):
    songs = {"t:1": {"name": "One", "artist": "X"}, "t:2": {"name": "Two", "artist": "X"}}
    assert lists(songs, tmp_path, "A.json") == {"A": ["t:1", "t:2"]}
    frame = pd.DataFrame.from_dict(songs, orient="index")
    for orient in ("index", "split", "table"):
        text = frame.to_json(orient=orient)
        assert lists(text, tmp_path, "A.json") == {"A": ["t:1", "t:2"]}


def test_playlists_in_cells_come_in(tmp_path: Path):
    rows = {"mine": [[A]], "followed": [[B]]}
    pa.parquet.write_table(pa.table(rows), tmp_path / "a.parquet")
    assert lists_of(written(tmp_path / "a.parquet", tmp_path / "own")) == BOTH
    frame = pd.DataFrame({"of": [{"playlists": [A]}, {"playlists": [B]}]})
    assert lists_of(written(frame, tmp_path / "of frame")) == BOTH


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"users": [{}, {}], "playlists": [A, B], "tracks": [track(8)], "version": 1},
            [
                "3 objects in lists beside those that are read: left out; each needs a file of "
                "its own, such as a.json: users, tracks",
                "1 document with more than the lists that are read: left out, such as a.json: "
                "version",
            ],
        ),
        (
            {"items": [A, B], "next": "https://…", "total": 70},
            ["1 document with a page of a list that goes on elsewhere, such as a.json"],
        ),
        (
            [{"name": "A", "tracks": {"total": 7, "items": A["tracks"]}}, B],
            ['1 playlist with more tracks than are here, such as {"name": "A"}'],
        ),
        (
            [A | {"songs": [track(5)]}, B],
            [
                "1 playlist with tracks in 'songs', too: only those in 'tracks' are read, such as "
                '{"name": "A"}'
            ],
        ),
        ([A, track(5), B, [1]], ["2 rows that cannot be read: skipped, such as a.json: record 4"]),
        ([A, {"name": "C"}, B], ["1 playlist without songs: kept for title and tags"]),
    ],
)
def test_what_is_not_read_is_told(document: Any, said: list[str], tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    lines = read(path).report.counted()
    label = f"{tmp_path}/"
    for line in said:
        assert any(one.replace(label, "").startswith(line) for one in lines), lines
    assert BOTH.items() <= lists(document, tmp_path).items()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{json.dumps([A])}\n{json.dumps([B])}", "more after the end of the array"),
        (f"{json.dumps(A, indent=1)}\n{json.dumps(B, indent=1)}", "more after the end of the obj"),
        (json.dumps({"playlists": [A], "more": [B]})[:-20], "the file ends inside"),
        (json.dumps({"playlists": [A]})[:-1], "ends after the member 'playlists', before the obj"),
        ('{"playlists": [{"name": "A"}] "x": 1}', "a comma or the object's end"),
        ('{"playlists": [{"name": "A"}], "playlists": []}', "'playlists' is repeated"),
        ('{"x": 1, "x": 2}', "'x' is repeated"),
    ],
)
def test_a_document_that_goes_on_or_is_cut_is_an_error(text: str, said: str, tmp_path: Path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(MalformedJson, match=said):
        read(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"A": [{"x": 1}], "B": [{"x": 2}]}, "write playlists as"),
        ([{"name": "A", "discs": A["tracks"]}], "write playlists as"),
        ({"about": {"name": "A"}, "media": {"discs": A["tracks"]}}, "write playlists as"),
        ({"items": [{"id": 1, "name": "A", "tracks": {"total": 2}}]}, "write playlists as"),
        ([{"name": "A", "tracks": [["a", 1], ["b", 2]]}], "write tracks as keys"),
        (
            {"playlists": [{"playlist_id": 1, "title": "A"}], "entries": [{"playlist_id": 1}]},
            "(entries): write each into a file of its own",
        ),
    ],
)
def test_what_cannot_be_told_says_how_to_write_it(document: Any, hint: str, tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(BadImport) as raised:
        read(tmp_path / "a.json")
    assert hint in str(raised.value.hint)


def test_an_error_names_some_of_many_columns(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps({f"k{n}": "x" for n in range(2000)}))
    with pytest.raises(BadImport, match=r"k39 and 1,960 more"):
        read(tmp_path / "a.json")


def test_exports_of_other_shapes_side_by_side_keep_their_keys(tmp_path: Path):
    """As an account's data have them: one calls a song's key `trackUri`, the other `uri`."""
    source = tmp_path / "data"
    source.mkdir()
    liked = {"tracks": [{"artist": "X", "track": "N1", "uri": "t:1"}], "shows": []}
    one = {"track": {"trackName": "N2", "artistName": "X", "trackUri": "t:2"}, "episode": None}
    episode = {"track": None, "episode": {"episodeName": "E"}}
    mine = {"playlists": [{"name": "A", "items": [one, episode]}]}
    (source / "YourLibrary.json").write_text(json.dumps(liked))
    (source / "Playlist1.json").write_text(json.dumps(mine))
    found = written(source, tmp_path / "own")
    assert lists_of(found) == {"A": ["t:2"], "YourLibrary": ["t:1"]}
    assert [song["song_name"] for song in found[SONG_FILE]] == ["N2", "N1"]


def test_nothing_in_place_of_an_object_takes_no_role(tmp_path: Path):
    tracks = [track(1, album=None), track(2, album={"name": "Real", "id": 1})]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"name": "A", "tracks": tracks}]))
    assert by_key(written(path, tmp_path / "own")[SONG_FILE])["t:2"]["album_name"] == "Real"


def test_rows_may_hold_their_playlist_and_track_as_objects(tmp_path: Path):
    rows = [
        {"playlist": {"name": "A"}, "track": {"uri": f"t:{n}", "name": f"N{n}"}} for n in (1, 2)
    ]
    text = "\n".join(map(json.dumps, rows))
    assert lists(text, tmp_path, "a.jsonl") == {"A": ["t:1", "t:2"]}


def test_a_playlist_that_is_there_several_times_is_told(tmp_path: Path):
    """As in two exports, or in pages of one."""
    (tmp_path / "of").mkdir()
    for name, one in {"a": A, "b": B}.items():
        (tmp_path / "of" / f"{name}.json").write_text(json.dumps([one | {"id": "p"}, A]))
    report = read(tmp_path / "of").report
    assert report.counted()[-1] == (
        "1 playlist that is there several times: its songs are put together, such as p"
    )


def test_a_field_of_what_is_no_song_is_not_said_to_be_empty(tmp_path: Path):
    document = [A | {"tracks": [*A["tracks"], {"episode": {"uri": "e:1"}, "none": ""}]}, B]
    (tmp_path / "a.json").write_text(json.dumps(document))
    notes = read(tmp_path / "a.json").report.notes
    assert notes == [
        "episode_uri says nothing of a track (1 value), and is left out",
        "none is empty, and is left out",
    ]


def test_the_first_playlist_may_have_nothing_in_place_of_its_tracks(tmp_path: Path):
    found = lists([{"id": "c", "name": "C", "tracks": None}, A | {"id": "a"}], tmp_path)
    assert found == {"c": [], "a": BOTH["A"]}


def test_a_line_that_is_no_json_is_skipped_and_told(tmp_path: Path):
    lines = [json.dumps(A), '{"name": "C"', json.dumps(B)]
    assert lists("\n".join(lines), tmp_path) == BOTH
    [said] = [line for line in read(tmp_path / "a.json").report.counted() if "skipped" in line]
    assert "line 2 is no JSON: expecting ',' delimiter" in said


def test_playlists_of_which_nothing_is_said_stay_apart(tmp_path: Path):
    bare = [{"tracks": A["tracks"]}, {"tracks": B["tracks"]}]
    assert list(lists(bare, tmp_path).values()) == list(BOTH.values())


@pytest.mark.parametrize("chunk_bytes", [1, 3, 1 << 20])
def test_members_are_read_wherever_a_chunk_ends(chunk_bytes: int, tmp_path: Path):
    document = {"n": 1, "a": [{"x": 1}] * 3, "b": [], "c": [[2]], "d": [5, 6], "e": [{"y": "비"}]}
    (tmp_path / "a.json").write_text(json.dumps(document, indent=1))

    def wanted(name: str, first: object) -> bool:
        return name in "ce"

    array = JsonArray(tmp_path / "a.json", chunk_bytes=chunk_bytes, wanted=wanted)
    assert list(array) == [[2], {"y": "비"}]
    assert array.names == ["c", "e"]
    assert array.around == {"n": 1, "a": [{"x": 1}], "b": [], "d": [5]}
    assert array.lengths == {"a": 3, "b": 0, "d": 2}
    array = JsonArray(tmp_path / "a.json", chunk_bytes=chunk_bytes, wanted=lambda *_: False)
    assert list(array) == []
    assert array.around == document
