"""Songs and playlists by their keys: which ids a release has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from melon.fields import MAX_ID
from melon.retrieval.constraints import Constraints
from melon.retrieval.query import PlaylistQuery
from melon.store import Collection, Filter, MatchAny, ReleaseReader

TOGETHER = 10_000
"""Keys that are looked up in one request."""


def ids_of(reader: ReleaseReader, collection: Collection, names: Iterable[str]) -> dict[str, int]:
    """The ids of what has these keys, without those that nothing has: one request for all."""
    keys = list(dict.fromkeys(names))
    ids: dict[str, int] = {}
    for start in range(0, len(keys), TOGETHER):
        some = tuple(keys[start : start + TOGETHER])
        having = Filter(must=(MatchAny("key", some),))
        for record in reader.find(collection, having, len(some), payload=("key",)):
            if "key" in record.payload:
                ids[record.payload["key"]] = int(record.id)
    return ids


def keys_of(reader: ReleaseReader, collection: Collection, ids: Iterable[int]) -> dict[int, str]:
    """The keys of these points, without those that have none: one request for all."""
    records = reader.retrieve(collection, list(dict.fromkeys(ids)), payload=("key",))
    return {int(record.id): record.payload["key"] for record in records if "key" in record.payload}


def as_id(text: str) -> int | None:
    """The number that a text writes, if a song or playlist could have it for an id."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))):
        return None
    return int(text) if int(text) <= MAX_ID else None


def point_of(reader: ReleaseReader, collection: Collection, named: int | str) -> int | None:
    """The id of a song or playlist by its id, or as text by its key, else its id in digits.

    None for a text that is neither.
    """
    return named if isinstance(named, int) else _ids(reader, collection, [named]).get(named)


def by_ids(
    reader: ReleaseReader,
    queries: Sequence[PlaylistQuery],
    constraints: Sequence[Constraints | None] = (),
) -> tuple[list[PlaylistQuery], list[Constraints | None]]:
    """The same queries and constraints with ids in place of keys: a request for songs at most, and
    one for playlists, however many there are.

    A text that is no key is an id in digits. What is neither stays where it is as a song, and is
    left out as the playlist that is continued.

    Raises:
        InputError: a song is wanted and disliked at once, by its id and by its key.
    """
    songs = _ids(
        reader,
        Collection.SONGS,
        (
            *(song for query in queries for song in (*query.songs, *query.not_songs)),
            *(song for limits in constraints if limits for song in limits.exclude_songs),
        ),
    )
    playlists = _ids(reader, Collection.PLAYLISTS, (query.playlist for query in queries))
    return (
        [_query_by_ids(query, songs, playlists) for query in queries],
        [_limits_by_ids(limits, songs) for limits in constraints],
    )


def _ids(
    reader: ReleaseReader, collection: Collection, named: Iterable[int | str | None]
) -> Mapping[str, int]:
    """The ids of the texts among what is named."""
    texts = [name for name in named if isinstance(name, str)]
    if not texts:
        return {}
    ids = ids_of(reader, collection, texts)
    numbers = {text: number for text in texts if (number := as_id(text)) is not None}
    return numbers | ids


def _query_by_ids(
    query: PlaylistQuery, songs: Mapping[str, int], playlists: Mapping[str, int]
) -> PlaylistQuery:
    named = (*query.songs, *query.not_songs, query.playlist)
    if not any(isinstance(name, str) for name in named):
        return query
    playlist = query.playlist
    return PlaylistQuery.model_validate(
        {
            **dict(query),
            "songs": [_id(song, songs) for song in query.songs],
            "not_songs": [_id(song, songs) for song in query.not_songs],
            "playlist": playlists.get(playlist) if isinstance(playlist, str) else playlist,
        }
    )


def _limits_by_ids(limits: Constraints | None, songs: Mapping[str, int]) -> Constraints | None:
    if limits is None or not any(isinstance(song, str) for song in limits.exclude_songs):
        return limits
    excluded = tuple(dict.fromkeys(_id(song, songs) for song in limits.exclude_songs))
    return limits.model_copy(update={"exclude_songs": excluded})


def _id(name: int | str, ids: Mapping[str, int]) -> int | str:
    return ids.get(name, name) if isinstance(name, str) else name
