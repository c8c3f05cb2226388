"""The ids of the keys in a corpus, whichever of its files is read first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Protocol

from melon.catalog.corpus import CorpusFiles
from melon.catalog.json_stream import JsonArray
from melon.catalog.keys import KeyIds, integer_of
from melon.catalog.numbers import whole_number
from melon.catalog.records import Song
from melon.catalog.source import byte_counter
from melon.catalog.writers import array_writer
from melon.fields import MAX_ID
from melon.progress import Progress, ignore
from melon.text import clean_text


class Keys(Protocol):
    """Says which ids songs and playlists have that are named by a key."""

    def song(self, key: str) -> int:
        """The id of a song."""

    def playlist(self, key: str) -> int:
        """The id of a playlist."""


class CorpusKeys:
    """The ids of the songs and playlists of a corpus whose files name them by strings.

    A string is the key of a record that has it as its `key`, or else as its `id`; or it is written
    like the integer id of another record, and means that one; or else nothing but the string is
    known of the song. Keys without an id get one (see `KeyIds`) that no file has. For that, all
    files are read once more, when the first string is met: none is read where ids are integers.

    Args:
        files: The files of the corpus.
        progress: Told how much of the files is read, in the step `keys`.
        known: What is known already of songs, and of playlists: what names them in the files means
            the same, and what is new gets another id.

    Attributes:
        met: Whether a song was named by a string in what was read.
    """

    def __init__(
        self,
        files: CorpusFiles,
        progress: Progress = ignore,
        known: tuple[KnownIds, KnownIds] | None = None,
    ) -> None:
        self._files = files
        self._progress = progress
        self._known = known or (KnownIds(), KnownIds())
        self.met = False

    def song(self, key: str) -> int:
        """The id of a song."""
        self.met = True
        return self._songs.ids_of_keys[key]

    def playlist(self, key: str) -> int:
        """The id of a playlist."""
        return self._playlists.ids_of_keys[key]

    def write_songs(self, path: Path) -> bool:
        """Write the songs again with an integer `id` and a `key` wherever there is a string.

        Returns whether there is any string; if not, nothing is written. To be called after the
        playlists are read, for these may name songs that no file describes.

        Raises:
            UnwritableFile: the file, or the temporary one beside it, cannot be written.
        """
        described = self._files.songs
        if not self.met and not (described and _holds_string_ids(described)):
            return False
        self.met = True
        with array_writer(path) as append:
            for record in _records((described,) if described else ()):
                key = key_of(record.get("id"))
                append(record | {"id": self.song(key), "key": key} if key else record)
            for song in self.songs_without_metadata():
                append({"id": song.id, "key": song.key})
        return True

    def songs_without_metadata(self) -> Iterator[Song]:
        """The songs that playlists name by a key, and that no file describes.

        To be read after the playlists, for these say which they are.
        """
        if self.met:
            for key in self._songs.undescribed:
                yield Song(self._songs.ids_of_keys[key], key=key)

    @property
    def _songs(self) -> Names:
        return self._found[0]

    @property
    def _playlists(self) -> Names:
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[Names, Names]:
        songs, playlists = names_in(self._files, self._progress)
        for names, known in zip((songs, playlists), self._known, strict=True):
            names.ids |= known.ids
            names.keyed |= known.keys
        return songs, playlists


@dataclass(frozen=True)
class KnownIds:
    """The ids of songs, or of playlists, that a catalogue had before, and those of its keys."""

    ids: Set[int] = field(default_factory=frozenset)
    keys: Mapping[str, int] = field(default_factory=dict)


def names_in(files: CorpusFiles, progress: Progress = ignore) -> tuple[Names, Names]:
    """What names songs, and what names playlists, in the files of a corpus."""
    songs, playlists = Names(), Names()
    described = () if files.songs is None else (files.songs,)
    advance = byte_counter("keys", (*described, *files.playlists), progress)
    for record in _records(described, advance):
        songs.add_record(record)
    for record in _records(files.playlists, advance):
        playlists.add_record(record)
        held = record.get("songs")
        for song in held if isinstance(held, list) else ():
            songs.add(song)
    return songs, playlists


@dataclass
class Names:
    """Songs, or playlists, by what names them.

    Attributes:
        ids: Integers that do.
        keyed: Keys of records with an integer id.
        strings: Strings in place of ids, each with whether a record describes what it names.
    """

    ids: set[int] = field(default_factory=set)
    keyed: dict[str, int] = field(default_factory=dict)
    strings: dict[str, bool] = field(default_factory=dict)

    def add(self, name: object, *, described: bool = False) -> int | None:
        """Add what names one, and return it if it is an id.

        What can name none is reported by who reads the record.
        """
        number = None if isinstance(name, str) else whole_number(name)
        if number is not None and 0 <= number <= MAX_ID:
            self.ids.add(number)
            return number
        if key := key_of(name):
            self.strings[key] = self.strings.get(key, False) or described
        return None

    def add_record(self, record: dict[str, object]) -> None:
        """Add the record of one, with its key."""
        number = self.add(record.get("id"), described=True)
        if number is not None and (key := own_key(record)):
            self.keyed.setdefault(key, number)

    @cached_property
    def ids_of_keys(self) -> Mapping[str, int]:
        """The id of each key."""
        known = dict(self.keyed)
        for key in self.strings:
            number = integer_of(key)
            if number in self.ids:
                known.setdefault(key, number)
        named = KeyIds(known, self.ids)
        named.add(self.strings)
        return named.ids

    @property
    def undescribed(self) -> Iterator[str]:
        """The strings that stand for no integer, and that no record describes."""
        for key, described in self.strings.items():
            if not described and key not in self.keyed and integer_of(key) not in self.ids:
                yield key


def own_key(record: dict[str, object]) -> str | None:
    """What stands in the field `key` of a record: a string, or an integer as one."""
    key = record.get("key")
    number = None if isinstance(key, str) else whole_number(key)
    return key_of(key if number is None else str(number))


def key_of(value: object) -> str | None:
    """A value as a key; None if it is blank, no string, or not Unicode."""
    try:
        return clean_text(value) if isinstance(value, str) else None
    except UnicodeEncodeError:
        return None


def _holds_string_ids(path: Path) -> bool:
    """Whether a file of records may have strings for ids, which is quicker to tell than to read."""
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return re.search(rb'"id"\s*:\s*"', content) is not None
    except (OSError, ValueError):  # it cannot be opened or mapped, which reading it will tell
        return False


def _records(
    paths: Iterable[Path], advance: Callable[[int], None] | None = None
) -> Iterator[dict[str, object]]:
    for path in paths:
        for record in JsonArray(path, advance=advance, constants=True):
            if isinstance(record, dict):
                yield record
