"""M3U8, the lists of players: a line for each song, and what is said of it on the line before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

M3U = (".m3u8", ".m3u")


def read_m3u(lines: Iterable[bytes]) -> dict[str, Any]:
    """A playlist with its tracks; a song goes by the file or address that its line names.

    Of the song, the line before it says `#EXTINF:seconds,artist - title`. Bytes that are no UTF-8
    are taken for Latin-1, as older players write it.
    """
    playlist: dict[str, Any] = {"tracks": []}
    said: dict[str, Any] = {}
    for number, line in enumerate(lines):
        text = _decoded(line).strip()
        if number == 0:
            text = text.removeprefix("\ufeff")
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


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
