"""The directory that an import makes, and adds to: files in Melon's format, and the keys' ids."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from melon.catalog.corpus import COMPLETE, FIELDS_FILE, PLAYLIST_FILES, SONG_FILE
from melon.catalog.importing.catalogue import Catalogue
from melon.catalog.importing.cells import apart, separator, texts
from melon.catalog.importing.kinds import conversion
from melon.catalog.keys import KeyIds
from melon.catalog.own_fields import read_fields_file, write_fields_file
from melon.catalog.readers import read_playlists, read_songs
from melon.catalog.records import Playlist, Song
from melon.catalog.report import ReadReport
from melon.catalog.writers import write_playlists, write_songs
from melon.errors import ForeignFile, UnreadableFile, UnwritableFile, counted, uncapitalized
from melon.fields import Field, FieldType, own_field
from melon.files import fresh_beside, locked, sync_directory
from melon.outputs import MARKER, check_directory, check_not_read, claim_directory, make_directory
from melon.progress import Progress, ignore

RecordT = TypeVar("RecordT", Playlist, Song)

KINDS = ("added", "changed", "unchanged")
WRITER = "melon import"
KEYS_FILE = "keys.parquet"
"""Which key has which id: also of songs and playlists that an import has replaced."""

FILES = (PLAYLIST_FILES[0], SONG_FILE, FIELDS_FILE, KEYS_FILE)


@dataclass
class Changes:
    """How many records an import added to a directory, changed and left as they were."""

    playlists: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    songs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    notes: list[str] = field(default_factory=list)
    """What becomes of fields that were of other types before."""

    def lines(self) -> list[str]:
        """For people."""
        return self.notes + [
            f"{name}: " + ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
            for name, counts in (("playlists", self.playlists), ("songs", self.songs))
        ]


def check_out(out: Path, inputs: Sequence[Path] = ()) -> None:
    """Make sure that an import can be written into a directory.

    Raises:
        UnwritableFile: it cannot be made or written to.
        ForeignFile: something is there that no import made.
        ReplacedInput: it holds what is to be imported.
    """
    check_directory(out, FILES, WRITER)
    if out.is_dir() and not (out / MARKER).exists() and any(out.glob("[!.]*")):
        raise ForeignFile(
            f"this directory holds something, and {WRITER} did not make it: it is left alone",
            where=str(out),
            hint=f"give a directory that is new or empty, or that {WRITER} made",
        )
    for name in FILES:
        check_not_read(out / name, inputs)


def write(
    catalogue: Catalogue, out: Path, *, anew: bool = False, progress: Progress = ignore
) -> Changes:
    """Write a catalogue into a directory, beside what an import wrote there before.

    What is said of a playlist or a song takes the place of what was known, and what nothing is said
    of stays. All keys keep their ids. With `anew`, nothing of before stays but the ids.

    One import at a time writes into a directory; others wait. The files take their places once all
    are written. An import that was killed while they did is completed by the next.

    Raises:
        ForeignFile: something is there that no import made.
        UnwritableFile: a file cannot be written.
    """
    check_out(out)
    claim_directory(out, WRITER)
    with ExitStack() as holder:
        with suppress(OSError):  # a file system without locks
            holder.enter_context(locked(out / ".import.lock"))
        _put_in_place(out)
        return _write(catalogue, out, anew, progress)


def _write(catalogue: Catalogue, out: Path, anew: bool, progress: Progress) -> Changes:
    playlist_ids, song_ids = _ids_in(out)
    ids_of_playlists = np.array(playlist_ids.add(catalogue.playlist_keys.values.to_pylist()))
    ids_of_songs = np.array(song_ids.add(catalogue.song_keys.values.to_pylist()))
    before = _Before(None if anew else out)
    given = catalogue.own.fields
    fields = _merged(before.fields, given, catalogue.own.typed)
    catalogue.own.settle(fields)
    changes = Changes()
    with fresh_beside(out / "import") as staged:
        make_directory(staged)
        playlists = _merging(
            before.playlists,
            lambda codes: catalogue.playlists(codes, ids_of_playlists, ids_of_songs),
            catalogue.playlist_codes,
            ids_of_playlists,
            _continued,
            changes.playlists,
        )
        total = len(catalogue.playlist_codes)
        write_playlists(staged / FILES[0], _told(playlists, "playlists", total, progress))
        songs = _merging(
            lambda: before.songs(fields),
            lambda codes: catalogue.songs(codes, ids_of_songs),
            np.arange(len(catalogue.song_keys)),
            ids_of_songs,
            _completed,
            changes.songs,
        )
        total = len(catalogue.song_keys)
        write_songs(staged / FILES[1], _told(songs, "songs", total, progress), fields)
        write_fields_file(staged / FILES[2], fields)
        _write_ids(staged / FILES[3], playlist_ids, song_ids)
        staged.replace(out / COMPLETE)
    _put_in_place(out)
    changes.notes += _retyping(before, catalogue, given)
    return changes


def _put_in_place(out: Path) -> None:
    """Move the files of an import that is complete to where they belong.

    Keys first, for an id must not be given twice, whatever happens to the other files.
    """
    complete = out / COMPLETE
    if not complete.exists():
        return
    try:
        sync_directory(out)
        for name in reversed(FILES):
            with suppress(FileNotFoundError):  # it was moved before the import was killed
                (complete / name).replace(out / name)
        sync_directory(out)
        complete.rmdir()
    except OSError as error:
        raise UnwritableFile.from_os_error(out, error) from error


def _retyping(before: _Before, catalogue: Catalogue, given: Sequence[Field]) -> Iterator[str]:
    """For people: the fields whose type before and now differ, and what was dropped for that."""
    types, news = {one.name: one for one in catalogue.own.fields}, {one.name: one for one in given}
    for old in before.fields:
        one, new = types[old.name], news.get(old.name, types[old.name])
        if old == one == new:
            continue
        now, was = _type_of(one), _type_of(old)
        line = (
            f"{one.name} stays {now}" if one == old else f"{one.name} becomes {now}, it was {was}"
        )
        lost, example = (before.dropped[one.name], "") if one != old else (0, "")
        if one != new:
            number, example = catalogue.own.unfit(one)
            lost += number
        if lost:
            such = f", such as {example}" if example else ""
            line += f": {counted(lost, 'value')} not of that type dropped{such}"
            if one == old:
                line += f"; import all again with the type {one.name}={_type_of(new)} to keep them"
        yield line


def _type_of(field: Field) -> str:
    return f"{field.type}{'[]' if field.many else ''}"


def _told(
    records: Iterator[RecordT], step: str, total: int, progress: Progress
) -> Iterator[RecordT]:
    for number, record in enumerate(records):
        if number % 10_000 == 0:
            progress(step, min(number, total), total)
        yield record
    progress(step, total, total)


def _merging(
    old: Callable[[], Iterator[RecordT]],
    new: Callable[[npt.NDArray[Any]], Iterator[RecordT]],
    codes: npt.NDArray[Any],
    ids: npt.NDArray[Any],
    merge: Callable[[RecordT, RecordT], RecordT],
    changes: dict[str, int],
) -> Iterator[RecordT]:
    """The old records in their order, merged with the new ones of their ids, then the others.

    The old ones are read twice, for nothing but their ids at first, so that no more than one is
    in memory.
    """
    code_of = dict(zip(ids[codes].tolist(), codes.tolist(), strict=True))
    both = [code for record in old() if (code := code_of.pop(record.id, None)) is not None]
    merging = new(np.array(both, np.int64))
    among = set(ids[both].tolist()) if both else set()
    for record in old():
        if record.id in among:
            merged = merge(record, next(merging))
            changes["unchanged" if merged == record else "changed"] += 1
            yield merged
        else:
            yield record
    changes["added"] += len(code_of)
    yield from new(np.array(list(code_of.values()), np.int64))


def _continued(old: Playlist, new: Playlist) -> Playlist:
    """What is said of a playlist now, and before of what nothing is said now."""
    return replace(
        new,
        title=new.title or old.title,
        songs=new.songs or old.songs,
        tags=new.tags or old.tags,
        like_count=old.like_count if new.like_count is None else new.like_count,
        updated=new.updated or old.updated,
    )


def _completed(old: Song, new: Song) -> Song:
    """What is known of a song now, and before of what nothing is known now."""
    return replace(
        new,
        name=new.name or old.name,
        artists=new.artists or old.artists,
        album=new.album or old.album,
        genres=new.genres or old.genres,
        issue_date=new.issue_date or old.issue_date,
        more={**old.more, **new.more},
    )


class _Before:
    """What an import wrote into a directory before; nothing without one."""

    def __init__(self, directory: Path | None) -> None:
        self._there = directory if directory and (directory / FILES[0]).exists() else None
        self.fields = read_fields_file(self._there / FIELDS_FILE) if self._there else ()
        self.dropped: Counter[str] = Counter()
        """Values of each field that are not of its type now; known once all songs are read."""

    def playlists(self) -> Iterator[Playlist]:
        """The playlists, in their order."""
        if self._there:
            yield from read_playlists([self._there / PLAYLIST_FILES[0]], report=ReadReport())

    def songs(self, fields: Sequence[Field]) -> Iterator[Song]:
        """The songs in their order, with values of own fields as these have them."""
        if self._there is None:
            return
        self.dropped.clear()
        types = {one.name: one for one in fields}
        others = [one for one in self.fields if types[one.name] != one]
        for song in read_songs(self._there / SONG_FILE, fields=self.fields, report=ReadReport()):
            if not others:
                yield song
                continue
            more = dict(song.more)
            for one in others:
                if one.name in more:
                    more[one.name], lost = _retyped(more[one.name], types[one.name])
                    self.dropped[one.name] += lost
            yield replace(song, more={name: v for name, v in more.items() if v not in (None, ())})


def _merged(old: Sequence[Field], new: Sequence[Field], typed: Set[str]) -> tuple[Field, ...]:
    """The fields of both: of the type that is given, or else of the old one, maybe widened."""
    merged = {one.name: one for one in old}
    for one in new:
        if (other := merged.get(one.name)) and one.name not in typed:
            many = one.many or other.many
            one = own_field(one.name, _wider(other.type, one.type), many)
        merged[one.name] = one
    return tuple(merged.values())


def _wider(old: FieldType, new: FieldType) -> FieldType:
    """The type that loses nothing of numbers, or of dates; else the old one stays."""
    return next((common for types, common in _COMMON if {old, new} == types), old)


_COMMON = (
    ({FieldType.INTEGER, FieldType.FLOAT}, FieldType.FLOAT),
    ({FieldType.DATE, FieldType.DATETIME}, FieldType.DATETIME),
)


def _retyped(value: Any, field: Field) -> tuple[Any, int]:
    """The value as one of a field, and how many values that loses."""
    cells = texts(value if isinstance(value, tuple) else (value,))
    if field.many and not isinstance(value, tuple):
        cells = apart(cells, separator(cells, commas=True)).flatten()
    convert = conversion(field.type)
    made = [one for text in cells.to_pylist() if (one := convert(text.strip())) is not None]
    kept = made if field.many else made[:1]
    return tuple(kept) if field.many else next(iter(kept), None), len(cells) - len(kept)


def _ids_in(directory: Path) -> tuple[KeyIds, KeyIds]:
    """The ids of the keys of playlists and of songs that an import has given."""
    path = directory / KEYS_FILE
    if not path.exists() and not (directory / FILES[0]).exists():
        return KeyIds(), KeyIds()
    try:
        table = pq.read_table(path)
        kinds, keys, ids = (table.column(name).to_pylist() for name in ("kind", "key", "id"))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise UnreadableFile(
            f"cannot be read: {uncapitalized(str(error))}",
            where=str(path),
            hint="import into a new directory: which key has which id is not known any more",
        ) from None
    found: dict[str, dict[str, int]] = {"playlist": {}, "song": {}}
    for kind, key, number in zip(kinds, keys, ids, strict=True):
        found[kind][key] = number
    return KeyIds(found["playlist"]), KeyIds(found["song"])


def _write_ids(path: Path, playlists: KeyIds, songs: KeyIds) -> None:
    kinds = ["playlist"] * len(playlists.ids) + ["song"] * len(songs.ids)
    table = pa.table(
        {
            "kind": pa.array(kinds).dictionary_encode(),
            "key": pa.array([*playlists.ids, *songs.ids], pa.string()),
            "id": pa.array([*playlists.ids.values(), *songs.ids.values()], pa.int64()),
        }
    )
    try:
        with path.open("xb") as file:
            pq.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error
