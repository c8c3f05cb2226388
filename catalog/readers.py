"""Readers of Melon's playlists and song metadata: typed records, validated once, streamed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from melon.catalog.conversions import conversion
from melon.catalog.corpus import CorpusFiles
from melon.catalog.corpus_keys import CorpusKeys, Keys
from melon.catalog.errors import shortened
from melon.catalog.records import Playlist, Song
from melon.catalog.report import Cause, ReadReport
from melon.catalog.source import RecordSource, byte_counter
from melon.fields import PLAYLISTS, SONGS, Field
from melon.progress import Progress, ignore
from melon.text import clean_text

Record = TypeVar("Record", Playlist, Song)
T = TypeVar("T", int, str)


def read_playlists(
    paths: Iterable[Path],
    *,
    report: ReadReport,
    keys: Keys | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> Iterator[Playlist]:
    """Stream the playlists of one or more files, in the order of the files.

    A record that cannot be used is skipped: it lacks `id` or `songs`, or they have the wrong type,
    its id lies outside 0..`MAX_ID`, or a record that was used before, in whichever file, has it.
    Of others, what cannot be read is dropped: a value of another field, one of its songs or tags,
    a date, a key that another record has; and so are songs and tags repeated in a playlist. A
    whole number may be written `12.0`. A string in place of an id is the key of what has it.

    Args:
        paths: Files in the format of `train.json`.
        report: Counts what is read, dropped and skipped, while this is iterated.
        keys: Says which ids strings stand for; by default the files alone do.
        strict: Raise at the first record that would be skipped, or of which a value that has the
            wrong type would be dropped.
        lenient: Take what there is of a file of which less than half can be used: of its records,
            or of their values in a field.
        progress: Told how many bytes are read, and of how many.

    Raises:
        BadRecord: a record cannot be used, and reading is strict.
        BadCorpus: less than half of a file can be used, or nothing, and reading is not lenient.
        MalformedJson: a file is not a JSON array.
        UnreadableFile: a file is missing or cannot be opened.
    """
    paths = tuple(paths)
    keys = keys or CorpusKeys(CorpusFiles(paths))
    advance = byte_counter("playlists", paths, progress)
    seen = _Seen(keys.playlist)
    for path in paths:
        source = RecordSource(
            path, "playlist", report, advance, PLAYLISTS, strict=strict, lenient=lenient
        )
        for playlist in _Records(Playlist, source, keys, seen):
            report.playlists += 1
            yield _without_repeats(playlist, source)


def read_songs(
    path: Path,
    *,
    genres: Collection[str] | None = None,
    fields: Sequence[Field] = (),
    report: ReadReport,
    keys: Keys | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> Iterator[Song]:
    """Stream the songs of a file of metadata.

    A record that cannot be used is skipped: it lacks `id`, which has the wrong type or lies outside
    its range, or a record that was used before has it. Every other field may be missing. What
    cannot be read is dropped: a value, or the members of a list that have the wrong type, codes
    that are not among `genres`, a date, a key that another record has. A whole number may be
    written `12.0`. A string in place of an id is the key of what has it.

    Args:
        path: A file in the format of `song_meta.json`.
        genres: The known genre codes, as `read_genres` returns them; None accepts every code.
        fields: The catalogue's own, as `read_fields_file` returns them.
        report: Counts what is read, dropped and skipped, while this is iterated.
        keys: Says which ids strings stand for; by default the file alone does.
        strict: Raise at the first record that would be skipped, or of which a value that has the
            wrong type would be dropped.
        lenient: Take what there is of a file of which less than half can be used: of its records,
            or of their values in a field.
        progress: Told how many bytes are read, and of how many.

    Raises:
        BadRecord: a record cannot be used, and reading is strict.
        BadCorpus: less than half of the file can be used, or nothing, and reading is not lenient.
        MalformedJson: the file is not a JSON array.
        UnreadableFile: the file is missing or cannot be opened.
    """
    known = None if genres is None else frozenset(genres)
    keys = keys or CorpusKeys(CorpusFiles((), path))
    advance = byte_counter("songs", [path], progress)
    source = RecordSource(
        path, "song", report, advance, (*SONGS, *fields), strict=strict, lenient=lenient
    )
    for song in _Records(Song, source, keys, _Seen(keys.song), known):
        report.songs += 1
        yield song


class _Seen:
    """The ids and keys of the records of a kind that were read, and the ids that keys stand for."""

    def __init__(self, id_of: Callable[[str], int]) -> None:
        self.id_of = id_of
        self.ids: set[int] = set()
        self.keys: set[str] = set()


class _Records(Generic[Record]):
    """The records of a file that are the first with their id, each with its own key if it has one.

    A string in place of the id is the key.
    """

    def __init__(
        self,
        record: type[Record],
        source: RecordSource,
        keys: Keys,
        seen: _Seen,
        genres: frozenset[str] | None = None,
    ) -> None:
        self._make: Callable[..., Record] = record
        self._source = source
        self._seen = seen
        conversions = {
            field.name: (name, conversion(field, source, keys, genres))
            for name, field in source.fields.items()
        }
        self._attributes = [
            conversions.pop(name) for name in record.__slots__ if name in conversions
        ]
        self._more = conversions

    def __iter__(self) -> Iterator[Record]:
        for values in self._source.records():
            try:
                record = self._first(values)
            except UnicodeEncodeError:
                readable = self._source.readable(values)
                record = None if readable is None else self._first(readable)
            if record is not None:
                yield record

    def _first(self, values: dict[str, Any]) -> Record | None:
        """The record of a file's values, unless one before has its id.

        Raises:
            UnicodeEncodeError: a text is not Unicode.
        """
        number, name = values["id"], None
        if isinstance(number, str):
            name = clean_text(number)
            if name is None:
                self._source.note(Cause.MISSING_FIELD, "id", "the record's 'id' is blank")
                return None
            number = self._seen.id_of(name)
        if number in self._seen.ids:
            what = f"{self._source.kind} {shortened(values['id'])} was read before"
            self._source.note(Cause.REPEATED_ID, "id", what)
            return None
        value_of = values.get
        arguments = [convert(value_of(source)) for source, convert in self._attributes]
        if self._more:
            more = {at: convert(value_of(source)) for at, (source, convert) in self._more.items()}
            arguments.append({at: value for at, value in more.items() if value not in (None, ())})
        record = self._make(*arguments)
        self._seen.ids.add(number)
        if name is not None or record.key is not None:
            record = replace(record, id=number, key=self._own_key(record.key, name))
        return record

    def _own_key(self, key: str | None, name: str | None) -> str | None:
        """The string in place of a record's id, if there is one, or its key; None if repeated.

        Args:
            key: what stands in its field.
            name: what stands in place of its id.
        """
        if name is not None and key not in (None, name):
            what = f"{shortened(key)} beside the id's own"
            self._source.note(Cause.SECOND_KEY, "key", what)
        key = name or key
        if key is None or key in self._seen.keys:
            self._source.note(Cause.REPEATED_KEY, "key", f"{shortened(key)} was read before")
            return None
        self._seen.keys.add(key)
        return key


def _without_repeats(playlist: Playlist, source: RecordSource) -> Playlist:
    songs, tags = playlist.songs, playlist.tags
    if len(set(songs)) == len(songs) and len(set(tags)) == len(tags):
        return playlist
    for song in _repeats(songs):
        source.note(Cause.REPEATED_SONG, "songs", f"song {song} again")
    for tag in _repeats(tags):
        source.note(Cause.REPEATED_TAG, "tags", f"tag {shortened(tag)} again")
    return replace(playlist, songs=tuple(dict.fromkeys(songs)), tags=tuple(dict.fromkeys(tags)))


def _repeats(values: Iterable[T]) -> Iterator[T]:
    """Yield every value that came before."""
    seen: set[T] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)
