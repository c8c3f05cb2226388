"""What is easily lost or mixed up between a source and the catalogue comes in, or is told."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from importing_samples import SONG_FILE, TRAIN, lists_of, read, written

from melon.catalog import BadImport, from_frame
from melon.errors import WrongType


def files(folder: Path, **contents: str) -> Path:
    for name, text in contents.items():
        path = folder / name.replace("__", "/").replace("_csv", ".csv").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_files_of_one_name_are_playlists_of_their_own(tmp_path: Path):
    """Whatever columns they have, and whether they are tables or documents."""
    of_songs = files(
        tmp_path / "tables", x__Rock_csv="track_id,track_name\n1,a\n", y__Rock_csv="track_id\n2\n"
    )
    assert lists_of(written(of_songs, tmp_path / "a")) == {"Rock": ["1"], "y/Rock": ["2"]}
    one, two = ([{"tracks": [{"uri": f"t:{n}"}]}] for n in (1, 2))
    documents = files(
        tmp_path / "documents", x__all_json=json.dumps(one), y__all_json=json.dumps(two)
    )
    assert list(lists_of(written(documents, tmp_path / "b")).values()) == [["t:1"], ["t:2"]]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_in_names_of_folders_come_in(ending: str, tmp_path: Path):
    """As Spark and Hive write tables in parts."""
    for name, year, tracks in (
        ("rainy%20day", 2024, [1, 2]),
        ("gym", "__HIVE_DEFAULT_PARTITION__", [3]),
    ):
        folder = tmp_path / "out" / f"playlist_name={name}" / f"year={year}"
        folder.mkdir(parents=True)
        frame = pd.DataFrame({"track_id": tracks})
        path = folder / f"part-0.{ending}"
        frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    found = written(tmp_path / "out", tmp_path / "own")
    assert lists_of(found) == {"gym": ["3"], "rainy day": ["1", "2"]}
    dates = {song["key"]: song["issue_date"] for song in found[SONG_FILE]}
    assert dates == {"1": "20240000", "2": "20240000", "3": ""}


def test_a_backslash_and_n_is_nothing(tmp_path: Path):
    source = files(
        tmp_path / "of",
        a_csv="playlist_id,title,track_id,artist\n1,\\N,a,\\N\n1,\\N,\\N,X\n2,B,b,X\n",
    )
    found = written(source, tmp_path / "own")
    assert lists_of(found) == {"1": ["a"], "2": ["b"]}
    assert [one["plylst_title"] for one in found[TRAIN]] == ["", "B"]
    assert [song["artist_name_basket"] for song in found[SONG_FILE]] == [[], ["X"]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "playlist_id,track_id\n1,1.23457E+12\n2,1.23457E+12\n3,2E+15\n",
            "3 keys shortened, as by spreadsheets or floats: several may be one now, such as "
            "1.23457E+12",
        ),
        (
            "playlist_id,track_id\n1,1.0000000000000001e+18\n",
            "1 key shortened, as by spreadsheets or floats: several may be one now, such as "
            "1.0000000000000001e+18",
        ),
        (
            "playlist_id,track_id\n1,1.2345678E7\n1,9e5\n",
            "1 key shortened, as by spreadsheets or floats: several may be one now, such as "
            "1.2345678E7",
        ),
        (
            "playlist_id,track_id,position\n1,a,2nd\n1,b,\n2,b,1\n",
            "1 value of position, not a number: ignored, such as '2nd'",
        ),
    ],
)
def test_values_that_lost_their_meaning_are_counted(rows: str, said: str, tmp_path: Path):
    source = files(tmp_path / "of", a_csv=rows)
    assert said in read(source).report.counted()


def test_songs_that_no_playlist_holds_are_counted(tmp_path: Path):
    """As where two tables call the same songs by other keys."""
    source = files(
        tmp_path / "of",
        entries_csv="playlist_id,track_uri\n1,spotify:track:a\n2,spotify:track:a\n",
        features_csv="track_id,tempo\na,120\nb,90\n",
    )
    assert "2 songs in no playlist, such as a" in read(source).report.counted()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"playlist_id": 1}]', "JSON"),
        ('{"playlist_id": 1, "track_id": 2}\n{"playlist_id": 1, "track_id": 2}\n', "JSON"),
        ("\ufeff<!DOCTYPE html><html>", "HTML"),
        ('<?xml version="1.0"?>', "XML"),
    ],
)
def test_a_table_that_is_none_is_said_to_be_what_it_is(text: str, said: str, tmp_path: Path):
    with pytest.raises(BadImport, match=f"seems to be .*{said}"):
        read(files(tmp_path / "of", a_csv=text))


def test_partitions_stay_rows_of_one_table(tmp_path: Path):
    for at in ("2024-01-01", "2024-01-02"):
        folder = tmp_path / "of" / f"dt={at}"
        folder.mkdir(parents=True)
        table = pa.table({"playlist_id": [1, 2], "track_id": [f"a{at}", "b"]})
        pa.parquet.write_table(table, folder / "part.parquet")
    report = read(tmp_path / "of").report
    assert (report.playlists, report.entries) == (2, 3)


def test_frames_tell_what_of_them_is_left_out():
    rows = pd.DataFrame({"playlist_id": [1, 2], "track_id": ["a", "b"]})
    playlists = pd.DataFrame({"playlist_id": [1, 2], "title": ["A", "B"], "owner": "me"})
    report = str(from_frame(rows, playlists).report)
    assert "column 'owner' is left out: playlists have no fields of their own" in report
    assert "left out" not in str(from_frame(rows, playlists, mapping={"owner": ""}).report)


def test_frames_without_names_or_columns_are_errors_of_frames():
    with pytest.raises(WrongType, match="there is no frame"):
        from_frame()
    with pytest.raises(WrongType, match="Series is no frame") as wrong:
        from_frame(pd.Series([1], name="track_id"))  # type: ignore[arg-type]
    assert ".to_frame()" in str(wrong.value.hint)
    with pytest.raises(BadImport, match="columns are none"):
        from_frame(pd.DataFrame())
    with pytest.raises(BadImport) as unclear:
        from_frame(pd.DataFrame([[1, "a"], [1, "b"]]))
    assert "mapping" in str(unclear.value.hint)


@pytest.mark.parametrize("before", ["\n", "\n\n\n", "\r\n\r\n", "sep=,\n\n", ""])
def test_empty_lines_before_the_header_are_no_rows(before: str, tmp_path: Path):
    source = files(tmp_path / "of", a_csv=f"{before}playlist_id,track_id\n1,a\n\n1,b\n")
    report = read(source).report
    assert (report.rows, report.playlists, report.entries) == (2, 1, 2)
    assert not report.counts


@pytest.mark.parametrize("array", ["['a' 'b c']", "['a'\n \"b c\"]", "['a', 'b c']"])
def test_arrays_as_numpy_and_python_print_them_are_lists(array: str, tmp_path: Path):
    """pandas writes them so into a CSV; Python itself would join strings without a comma."""
    frame = pd.DataFrame({"playlist_id": [1, 2], "track_ids": [array, "['a']"], "tags": array})
    (tmp_path / "of").mkdir()
    frame.to_csv(tmp_path / "of" / "a.csv", index=False)
    found = written(tmp_path / "of", tmp_path / "own")
    assert lists_of(found) == {"1": ["a", "b c"], "2": ["a"]}
    assert found[TRAIN][0]["tags"] == ["a", "b c"]


QUOTED = """playlist_name,track_id,track_name
"my \\"best\\", really",a,"He said \\"hi, you\\""
"my \\"best\\", really",b,"\\"Heroes\\" \\\\ live"
"""


def test_quotes_after_backslashes_are_of_the_text(tmp_path: Path):
    """As Spark and MySQL write them; where backslashes are of the text, quotes are doubled."""
    found = written(files(tmp_path / "of", a_csv=QUOTED), tmp_path / "own")
    assert lists_of(found) == {'my "best", really': ["a", "b"]}
    assert [song["song_name"] for song in found[SONG_FILE]] == [
        'He said "hi, you"',
        '"Heroes" \\ live',
    ]
    text = 'playlist_name,track_id\n"a ""b"" \\","C:\\x"\n"""\\""",C:\\y\n'
    found = written(files(tmp_path / "or", a_csv=text), tmp_path / "doubled")
    assert lists_of(found) == {'a "b" \\': ["C:\\x"], '"\\"': ["C:\\y"]}
