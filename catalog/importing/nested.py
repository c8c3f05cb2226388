"""Records become rows: one each, or one for each track of the playlists that hold theirs.

What is said of such a playlist goes under names that begin with `playlist.`, what is said of its
tracks under names that begin with `track.`; such names have no other meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from melon.catalog.errors import BadImport, shortened
from melon.catalog.importing.cells import TEXT, texts
from melon.catalog.importing.documents import elements_of, unwrapped
from melon.catalog.importing.names import names_song
from melon.catalog.importing.objects import TRACKS, is_cut, tracks_of
from melon.catalog.importing.tables import RECORD, ROWS_AT_ONCE, Advance, Batch, Part

OF_PLAYLIST, OF_TRACK = "playlist.", "track."


def short_name(name: str) -> str:
    """The name without what says that it is of the playlist, or of a track."""
    return name.removeprefix(OF_PLAYLIST).removeprefix(OF_TRACK)


def read_nested(path: Path, encoding: str | None, part: Part, advance: Advance) -> Iterator[Batch]:
    """Read a file in batches; the tracks of one playlist are in one batch.

    Raises:
        UnreadableFile: it cannot be opened or decompressed.
        MalformedJson: it is no JSON of a known kind.
        BadImport: a record is nested too deeply.
    """
    return batches_of(elements_of(path, encoding, part, advance), part)


def batches_of(records: Iterable[object], part: Part) -> Iterator[Batch]:
    """The rows of records, as they may be in any file or frame that can hold such.

    Raises:
        BadImport: a record is nested too deeply.
    """
    try:
        yield from _batches(unwrapped(records, part), part)
    except RecursionError:
        raise _too_deep(part.label) from None


def first_columns(records: Iterable[object], part: Part) -> list[str] | None:
    """The columns of the first record, by which a file's kind is told; None if there is none.

    `RECORD` is among them where it is a playlist that holds its tracks.

    Raises:
        BadImport: there is something, but no object; or one that is nested too deeply.
    """
    try:
        first = next(unwrapped(records, part), None)
        if first is not None:
            found = tracks_of(first)
            rows = _rows(first, found, part)[:100]
            names = dict.fromkeys(name for row in rows for name in row)
            return [RECORD, *names] if found else list(names)
    except RecursionError:
        raise _too_deep(part.label) from None
    if part.refused:
        raise BadImport(
            f"it holds no objects: {part.example}",
            where=part.label,
            hint="give records such as {…}, one a line or in an array, or leave the file out",
        )
    return None


def _too_deep(label: str) -> BadImport:
    return BadImport(
        "a record is nested too deeply", where=label, hint="write it with fewer levels"
    )


def _batches(records: Iterable[dict[str, Any]], part: Part) -> Iterator[Batch]:
    pending: list[_Found] = []
    rows, nested = 0, None
    for number, record in enumerate(records, start=1):
        tracks = tracks_of(record)
        pending.append((number, record, tracks))
        rows += len(tracks[1]) if tracks else 1
        if rows >= ROWS_AT_ONCE:
            nested = _holds_any(pending) if nested is None else nested
            yield _batch(pending, nested, part)
            pending, rows = [], 0
    if pending:
        yield _batch(pending, _holds_any(pending) if nested is None else nested, part)


_Found = tuple[int, dict[str, Any], tuple[str, list[Any]] | None]
"""The number of a record, the record, and the tracks that it holds, with the member's name."""


def _holds_any(records: list[_Found]) -> bool:
    return any(tracks for _, _, tracks in records)


def _batch(records: list[_Found], nested: bool, part: Part) -> Batch:
    """The rows of records, which are all of one kind: others are refused."""
    rows: list[dict[str, Any]] = []
    numbers: list[str] = []
    for number, record, tracks in records:
        if nested and not tracks and names_song(record):
            part.refuse(f"record {number} is no playlist with its tracks: {shortened(record)}")
        elif tracks and not nested:
            part.refuse(f"record {number} is a playlist among rows: {shortened(record)}")
        else:
            found = _rows(record, tracks or ("", []) if nested else None, part)
            rows += found
            numbers += [f"{part.label}\0{part.stem or part.label} {number}"] * len(found)
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: texts([row.get(name) for row in rows]) for name in names}
    if nested:
        columns[RECORD] = pa.array(numbers, TEXT)
    return Batch(columns, len(rows))


def _rows(
    record: dict[str, Any], tracks: tuple[str, list[Any]] | None, part: Part
) -> list[dict[str, Any]]:
    """The rows of a record: one for each track where it is a playlist that holds some."""
    if tracks is None:
        flat = _flat(record)
        for name, value in flat.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                part.lists.setdefault(name)
        return [flat]
    name, found = tracks
    said = {key: value for key, value in record.items() if key != name}
    page = record.get(name)
    if isinstance(page, dict):
        said[name] = {key: value for key, value in page.items() if value is not found}
    if any(is_cut(one, len(found)) for one in (page, record) if isinstance(one, dict)):
        part.tell("playlist", "with more tracks than are here", 1, _called(record))
    for other in TRACKS:
        if isinstance(more := said.get(other), list) and any(isinstance(x, dict) for x in more):
            how = f"with tracks in {other!r}, too: only those in {name!r} are read"
            part.tell("playlist", how, 1, _called(record))
    playlist = _flat(said, OF_PLAYLIST)
    # Melon's playlists hold keys, whatever these look like.
    plain = f"{OF_TRACK}id" if "plylst_title" in said else "track"
    if lists := [track for track in found if isinstance(track, list | tuple)]:
        raise BadImport(
            f"a track in {name!r} is a list: {shortened(lists[0])}",
            where=part.label,
            hint='write tracks as keys, or as objects: {"id": …, "name": …}',
        )
    rows = [
        _flat(_unwrapped(track), OF_TRACK) if isinstance(track, dict) else {plain: track}
        for track in found
    ]
    return [playlist | row for row in rows or [{}]]


def _called(record: dict[str, Any]) -> str:
    return shortened({k: v for k, v in record.items() if isinstance(v, str | int)})


def _unwrapped(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose `track` says what the song is, with what it says beside that."""
    track = entry.get("track")
    if not isinstance(track, dict):
        return entry
    return {name: value for name, value in entry.items() if name != "track"} | track


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record without objects in it: their members have names with dots.

    Nothing, where others may have an object, is no column of its own.
    """
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            flat[f"{prefix}{name}"] = value
    return flat
