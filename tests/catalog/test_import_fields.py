"""The types of the fields that a catalogue has for itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing_samples import TRAIN, contents, frame_report, written

from melon.catalog import FIELDS_FILE, SONG_FILE, BadImport, from_frame, import_frame


@pytest.mark.parametrize(
    ("values", "type"),
    [
        (["true", "FALSE"], "bool"),
        (["1", "0"], "integer"),
        (["12.0", "-3"], "integer"),
        (["007", "12"], "keyword"),
        (["1", "2.5", "1e3", ".5"], "float"),
        (["2019-12-17", "2019-12"], "datetime"),
        (["2019-12-17T10:00:00Z"], "datetime"),
        (["1", "x"], "keyword"),
        (["99999999999999999999"], "keyword"),
        (["x" * 300], "text"),
        (["NaN", "5"], "integer"),
    ],
)
def test_the_type_of_a_field_is_the_narrowest(values: list[str], type: str, tmp_path: Path):
    rows = {"playlist_id": [1] * len(values), "track_id": [f"t{n}" for n in range(len(values))]}
    import_frame(pd.DataFrame(rows | {"mine": values}), out=tmp_path / "own")
    assert contents(tmp_path / "own")[FIELDS_FILE]["songs"] == [
        {"name": "mine", "type": type, "many": False}
    ]


def test_a_column_of_seconds_is_one_of_dates(tmp_path: Path):
    rows = {"playlist_id": [1, 2], "track_id": [3, 4], "modified_at": [1493424000, 1506556800]}
    lines = frame_report(rows | {"added_at": [1493424000123, 1506556800000]}, tmp_path / "own")
    found = contents(tmp_path / "own")
    assert found[TRAIN][0]["updt_date"] == "2017-04-29 00:00:00.000"
    assert found[SONG_FILE][0]["added_at"] == "2017-04-29 00:00:00.123"
    assert "  updated: seconds since 1970" in lines
    assert "  own field added_at: datetime, milliseconds since 1970, of 2 songs" in lines


def test_a_field_called_date_is_not_the_release(tmp_path: Path):
    """One counts seconds, the other is written: each is read in its own way."""
    rows = {"playlist_id": [1, 2], "track_id": [3, 4], "date": [1493424000, 1506556800]}
    frame_report(rows | {"release_date": ["2001-02-03", "1999"]}, tmp_path / "own")
    songs = contents(tmp_path / "own")[SONG_FILE]
    assert [song["issue_date"] for song in songs] == ["20010203", "19990000"]
    assert [song["date"][:10] for song in songs] == ["2017-04-29", "2017-09-28"]


def test_what_is_of_playlists_alone_is_left_out_and_said(tmp_path: Path):
    rows = {"playlist_id": [1, 1, 2, 2], "track_id": [5, 6, 5, 7], "owner": ["a", "a", "b", "b"]}
    lines = frame_report(rows, tmp_path / "own")
    assert any(line.startswith("  owner is the same all over a playlist") for line in lines)
    assert contents(tmp_path / "own")[FIELDS_FILE]["songs"] == []


def test_frames_of_every_kind_of_column(tmp_path: Path):
    """Categories, moments, integers that may be missing, an index: the values are what counts."""
    rows = pd.DataFrame(
        {
            "track_id": pd.array([5, None, 7], "Int64"),
            "playlist_name": pd.Categorical(["gym", "gym", "jazz"]),
            "release_date": pd.to_datetime(["2019-12-17", None, "2020-01-02"]),
            "bpm": [120.0, float("nan"), float("inf")],
            "mixed": [1, None, "x"],
        },
        index=pd.Index([1, 1, 2], name="playlist_id"),
    )
    import_frame(rows, out=tmp_path / "own")
    found = contents(tmp_path / "own")
    lists = [(one["key"], one["plylst_title"], one["songs"]) for one in found[TRAIN]]
    assert lists == [("1", "gym", [5]), ("2", "jazz", [7])]
    first, second = found[SONG_FILE]
    assert (first["issue_date"], first["bpm"], first["mixed"]) == ("20191217", 120, "1")
    assert (second["issue_date"], second.get("bpm"), second["mixed"]) == ("20200102", None, "x")


def test_values_are_what_their_types_say(tmp_path: Path):
    """Not what such columns are stored as, or in which unit."""
    keys: dict[str, Any] = {"playlist_id": [1, 1], "track_id": ["a", "b"]}
    table = pa.table(
        {
            **keys,
            "length": pa.array([200, None], pa.duration("s")),
            "half": pa.array([1.5, 2], pa.float16()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = written(tmp_path / "a.parquet", tmp_path / "of parquet")[SONG_FILE]
    assert [(one.get("length"), one["half"]) for one in found] == [(200_000, 1.5), (None, 2.0)]
    frame = pd.DataFrame(keys)
    frame["release_date"] = pd.period_range("2020-01", periods=2, freq="M")
    frame["length"] = pd.to_timedelta([200, None], unit="s")
    found = written(frame, tmp_path / "of frame")[SONG_FILE]
    assert [(one["issue_date"], one.get("length")) for one in found] == [
        ("20200100", 200_000),
        ("20200200", None),
    ]


def test_an_index_is_not_lost():
    """Nor does one that stands in the frame as well stop the import."""
    rows = pd.DataFrame({"playlist_id": ["p", "p", "q"], "track_id": ["a", "b", "a"]})
    for frame in (
        rows.set_index("playlist_id"),
        rows.set_index("playlist_id", drop=False),
        rows.set_index(["playlist_id", "track_id"]),
        rows.groupby("playlist_id")[["playlist_id", "track_id"]].apply(lambda group: group),
        pd.DataFrame({"tracks": [["a", "b"], ["a"]]}, index=["p", "q"]),
    ):
        catalogue = from_frame(frame)
        assert catalogue.playlist_keys.values.to_pylist() == ["p", "q"]
        assert catalogue.report.entries == 3


@pytest.mark.parametrize("mark", [";", "|", ","])
def test_a_type_of_several_splits_cells_of_text(mark: str, tmp_path: Path):
    rows = {
        "playlist_id": [1, 1, 1],
        "track_id": [5, 6, 7],
        "moods": [mark.join(["calm", "sad"]), "calm", None],
        "tempos": [mark.join(["1.5", "x", "2"]), "y", "3"],
    }
    types = {"moods": "keyword[]", "tempos": "float[]"}
    lines = frame_report(rows, tmp_path / "own", types=types)
    songs = contents(tmp_path / "own")[SONG_FILE]
    assert [song.get("moods") for song in songs] == [["calm", "sad"], ["calm"], None]
    assert [song.get("tempos") for song in songs] == [[1.5, 2.0], None, [3.0]]
    assert "  2 values of tempos that cannot be read as float: dropped, such as 'x'" in lines
    assert "  own field tempos: float[], of 2 songs" in lines


def test_a_type_is_of_a_field_that_is_there(tmp_path: Path):
    rows = {"playlist_id": [1], "track_id": [5], "tempo": [1]}
    with pytest.raises(BadImport, match="no column becomes the field 'tempi'") as raised:
        frame_report(rows, tmp_path / "own", types={"tempi": "float"})
    assert raised.value.hint == "did you mean tempo?"


def test_words_for_yes_and_no_are_truths_where_that_is_said(tmp_path: Path):
    words = ["yes", "No", "ja", "nein", "y", "f", "T", "0", "maybe"]
    rows = {"playlist_id": 1, "track_id": range(len(words)), "live": words}
    lines = frame_report(rows, tmp_path / "own", types={"live": "bool"})
    found = [song.get("live") for song in contents(tmp_path / "own")[SONG_FILE]]
    assert found == [True, False, True, False, True, False, True, False, None]
    assert "  1 value of live that cannot be read as bool: dropped, such as 'maybe'" in lines
