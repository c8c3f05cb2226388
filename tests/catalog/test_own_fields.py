"""Keys and a catalogue's own fields: declared, read, refused and written."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from melon.catalog import (
    FIELDS_FILE,
    BadCorpus,
    BadFields,
    Cause,
    CorpusFiles,
    CorpusKeys,
    Playlist,
    ReadReport,
    Song,
    find_corpus,
    read_fields_file,
    read_playlists,
    read_songs,
    write_fields_file,
    write_playlists,
    write_songs,
)
from melon.fields import FieldType, own_field

FIELDS = (
    own_field("bpm", FieldType.FLOAT),
    own_field("plays", FieldType.INTEGER),
    own_field("explicit", FieldType.BOOL),
    own_field("moods", FieldType.KEYWORD, many=True),
    own_field("marks", FieldType.FLOAT, many=True),
    own_field("seen", FieldType.DATETIME, many=True),
    own_field("added_at", FieldType.DATETIME),
    own_field("born", FieldType.DATE),
    own_field("copy", FieldType.TEXT),  # a name of one of pydantic's methods
    own_field("언어", FieldType.KEYWORD),
)
KNOWN: dict[str, Any] = {
    "bpm": 0.1 + 0.2,
    "plays": -(2**63),
    "explicit": False,
    "moods": ("calm", "wet"),
    "marks": (1.0, -0.5),
    "seen": (datetime(2020, 1, 2), datetime(2021, 1, 2)),
    "added_at": datetime(2020, 1, 2, 3, 4, 5, 600),
    "born": date(1999, 12, 31),
    "copy": "© a label",
    "언어": "한국어",
}


def read(
    tmp_path: Path, *records: dict[str, Any], lenient: bool = False
) -> tuple[list[Song], ReadReport]:
    path = tmp_path / "song_meta.json"
    path.write_text(json.dumps(records))
    report = ReadReport()
    return list(read_songs(path, fields=FIELDS, report=report, lenient=lenient)), report


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    songs = [Song(3, key="isrc:1", more=KNOWN), Song(4, more={"explicit": True, "bpm": 0.0})]
    lists = [
        Playlist(1, "a", (3, 4), ("b",), None, datetime(2020, 1, 1, 0, 0, 0, 5), key="list:1"),
        Playlist(2, None, (4,), (), None, None),
    ]
    write_fields_file(tmp_path / FIELDS_FILE, FIELDS)
    write_songs(tmp_path / "song_meta.json", songs, FIELDS)
    write_playlists(tmp_path / "train.json", lists)

    files = find_corpus([tmp_path])
    assert files.fields == tmp_path / FIELDS_FILE
    assert files.songs is not None
    fields = read_fields_file(files.fields)
    assert fields == FIELDS
    report = ReadReport()
    assert list(read_songs(files.songs, fields=fields, report=report)) == songs
    assert list(read_playlists(files.playlists, report=report)) == lists
    assert not report.counts


def test_what_is_not_known_is_absent(tmp_path: Path) -> None:
    unknown = dict.fromkeys(KNOWN) | {"copy": " ", "moods": [], "seen": [], "added_at": ""}
    songs, _ = read(tmp_path, {"id": 1, **unknown})
    assert songs == [Song(1)]


def test_a_field_that_is_not_declared_is_not_read(tmp_path: Path) -> None:
    songs, _ = read(tmp_path, {"id": 1, "label": "x"})
    assert songs == [Song(1)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bpm", "fast"),
        ("bpm", "1e999"),
        ("plays", 0.5),
        ("plays", 2**63),
        ("explicit", "no"),
        ("moods", "calm"),
        ("언어", 3),
    ],
)
def test_a_value_of_another_type_is_reported_by_its_name(
    tmp_path: Path, field: str, value: object
) -> None:
    songs, report = read(tmp_path, {"id": 1, field: value}, lenient=True)
    assert songs == [Song(1)]
    [[finding]] = report.examples.values()
    assert finding.field == field
    assert finding.cause is Cause.UNREADABLE_VALUE
    with pytest.raises(BadCorpus, match=f"none of 1 value of '{field}'"):
        read(tmp_path, {"id": 1, field: value}, {"id": 2})


@pytest.mark.parametrize("key", [17, 17.0, 2**70])
def test_a_whole_number_is_a_key_by_its_digits(tmp_path: Path, key: float) -> None:
    """In the field that is for keys: in place of an id it is the id."""
    songs, report = read(tmp_path, {"id": 1, "key": key}, {"id": 2, "key": "a"})
    assert [song.key for song in songs] == [str(int(key)), "a"]
    assert not report.counts
    train = tmp_path / "train.json"
    train.write_text(json.dumps([{"id": 5, "key": key, "songs": [str(int(key)), "a"]}]))
    keys = CorpusKeys(CorpusFiles((train,), tmp_path / "song_meta.json"))
    [playlist] = read_playlists([train], report=report, keys=keys)
    assert (playlist.key, playlist.songs) == (str(int(key)), (1, 2))
    assert not report.counts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "valid dictionary|object"),
        ({}, "songs: field required"),
        ({"songs": [{"name": "bpm"}]}, r"songs\[0\].type: field required"),
        ({"songs": [{"name": "bpm", "type": "number"}]}, r"songs\[0\].type: .*'keyword'"),
        ({"songs": [{"name": "bpm", "type": "float", "unit": "Hz"}]}, r"songs\[0\].unit: extra"),
        ({"songs": [{"name": "bpm", "type": "float", "many": 1}]}, r"songs\[0\].many: "),
        ({"songs": [{"name": "a b", "type": "float"}]}, "'a b'"),
        ({"songs": [{"name": "", "type": "float"}]}, "''"),
        ({"songs": [{"name": "album", "type": "text"}]}, "'album' means something already"),
        ({"songs": [{"name": "album_name", "type": "text"}]}, "'album_name' means"),
        ({"songs": [{"name": "score", "type": "float"}]}, "'score' means"),
        ({"songs": [{"name": "a", "type": "float"}, {"name": "a", "type": "text"}]}, "2 times"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_an_error(
    tmp_path: Path, content: object, said: str
) -> None:
    path = tmp_path / FIELDS_FILE
    path.write_text(json.dumps(content))
    with pytest.raises(BadFields, match=said) as error:
        read_fields_file(path)
    assert error.value.where == str(path)
    assert error.value.hint
