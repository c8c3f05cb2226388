"""A list goes into a file that players take, and comes back by import as it was."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from command_line import on
from hypothesis import given, settings
from hypothesis import strategies as st
from places import Place

from melon.catalog import PLAYLIST_FILES, SONG_FILE, plan_import, write_import
from melon.errors import InputError
from melon.retrieval import PLAYLIST_FORMATS, Recommendation, Song, Tag, playlist_file

TITLE = '비 오는 날; "rain", <b> & more'


def answer(songs: list[Song], tags: tuple[str, ...] = ()) -> Recommendation:
    return Recommendation("s", "r", "hybrid", None, tuple(songs), tuple(Tag(t, 1.0) for t in tags))


SONGS = [
    Song(7, 0.9, "spotify:track:1", "Good Day", ("아이유",), ("Ballad",), "2010-12-09"),
    Song(8, 0.8, None, 'Say "hi"; bye', ("A", "B"), (), "2010"),
    Song(9, 0.7, "path/to/노래 1.mp3", None, (), (), None),
    Song(10, 0.6, "x&y=z", "- dash -", ("Café",), ("Pop", "Jazz"), "2010-12"),
    Song(11, 0.5, "k", "Dawn - Live", (), (), None),
]


def imported(path: Path, text: str, out: Path) -> tuple[dict[str, object], list[dict[str, object]]]:
    """The one playlist that an import makes of a file, with its songs as records."""
    path.write_text(text)
    write_import(plan_import([path]).read(), out)
    [playlist] = json.loads((out / PLAYLIST_FILES[0]).read_text())
    songs = {song["id"]: song for song in json.loads((out / SONG_FILE).read_text())}
    return playlist, [songs[song] for song in playlist["songs"]]


@pytest.mark.parametrize("format", PLAYLIST_FORMATS)
def test_what_is_imported_is_what_was_exported(format: str, tmp_path: Path):
    text = playlist_file(answer(SONGS, ("rain", "밤")), format, name="mine", title=TITLE)
    playlist, songs = imported(tmp_path / f"mine.{format}", text, tmp_path / "own")
    assert playlist["plylst_title"] == TITLE
    assert [song["key"] for song in songs] == [
        "spotify:track:1",
        "8",
        "path/to/노래 1.mp3",
        "x&y=z",
        "k",
    ]
    if format == "json":
        assert playlist["tags"] == ["rain", "밤"]
        return
    names = [song["song_name"] for song in songs]
    assert names == ["Good Day", 'Say "hi"; bye', "", "- dash -", "Dawn - Live"]
    assert songs[0]["artist_name_basket"] == ["아이유"]
    assert songs[1]["artist_name_basket"] == ["A", "B"]
    assert songs[4]["artist_name_basket"] == []


keys = st.text(st.sampled_from("abc가:/.-_17&\"' ,;="), max_size=12).map("k{}k".format)
"""In a CSV, where a comma may join keys, a column of such must be mapped."""


@settings(max_examples=8)
@given(st.lists(keys, min_size=1, max_size=6, unique=True))
@pytest.mark.parametrize("format", PLAYLIST_FORMATS)
def test_any_keys_come_back(format: str, tmp_path_factory: pytest.TempPathFactory, keys: list[str]):
    directory = tmp_path_factory.mktemp("keys")
    if format == "csv":
        keys = [key for key in keys if not set(key) & set(",;")] or ["k"]
    songs = [Song(n, 1.0, key, f"Song {n}", ("A",)) for n, key in enumerate(keys)]
    text = playlist_file(answer(songs), format, title="t")
    _, found = imported(directory / f"list.{format}", text, directory / "own")
    assert [song["key"] for song in found] == keys


names = st.lists(st.text(st.sampled_from('ab가 ,;|"&[]'), min_size=1, max_size=5), max_size=3)


@settings(max_examples=50)
@given(st.lists(names, min_size=1, max_size=4))
def test_a_csv_keeps_artists_and_genres_apart(
    tmp_path_factory: pytest.TempPathFactory, lists: list[list[str]]
):
    directory = tmp_path_factory.mktemp("names")
    said = [tuple(f"x{name}x" for name in dict.fromkeys(some)) for some in lists]
    songs = [Song(n, 1.0, f"k{n}", f"Song {n}", some, some) for n, some in enumerate(said)]
    text = playlist_file(answer(songs), "csv", title="t")
    _, found = imported(directory / "list.csv", text, directory / "own")
    assert [tuple(song["artist_name_basket"]) for song in found] == said
    assert [tuple(song["song_gn_gnr_basket"]) for song in found] == said


def test_a_csv_keeps_line_ends_in_names(tmp_path: Path):
    names = ["a\rb", "c\r\nd", "e\nf", ""]
    songs = [Song(n, 1.0, f"k{n}", name, ("A",)) for n, name in enumerate(names)]
    text = playlist_file(answer(songs), "csv", title="t")
    _, found = imported(tmp_path / "list.csv", text, tmp_path / "own")
    assert [song["key"] for song in found] == ["k0", "k1", "k2", "k3"]
    with (tmp_path / "list.csv").open(newline="") as file:
        assert [row["track_name"] for row in csv.DictReader(file)] == names


dashed = st.text(st.sampled_from("ab- "), min_size=1, max_size=8).map(
    lambda text: " ".join(text.split()) or "x"
)


@settings(max_examples=100)
@given(st.lists(dashed, max_size=2, unique=True), dashed)
def test_a_list_for_players_keeps_dashes_apart(
    tmp_path_factory: pytest.TempPathFactory, artists: list[str], name: str
):
    """Those in names, and the one between artists and title."""
    directory = tmp_path_factory.mktemp("dashes")
    text = playlist_file(answer([Song(1, 1.0, "k", name, tuple(artists))]), "m3u8")
    _, [song] = imported(directory / "list.m3u8", text, directory / "own")
    assert (song["artist_name_basket"], song["song_name"]) == (artists, name)


def test_what_a_format_cannot_hold_is_refused():
    for key in ("#1", "two\nlines"):
        with pytest.raises(InputError, match="M3U8"):
            playlist_file(answer([Song(1, 1.0, key)]), "m3u8")
    with pytest.raises(InputError, match="'mp3' is no format"):
        playlist_file(answer(SONGS), "mp3")


def test_the_command_writes_what_it_lists(keyed_place: Place, tmp_path: Path):
    melon = on(keyed_place)
    path = tmp_path / "new" / "rain.csv"
    done = melon(
        "query", "--title", "rain", "-n", "5", "--order", "flow", "--export", str(path), "--json"
    )
    found = done.json()
    assert found["order"] == "flow"
    assert f"5 songs written: {path}" in done.err
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["track_key"] for row in rows] == [s["key"] or str(s["id"]) for s in found["songs"]]
    assert {row["playlist_title"] for row in rows} == {"rain"}
    refused = melon("query", "--title", "rain", "--export", str(tmp_path / "rain.mp3"))
    assert refused.code == 2
    assert "let it end in .m3u8, .jspf, .csv, .json" in refused.err
    assert melon("query", "--order", "up").code == 2
    assert melon("query", "--export", str(path / "a.csv")).code == 1  # in a file
