"""The lists of players, as they write them."""

from __future__ import annotations

import gzip
from pathlib import Path

from importing_samples import TRAIN, by_key, lists_of, written

from melon.catalog import SONG_FILE

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


def test_an_old_list_is_latin_1_and_one_of_several(tmp_path: Path):
    (tmp_path / "one.m3u").write_bytes("Café.mp3\n".encode("latin-1"))
    (tmp_path / "two.m3u8").write_text("#EXTM3U\nb.mp3\nCafé.mp3\n")
    found = written(tmp_path, tmp_path.with_name(f"{tmp_path.name} out"))
    assert lists_of(found) == {"one": ["Café.mp3"], "two": ["b.mp3", "Café.mp3"]}
