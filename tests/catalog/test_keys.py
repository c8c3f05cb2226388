"""Strings in place of ids are keys, and mean the same in every file of a corpus."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from melon.catalog import (
    BadRecord,
    Cause,
    CorpusFiles,
    CorpusKeys,
    KeyIds,
    Playlist,
    ReadReport,
    Song,
    read_playlists,
    read_songs,
)
from melon.fields import MAX_ID

LIST, TRACK = "spotify:playlist:{}", "spotify:track:{}"


def lists(*playlists: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": n, "songs": [], "tags": []} | one for n, one in enumerate(playlists)]


def read(
    directory: Path,
    playlists: list[dict[str, Any]],
    songs: list[dict[str, Any]] | None = None,
    *,
    songs_first: bool = False,
    report: ReadReport | None = None,
) -> tuple[list[Playlist], dict[int, Song]]:
    train = directory / "train.json"
    train.write_text(json.dumps(playlists))
    meta = directory / "song_meta.json"
    meta.write_text(json.dumps(songs or []))
    report = report if report is not None else ReadReport()
    keys = CorpusKeys(CorpusFiles((train,), meta))
    described = read_songs(meta, report=report, keys=keys)
    first = list(described) if songs_first else []
    read = list(read_playlists([train], report=report, keys=keys))
    found = list(chain(first, described, keys.songs_without_metadata()))
    assert len({song.id for song in found}) == len(found)
    return read, {song.id: song for song in found}


@pytest.fixture(params=[False, True], ids=["playlists first", "songs first"])
def songs_first(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


class TestKeyIds:
    def test_integers_stay_what_they_are_and_others_follow(self) -> None:
        assert KeyIds().add(["b", "7", "a", "b", "0"]) == [8, 7, 9, 8, 0]

    @pytest.mark.parametrize("key", ["07", "-1", "1.0", "٣", "1_0", " 1", "", str(MAX_ID + 1)])
    def test_what_is_written_otherwise_is_no_integer(self, key: str) -> None:
        assert KeyIds().add([key, "5"]) == [6, 5]

    def test_what_has_an_id_keeps_it(self) -> None:
        before = KeyIds()
        before.add(["a", "3"])
        assert KeyIds(before.ids).add(["x", "3", "4", "a"]) == [5, 3, 6, 4]

    def test_taken_ids_are_left_alone(self) -> None:
        assert KeyIds({"a": 2}, taken=[9]).add(["9", "a", "b"]) == [10, 2, 11]

    def test_beside_the_largest_id_others_get_what_is_free(self) -> None:
        assert KeyIds().add([str(MAX_ID), "a", "0", "b"]) == [MAX_ID, 1, 0, 2]


def test_playlists_and_metadata_agree_whichever_is_read_first(
    tmp_path: Path, songs_first: bool
) -> None:
    playlists = lists(
        {"id": LIST.format("x"), "songs": [TRACK.format("b"), TRACK.format("a")]},
        {"id": LIST.format("y"), "songs": [TRACK.format("a"), TRACK.format("c")]},
    )
    songs = [
        {"id": TRACK.format("a"), "song_name": "A"},
        {"id": TRACK.format("b"), "song_name": "B"},
    ]
    read_lists, by_id = read(tmp_path, playlists, songs, songs_first=songs_first)
    assert [(one.id, one.key) for one in read_lists] == [
        (0, LIST.format("x")),
        (1, LIST.format("y")),
    ]
    names = [[(by_id[song].key, by_id[song].name) for song in one.songs] for one in read_lists]
    a, b, c = (
        (TRACK.format(letter), name) for letter, name in (("a", "A"), ("b", "B"), ("c", None))
    )
    assert names == [[b, a], [a, c]]


def test_strings_that_are_integers_are_these_and_keys(tmp_path: Path, songs_first: bool) -> None:
    [playlist], by_id = read(
        tmp_path,
        lists({"id": "31", "songs": ["5", "7", "x"]}),
        [{"id": "5", "song_name": "five"}],
        songs_first=songs_first,
    )
    assert (playlist.id, playlist.key, playlist.songs) == (31, "31", (5, 7, 8))
    assert by_id == {5: Song(5, "five", key="5"), 7: Song(7, key="7"), 8: Song(8, key="x")}


def test_integers_and_strings_may_be_mixed(tmp_path: Path, songs_first: bool) -> None:
    """No key gets an id that an integer is, wherever that stands; an integer in quotes is it."""
    playlists, by_id = read(
        tmp_path,
        lists({"songs": ["a", "3", "9", 9, 0]}, {"id": "l", "songs": ["b", 1]}, {"id": 2}),
        [{"id": 3, "song_name": "three"}, {"id": "b"}, {"id": 4, "key": "a"}, {"id": 40}],
        songs_first=songs_first,
    )
    assert [one.id for one in playlists] == [0, 3, 2]
    assert [one.songs for one in playlists] == [(4, 3, 9, 0), (41, 1), ()]
    assert by_id[3] == Song(3, "three")
    assert (by_id[4].key, by_id[41].key) == ("a", "b")
    assert set(by_id) == {3, 4, 40, 41}  # 0, 1 and 9 are nothing but integers


def test_a_key_goes_before_an_integer_in_quotes(tmp_path: Path, songs_first: bool) -> None:
    [playlist], _ = read(
        tmp_path,
        lists({"songs": ["3", "4"]}),
        [{"id": 3}, {"id": 50, "key": "3"}, {"id": 4, "key": "x"}],
        songs_first=songs_first,
    )
    assert playlist.songs == (50, 4)


def test_integers_with_keys_are_the_usual_case(tmp_path: Path) -> None:
    playlists, by_id = read(
        tmp_path, lists({"key": "l", "songs": [1]}), [{"id": 1, "key": "a"}, {"id": 2, "key": "b"}]
    )
    assert [one.key for one in playlists] == ["l"]
    assert {song.id: song.key for song in by_id.values()} == {1: "a", 2: "b"}


def test_what_cannot_be_kept_of_keys_is_counted(tmp_path: Path, songs_first: bool) -> None:
    report = ReadReport()
    playlists, by_id = read(
        tmp_path,
        lists(
            {"key": "l"},
            {"key": "l"},
            {"id": "m", "key": "n", "songs": ["a", " ", "", "a"]},
            {"id": "l"},
        ),
        [{"id": 1, "key": "a"}, {"id": "a"}, {"id": 2, "key": "a"}],
        songs_first=songs_first,
        report=report,
    )
    assert [(one.id, one.key) for one in playlists] == [(0, "l"), (1, None), (2, "m")]
    assert playlists[2].songs == (1,)
    assert {song.id: song.key for song in by_id.values()} == {1: "a", 2: None}
    assert report.counts == {
        ("playlist", Cause.REPEATED_KEY): 1,
        ("playlist", Cause.SECOND_KEY): 1,
        ("playlist", Cause.BLANK_SONG): 2,
        ("playlist", Cause.REPEATED_SONG): 1,
        ("playlist", Cause.REPEATED_ID): 1,
        ("song", Cause.REPEATED_ID): 1,
        ("song", Cause.REPEATED_KEY): 1,
    }


def test_keys_are_cleaned_as_other_texts(tmp_path: Path) -> None:
    decomposed = "비"
    [playlist], by_id = read(tmp_path, lists({"songs": [decomposed]}), [{"id": 7, "key": "  비 "}])
    assert playlist.songs == (7,)
    assert by_id[7].key == "비"


def test_strict_reading_takes_strings_and_refuses_blanks(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps(lists({"id": "a", "songs": ["b"]}, {"id": " "})))
    reading = read_playlists([path], report=ReadReport(), strict=True)
    assert next(reading) == Playlist(0, None, (0,), (), None, None, key="a")
    with pytest.raises(BadRecord, match="blank"):
        next(reading)


def test_files_of_integers_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    path = tmp_path / "train.json"
    path.write_text(json.dumps(lists({"key": "l", "songs": [1]})))
    keys = CorpusKeys(CorpusFiles((path,)), lambda step, *_: steps.append(step))
    assert list(read_playlists([path], report=ReadReport(), keys=keys))
    assert not list(keys.songs_without_metadata())
    assert steps == []
