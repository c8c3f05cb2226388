"""M3U8, the lists of players: a line for each song, and what is said of it on the line before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from melon.catalog.importing.dialect import check_beginning, decoded

M3U = (".m3u8", ".m3u")
_SECONDS = re.compile(r"\d+(\.\d+)?(?!\S)", re.ASCII)


def read_m3u(path: Path, data: bytes, encoding: str | None) -> dict[str, Any]:
    """A playlist with its tracks; a song goes by the file or address that its line names.

    Of the song, the line before it says `#EXTINF:seconds,artist - title`; a dash in the artist
    stands after a no-break space, as `melon query --export` writes it.

    Raises:
        BadImport: it is in another encoding, or begins as another format does.
    """
    text, _ = decoded(path, data, whole=True, encoding=encoding)
    text = text.removeprefix("\ufeff")
    check_beginning(path, text, "M3U")
    playlist: dict[str, Any] = {"tracks": []}
    said: dict[str, Any] = {}
    for line in text.replace("\r", "\n").split("\n"):
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
        said["artist"] = artist.replace("\u00a0", " ")
    if (seconds := _SECONDS.match(length.strip())) and float(seconds[0]):
        said["duration_ms"] = round(1000 * float(seconds[0]))
    return said
