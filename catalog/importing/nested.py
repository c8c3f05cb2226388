"""JSON: rows, or playlists that hold their tracks, of whatever document they are in.

A document is JSON Lines, an array of objects, or one object that holds such an array, as slices of
the Million Playlist Dataset do, or that is a playlist, as JSPF is, or an M3U8 file. It is read
object by object.
What is said of a playlist goes under names that begin with `playlist.`, what is said of its tracks
under names that begin with `track.`; such names have no other meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

import pyarrow as pa

from melon.catalog.errors import BadImport, shortened
from melon.catalog.importing.cells import TEXT, texts
from melon.catalog.importing.dialect import check_text, open_unpacked, unreadable
from melon.catalog.importing.m3u import M3U, read_m3u
from melon.catalog.importing.tables import RECORD, ROWS_AT_ONCE, Advance, Batch, Part
from melon.catalog.json_stream import JsonArray
from melon.errors import MelonError
from melon.files import named_once

TRACKS = ("tracks", "track", "songs", "items", "entries", "videos")
"""Members of a playlist that may be the list of its tracks."""

DOCUMENTS = ("playlists", "data", "results", "records", "rows")
"""Members of a document that may be what it holds."""

OF_PLAYLIST, OF_TRACK = "playlist.", "track."


def first_columns(path: Path) -> list[str] | None:
    """The columns of a file's first record, by which its kind is told; None if it is empty.

    Raises:
        UnreadableFile: it cannot be opened.
        MalformedJson: it is no JSON of a known kind.
        BadImport: it holds something, but no object; or one that is nested too deeply.
    """
    part = Part(str(path), None, 0, partial(read_nested, path))
    first = next(_records(path, lambda _: None, part), None)
    if first is None and part.refused:
        raise BadImport(
            f"it holds no objects: {part.example}",
            where=str(path),
            hint="give records such as {…}, one a line or in an array, or leave the file out",
        )
    if first is None:
        return None
    try:
        return columns_of(first)
    except RecursionError:
        raise _too_deep(str(path)) from None


def columns_of(record: dict[str, Any]) -> list[str]:
    """The columns that a record begins with, those of its tracks among them."""
    return list(dict.fromkeys(name for row in _rows(record)[:100] for name in row))


def read_nested(path: Path, part: Part, advance: Advance) -> Iterator[Batch]:
    """Read a file in batches; the tracks of one playlist are in one batch.

    Raises:
        UnreadableFile: it cannot be opened or decompressed.
        MalformedJson: it is no JSON of a known kind, or nested too deeply.
    """
    return batches_of(_records(path, advance, part), part)


def batches_of(records: Iterable[dict[str, Any]], part: Part) -> Iterator[Batch]:
    """The rows of records, as they may be in any file or frame that can hold such.

    Raises:
        BadImport: a record is nested too deeply.
    """
    try:
        yield from _batches(records, part)
    except RecursionError:
        raise _too_deep(part.label) from None


def _too_deep(label: str) -> BadImport:
    return BadImport(
        "a record is nested too deeply", where=label, hint="write it with fewer levels"
    )


def _batches(records: Iterable[dict[str, Any]], part: Part) -> Iterator[Batch]:
    rows: list[dict[str, Any]] = []
    numbers: list[str] = []
    for number, record in enumerate(records, start=1):
        found = _rows(record)
        rows += found
        numbers += [f"{part.stem or part.label} {number}"] * len(found)
        if len(rows) >= ROWS_AT_ONCE:
            yield _batch(rows, numbers)
            rows, numbers = [], []
    if rows:
        yield _batch(rows, numbers)


def _batch(rows: list[dict[str, Any]], numbers: list[str]) -> Batch:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: texts([row.get(name) for row in rows]) for name in names}
    nested = any(name.startswith(OF_PLAYLIST) for name in names)
    if nested:
        columns[RECORD] = pa.array(numbers, TEXT)
    return Batch(columns, len(rows))


def _records(path: Path, advance: Advance, part: Part | None) -> Iterator[dict[str, Any]]:
    """The objects that a file holds; what is no object is refused."""
    try:
        with open_unpacked(path) as file:
            check_text(path, file.peek(8))
            if path.name.lower().removesuffix(".gz").endswith(M3U):
                yield read_m3u(file)
                advance(part.size if part else 0)
                return
            lines = _is_lines(file)
        elements = _lines(path, advance, part) if lines else _elements(path, advance)
        for number, element in enumerate(elements, start=1):
            if isinstance(element, dict):
                inner = element.get("playlist")
                yield _jspf(inner) if isinstance(inner, dict) else element
            elif part is not None:
                part.refuse(f"record {number} is no object: {shortened(element)}")
    except MelonError:
        raise
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from None


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


def _lines(path: Path, advance: Advance, part: Part | None) -> Iterator[object]:
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
                if part is not None:
                    part.refuse(f"line {number} is no JSON: {str(error)[:60]}")


def _nothing(_: str) -> None:
    """What `NaN` and its like say."""


def _elements(path: Path, advance: Advance) -> Iterator[object]:
    array = JsonArray(path, advance=advance, opened=open_unpacked, members=DOCUMENTS)
    yield from array
    if array.number == 0 and array.around:
        yield array.around


def _rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a record: one for each track where it is a playlist that holds some."""
    name, found = next(
        ((name, held) for name in TRACKS if (held := _held(record.get(name))) is not None),
        (None, []),
    )
    if name is None:
        return [_flat(record)]
    said = {key: value for key, value in record.items() if key != name}
    playlist = _flat(said, OF_PLAYLIST)
    # Melon's playlists hold keys, whatever these look like.
    plain = f"{OF_TRACK}id" if "plylst_title" in said else "track"
    tracks = [
        _flat(_unwrapped(track), OF_TRACK) if isinstance(track, dict) else {plain: track}
        for track in found
    ]
    return [playlist | track for track in tracks or [{}]]


def _held(value: object) -> list[Any] | None:
    """The list that a member is, or holds as its `items`, as in pages of Spotify's Web API."""
    if isinstance(value, dict):
        value = value.get("items")
    return value if isinstance(value, list) else None


def _unwrapped(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose `track` says what the song is, with what it says beside that."""
    track = entry.get("track")
    if not isinstance(track, dict):
        return entry
    return {name: value for name, value in entry.items() if name != "track"} | track


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record without objects in it: their members have names with dots."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
