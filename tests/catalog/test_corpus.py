"""Which files make a corpus, what genres say, and that written files read back the same."""

from __future__ import annotations

import codecs
import json
import resource
import string
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melon.catalog import (
    BadCorpus,
    BadGenres,
    CorpusFiles,
    Genre,
    IssueDate,
    Playlist,
    ReadReport,
    Song,
    find_corpus,
    read_genres,
    read_playlists,
    read_songs,
    write_genres,
    write_playlists,
    write_songs,
)
from melon.catalog.dates import parse_issue_date
from melon.errors import MalformedJson, UnreadableFile, UnwritableFile
from melon.fields import MAX_ID
from melon.store import schema


def touch(directory: Path, *names: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).write_text("[]")


def test_a_directory_stands_for_the_files_it_has(tmp_path: Path) -> None:
    touch(tmp_path, "train.json", "test.json", "song_meta.json", "genre_gn_all.json", "other.json")
    assert find_corpus([tmp_path]) == CorpusFiles(
        playlists=(tmp_path / "train.json", tmp_path / "test.json"),
        songs=tmp_path / "song_meta.json",
        genres=tmp_path / "genre_gn_all.json",
    )


def test_songs_and_genres_are_optional(tmp_path: Path) -> None:
    touch(tmp_path, "val.json")
    assert find_corpus([tmp_path]) == CorpusFiles(playlists=(tmp_path / "val.json",))


def test_files_by_name_hold_playlists_unless_named_otherwise(tmp_path: Path) -> None:
    touch(tmp_path, "mine.json", "train.json", "song_meta.json", "genre_gn_all.json")
    names = ["mine.json", "song_meta.json", "genre_gn_all.json"]
    assert find_corpus([tmp_path / name for name in names]) == CorpusFiles(
        playlists=(tmp_path / "mine.json",),
        songs=tmp_path / "song_meta.json",
        genres=tmp_path / "genre_gn_all.json",
    )


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    touch(tmp_path, "train.json", "val.json", "song_meta.json")
    again = tmp_path / "." / "train.json"
    found = find_corpus([tmp_path, again, tmp_path])
    assert found.playlists == (tmp_path / "train.json", tmp_path / "val.json")
    assert found.songs == tmp_path / "song_meta.json"
    train, val = found.playlists
    assert find_corpus([train, val, again]).playlists == (train, val)


def test_a_directory_without_playlists_says_what_was_looked_for(tmp_path: Path) -> None:
    touch(tmp_path, "song_meta.json")
    with pytest.raises(BadCorpus, match=r"train\.json, val\.json and test\.json") as caught:
        find_corpus([tmp_path])
    assert str(tmp_path) in str(caught.value)


def test_no_playlists_at_all(tmp_path: Path) -> None:
    touch(tmp_path, "song_meta.json")
    for paths in ([], [tmp_path / "song_meta.json"]):
        with pytest.raises(BadCorpus, match="no file of playlists"):
            find_corpus(paths)


def test_two_files_of_songs_are_ambiguous(tmp_path: Path) -> None:
    for name in ("a", "b"):
        touch(tmp_path / name, "train.json", "song_meta.json")
    with pytest.raises(BadCorpus, match="2 files of song metadata"):
        find_corpus([tmp_path / "a", tmp_path / "b"])


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"absent: there is no such file"):
        find_corpus([tmp_path / "absent"])


def test_genres_know_their_parents(tmp_path: Path) -> None:
    path = tmp_path / "genre_gn_all.json"
    path.write_text(
        '\ufeff{"GN0100": "발라드", "GN0101": " \'80 ", "GN0200": ""}', encoding="utf-8"
    )
    assert read_genres(path) == {
        "GN0100": Genre("GN0100", "발라드", None),
        "GN0101": Genre("GN0101", "'80", "GN0100"),
        "GN0200": Genre("GN0200", "GN0200", None),
    }


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[]", BadGenres, "not an object"),
        ('{"GN0100": 5}', BadGenres, '"GN0100": 5 is not a genre code'),
        ('{"": "x"}', BadGenres, "is not a genre code"),
        ('{"발라드": ', MalformedJson, "byte 14: malformed JSON: expecting value"),
        (r'{"\ud800": "x"}', MalformedJson, r"\\ud800' is half a surrogate pair"),
        (r'{"GN0100": "\udc00"}', MalformedJson, r"\\udc00' is half a surrogate pair"),
        ('{"GN0100": ' + "[" * 100_000, MalformedJson, "nested too deeply"),
        ('{"GN0100": ' + "5" * 5_000 + "}", MalformedJson, r"malformed JSON: .*5000 digits\n"),
    ],
)
def test_genres_that_cannot_be_used(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / "genre_gn_all.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        read_genres(path)


def test_genres_in_another_encoding_are_refused_by_their_byte(tmp_path: Path) -> None:
    path = tmp_path / "genre_gn_all.json"
    path.write_bytes('{"GN0100": "발라드"}'.encode("cp949"))
    with pytest.raises(MalformedJson, match="byte 12: byte 0xb9 is not valid UTF-8"):
        read_genres(path)
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    with pytest.raises(MalformedJson, match="byte 15: byte 0xb9 is not valid UTF-8"):
        read_genres(path)


ids = st.integers(0, MAX_ID)
texts = st.text(string.ascii_letters + '비오는날가나다 é🎧"\\/', max_size=12).map(str.strip)
some_texts = st.lists(texts.filter(bool), max_size=4, unique=True).map(tuple)
some_ids = st.lists(ids, max_size=6, unique=True).map(tuple)
optional_texts = texts.map(lambda text: text or None)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
playlists = st.builds(
    Playlist, ids, optional_texts, some_ids, some_texts, st.integers(0, 10**6),
    st.none() | moments,
)  # fmt: skip
issue_dates = st.builds(
    lambda year, month, day: parse_issue_date(f"{year}{month:02}{day:02}"),
    st.integers(1857, 2100), st.integers(0, 12), st.integers(0, 31),
)  # fmt: skip
songs = st.builds(
    Song, ids, optional_texts, some_ids, some_texts, st.none() | ids, optional_texts, some_texts,
    some_texts, st.none() | issue_dates,
)  # fmt: skip


def test_every_id_is_one_that_a_store_can_hold() -> None:
    assert MAX_ID == schema.MAX_ID
    assert schema.FIRST_TAG_ITEM == MAX_ID + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(playlists, unique_by=lambda playlist: playlist.id, max_size=5))
def test_playlists_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[Playlist]
) -> None:
    path = tmp_path_factory.mktemp("playlists") / "train.json"
    report = ReadReport()
    assert write_playlists(path, iter(written)) == len(written)
    assert list(read_playlists([path], report=report, strict=True, lenient=True)) == written
    assert not report.counts


@settings(max_examples=60, deadline=None)
@given(st.lists(songs, unique_by=lambda song: song.id, max_size=5))
def test_songs_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[Song]
) -> None:
    path = tmp_path_factory.mktemp("songs") / "song_meta.json"
    report = ReadReport()
    assert write_songs(path, iter(written)) == len(written)
    assert list(read_songs(path, report=report, strict=True, lenient=True)) == written
    assert not report.counts


def test_genres_read_back_as_written(tmp_path: Path) -> None:
    genres = {"GN0100": Genre("GN0100", "발라드", None), "GN0101": Genre("GN0101", "'80", "GN0100")}
    path = tmp_path / "genre_gn_all.json"
    assert write_genres(path, genres.values()) == 2
    assert read_genres(path) == genres


def test_the_format_is_melons_to_the_letter(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_playlists(
        path, [Playlist(7, "여행", (5, 3), ("락",), 71, datetime(2013, 12, 19, 18, 36, 19))]
    )
    assert path.read_text(encoding="utf-8") == (
        '[{"id":7,"plylst_title":"여행","tags":["락"],"songs":[5,3],"like_cnt":71,'
        '"updt_date":"2013-12-19 18:36:19.000"}]'
    )
    dates = [
        IssueDate(date(2014, 5, 12), "day"),
        IssueDate(date(2014, 5, 1), "month"),
        IssueDate(date(2014, 1, 1), "year"),
        None,
    ]
    write_songs(path, [Song(n, issue_date=issued) for n, issued in enumerate(dates)])
    written = json.loads(path.read_text(encoding="utf-8"))
    assert [song["issue_date"] for song in written] == ["20140512", "20140500", "20140000", ""]
    assert written[0] == {
        "song_gn_dtl_gnr_basket": [],
        "issue_date": "20140512",
        "album_name": "",
        "album_id": None,
        "artist_id_basket": [],
        "song_name": "",
        "song_gn_gnr_basket": [],
        "artist_name_basket": [],
        "id": 0,
    }


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    write_playlists(path, [Playlist(1, None, (), (), 0, None)])
    before = path.read_bytes()

    def failing() -> object:
        yield Playlist(2, None, (), (), 0, None)
        raise RuntimeError("the source failed")

    with pytest.raises(RuntimeError):
        write_playlists(path, failing())  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    held, link = tmp_path / "held" / "train.json", tmp_path / "train.json"
    held.parent.mkdir()
    held.write_text("[]")
    link.symlink_to(held)
    write_playlists(link, [Playlist(7, None, (), (), 0, None)])
    assert link.is_symlink()
    assert [playlist.id for playlist in read_playlists([held], report=ReadReport())] == [7]
    assert list(held.parent.iterdir()) == [held]


def test_an_error_of_the_source_is_not_the_files(tmp_path: Path) -> None:
    def failing() -> object:
        yield Song(1)
        raise ConnectionError("the source is gone")

    with pytest.raises(ConnectionError, match="the source is gone"):
        write_songs(tmp_path / "song_meta.json", failing())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableFile, match=r"out\.json: cannot be written: no such file"):
        write_songs(tmp_path / "absent" / "out.json", [])
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableFile, match=r"out\.json: cannot be written: not a directory"):
        write_songs(tmp_path / "file" / "out.json", [])


@pytest.mark.parametrize("songs", [20, 2_000], ids=["when it is closed", "on the way"])
def test_a_file_for_which_there_is_no_room_is_named(tmp_path: Path, songs: int) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(UnwritableFile, match=r"out\.json: cannot be written: file too large"):
            write_songs(tmp_path / "out.json", map(Song, range(songs)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_files_of_other_formats_are_for_an_import(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("playlist_id,track_id\n1,2\n")
    (tmp_path / "slice.json").write_text('{"playlists": []}')
    with pytest.raises(BadCorpus) as nothing:
        find_corpus([tmp_path])
    for name in ("list.csv", "slice.json"):
        with pytest.raises(MalformedJson) as other:
            list(read_playlists([tmp_path / name], report=ReadReport()))
        assert "`melon import`" in str(other.value.hint)
    assert "`melon import`" in str(nothing.value.hint)
