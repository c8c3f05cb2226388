"""Lists and objects in cells, frames and documents."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing_samples import TRAIN, by_key, contents, frame_report, lists_of, read, written

from melon.catalog import FIELDS_FILE, SONG_FILE, BadImport, UnclearColumns, from_frame


def test_lists_in_cells(tmp_path: Path):
    rows = {
        "playlist_id": [1, 1, 2],
        "track_id": [5, 6, 7],
        "artists": [["A, B", "C"], ["A, B"], None],
        "tags": ["['rain', 'calm']", "night", "gym"],
        "moods": [["x", "y"], [], ["z"]],
    }
    frame_report(rows, tmp_path / "own")
    found = contents(tmp_path / "own")
    assert [song["artist_name_basket"] for song in found[SONG_FILE]] == [
        ["A, B", "C"],
        ["A, B"],
        [],
    ]
    assert [one["tags"] for one in found[TRAIN]] == [["rain", "calm", "night"], ["gym"]]
    assert [song.get("moods") for song in found[SONG_FILE]] == [["x", "y"], None, ["z"]]
    assert found[FIELDS_FILE]["songs"] == [{"name": "moods", "type": "keyword", "many": True}]


@pytest.mark.parametrize(("mark", "other"), [("|", ";"), (";", "|")])
def test_lists_are_split_where_most_cells_are(mark: str, other: str, tmp_path: Path):
    name = f"R&B{other} Soul"
    tags = [f"rain{mark}calm", f"gym{mark}{name}", "night"]
    frame_report({"playlist_id": [1, 2, 3], "track_id": [5, 6, 7], "tags": tags}, tmp_path / "own")
    found = [one["tags"] for one in contents(tmp_path / "own")[TRAIN]]
    assert found == [["rain", "calm"], ["gym", name], ["night"]]


def test_objects_in_cells_of_text_are_values_by_their_names(tmp_path: Path):
    objects = [{"id": 1, "name": "R&B, Soul"}, {"id": 2, "name": "Pop"}]
    rows = pd.DataFrame({"playlist_id": [1, 1], "track_id": ["x", "y"]})
    rows["artists"] = [json.dumps(objects), json.dumps(objects[:1])]
    rows["genres"] = rows["moods"] = [str(objects), str(objects[:1])]
    for song, number in zip(written(rows, tmp_path / "out")[SONG_FILE], (2, 1), strict=True):
        names = [one["name"] for one in objects[:number]]
        assert song["artist_name_basket"] == names
        assert song["song_gn_gnr_basket"] == names
        assert song["moods"] == names


@pytest.mark.parametrize("mapping", [(), ("track=tracks",), ("track[]=tracks",)])
@pytest.mark.parametrize("write", [json.dumps, str])
def test_objects_in_cells_are_no_keys(
    write: Callable[[Any], str], mapping: tuple[str, ...], tmp_path: Path
):
    cells = [write([{"id": "x"}, {"id": "y"}]), write([{"id": "x"}])]
    pd.DataFrame({"playlist_id": [1, 2], "tracks": cells}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(BadImport, match=r"objects \(tracks\), but no playlists"):
        read(tmp_path / "a.csv", mapping=mapping)


@pytest.mark.parametrize("mapping", [(), ("track=media",)])
def test_lists_of_objects_are_no_keys_in_any_source(mapping: tuple[str, ...], tmp_path: Path):
    records = [{"playlist_id": n, "media": [{"name": "A", "id": "x"}]} for n in "pq"]
    for source in as_records(tmp_path, records):
        with pytest.raises(BadImport, match=r"objects \(media\), but no playlists"):
            read(source, mapping=mapping)


def test_tracks_are_not_taken_for_a_field_of_their_own(tmp_path: Path):
    """As in lines of a search engine's dump, whose playlists are within."""
    lines = [
        {"_id": n, "_source": {"name": "mix", "tracks": [{"id": "x"}, {"id": "y"}]}} for n in "ab"
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(BadImport, match=r"objects \(_source\.tracks\), but"):
        read(tmp_path / "a.jsonl")


def test_hashtags_are_tags_without_the_sign(tmp_path: Path):
    rows = {"playlist_id": [1, 2, 3], "track_id": [5, 6, 7]}
    frame_report(rows | {"tags": ["#비 #late_night", None, "#gym#run"]}, tmp_path / "own")
    tags = [one["tags"] for one in contents(tmp_path / "own")[TRAIN]]
    assert tags == [["비", "late_night"], [], ["gym", "run"]]
    frame_report(rows | {"tags": ["#1 hits #summer", "#2", "#3"]}, tmp_path / "no hashtags")
    tags = [one["tags"] for one in contents(tmp_path / "no hashtags")[TRAIN]]
    assert tags == [["#1 hits #summer"], ["#2"], ["#3"]]


LISTS = [
    {"playlist_id": "p1", "playlist_name": "gym", "track_id": ["x", "y", "z"]},
    {"playlist_id": "p2", "playlist_name": "jazz", "track_id": ["y"]},
    {"playlist_id": "p3", "playlist_name": "none", "track_id": []},
]


NESTED = [
    {
        "id": "p1",
        "name": "gym",
        "followers": {"total": 7},
        "tracks": [
            {"id": "x", "name": "One", "artists": [{"name": "A"}, {"name": "B"}], "tempo": 120.5},
            {"id": "y", "name": "Two", "artists": [{"name": "B"}], "tempo": None},
        ],
    },
    {"id": "p2", "name": "jazz", "followers": {"total": 0}, "tracks": []},
]


def as_records(path: Path, records: list[dict[str, Any]]) -> list[Any]:
    """What holds the same records: JSON Lines, parquet, a frame, and one read from parquet."""
    lines, columns = path / "a.jsonl", path / "a.parquet"
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    pq.write_table(pa.Table.from_pylist(records), columns)
    return [lines, columns, pd.DataFrame(records), pd.read_parquet(columns)]


@pytest.mark.parametrize("called", ["track_id", "tracks", "songs", "track_uris"])
def test_a_list_of_songs_in_a_cell_is_an_entry_for_each(called: str, tmp_path: Path):
    records = [{called if k == "track_id" else k: v for k, v in one.items()} for one in LISTS]
    for number, source in enumerate(as_records(tmp_path, records)):
        found = written(source, tmp_path / f"out {number}")
        assert lists_of(found) == {"p1": ["x", "y", "z"], "p2": ["y"], "p3": []}, number


@pytest.mark.parametrize("said", [["id"], ["name"], ["title"], ["id", "name"]])
@pytest.mark.parametrize("called", ["track_ids", "songUris"])
def test_what_stands_beside_a_list_of_songs_is_of_the_playlist(
    said: list[str], called: str, tmp_path: Path
):
    """And not of its songs; else all rows would be the one playlist that the file is."""
    values = {"id": ["p1", "p2"], "name": ["Rain", "Gym"], "title": ["Rain", "Gym"]}
    records = [
        {name: values[name][at] for name in said} | {called: songs}
        for at, songs in enumerate([["x", "y"], ["x"]])
    ]
    joined = pd.DataFrame(records)
    joined[called] = joined[called].map("|".join)
    joined.to_csv(tmp_path / "a.csv", index=False)
    for number, source in enumerate([*as_records(tmp_path, records), tmp_path / "a.csv"]):
        found = written(source, tmp_path / f"out {number}")
        assert lists_of(found) == dict(zip(values[said[0]], [["x", "y"], ["x"]], strict=True))
        titles = ["", ""] if said == ["id"] else ["Rain", "Gym"]
        assert [one["plylst_title"] for one in found[TRAIN]] == titles
        assert {song["song_name"] for song in found[SONG_FILE]} == {""}


def test_what_stands_beside_a_list_of_playlists_is_of_the_song(tmp_path: Path):
    records = [
        {"id": "x", "name": "One", "playlist_ids": ["p", "q"]},
        {"id": "y", "name": "Two", "playlist_ids": ["q"]},
    ]
    for number, source in enumerate(as_records(tmp_path, records)):
        found = written(source, tmp_path / f"out {number}")
        assert lists_of(found) == {"p": ["x"], "q": ["x", "y"]}
        assert [song["song_name"] for song in found[SONG_FILE]] == ["One", "Two"]


def test_bare_names_that_are_lists_as_well_are_of_each(tmp_path: Path):
    records = [{"id": "p", "track_ids": ["x", "y"], "name": ["One", "Two"]}] * 2
    for number, source in enumerate(as_records(tmp_path, records)):
        found = written(source, tmp_path / f"out {number}")
        assert [song["song_name"] for song in found[SONG_FILE]] == ["One", "Two"]


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("track_ids\nx|y\nx\n", "title=COLUMN"),
        ("Playlist No,track_id\n1,x\n2,x\n", "playlist=Playlist No"),
        ("playlists,track_id\nrock;pop,x\nrock,y\n", "playlist[]=playlists"),
    ],
)
def test_a_file_of_several_playlists_is_not_taken_for_one(
    text: str, suggested: str, tmp_path: Path
):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UnclearColumns) as asked:
        read(tmp_path / "a.csv")
    assert asked.value.mapping == (suggested,)
    if "COLUMN" not in suggested:
        assert read(tmp_path / "a.csv", mapping=[suggested]).report.playlists == 2


def test_lists_beside_a_list_of_songs_speak_of_each(tmp_path: Path):
    records = [
        {"playlist_id": "p", "track_id": ["x", "y"], "track_name": ["One", "Two"], "bpm": [1, 2]},
        {"playlist_id": "q", "track_id": ["z"], "track_name": ["Three"], "bpm": [3]},
    ]
    for number, source in enumerate(as_records(tmp_path, records)):
        found = written(source, tmp_path / f"out {number}")
        songs = by_key(found[SONG_FILE])
        assert {key: song["song_name"] for key, song in songs.items()} == {
            "x": "One",
            "y": "Two",
            "z": "Three",
        }
        assert {key: song["bpm"] for key, song in songs.items()} == {"x": 1, "y": 2, "z": 3}
    records[0]["track_name"] = ["One", "Two", "Three"]
    with pytest.raises(BadImport, match="not as long as"):
        from_frame(pd.DataFrame(records))


@pytest.mark.parametrize("write", [str, "|".join], ids=["lists", "marks"])
def test_texts_of_lists_beside_such_speak_of_each(write: Callable[[Any], str], tmp_path: Path):
    rows = {
        "playlist_id": ["p", "q"],
        "track_ids": [write(["x", "y"]), write(["z"])],
        "track_name": [write(["One", "Two"]), write(["Three"])],
        "bpm": [write(["1", "2"]), write(["3"])],
    }
    songs = written(pd.DataFrame(rows), tmp_path / "own")[SONG_FILE]
    assert [song["song_name"] for song in songs] == ["One", "Two", "Three"]
    assert [song["bpm"] for song in songs] == [1, 2, 3]
    rows["track_name"][0] = write(["One"])
    if write is str:
        with pytest.raises(BadImport, match="not as long as"):
            from_frame(pd.DataFrame(rows))


def test_a_song_with_a_list_of_its_playlists_is_in_each(tmp_path: Path):
    rows = pd.DataFrame({"playlist_id": [["p", "q"], ["q"]], "track_id": ["x", "y"]})
    assert lists_of(written(rows, tmp_path / "out")) == {"p": ["x"], "q": ["x", "y"]}


def test_objects_in_a_frame_are_read_as_in_documents(tmp_path: Path):
    first, *others = [
        written(source, tmp_path / f"out {number}")
        for number, source in enumerate(as_records(tmp_path, NESTED))
    ]
    assert lists_of(first) == {"p1": ["x", "y"], "p2": []}
    assert by_key(first[SONG_FILE])["x"]["artist_name_basket"] == ["A", "B"]
    assert [one["like_cnt"] for one in first[TRAIN]] == [7, 0]
    assert all(other == first for other in others)


def test_a_playlist_of_a_web_api_comes_in_whole(tmp_path: Path):
    def entry(key: str) -> dict[str, Any]:
        return {
            "added_at": "2023-01-01T00:00:00Z",
            "track": {
                "id": key,
                "uri": f"spotify:track:{key}",
                "name": f"Song {key}",
                "artists": [{"name": "A", "id": "a"}],
                "album": {"id": "b", "name": "Album", "release_date": "1965-02-01"},
            },
        }

    playlist = {
        "id": "p",
        "name": "gym",
        "followers": {"total": 3},
        "owner": {"id": "me"},
        "tracks": {"total": 2, "items": [entry("x"), entry("y"), {"track": None}]},
    }
    (tmp_path / "a.json").write_text(json.dumps([playlist]))
    found = written(tmp_path / "a.json", tmp_path / "out")
    assert lists_of(found) == {"p": ["spotify:track:x", "spotify:track:y"]}
    song = found[SONG_FILE][0]
    assert (song["album_name"], song["issue_date"]) == ("Album", "19650201")
    assert (song["song_name"], song["artist_name_basket"]) == ("Song x", ["A"])
    assert (song["track_id"], song["added_at"]) == ("x", "2023-01-01 00:00:00.000")
    assert found[TRAIN][0]["like_cnt"] == 3


def test_keys_of_bytes_are_their_text(tmp_path: Path):
    uuids = [uuid.UUID(int=5), uuid.UUID(int=0x3131)]
    raw = [one.bytes for one in uuids]
    pq.write_table(
        pa.table({"playlist_id": [1, 1], "track_id": pa.array(raw, pa.uuid())}),
        tmp_path / "uuid.parquet",
    )
    pq.write_table(
        pa.table({"playlist_id": [1, 1], "track_id": pa.array(raw, pa.binary(16))}),
        tmp_path / "bytes.parquet",
    )
    texts, digits = [str(one) for one in uuids], [one.hex for one in uuids]
    assert read(tmp_path / "uuid.parquet").song_keys.values.to_pylist() == texts
    assert read(tmp_path / "bytes.parquet").song_keys.values.to_pylist() == digits
    rows = pd.DataFrame({"playlist_id": 1, "track_id": uuids})
    assert from_frame(rows).song_keys.values.to_pylist() == texts
    rows["track_id"] = [b"\xff\x00", b"abc"]
    assert from_frame(rows).song_keys.values.to_pylist() == ["ff00", "abc"]


@pytest.mark.parametrize(
    "cells",
    [
        ("[11, 12]", "[11]"),
        ("[11 12]", "[11]"),
        ("(11, 12)", "(11,)"),
        ("{11,12}", "{11}"),
        ("('11', '12')", "('11',)"),
        ('{"11","12",NULL}', '{"11"}'),
        ("{'11', '12'}", "{'11'}"),
        ("11 12", "11"),
    ],
)
def test_lists_are_read_as_programs_write_them(cells: tuple[str, str], tmp_path: Path):
    """pandas, numpy and PostgreSQL."""
    rows = {"playlist_id": ["1", "2"], "title": ["A", "B"], "song_ids": cells, "tags": cells}
    found = written(pd.DataFrame(rows), tmp_path / "own")
    assert lists_of(found) == {"1": ["11", "12"], "2": ["11"]}
    if cells[0][0] != "1":
        assert [one["tags"] for one in found[TRAIN]] == [["11", "12"], ["11"]]


def test_one_word_in_brackets_is_a_title_or_a_key(tmp_path: Path):
    titles = ["[2019]", "(11)", "{untitled}"]
    keys = [f"{{21EC2020-3AEA-4069-A2DD-08002B30309{at}}}" for at in "ABC"]
    rows = {"playlist_id": keys, "playlist_name": titles, "track_id": keys}
    found = written(pd.DataFrame(rows), tmp_path / "own")
    assert [one["plylst_title"] for one in found[TRAIN]] == titles
    assert lists_of(found) == {key: [key] for key in keys}


def test_most_lists_may_be_of_one_value(tmp_path: Path):
    tags = ["{rock,pop}", *["{rock}"] * 20]
    rows = {"playlist_id": [*range(21)], "track_id": ["a"] * 21, "tags": tags}
    found = written(pd.DataFrame(rows), tmp_path / "own")
    assert [one["tags"] for one in found[TRAIN]] == [["rock", "pop"], *[["rock"]] * 20]


def test_names_that_look_like_lists_are_names_where_few_do(tmp_path: Path):
    names = ["(1, 2)", "{a,b}", "[1 2]", *"ABCDEFGHIJKLMNOP"]
    rows = {
        "playlist_id": 1,
        "track_id": [*range(len(names))],
        "track_name": names,
        "artist": [["X", "Y", "Z"]] * len(names),
    }
    rows["genres"] = ["{a,b}", *["rock, pop"] * (len(names) - 1)]
    found = written(pd.DataFrame(rows), tmp_path / "own")[SONG_FILE]
    assert [song["song_name"] for song in found] == names
    assert found[1]["song_gn_gnr_basket"] == ["rock", "pop"]
    rows = {"playlist_id": [1, 2], "title": ["(B) C", "(A)"], "track_ids": ["[1, 2]", "[3]"]}
    found = written(pd.DataFrame(rows), tmp_path / "other")[TRAIN]
    assert [one["plylst_title"] for one in found] == rows["title"]


def test_lists_of_numbers_are_own_fields_of_several_values(tmp_path: Path):
    rows = {
        "playlist_id": [1, 1],
        "track_id": ["a", "b"],
        "peaks": ["[0.1, 0.2]", "[0.3]"],
        "codes": ["{007,x}", "{8}"],
        "words": ["rain [1, 2]", "[live]"],
    }
    found = written(pd.DataFrame(rows), tmp_path / "own")[SONG_FILE]
    assert [song["peaks"] for song in found] == [[0.1, 0.2], [0.3]]
    assert [song["codes"] for song in found] == [["007", "x"], ["8"]]
    assert [song["words"] for song in found] == ["rain [1, 2]", "[live]"]
