"""Readers of Melon's playlists and song metadata: typed records, validated once, streamed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from melon.catalog.corpus import CorpusFiles
from melon.catalog.corpus_keys import CorpusKeys, Keys
from melon.catalog.dates import from_epoch, parse_issue_date, parse_updated, ticks_per_second
from melon.catalog.errors import shortened
from melon.catalog.json_stream import JsonArray
from melon.catalog.numbers import whole_number
from melon.catalog.records import IssueDate, Playlist, Song
from melon.catalog.report import Cause, ReadReport
from melon.catalog.source import RecordSource, byte_counter
from melon.fields import PLAYLISTS, SONGS, Field, FieldType
from melon.progress import Progress, ignore
from melon.text import clean_text

GENRE_FIELDS = {"genres", "detail_genres"}
"""Fields whose values have to be among the genres, where these are known."""


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


Record = TypeVar("Record", Playlist, Song)


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
            field.name: (name, _conversion(field, source, keys, genres))
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


def _conversion(
    field: Field, source: RecordSource, keys: Keys, genres: frozenset[str] | None
) -> Callable[[Any], Any]:
    """A function that turns a value of the file into the record's."""
    name = str(field.source)
    if field.name in GENRE_FIELDS:
        return lambda codes: _codes(codes, name, genres, source)
    if field.name == "songs":
        return lambda songs: _song_ids(songs, keys, source)
    match field.type:
        case FieldType.TEXT | FieldType.KEYWORD:
            return _texts if field.many else clean_text
        case FieldType.DATE if field.name == "issue_date":
            return _dates(parse_issue_date, _issued, name, source)
        case FieldType.DATE:
            return _each(field, _dates(_parse_day, datetime.date, name, source))
        case FieldType.DATETIME:
            return _each(field, _dates(parse_updated, _same, name, source))
        case _:
            return _tuple if field.many else _same


def _each(field: Field, convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The conversion of a value, or of each of the values where the field holds a list of them."""
    if not field.many:
        return convert
    return lambda values: tuple(
        made for value in values or () if (made := convert(value)) is not None
    )


def _parse_day(value: str | int | None) -> date | None:
    issued = parse_issue_date(value)
    return issued.day if issued else None


def _song_ids(songs: list[int | str], keys: Keys, source: RecordSource) -> tuple[int, ...]:
    try:
        sum(songs)  # type: ignore[arg-type]  # the quickest way to tell that none is a string
        return tuple(songs)  # type: ignore[arg-type]
    except TypeError:
        return tuple(_ids_of(songs, keys, source))


def _ids_of(songs: list[int | str], keys: Keys, source: RecordSource) -> Iterator[int]:
    for place, song in enumerate(songs):
        if isinstance(song, int):
            yield song
        elif key := clean_text(song):
            yield keys.song(key)
        else:
            source.note(Cause.BLANK_SONG, f"songs[{place}]", "the song's key is blank")


def _tuple(values: list[Any] | None) -> tuple[Any, ...]:
    return tuple(values or ())


def _same(value: Any) -> Any:
    return value


T = TypeVar("T", int, str)


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


def _texts(texts: Iterable[str] | None) -> tuple[str, ...]:
    """The texts, cleaned, without those that are blank."""
    if not texts:
        return ()
    return tuple([clean for text in texts if (clean := clean_text(text))])


# There are few combinations of codes, and every song holds two: equal ones share one body.
@lru_cache(maxsize=65536)
def _distinct_codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_texts(codes)))


def _codes(
    written: list[str] | None, field: str, known: frozenset[str] | None, source: RecordSource
) -> tuple[str, ...]:
    if not written:
        return ()
    codes = _distinct_codes(tuple(written))
    if known is None or known.issuperset(codes):
        return codes
    for code in codes:
        if code not in known:
            source.note(Cause.UNKNOWN_GENRE, field, f"{shortened(code)} is not among the genres")
    return _distinct_codes(tuple(code for code in codes if code in known))


DateT = TypeVar("DateT")


def _dates(
    parse: Callable[[str | int | None], DateT | None],
    of_moment: Callable[[datetime], DateT],
    field: str,
    source: RecordSource,
) -> Callable[[str | int | None], DateT | None]:
    """A function that reads the dates of a field, as `parse` does or as what counts from 1970."""
    column = _Column(source.path, field)

    def read(value: str | int | None) -> DateT | None:
        try:
            return parse(value)
        except ValueError as error:
            if ticks_per_second([value]) and (ticks := column.ticks):
                return of_moment(from_epoch(value, ticks))
            source.note(Cause.UNREADABLE_DATE, field, f"{shortened(value)}: {error}")
            return None

    return read


def _issued(moment: datetime) -> IssueDate:
    return IssueDate(moment.date(), "day")


class _Column:
    """All values of a field of a file, which is read for them when they are first needed."""

    def __init__(self, path: Path, field: str) -> None:
        self._path = path
        self._field = field

    @cached_property
    def ticks(self) -> int | None:
        """What the values count, if all of them count from 1970; see `ticks_per_second`."""
        return ticks_per_second(self._values())

    def _values(self) -> Iterator[object]:
        for record in JsonArray(self._path, constants=True):
            value = record.get(self._field) if isinstance(record, dict) else None
            for one in value if isinstance(value, list) else [value]:
                number = whole_number(one)
                yield one if number is None else number
