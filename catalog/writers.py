"""Writers of Melon's files, streamed; a file is replaced as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from melon.catalog.records import Genre, IssueDate, Playlist, Song, is_attribute
from melon.fields import PLAYLISTS, SONGS, Field, FieldType, read_fields
from melon.files import replacing
from melon.outputs import writing_to

_SONG_FIELDS = read_fields(SONGS)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_playlists(path: Path, playlists: Iterable[Playlist]) -> int:
    """Write playlists in the format of `train.json`, and return how many there were.

    Raises:
        UnwritableFile: the file, or the temporary one beside it, cannot be written.
    """
    return _write_array(path, map(playlist_record, playlists))


def write_songs(path: Path, songs: Iterable[Song], fields: Sequence[Field] = ()) -> int:
    """Write songs in the format of `song_meta.json`, and return how many there were.

    Args:
        fields: the catalogue's own, which are to be written, too.

    Raises:
        UnwritableFile: the file, or the temporary one beside it, cannot be written.
    """
    record = _record_of(Song, [*_SONG_FIELDS, *fields])
    return _write_array(path, map(record, songs))


def write_genres(path: Path, genres: Iterable[Genre]) -> int:
    """Write genres in the format of `genre_gn_all.json`, and return how many there were.

    Raises:
        UnwritableFile: the file, or the temporary one beside it, cannot be written.
    """
    names = {genre.code: genre.name for genre in genres}
    with _replacing(path) as write:
        write(_encode(names))
    return len(names)


@contextmanager
def array_writer(path: Path) -> Iterator[Callable[[Mapping[str, object]], None]]:
    """Write one JSON array, record by record: what is yielded appends one.

    The file takes its place when the block ends, and is not touched when an exception ends it.

    Raises:
        UnwritableFile: the file, or the temporary one beside it, cannot be written.
    """
    with _replacing(path) as write:
        separator = "["

        def append(record: Mapping[str, object]) -> None:
            nonlocal separator
            write(separator + _encode(record))
            separator = ","

        yield append
        write("[]" if separator == "[" else "]")


def _write_array(path: Path, records: Iterable[Mapping[str, object]]) -> int:
    count = 0
    with array_writer(path) as append:
        for record in records:
            append(record)
            count += 1
    return count


@contextmanager
def _replacing(path: Path) -> Iterator[Callable[[str], None]]:
    """Write to a temporary file beside `path` that takes its place if all goes well.

    Errors of the operating system are those of the file, and others go through.
    """
    with ExitStack() as writing:
        with writing_to(path):
            file = writing.enter_context(replacing(path))

        def write(text: str) -> None:
            with writing_to(path):
                file.write(text)

        yield write
        with writing_to(path):
            writing.close()


def playlist_record(playlist: Playlist) -> dict[str, object]:
    """A playlist as `train.json` writes it."""
    return _playlist_record(playlist)


def _record_of(
    kind: type[Playlist | Song], fields: Sequence[Field]
) -> Callable[[Playlist | Song], dict[str, object]]:
    """What makes the record of a playlist or song, as files write it.

    Melon's own fields are written even where they are not known, others only where they are.
    """
    written = [(is_attribute(kind, field), field.name, field) for field in fields]
    attributes = [(str(f.source), name, _conversion(f)) for own, name, f in written if own]
    others = [(str(f.source), name, _conversion(f)) for own, name, f in written if not own]

    def record(one: Playlist | Song) -> dict[str, object]:
        made = {source: convert(getattr(one, name)) for source, name, convert in attributes}
        if one.key is None:
            del made["key"]
        for source, name, convert in others:
            if name in one.more:
                made[source] = convert(one.more[name])
        return made

    return record


def _conversion(field: Field) -> Callable[[Any], object]:
    one: Callable[[Any], object]
    match field.type:
        case FieldType.DATE:
            one = _date
        case FieldType.DATETIME:
            one = _moment
        case FieldType.TEXT | FieldType.KEYWORD if not field.many:
            return _text
        case _:
            return _same
    if field.many:
        return lambda values: [one(value) for value in values]
    return one


def _same(value: Any) -> object:
    return value


def _text(text: str | None) -> str:
    return text or ""


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return moment.isoformat(" ", "microseconds" if moment.microsecond % 1000 else "milliseconds")


def _date(issued: IssueDate | date | None) -> str:
    """Write a date with `00` for what is not known of it."""
    if issued is None:
        return ""
    if isinstance(issued, date):
        return issued.isoformat()
    digits = f"{issued.day.year:04}{issued.day.month:02}{issued.day.day:02}"
    known = {"year": 4, "month": 6, "day": 8}[issued.precision]
    return digits[:known].ljust(8, "0")


_playlist_record = _record_of(Playlist, read_fields(PLAYLISTS))
