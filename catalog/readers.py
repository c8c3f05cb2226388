"""Readers of Melon's playlists and song metadata: typed records, validated once, streamed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from melon.catalog.dates import parse_issue_date, parse_updated
from melon.catalog.errors import shortened
from melon.catalog.records import Playlist, RecordId, Song
from melon.catalog.report import Cause, ReadReport
from melon.catalog.source import RecordSource
from melon.progress import Progress, ignore
from melon.text import clean_text

_RAW = ConfigDict(strict=True, extra="ignore")

PayloadInt = Annotated[int, Field(ge=0, le=2**63 - 1)]


class RawPlaylist(BaseModel):
    """A playlist as `train.json` writes it."""

    model_config = _RAW

    id: RecordId
    plylst_title: str | None = None
    songs: list[RecordId]
    tags: list[str]
    like_cnt: PayloadInt | None = None
    updt_date: str | int | None = None


class RawSong(BaseModel):
    """A song as `song_meta.json` writes it."""

    model_config = _RAW

    id: RecordId
    song_name: str | None = None
    artist_id_basket: list[PayloadInt] | None = None
    artist_name_basket: list[str] | None = None
    album_id: PayloadInt | None = None
    album_name: str | None = None
    issue_date: str | int | None = None
    song_gn_gnr_basket: list[str] | None = None
    song_gn_dtl_gnr_basket: list[str] | None = None


def read_playlists(
    paths: Iterable[Path],
    *,
    report: ReadReport,
    strict: bool = False,
    progress: Progress = ignore,
) -> Iterator[Playlist]:
    """Stream the playlists of one or more files, in the order of the files.

    A record that cannot be used is skipped: it lacks `id`, `songs` or `tags`, a field has the
    wrong type, an id lies outside 0..`MAX_ID`, or a record that was used before, in whichever
    file, has its id. Songs and tags repeated in a playlist are dropped, and so is an unreadable
    date.

    Args:
        paths: Files in the format of `train.json`.
        report: Counts what is read, dropped and skipped, while this is iterated.
        strict: Raise at the first record that would be skipped.
        progress: Told how many bytes are read, and of how many.

    Raises:
        BadRecord: a record cannot be used, and reading is strict.
        MalformedJson: a file is not a JSON array.
        UnreadableFile: a file is missing or cannot be opened.
    """
    paths = tuple(paths)
    advance = _told("playlists", paths, progress)
    seen: set[int] = set()
    for path in paths:
        source = RecordSource(path, "playlist", report, advance, strict=strict)
        for raw in source.records(RawPlaylist):
            if raw.id in seen:
                source.note(Cause.REPEATED_ID, "id", f"playlist {raw.id} was read before")
                continue
            try:
                playlist = _playlist(raw, source)
            except UnicodeEncodeError as error:
                source.note_invalid_text(raw, error.object)
                continue
            seen.add(raw.id)
            report.playlists += 1
            yield playlist


def read_songs(
    path: Path,
    *,
    genres: Collection[str] | None = None,
    report: ReadReport,
    strict: bool = False,
    progress: Progress = ignore,
) -> Iterator[Song]:
    """Stream the songs of a file of metadata.

    A record that cannot be used is skipped: it lacks `id`, a field has the wrong type, an id
    lies outside its range, or a record that was used before has its id. Every field but `id` may
    be missing. Codes that are not among `genres` are dropped, and so is an unreadable date.

    Args:
        path: A file in the format of `song_meta.json`.
        genres: The known genre codes, as `read_genres` returns them; None accepts every code.
        report: Counts what is read, dropped and skipped, while this is iterated.
        strict: Raise at the first record that would be skipped.
        progress: Told how many bytes are read, and of how many.

    Raises:
        BadRecord: a record cannot be used, and reading is strict.
        MalformedJson: the file is not a JSON array.
        UnreadableFile: the file is missing or cannot be opened.
    """
    known = None if genres is None else frozenset(genres)
    seen: set[int] = set()
    advance = _told("songs", [path], progress)
    source = RecordSource(path, "song", report, advance, strict=strict)
    for raw in source.records(RawSong):
        if raw.id in seen:
            source.note(Cause.REPEATED_ID, "id", f"song {raw.id} was read before")
            continue
        try:
            song = _song(raw, known, source)
        except UnicodeEncodeError as error:
            source.note_invalid_text(raw, error.object)
            continue
        seen.add(raw.id)
        report.songs += 1
        yield song


def _told(step: str, paths: Sequence[Path], progress: Progress) -> Callable[[int], None]:
    """What counts bytes of files as read, and tells how far all of these files are."""
    done, total = 0, sum(path.stat().st_size for path in paths if path.is_file())

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(step, done, total)

    return advance


def _playlist(raw: RawPlaylist, source: RecordSource) -> Playlist:
    songs, tags = tuple(raw.songs), _texts(raw.tags)
    if len(set(songs)) < len(songs):
        for song in _repeats(songs):
            source.note(Cause.REPEATED_SONG, "songs", f"song {song} again")
        songs = tuple(dict.fromkeys(songs))
    if len(set(tags)) < len(tags):
        for tag in _repeats(tags):
            source.note(Cause.REPEATED_TAG, "tags", f"tag {shortened(tag)} again")
        tags = tuple(dict.fromkeys(tags))
    return Playlist(
        id=raw.id,
        title=clean_text(raw.plylst_title),
        songs=songs,
        tags=tags,
        like_count=raw.like_cnt,
        updated=_date(parse_updated, raw.updt_date, "updt_date", source),
    )


def _song(raw: RawSong, known: frozenset[str] | None, source: RecordSource) -> Song:
    return Song(
        id=raw.id,
        name=clean_text(raw.song_name),
        artist_ids=tuple(raw.artist_id_basket or ()),
        artists=_texts(raw.artist_name_basket),
        album_id=raw.album_id,
        album=clean_text(raw.album_name),
        genres=_codes(raw.song_gn_gnr_basket, "song_gn_gnr_basket", known, source),
        detail_genres=_codes(raw.song_gn_dtl_gnr_basket, "song_gn_dtl_gnr_basket", known, source),
        issue_date=_date(parse_issue_date, raw.issue_date, "issue_date", source),
    )


T = TypeVar("T", int, str)


def _repeats(values: Iterable[T]) -> Iterator[T]:
    """Yield what has come before."""
    seen: set[T] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)


def _texts(texts: Iterable[str] | None) -> tuple[str, ...]:
    """Clean texts, without those of which nothing is left."""
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


def _date(
    parse: Callable[[str | int | None], DateT | None],
    value: str | int | None,
    field: str,
    source: RecordSource,
) -> DateT | None:
    try:
        return parse(value)
    except ValueError as error:
        source.note(Cause.UNREADABLE_DATE, field, f"{shortened(value)}: {error}")
        return None
