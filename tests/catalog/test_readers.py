"""What the readers accept, clean, drop and skip, and how they say so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from melon.catalog import (
    BadCorpus,
    BadRecord,
    Cause,
    IssueDate,
    Playlist,
    ReadReport,
    Song,
    read_playlists,
    read_songs,
    write_playlists,
)
from melon.errors import MalformedJson
from melon.fields import MAX_ID, PLAYLISTS, SONGS

PLAYLIST = {
    "tags": ["락"],
    "id": 7,
    "plylst_title": "여행같은 음악",
    "songs": [525514, 129701],
    "like_cnt": 71,
    "updt_date": "2013-12-19 18:36:19.000",
}
SONG = {
    "song_gn_dtl_gnr_basket": ["GN0901"],
    "issue_date": "20140512",
    "album_name": "First Light",
    "album_id": 225,
    "artist_id_basket": [27, 28],
    "song_name": "Feel",
    "song_gn_gnr_basket": ["GN0900"],
    "artist_name_basket": ["A Band", "B"],
    "id": 3,
}


def write(path: Path, records: object) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def playlists(
    tmp_path: Path, *records: Any, strict: bool = False, lenient: bool = False
) -> tuple[list[Playlist], ReadReport]:
    report = ReadReport()
    path = write(tmp_path / "train.json", records)
    return list(read_playlists([path], report=report, strict=strict, lenient=lenient)), report


def songs(
    tmp_path: Path,
    *records: Any,
    genres: Sequence[str] | None = None,
    lenient: bool = False,
) -> tuple[list[Song], ReadReport]:
    report = ReadReport()
    path = write(tmp_path / "song_meta.json", records)
    return list(read_songs(path, genres=genres, report=report, lenient=lenient)), report


PLAYLIST_ONLY = {"plylst_title": "a", "tags": [], "like_cnt": 1, "updt_date": ""}


def without(record: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != field}


def test_a_playlist(tmp_path: Path) -> None:
    read, report = playlists(tmp_path, PLAYLIST)
    assert read == [
        Playlist(
            id=7,
            title="여행같은 음악",
            songs=(525514, 129701),
            tags=("락",),
            like_count=71,
            updated=datetime(2013, 12, 19, 18, 36, 19),
        )
    ]
    assert (report.playlists, report.skipped, report.counts) == (1, 0, {})


def test_a_song(tmp_path: Path) -> None:
    read, report = songs(tmp_path, SONG)
    assert read == [
        Song(
            id=3,
            name="Feel",
            artist_ids=(27, 28),
            artists=("A Band", "B"),
            album_id=225,
            album="First Light",
            genres=("GN0900",),
            detail_genres=("GN0901",),
            issue_date=IssueDate(date(2014, 5, 12), "day"),
        )
    ]
    assert (report.songs, report.skipped, report.counts) == (1, 0, {})


def test_what_is_unknown_is_absent(tmp_path: Path) -> None:
    read, _ = songs(
        tmp_path,
        {"id": 0},
        dict.fromkeys(SONG, None) | {"id": 1},
        {
            "id": 2,
            "song_name": " ",
            "album_name": "",
            "issue_date": "0",
            "artist_name_basket": [""],
        },
    )
    assert read == [Song(id=0), Song(id=1), Song(id=2)]
    bare, _ = playlists(
        tmp_path,
        {"id": 0, "songs": [], "tags": []},
        {"id": 1, "songs": [], "tags": [], "plylst_title": "\t", "updt_date": "", "like_cnt": None},
    )
    assert bare == [Playlist(n, None, (), (), None, None) for n in (0, 1)]


def test_a_playlist_that_nobody_likes_is_not_one_of_which_that_is_unknown(tmp_path: Path) -> None:
    read, _ = playlists(tmp_path, PLAYLIST | {"like_cnt": 0}, {"id": 8, "songs": [], "tags": []})
    assert [playlist.like_count for playlist in read] == [0, None]
    again = tmp_path / "again.json"
    write_playlists(again, read)
    assert list(read_playlists([again], report=ReadReport())) == read


def test_texts_are_composed_and_stripped(tmp_path: Path) -> None:
    decomposed = "\u1107\u1175"  # ᄇ + ᅵ, as some file systems write 비
    read, _ = playlists(
        tmp_path, PLAYLIST | {"plylst_title": f" {decomposed} ", "tags": [f"{decomposed}\n", "  "]}
    )
    assert (read[0].title, read[0].tags) == ("비", ("비",))


def test_what_cannot_be_seen_is_no_part_of_a_text_and_alone_is_none(tmp_path: Path) -> None:
    tags = ["\u200brain", "rain\ufeff", "\u2060", "\u3164\u00ad", "❤️"]
    read, _ = playlists(tmp_path, PLAYLIST | {"plylst_title": "\u200e\u2800", "tags": tags})
    assert (read[0].title, read[0].tags) == (None, ("rain", "❤️"))


def test_names_and_ids_of_artists_may_differ_in_number(tmp_path: Path) -> None:
    read, report = songs(tmp_path, SONG | {"artist_id_basket": []})
    assert (read[0].artist_ids, read[0].artists) == ((), ("A Band", "B"))
    assert not report.counts


def test_repeats_within_a_playlist_are_dropped_and_counted(tmp_path: Path) -> None:
    read, report = playlists(
        tmp_path, PLAYLIST | {"songs": [5, 3, 5, 5, 1], "tags": ["비", "\u1107\u1175", "밤"]}
    )
    assert (read[0].songs, read[0].tags) == ((5, 3, 1), ("비", "밤"))
    assert report.counts == {
        ("playlist", Cause.REPEATED_SONG): 2,
        ("playlist", Cause.REPEATED_TAG): 1,
    }
    assert report.skipped == 0
    assert report.examples["playlist", Cause.REPEATED_SONG][0].detail == "song 5 again"


def test_unknown_genres_are_dropped_and_counted(tmp_path: Path) -> None:
    record = SONG | {"song_gn_gnr_basket": ["GN0900", "GN9000", "GN0900"]}
    read, report = songs(tmp_path, record, genres=["GN0900", "GN0901"])
    assert (read[0].genres, read[0].detail_genres) == (("GN0900",), ("GN0901",))
    assert report.counts == {("song", Cause.UNKNOWN_GENRE): 1}
    assert '"GN9000"' in report.examples["song", Cause.UNKNOWN_GENRE][0].detail
    assert songs(tmp_path, record)[0][0].genres == ("GN0900", "GN9000")


def test_unreadable_dates_are_dropped_and_counted(tmp_path: Path) -> None:
    read, report = songs(tmp_path, SONG | {"issue_date": "tomorrow"}, lenient=True)
    assert read[0].issue_date is None
    assert report.counts == {("song", Cause.UNREADABLE_DATE): 1}
    for written in ("2013-13-01", "0001-01-01 00:00:00+14:00"):
        listed, report = playlists(tmp_path, PLAYLIST | {"updt_date": written}, lenient=True)
        assert listed[0].updated is None
        assert report.counts == {("playlist", Cause.UNREADABLE_DATE): 1}


@pytest.mark.parametrize(
    ("record", "cause", "field", "detail"),
    [
        (without(PLAYLIST, "id"), Cause.MISSING_FIELD, "id", "no 'id'"),
        (without(PLAYLIST, "songs"), Cause.MISSING_FIELD, "songs", "no 'songs'"),
        (PLAYLIST | {"id": " "}, Cause.MISSING_FIELD, "id", "blank"),
        (PLAYLIST | {"id": "\ud800"}, Cause.INVALID_TEXT, "id", "\\ud800"),
        (PLAYLIST | {"id": True}, Cause.WRONG_TYPE, "id", "true"),
        (PLAYLIST | {"id": None}, Cause.WRONG_TYPE, "id", "null"),
        (PLAYLIST | {"id": 8.5}, Cause.WRONG_TYPE, "id", "8.5"),
        (PLAYLIST | {"id": -1}, Cause.OUT_OF_RANGE, "id", "-1"),
        (PLAYLIST | {"id": MAX_ID + 1}, Cause.OUT_OF_RANGE, "id", "2147483648"),
        (PLAYLIST | {"id": 10**30}, Cause.OUT_OF_RANGE, "id", "1000000"),
        (PLAYLIST | {"songs": {"1": 1}}, Cause.WRONG_TYPE, "songs", '{"1": 1}'),
        (PLAYLIST | {"songs": None}, Cause.WRONG_TYPE, "songs", "null"),
        ([1, 2], Cause.NOT_AN_OBJECT, None, "[1, 2]"),
        (None, Cause.NOT_AN_OBJECT, None, "null"),
    ],
)
def test_a_record_that_cannot_be_used_is_skipped_and_named(
    tmp_path: Path, record: Any, cause: Cause, field: str | None, detail: str
) -> None:
    path = tmp_path / "train.json"
    first = {"id": 1, "songs": [], "tags": []}
    path.write_text(json.dumps([first, record, first | {"id": 2}]), encoding="utf-8")

    report = ReadReport()
    read = list(read_playlists([path], report=report))
    assert [playlist.id for playlist in read] == [1, 2]
    assert report.counts == {("playlist", cause): 1}
    assert report.skipped == 1
    (found,) = report.examples["playlist", cause]
    assert (found.path, found.record, found.field) == (path, 2, field)
    assert found.offset == len(json.dumps([first])) + 1
    assert detail in found.detail

    with pytest.raises(BadRecord) as caught:
        list(read_playlists([path], report=ReadReport(), strict=True))
    assert caught.value.finding == found
    assert "train.json, record 2 (byte " in str(caught.value)
    assert detail in str(caught.value)


def test_a_record_that_nests_almost_too_deeply_is_skipped_or_malformed(tmp_path: Path) -> None:
    path, ends = tmp_path / "train.json", set()
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        path.write_text("[" + "[" * depth + "]" * depth + "]")
        report = ReadReport()
        try:
            assert list(read_playlists([path], report=report, lenient=True)) == []
            ends.add(report.skipped)
        except MalformedJson:
            ends.add(None)
    assert ends <= {1, None}
    assert 1 in ends


@pytest.mark.parametrize(
    ("field", "value", "place", "kept"),
    [
        ("plylst_title", 5, "plylst_title", None),
        ("plylst_title", "\ud800", "plylst_title", None),
        ("like_cnt", "many", "like_cnt", None),
        ("like_cnt", -3, "like_cnt", None),
        ("like_cnt", 2**70, "like_cnt", None),
        ("like_cnt", 0.5, "like_cnt", None),
        ("like_cnt", True, "like_cnt", None),
        ("updt_date", [2013], "updt_date", None),
        ("tags", "락", "tags", ()),
        ("tags", ["a", 1, "b"], "tags[1]", ("a", "b")),
        ("tags", ["\ud800", "a"], "tags[0]", ("a",)),
        ("songs", [1, None, 3], "songs[1]", (1, 3)),
        ("songs", [1, 2, 3.5], "songs[2]", (1, 2)),
        ("songs", [False, 1], "songs[0]", (1,)),
        ("songs", [1, -1], "songs[1]", (1,)),
        ("songs", [MAX_ID + 1, 1], "songs[0]", (1,)),
        ("songs", ["a", "\ud800"], "songs[1]", (0,)),
        ("key", 0.5, "key", None),
        ("song_name", 3, "song_name", None),
        ("song_name", "\udfff", "song_name", None),
        ("artist_id_basket", [1, None, 2], "artist_id_basket[1]", (1, 2)),
        ("artist_id_basket", {}, "artist_id_basket", ()),
        ("artist_name_basket", [None], "artist_name_basket[0]", ()),
        ("artist_name_basket", ["A", "\ud800", "B"], "artist_name_basket[1]", ("A", "B")),
        ("album_id", "first", "album_id", None),
        ("album_name", ["x"], "album_name", None),
        ("issue_date", 2014.5, "issue_date", None),
        ("issue_date", True, "issue_date", None),
        ("song_gn_gnr_basket", "GN0900", "song_gn_gnr_basket", ()),
        ("song_gn_dtl_gnr_basket", [901, "GN0901"], "song_gn_dtl_gnr_basket[0]", ("GN0901",)),
    ],
)
def test_a_value_that_cannot_be_read_is_dropped_and_counted_and_not_its_record(
    tmp_path: Path, field: str, value: object, place: str, kept: object
) -> None:
    kind, whole = ("playlist", PLAYLIST) if field in {*PLAYLIST, "key"} else ("song", SONG)
    read_all = playlists if kind == "playlist" else songs
    read, report = read_all(tmp_path, whole | {field: value}, lenient=True)
    [attribute] = [f.name for f in (*PLAYLISTS, *SONGS) if f.source == field][:1]
    assert [getattr(one, attribute) for one in read] == [kept]
    assert report.counts == {(kind, Cause.UNREADABLE_VALUE): 1}
    assert report.skipped == 0
    [[found]] = report.examples.values()
    assert (found.record, found.field) == (1, place)
    path = tmp_path / ("train.json" if kind == "playlist" else "song_meta.json")
    with pytest.raises(BadRecord, match="unreadable value"):
        list(
            read_playlists([path], report=ReadReport(), strict=True)
            if kind == "playlist"
            else read_songs(path, report=ReadReport(), strict=True)
        )


@pytest.mark.parametrize(
    "written", ["12.0", "12.00", "1.2e1", "120e-1", '"12"', '"12.0"', '" 12 "']
)
def test_whole_numbers_are_taken_however_they_are_written(tmp_path: Path, written: str) -> None:
    path = tmp_path / "song_meta.json"
    song = '{"id": %s, "album_id": %s, "artist_id_basket": [%s, 3], "issue_date": 20140512.0}'
    number = "12.0" if written.startswith('"') else written  # a string in place of an id is a key
    path.write_text(f"[{song % (number, written, written)}]")
    report = ReadReport()
    assert list(read_songs(path, report=report, strict=True)) == [
        Song(
            12,
            album_id=12,
            artist_ids=(12, 3),
            issue_date=IssueDate(date(2014, 5, 12), "day"),
        )
    ]
    path.write_text(f'[{{"id": {number}, "songs": [{number}, 5], "like_cnt": {written}}}]')
    assert list(read_playlists([path], report=report, strict=True)) == [
        Playlist(12, None, (12, 5), (), 12, None)
    ]
    assert not report.counts


@pytest.mark.parametrize("number", [2.0**53 + 2, 1e300, 12.5, float(2**31)])
def test_what_is_no_id_is_not_rounded_to_one(tmp_path: Path, number: float) -> None:
    read, report = playlists(tmp_path, PLAYLIST | {"songs": [number, 7]})
    assert read[0].songs == (7,)
    assert report.counts == {("playlist", Cause.UNREADABLE_VALUE): 1}


def test_a_file_that_yields_less_than_half_is_an_error(tmp_path: Path) -> None:
    """Unless that is to be taken; half is enough."""
    sound, bad = [{**PLAYLIST, "id": n} for n in range(2)], [{"id": n} for n in range(5, 8)]
    for records, said in (
        ([*sound, *bad], "only 2 of 5 records can be used"),
        (bad, "none of its records can be used"),
        ([], "it holds no records"),
    ):
        report = ReadReport()
        path = write(tmp_path / "train.json", records)
        with pytest.raises(BadCorpus, match=said) as refusal:
            list(read_playlists([path], report=report))
        assert refusal.value.where == str(path)
        assert report.playlists + report.skipped == len(records)
        lenient = list(read_playlists([path], report=ReadReport(), lenient=True))
        assert len(lenient) == len([one for one in records if one in sound])
    assert len(playlists(tmp_path, *sound, *bad[:2])[0]) == 2
    with pytest.raises(BadCorpus, match="only 1 of 3"):
        songs(tmp_path, SONG, SONG, SONG)


def test_fields_that_are_called_otherwise_are_named(tmp_path: Path) -> None:
    """A field of most records that is not known beside one that most lack, or have as null."""
    named = [{"id": n, "songs": [n], "name": f"title {n}", "tags": ["a"]} for n in range(3)]
    _, report = playlists(tmp_path, *[one | {"like_cnt": 0, "updt_date": "2019"} for one in named])
    assert report.remarks == [
        f"{tmp_path / 'train.json'}: 3 records have `name`, none has `plylst_title`"
    ]
    assert report.lines()[1] == report.remarks[0]
    with pytest.raises(BadCorpus, match="have `tracks`, none has `songs`, `updt_date`"):
        playlists(tmp_path, *[PLAYLIST_ONLY | {"tracks": [1], "id": n} for n in range(3)])
    for records in (
        [PLAYLIST | {"name": "a"}],
        [PLAYLIST, without(PLAYLIST, "like_cnt")],
        [named[0], PLAYLIST | {"id": 8}, PLAYLIST],
    ):
        assert not playlists(tmp_path, *records)[1].remarks
    for nothing in (None, "", float("nan")):
        absent = {"plylst_title": nothing}
        _, report = playlists(tmp_path, *[PLAYLIST | one | absent for one in named])
        assert report.remarks[0].endswith("3 records have `name`, none has `plylst_title`")
    named = [{"name": "a"} | without(PLAYLIST, "plylst_title") | {"id": n} for n in range(3000)]
    for n in (0, 7, 2999):
        most = [*named[:n], PLAYLIST | {"id": n}, *named[n + 1 :]]
        [remark] = playlists(tmp_path, *most)[1].remarks
        assert remark.endswith("most records have `name`, most lack `plylst_title`") or (
            n == 2999 and "none has `plylst_title`" in remark
        )


@pytest.mark.parametrize(
    ("field", "unreadable"),
    [
        ("songs", [{"id": 1}]),
        ("songs", [None, None]),
        ("songs", [12.5]),
        ("songs", [-1]),
        ("songs", [" "]),
        ("songs", [1, None, {}, ""]),
        ("tags", "x,y"),
        ("tags", [{"name": "x"}]),
        ("plylst_title", ["a"]),
        ("like_cnt", "many"),
        ("updt_date", "yesterday"),
        ("key", {"uri": "a"}),
        ("key", "C major"),
        ("artist_name_basket", "a"),
        ("album_name", {"title": "a"}),
        ("issue_date", "08/19/2014"),
        ("song_gn_gnr_basket", ["pop"]),
    ],
)
def test_a_field_of_which_less_than_half_can_be_read_is_an_error(
    tmp_path: Path, field: str, unreadable: object
) -> None:
    """Whatever it holds, and however many records have it at all; half is enough."""
    kind, whole = ("playlist", PLAYLIST) if field in {*PLAYLIST, "key"} else ("song", SONG)
    genres = ["GN0900", "GN0901"]
    path = tmp_path / "records.json"

    def read(*values: object, lenient: bool = False) -> int:
        bare = without(whole, field) | ({"songs": []} if field == "songs" else {})
        records = [bare | {"id": 100 + n} for n in range(20)]
        write(path, [*records, *[whole | {"id": n, field: one} for n, one in enumerate(values)]])
        report = ReadReport()
        if kind == "playlist":
            return len(list(read_playlists([path], report=report, lenient=lenient)))
        return len(list(read_songs(path, genres=genres, report=report, lenient=lenient)))

    sound = "k" if field == "key" else whole[field]
    with pytest.raises(BadCorpus, match=rf"of \d+ values? of '{field}' can be used: record 2"):
        read(sound, *[unreadable] * 9)
    assert read(sound, *[unreadable] * 9, lenient=True) == 30
    if field != "key":
        with (
            pytest.raises(BadCorpus, match=f"none of .* '{field}'")
            if unreadable
            != [
                1,
                None,
                {},
                "",
            ]
            else pytest.raises(BadCorpus)
        ):
            read(unreadable)
        several = [1, 2] if field == "songs" else sound
        assert read(*[several] * 5, unreadable) == 26


def test_values_that_are_unknown_do_not_count_as_read(tmp_path: Path) -> None:
    unknown = [PLAYLIST | {"id": n, "updt_date": "0000-00-00 00:00:00"} for n in range(9)]
    with pytest.raises(BadCorpus, match="none of 1 value of 'updt_date'"):
        playlists(tmp_path, *unknown, PLAYLIST | {"id": 9, "updt_date": "once"})


def test_what_is_not_a_number_is_missing(tmp_path: Path) -> None:
    """As pandas writes what it lacks; other such constants are values that cannot be read."""
    nan = float("nan")
    optional = [name for name in (*PLAYLIST, "key") if name not in ("id", "songs")]
    read, report = playlists(tmp_path, PLAYLIST | dict.fromkeys(optional, nan), strict=True)
    assert read == [Playlist(7, None, (525514, 129701), (), None, None)]
    listed, _ = songs(tmp_path, SONG | dict.fromkeys(without(SONG, "id"), nan), SONG | {"id": 4})
    assert listed[0] == Song(3)
    assert not report.counts
    _, report = playlists(tmp_path, PLAYLIST, PLAYLIST | {"id": 8, "like_cnt": float("inf")})
    assert report.counts == {("playlist", Cause.UNREADABLE_VALUE): 1}
    read, report = playlists(tmp_path, PLAYLIST | {"songs": [1, nan]}, PLAYLIST | {"id": nan})
    assert [one.songs for one in read] == [(1,)]
    assert report.counts == {
        ("playlist", Cause.UNREADABLE_VALUE): 1,
        ("playlist", Cause.WRONG_TYPE): 1,
    }


def test_zeros_and_what_is_missing_do_not_spoil_a_column_of_epochs(tmp_path: Path) -> None:
    unknown = ["0000-00-00", "00000000", "0000-00-00 00:00:00", 0, "", None, float("nan")]
    written = [1577836800, "1577836800.0", 1577836800.0, *unknown]
    records = [PLAYLIST | {"id": n, "updt_date": value} for n, value in enumerate(written)]
    read, report = playlists(tmp_path, *records, strict=True)
    assert [one.updated for one in read] == [datetime(2020, 1, 1)] * 3 + [None] * 7
    assert not report.counts


def test_whole_columns_of_epochs_are_dates(tmp_path: Path) -> None:
    """Of seconds or of thousandths; one other date, and they are no dates at all."""
    for one, other in ((1512105600, 1387478179), (1512105600000, "1387478179000")):
        records = [
            PLAYLIST | {"id": n, "updt_date": value}
            for n, value in enumerate([one, other, "", None, float(one)])
        ]
        read, report = playlists(tmp_path, *records)
        moments = [datetime(2017, 12, 1, 5, 20), datetime(2013, 12, 19, 18, 36, 19), None, None]
        assert [playlist.updated for playlist in read] == [*moments, moments[0]]
        assert not report.counts
        for value in ("2019-12-17", 20191217, 12):
            records_and_another = [*records, PLAYLIST | {"updt_date": value}]
            read, report = playlists(tmp_path, *records_and_another, lenient=True)
            assert [playlist.updated for playlist in read[:5]] == [None] * 5
            assert report.counts["playlist", Cause.UNREADABLE_DATE] >= 3
        issued, _ = songs(tmp_path, *[SONG | {"id": n, "issue_date": one} for n in range(2)])
        assert {song.issue_date for song in issued} == {IssueDate(date(2017, 12, 1), "day")}


def test_repeated_ids_are_skipped_across_files(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "train.json", [PLAYLIST, PLAYLIST | {"id": 8}]),
        write(tmp_path / "val.json", [PLAYLIST | {"id": 9}, PLAYLIST | {"plylst_title": "again"}]),
    ]
    report = ReadReport()
    read = list(read_playlists(paths, report=report))
    assert [playlist.id for playlist in read] == [7, 8, 9]
    assert read[0].title == PLAYLIST["plylst_title"]
    (found,) = report.examples["playlist", Cause.REPEATED_ID]
    assert (found.path.name, found.record, found.field) == ("val.json", 2, "id")

    _, report = songs(tmp_path, SONG, SONG)
    assert report.counts == {("song", Cause.REPEATED_ID): 1}


def test_a_skipped_record_leaves_its_id_to_a_sound_one(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text(json.dumps([PLAYLIST | {"songs": 5}, PLAYLIST]), encoding="utf-8")
    report = ReadReport()
    assert [playlist.id for playlist in read_playlists([path], report=report)] == [7]
    path.write_text(json.dumps([{"id": "\ud800"}, SONG]), encoding="utf-8")
    assert [song.id for song in read_songs(path, report=report)] == [3]
    assert {cause for _, cause in report.counts} == {Cause.WRONG_TYPE, Cause.INVALID_TEXT}


def test_malformed_json_ends_the_reading_after_the_records_before_it(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([PLAYLIST])[:-1] + ', {"id": 8, ', encoding="utf-8")
    report = ReadReport()
    with pytest.raises(MalformedJson, match="inside record 2"):
        list(read_playlists([path], report=report))
    assert report.playlists == 1


def test_the_report_counts_all_and_shows_a_few(tmp_path: Path) -> None:
    bad = [PLAYLIST | {"id": n, "songs": 5} for n in range(100, 1200)]
    path = write(
        tmp_path / "train.json", [PLAYLIST | {"songs": [1, 1]}, *bad, {"id": 1, "tags": []}]
    )
    report = ReadReport()
    assert len(list(read_playlists([path], report=report, lenient=True))) == 1
    lines = report.lines()
    assert lines[0] == "read 1 playlist"
    assert lines[1] == "skipped 1,100 playlists: wrong type"
    assert len([line for line in lines if "input should be a valid list, not 5" in line]) == 3
    assert "skipped 1 playlist: missing field" in lines
    assert "left out 1 value of playlists: song repeated in its playlist" in lines
    assert report.skipped == 1101


def test_progress_reaches_the_size_of_the_files(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / name, [PLAYLIST | {"id": n}])
        for n, name in enumerate(["train.json", "val.json"])
    ]
    told: list[tuple[str, int, int | None]] = []
    reading = read_playlists(paths, report=ReadReport(), progress=lambda *now: told.append(now))
    next(reading)
    size = sum(path.stat().st_size for path in paths)
    step, done, total = told[-1]
    assert (step, total) == ("playlists", size)
    assert 0 < done < size
    list(reading)
    assert told == sorted(told)
    assert told[-1] == ("playlists", size, size)


def test_reading_does_not_load_numpy() -> None:
    code = "import sys, melon.catalog; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
