"""The records of a JSON or M3U8 file, of whatever document they are in.

A document is JSON Lines, an array of objects, or one object: that holds such arrays, as slices of
the Million Playlist Dataset do, that holds playlists by their names, or that is a playlist, as JSPF
is. It is read object by object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from melon.catalog.errors import shortened
from melon.catalog.importing.dialect import check_text, open_unpacked, unreadable
from melon.catalog.importing.m3u import M3U, read_m3u
from melon.catalog.importing.names import titled
from melon.catalog.importing.objects import (
    DOCUMENTS,
    hold_tracks,
    indexed,
    lists_of_playlists,
    records_of,
    tell_beside,
    tracks_of,
)
from melon.catalog.importing.tables import Advance, Part
from melon.catalog.json_stream import JsonArray
from melon.errors import MelonError, uncapitalized
from melon.files import named_once


def elements_of(path: Path, encoding: str | None, part: Part, advance: Advance) -> Iterator[object]:
    """What a file holds, one by one.

    Raises:
        UnreadableFile: it cannot be opened or decompressed.
        MalformedJson: it is no JSON of a known kind.
        BadImport: it is no M3U8, or in another encoding.
    """
    try:
        with open_unpacked(path) as file:
            check_text(path, file.peek(8))
            if not file.peek(8).strip() and not file.read().strip():
                return
            file.seek(0)
            if path.name.lower().removesuffix(".gz").endswith(M3U):
                yield _titled(read_m3u(path, file.read(), encoding), part)
                advance(part.size)
                return
            lines = _is_lines(file)
        yield from _lines(path, part, advance) if lines else _elements(path, part, advance)
    except MelonError:
        raise
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


def unwrapped(elements: Iterable[object], part: Part) -> Iterator[dict[str, Any]]:
    """Objects, and in place of those that hold lists of playlists, these; others are refused."""
    for number, element in enumerate(elements, start=1):
        if not isinstance(element, dict):
            part.refuse(f"record {number} is no object: {shortened(element)}")
            continue
        inner = element.get("playlist")
        if isinstance(inner, dict) and tracks_of(inner):
            rest = {name: value for name, value in element.items() if name != "playlist"}
            yield _jspf(rest | inner)
        elif not tracks_of(element) and (lists := list(lists_of_playlists(element))):
            held = sum(len(found) for _, found in lists)
            tell_beside(element, {}, dict(lists), held, part)
            for _, found in lists:
                yield from unwrapped(found, part)
        else:
            yield element


def _titled(playlist: dict[str, Any], part: Part) -> dict[str, Any]:
    """The only playlist of a file: without a title, it has the file's name for one."""
    if not tracks_of(playlist) or titled(playlist):
        return playlist
    return playlist | {"title": part.title}


def _jspf(playlist: dict[str, Any]) -> dict[str, Any]:
    """A playlist of that format: durations are in milliseconds, extensions say more of a track."""
    tracks = playlist.get("track")
    if not isinstance(tracks, list):
        return playlist
    made = []
    for track in tracks:
        if isinstance(track, dict):
            names = {"duration": "duration_ms"}
            track = {names.get(name, name): value for name, value in track.items()}
            if isinstance(same := track.get("identifier"), list):  # all of the one song
                track["identifier"] = next(iter(same), None)
            extension = track.pop("extension", None)
            for more in extension.values() if isinstance(extension, dict) else ():
                track = (more if isinstance(more, dict) else {}) | track
        made.append(track)
    return playlist | {"track": made}


def _is_lines(file: BufferedReader) -> bool:
    """Whether the first line is an object, and another line follows."""
    line = file.readline(1 << 24)
    while line and not line.strip():
        line = file.readline(1 << 24)
    if not line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        return False
    try:
        json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    while more := file.readline(1 << 16):
        if more.strip():
            return True
    return False


def _lines(path: Path, part: Part, advance: Advance) -> Iterator[object]:
    with open_unpacked(path) as file:
        for number, line in enumerate(file, start=1):
            advance(len(line))
            if not line.strip():
                continue
            try:
                yield json.loads(
                    line.decode("utf-8-sig"),
                    parse_constant=_nothing,
                    object_pairs_hook=named_once,
                )
            except (ValueError, RecursionError) as error:
                part.refuse(f"line {number} is no JSON: {uncapitalized(str(error))[:60]}")


def _nothing(_: str) -> None:
    """What `NaN` and its like say."""


def _elements(path: Path, part: Part, advance: Advance) -> Iterator[object]:
    array = JsonArray(path, advance=advance, opened=open_unpacked, wanted=_is_wanted)
    held = 0
    for element in array:
        held += 1
        yield _of_schema(element, array.around.get("schema"))
    if array.names:
        array.around.pop("schema", None)
        tell_beside(array.around, array.lengths, array.names, held, part)
    elif (records := records_of(array.around, part)) is not None:
        yield from records
    elif array.around:
        document = array.around
        if isinstance(inner := document.get("playlist"), dict):
            document["playlist"] = _titled(inner, part)
        yield _titled(document, part)


def _is_wanted(name: str, first: object) -> bool:
    return (name in DOCUMENTS and not isinstance(first, list)) or hold_tracks([first])


def _of_schema(element: object, schema: object) -> object:
    """A row without its number, where pandas describes rows so."""
    numbered = isinstance(schema, dict) and schema.get("primaryKey") == ["index"]
    if not (numbered and isinstance(element, dict) and "index" in element):
        return element
    return indexed(element["index"], {n: v for n, v in element.items() if n != "index"})
