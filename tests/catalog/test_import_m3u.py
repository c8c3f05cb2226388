"""The lists of players, as they write them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from importing_samples import TRAIN, by_key, lists_of, read, written

from melon.catalog import SONG_FILE, BadImport

LINES = """#EXTM3U
#PLAYLIST:비 오는 날
#EXTINF:215,IU - Good Day
#EXTALB:Real

Music/IU/Good Day.mp3
#EXTINF:-1 tvg-id="x",No dash
http://example.org/a?b=c
bare.mp3
"""


def test_a_list_of_a_player(tmp_path: Path):
    songs = ["Music/IU/Good Day.mp3", "http://example.org/a?b=c", "bare.mp3"]
    for name, content in {
        "비.m3u8": LINES.encode(),
        "marked.M3U8": b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n").encode(),
        "packed.m3u8.gz": gzip.compress(LINES.encode()),
    }.items():
        (tmp_path / name).write_bytes(content)
        found = written(tmp_path / name, tmp_path / f"{name} out")
        assert list(lists_of(found).values()) == [songs]
        assert found[TRAIN][0]["plylst_title"] == "비 오는 날"
        known = by_key(found[SONG_FILE])
        assert known[songs[0]]["song_name"] == "Good Day"
        assert known[songs[0]]["artist_name_basket"] == ["IU"]
        assert known[songs[0]]["album_name"] == "Real"
        assert known[songs[0]]["duration_ms"] == 215_000
        assert known[songs[1]]["song_name"] == "No dash"
        assert known[songs[2]]["song_name"] == ""


def test_an_old_list_is_in_the_encoding_that_is_said_and_one_of_several(tmp_path: Path):
    """As of tables: those that are UTF-8 stay what they are."""
    lines = "#EXTM3U\n#EXTINF:9,아이유 - 밤편지\n음악/밤편지.mp3\n"
    (tmp_path / "one.m3u").write_bytes(lines.encode("cp949"))
    (tmp_path / "two.m3u8").write_text(f"{lines}b.mp3\n")
    with pytest.raises(BadImport, match="is not in utf-8") as raised:
        read(tmp_path)
    assert str(raised.value.hint).startswith("say in which encoding it is: --encoding cp949")
    found = written(tmp_path, tmp_path.with_name(f"{tmp_path.name} out"), encoding="cp949")
    assert lists_of(found) == {"one": ["음악/밤편지.mp3"], "two": ["음악/밤편지.mp3", "b.mp3"]}
    assert found[SONG_FILE][0]["song_name"] == "밤편지"


def test_lists_in_three_encodings_come_in_by_two_imports(tmp_path: Path):
    """Letters of Asia take two bytes each, so that single ones are of the West."""
    lists, out = tmp_path / "lists", tmp_path / "own"
    lists.mkdir()
    for name, encoding in (("Björk", "cp1252"), ("한글", "cp949"), ("Ødegård", "utf-8")):
        (lists / f"{encoding}.m3u").write_bytes(
            f"#PLAYLIST:{name}\na/{name}.mp3\n".encode(encoding)
        )
    with pytest.raises(BadImport, match="is not in utf-8") as raised:
        read(lists)
    assert str(raised.value.hint).startswith("say in which encoding it is: --encoding cp1252 (")
    with pytest.raises(BadImport, match="is not in cp949") as raised:
        read(lists, encoding="cp949")
    assert "need an import of their own, into the same directory" in str(raised.value.hint)
    found = written(lists / "cp1252.m3u", out, encoding="cp1252")
    (lists / "cp1252.m3u").unlink()
    found = written(lists, out, encoding="cp949")
    assert {one["plylst_title"] for one in found[TRAIN]} == {"Björk", "한글", "Ødegård"}
    assert {key for keys in lists_of(found).values() for key in keys} == {
        *("a/Björk.mp3", "a/한글.mp3", "a/Ødegård.mp3")
    }


@pytest.mark.parametrize(
    ("length", "duration"), [("200.5", 200_500), ('7 logo="x"', 7000), ("-1", None), ("x", None)]
)
def test_lengths_may_have_fractions(length: str, duration: int | None, tmp_path: Path):
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n#EXTINF:{length},A - B\na.mp3\n")
    [song] = written(tmp_path / "a.m3u8", tmp_path / "out")[SONG_FILE]
    assert song.get("duration_ms") == duration


@pytest.mark.parametrize("ending", ["\r", "\r\n", "\n"])
def test_lines_may_end_in_each_way(ending: str, tmp_path: Path):
    (tmp_path / "a.m3u").write_bytes(ending.join(["#EXTM3U", "a.mp3", "b.mp3", ""]).encode())
    assert lists_of(written(tmp_path / "a.m3u", tmp_path / "out")) == {"a": ["a.mp3", "b.mp3"]}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<!DOCTYPE html>\n<title>Not found</title>\n", "HTML"),
        ("[playlist]\nFile1=a.mp3\nNumberOfEntries=1\n", "PLS"),
        ('{"tracks": []}\n', "JSON"),
    ],
)
def test_what_is_no_m3u_gives_no_songs(text: str, kind: str, tmp_path: Path):
    (tmp_path / "a.m3u").write_text(text)
    with pytest.raises(BadImport, match=f"no M3U: it seems to be {kind}"):
        read(tmp_path / "a.m3u")
