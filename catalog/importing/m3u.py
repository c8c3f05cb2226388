"""M3U8, the lists of players: a line for each song, and what is said of it on the line before."""

from __future__ import annotations

import codecs
from io import BufferedReader
from typing import Any

M3U = (".m3u8", ".m3u")


def read_m3u(file: BufferedReader) -> dict[str, Any]:
    """A playlist with its tracks; a song goes by the file or address that its line names.

    Of the song, the line before it says `#EXTINF:seconds,artist - title`. Files that are no UTF-8,
    nor UTF-16 with a mark, are taken for Latin-1, as older players write it.
    """
    playlist: dict[str, Any] = {"tracks": []}
    said: dict[str, Any] = {}
    for line in _decoded(file.read()).removeprefix("\ufeff").split("\n"):
        text = line.strip()
        command, _, value = text.partition(":")
        if command == "#PLAYLIST":
            playlist["title"] = value.strip()
        elif command == "#EXTINF":
            said = _said(value)
        elif command == "#EXTALB":
            said["album"] = value.strip()
        elif text and not text.startswith("#"):
            playlist["tracks"].append({"uri": text} | said)
            said = {}
    return playlist


def _said(value: str) -> dict[str, Any]:
    length, _, name = value.partition(",")
    artist, dash, title = name.partition(" - ")
    said: dict[str, Any] = {"title": title if dash else name}
    if dash:
        said["artist"] = artist
    seconds = length.split(maxsplit=1)[0] if length.strip() else ""
    if seconds.isdecimal() and seconds != "0":
        said["duration_ms"] = 1000 * int(seconds)
    return said


def _decoded(data: bytes) -> str:
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if marked else "utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
