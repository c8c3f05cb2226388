"""All that a store knows of one song, tag, playlist or artist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from melon.errors import InputError, WrongType
from melon.retrieval.arrays import Floats
from melon.retrieval.errors import UnknownItem, UnknownSong
from melon.retrieval.find import find_artists
from melon.retrieval.keys import point_of
from melon.retrieval.known import Known, first, known, ordered, shown_fields
from melon.retrieval.listing import Counted
from melon.retrieval.live import OpenRelease
from melon.retrieval.query import valid_text
from melon.retrieval.similar import Nearest
from melon.retrieval.song_names import song_ids
from melon.store import (
    ALL_VALUES,
    DENSE,
    Collection,
    Filter,
    HasId,
    HasWords,
    MatchAny,
    PointId,
    Record,
    ReleaseReader,
    VectorQuery,
    tag_point_id,
)
from melon.text import clean_text, did_you_mean, name_key
from melon.word_index import asked_words, plain_form

SHOWN_KINDS = ("song", "tag", "playlist", "artist")
"""What can be shown."""

OWN_SONGS = 1000
"""Songs of an artist, the most popular, whose playlists are counted, and whose mean is searched."""

ALIKE = 200
"""Names that are looked through for the one that is meant."""

HIDDEN = (
    *("name_key", "artist_keys", "search_words", "artist_words", "key_words", "genre_years"),
    "item",
)
"""Payload fields that say, in a form of their own, what others say, and that of a dimension."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of a song, tag, playlist or artist.

    Attributes:
        kind: of `SHOWN_KINDS`.
        id: of its point; None for an artist, who has none.
        name: that of a song, tag or artist, or a playlist's title; None where there is none.
        payload: what the store holds of it. A song's own fields are among these.
        songs: of a playlist, in its order; of an artist, the most popular first.
        song_count: how many there are.
        playlists: that hold it, the most liked first, or the largest of which no likes are known.
            An artist's hold one of the `OWN_SONGS` most popular of theirs.
        playlist_count: how many there are.
        genres: of an artist's songs, the most frequent first.
        years: in which an artist's songs were issued, in order.
        nearest: in the co-embedding, by collection, itself and an artist's songs left out. Empty
            where it has no vector.
    """

    kind: str
    id: PointId | None
    name: str | None
    payload: Mapping[str, Any] = field(hash=False, default_factory=dict)
    songs: tuple[Known, ...] = ()
    song_count: int = 0
    playlists: tuple[Known, ...] = ()
    playlist_count: int = 0
    genres: tuple[Counted, ...] = ()
    years: tuple[Counted, ...] = ()
    nearest: Mapping[Collection, Sequence[Nearest]] = field(hash=False, default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `melon show --json` prints it."""
        shown: dict[str, Any] = {"kind": self.kind, "name": self.name}
        if self.kind in ("song", "playlist"):
            shown["id"] = self.id
        shown["payload"] = dict(self.payload)
        if self.kind in ("playlist", "artist"):
            shown["song_count"] = self.song_count
            shown["songs"] = [song.to_json() for song in self.songs]
        if self.kind != "playlist":
            shown["playlist_count"] = self.playlist_count
            shown["playlists"] = [playlist.to_json() for playlist in self.playlists]
        if self.kind == "artist":
            shown["genres"] = [
                {"genre": one.value, **one.more, "songs": one.count} for one in self.genres
            ]
            shown["years"] = [{"year": int(one.value), "songs": one.count} for one in self.years]
        shown["nearest"] = {
            str(collection): [near.to_json() for near in some]
            for collection, some in self.nearest.items()
        }
        return shown


def show(release: OpenRelease, kind: str, what: int | str, limit: int) -> Shown:
    """As `Retriever.show`, in one release."""
    if kind not in _SHOW:
        raise InputError(f"no {kind!r} can be shown", hint=f"kinds: {', '.join(SHOWN_KINDS)}")
    if isinstance(what, bool) or not isinstance(what, int | str):
        raise WrongType(f"a name, a key or an id is wanted, not {what!r}")
    if limit < 1:
        raise InputError(f"{limit} of each cannot be shown")
    valid_text(what)
    if isinstance(what, str) and not what.strip():
        raise InputError(f"there is no {kind} without a name")
    return _SHOW[kind](release, what, limit)


def _song(release: OpenRelease, what: int | str, limit: int) -> Shown:
    reader = release.reader
    [point] = song_ids(reader, [what]) if isinstance(what, str) else [what]
    record = _record(reader, Collection.SONGS, point)
    if record is None:
        raise UnknownSong(f"there is no song {what}", hint="give its key, its id or its whole name")
    holders = _holders(record)
    return Shown(
        "song",
        point,
        record.payload.get("name"),
        _payload(reader, Collection.SONGS, record),
        playlists=ordered(reader, Collection.PLAYLISTS, holders, limit),
        playlist_count=len(holders),
        nearest=_near(release, Collection.SONGS, record, limit),
    )


def _tag(release: OpenRelease, what: int | str, limit: int) -> Shown:
    reader = release.reader
    tag = clean_text(str(what)) or ""
    spellings = [tag_point_id(spelling) for spelling in release.tokenizer.spellings(tag)]
    records = reader.retrieve(Collection.TAGS, spellings, vectors=True, sparse=True)
    if not records:
        tags = (str(tag.payload["tag"]) for tag in _alike(reader, Collection.TAGS, str(what)))
        raise UnknownItem(
            f"there is no tag {what!r}", hint=did_you_mean(str(what), tags) or _SEARCH
        )
    record = records[0]
    holders = _holders(record)
    return Shown(
        "tag",
        record.id,
        str(record.payload.get("tag", record.id)),
        _payload(reader, Collection.TAGS, record),
        playlists=ordered(reader, Collection.PLAYLISTS, holders, limit),
        playlist_count=len(holders),
        nearest=_near(release, Collection.TAGS, record, limit),
    )


def _playlist(release: OpenRelease, what: int | str, limit: int) -> Shown:
    reader = release.reader
    named = clean_text(what) or "" if isinstance(what, str) else what
    point = point_of(reader, Collection.PLAYLISTS, named)
    record = None if point is None else _record(reader, Collection.PLAYLISTS, point)
    if record is None:
        record = _by_title(reader, str(what))
    songs = record.payload.get("songs", [])
    some = reader.retrieve(
        Collection.SONGS, songs[:limit], payload=shown_fields(reader, Collection.SONGS)
    )
    return Shown(
        "playlist",
        record.id,
        record.payload.get("title"),
        _payload(reader, Collection.PLAYLISTS, record, "songs"),
        songs=known(reader, Collection.SONGS, some),
        song_count=len(songs),
        nearest=_near(release, Collection.PLAYLISTS, record, limit),
    )


def _artist(release: OpenRelease, what: int | str, limit: int) -> Shown:
    reader, key = release.reader, name_key(str(what))
    theirs = Filter(must=(MatchAny("artist_keys", (key,)),))
    count = reader.count(Collection.SONGS, theirs)
    if not count:
        raise UnknownItem(
            f"there is no song by {what!r}",
            hint=did_you_mean(str(what), _artists_alike(reader, str(what))) or _SEARCH,
        )
    songs = first(reader, Collection.SONGS, theirs, min(count, OWN_SONGS), ("artists",))
    ids = [song.id for song in songs]
    points = reader.retrieve(Collection.SONGS, ids, payload=False, vectors=True, sparse=True)
    holders = list(dict.fromkeys(holder for point in points for holder in _holders(point)))
    vectors = [point.vector for point in points if point.vector is not None]
    names = (
        name for song in songs for name in song.payload.get("artists", ()) if name_key(name) == key
    )
    others = Filter(must_not=theirs.must)
    return Shown(
        "artist",
        None,
        next(names, key),
        songs=known(reader, Collection.SONGS, songs[:limit]),
        song_count=count,
        playlists=ordered(reader, Collection.PLAYLISTS, holders, limit),
        playlist_count=len(holders),
        genres=tuple(
            Counted(str(code), number, {"name": reader.manifest.genres.get(str(code))})
            for code, number in reader.facet(Collection.SONGS, "genres", ALL_VALUES, theirs)
        ),
        years=tuple(
            Counted(str(year), number, {})
            for year, number in sorted(
                reader.facet(Collection.SONGS, "issue_year", ALL_VALUES, theirs)
            )
        ),
        nearest=_nearest(
            reader,
            np.mean(vectors, axis=0, dtype=np.float32),
            {Collection.SONGS: others, Collection.TAGS: Filter()},
            limit,
        )
        if vectors
        else {},
    )


_SHOW: Mapping[str, Callable[[OpenRelease, int | str, int], Shown]] = {
    "song": _song,
    "tag": _tag,
    "playlist": _playlist,
    "artist": _artist,
}

_SEARCH = "look for a part of the name with `melon find`"


def _record(reader: ReleaseReader, collection: Collection, point: PointId) -> Record | None:
    """The point with all that is known of it."""
    sparse = collection is not Collection.PLAYLISTS
    records = reader.retrieve(collection, [point], vectors=True, sparse=sparse)
    return records[0] if records else None


def _payload(
    reader: ReleaseReader, collection: Collection, record: Record, *left_out: str
) -> Mapping[str, Any]:
    hidden = (*HIDDEN, *left_out)
    payload = reader.manifest.schema(collection).in_order(record.payload)
    return {name: value for name, value in payload.items() if name not in hidden}


def _holders(record: Record) -> list[PointId]:
    """The playlists that hold a song or a tag: the dimensions of its sparse vector."""
    return record.sparse.indices.tolist() if record.sparse else []


def _near(
    release: OpenRelease, collection: Collection, record: Record, limit: int
) -> Mapping[Collection, list[Nearest]]:
    """The songs and tags nearest to a point, and to a playlist the playlists, too."""
    if record.vector is None:
        return {}
    wanted = dict.fromkeys((Collection.SONGS, Collection.TAGS, collection), Filter())
    wanted[collection] = Filter(must_not=(HasId((record.id,)),))
    return _nearest(release.reader, record.vector, wanted, limit)


def _nearest(
    reader: ReleaseReader, vector: Floats, wanted: Mapping[Collection, Filter], limit: int
) -> dict[Collection, list[Nearest]]:
    """The points nearest to a vector, (dim,) float32, of those that pass each filter."""
    found = {}
    for collection, filter in wanted.items():
        schema = reader.manifest.schema(collection)
        [hits] = reader.query(collection, [VectorQuery(vector, DENSE, limit, filter, schema.shown)])
        found[collection] = [
            Nearest(collection, hit.id, hit.score, schema.in_order(hit.payload)) for hit in hits
        ]
    return found


def _by_title(reader: ReleaseReader, title: str) -> Record:
    """The only playlist of this title.

    Raises:
        UnknownItem: there is none.
        InputError: there are several.
    """
    some = _alike(reader, Collection.PLAYLISTS, title)
    wanted = plain_form(title)
    same = [one for one in some if plain_form(one.payload.get("title", "")) == wanted]
    if len(same) == 1:
        [found] = reader.retrieve(Collection.PLAYLISTS, [same[0].id], vectors=True)
        return found
    if same:
        ids = ", ".join(str(one.payload.get("key", one.id)) for one in same[:8])
        raise InputError(
            f"{len(same)} playlists have the title {title!r}", hint=f"give a key or an id: {ids}"
        )
    titles = (str(one.payload["title"]) for one in some if "title" in one.payload)
    raise UnknownItem(
        f"the store holds no playlist {title!r}",
        hint=did_you_mean(title, titles) or "give its key, its id or its title",
    )


def _alike(reader: ReleaseReader, collection: Collection, name: str) -> list[Record]:
    """Those that the name finds, and those of which a word begins as one of it does."""
    found: dict[PointId, Record] = {}
    for letters in (None, 2, 1):
        words = [word[:letters] for word in asked_words(name).split()]
        if words:
            parts = [" ".join(words)] if letters is None else words
            any_of = Filter(should=tuple(HasWords("search_words", part) for part in parts))
            found |= {one.id: one for one in first(reader, collection, any_of, ALIKE)}
    return list(found.values())


def _artists_alike(reader: ReleaseReader, name: str) -> list[str]:
    parts = {word[:letters] for word in asked_words(name).split() for letters in (2, 1)}
    return [one.artist for part in parts for one in find_artists(reader, part, ALIKE)]
