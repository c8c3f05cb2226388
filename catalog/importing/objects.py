"""What one JSON object holds: the tracks of a playlist, lists of playlists, or a table."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from melon.catalog.importing.names import has_role, of_playlist, of_song, titled
from melon.catalog.importing.tables import Part, distinct_names

TRACKS = ("tracks", "track", "songs", "items", "entries", "videos")
"""Members of a playlist that may be the list of its tracks."""

DOCUMENTS = ("playlists", "data", "results", "records", "rows")
"""Members of a document that are what it holds; so are, by any name, lists of playlists that hold
their tracks."""

PAGES = ("items", "data")
"""Members of an object that is a page of a list, as in Web APIs."""


def tracks_of(record: dict[str, Any]) -> tuple[str, list[Any]] | None:
    """The list of tracks that a playlist holds, or a page of it, and the member's name."""
    for name in TRACKS:
        found = record.get(name)
        if isinstance(found, dict):
            found = next((held for page in PAGES if (held := found.get(page)) is not None), None)
        if isinstance(found, list) and not hold_tracks(found):
            return name, found
    return None


def is_cut(page: dict[str, Any], held: int) -> bool:
    """Whether an object says that there is more than what it holds."""
    total = page.get("total")
    return bool(page.get("next")) or (isinstance(total, int) and total > held)


def hold_tracks(values: list[Any]) -> bool:
    """Whether values are playlists that hold their tracks, as the first object among them tells.

    Or say, as Web APIs do of many playlists, where these are.
    """
    first = next((value for value in values if isinstance(value, dict)), {})
    inner = first.get("playlist")
    playlist = inner if isinstance(inner, dict) else first
    return bool(tracks_of(playlist)) or isinstance(playlist.get("tracks"), dict)


def lists_of_playlists(record: dict[str, Any], outer: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The lists of playlists that an object holds at any depth, with their names."""
    for name, value in record.items():
        if isinstance(value, list) and hold_tracks(value):
            yield f"{outer}{name}", value
        elif isinstance(value, dict):
            yield from lists_of_playlists(value, f"{outer}{name}.")


def records_of(document: dict[str, Any], part: Part) -> list[Any] | None:
    """What an object holds that is no record itself, but a table or playlists; None of a record.

    A table comes by its columns or by its rows, as pandas writes it, playlists by their titles or
    keys: each an object that holds its tracks, or a list of them. Rows are lists where nothing
    names their columns.
    """
    if not document or isinstance(document.get("playlist"), dict):
        return None
    for outer, inner in document.items():
        if outer not in DOCUMENTS:
            continue
        rest = {name: value for name, value in document.items() if name != outer}
        if outer == "playlists" and inner == [] and not tracks_of(rest):
            return []
        if isinstance(inner, dict) and (found := records_of(inner, part)) is not None:
            tell_beside(rest, {}, (), len(found), part)
            return found
        if isinstance(inner, list) and not tracks_of(rest) and _are_rows(inner, rest):
            return _split(inner, rest, part)
    values = list(document.values())
    if all(isinstance(value, dict) for value in values):
        if all(map(tracks_of, values)):
            return [_named(name, playlist) for name, playlist in document.items()]
        index = [*values[0]] if len({tuple(value) for value in values}) == 1 else []
        numbered = index == [*map(str, range(len(index)))]
        if index and not any(map(has_role, index)) and (numbered or any(map(has_role, document))):
            return [{name: column[row] for name, column in document.items()} for row in index]
        records = all(any(map(has_role, value)) and not tracks_of(value) for value in values)
        if records and not any(map(has_role, document)):
            return [indexed(name, row) for name, row in document.items()]
    if not any(values) or not all(isinstance(value, list) for value in values):
        return None
    if rows := _rows(document):
        return rows
    some = list(filter(None, values))
    if tracks_of(document) or any(map(has_role, document)) or not all(map(_are_tracks, some)):
        return None
    return [{"title": name, "tracks": tracks} for name, tracks in document.items()]


def _are_rows(values: list[Any], rest: dict[str, Any]) -> bool:
    """Whether values are lists, as rows are; if there are none, what else there is tells."""
    return isinstance(values[0], list) if values else bool(rest.keys() & {"columns", "schema"})


def _split(rows: list[Any], rest: dict[str, Any], part: Part) -> list[Any]:
    """Rows that are lists, with the names of their columns, which stand beside them."""
    columns, index = rest.pop("columns", None), rest.pop("index", None)
    if not (isinstance(columns, list) and all(isinstance(name, str) for name in columns)):
        return rows
    columns = distinct_names(columns)
    if not (isinstance(index, list) and len(index) == len(rows)):
        index = [None] * len(rows)
    tell_beside(rest, {}, (), len(rows), part)
    return [
        indexed(name, dict(zip(columns, row, strict=True)))
        if isinstance(row, list) and len(row) == len(columns)
        else row
        for name, row in zip(index, rows, strict=True)
    ]


def indexed(name: object, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a table as pandas writes it: by a number that says nothing, or by its key."""
    if isinstance(name, str) and not name.isdecimal():
        return _keyed(name, row, "key")
    return row


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The rows of columns that are of one length; none where they are lists of one playlist."""
    of_one = tracks_of(columns) and not any(map(of_playlist, columns))
    if of_one or len(set(map(len, columns.values()))) > 1 or not any(map(has_role, columns)):
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _named(name: str, playlist: dict[str, Any]) -> dict[str, Any]:
    """A playlist with the name that it goes by: its title, or its key where it has a title."""
    if titled(playlist):
        return _keyed(name, playlist, "playlist key")
    return {"title": name} | playlist


def _keyed(name: str, record: dict[str, Any], member: str) -> dict[str, Any]:
    """A record with its key, if that does not stand in it already."""
    scalars = (value for value in record.values() if not isinstance(value, list | dict))
    stands = any(str(value) == name for value in scalars)
    return record if stands else {member: name} | record


def _are_tracks(values: list[Any]) -> bool:
    first = values[0]
    return any(map(of_song, first)) if isinstance(first, dict) else isinstance(first, str | int)


def tell_beside(
    around: dict[str, Any], lengths: dict[str, int], read: Container[str], held: int, part: Part
) -> None:
    """Count what stands beside the lists that are read, of which there may be the lengths only."""
    if is_cut(around, held):
        part.tell("document", "with a page of a list that goes on elsewhere", 1, part.label)
    lists: dict[str, int] = {}
    others = []
    for name, value in _flat_members(around):
        if name in read:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lists[name] = lengths.get(name, len(value))
        else:
            others.append(name)
    if lists:
        part.beside = ", ".join(lists)
        how = "in lists beside those that are read: left out; each needs a file of its own"
        part.tell("object", how, sum(lists.values()), f"{part.label}: {part.beside}")
    if others:
        how = "with more than the lists that are read: left out"
        part.tell("document", how, 1, f"{part.label}: {', '.join(others[:5])}")


def _flat_members(record: dict[str, Any], outer: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat_members(value, f"{outer}{name}.")
        else:
            yield f"{outer}{name}", value
