"""Songs by what people call them: ids by keys, ids in digits and names, or what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from melon.errors import WrongType
from melon.retrieval.errors import AmbiguousSong, UnknownSong
from melon.retrieval.keys import as_id, ids_of
from melon.retrieval.query import valid_text
from melon.retrieval.results import Description, Song
from melon.store import Collection, Filter, MatchAny, ReleaseReader
from melon.text import clean_text, did_you_mean, name_key

POPULAR = 1000
"""Songs whose names are looked through for the one that a misspelt name may mean."""

SHOWN = 8
"""Songs that the message about an ambiguous name lists."""


def song_ids(reader: ReleaseReader, texts: Sequence[str]) -> list[int]:
    """The song that each text means; see `Retriever.song_id`.

    One request for all that are keys, one for all that are ids, and one for each name.
    """
    for text in texts:
        if not isinstance(text, str):
            raise WrongType(f"a song's name or id is wanted as text, not {text!r}")
        valid_text(text)
    keys = {text: clean_text(text) or "" for text in texts}
    ids = ids_of(reader, Collection.SONGS, filter(None, keys.values()))
    numbers = [as_id(text) for text in texts if keys[text] not in ids]
    asked = [number for number in numbers if number is not None]
    there = {record.id for record in reader.retrieve(Collection.SONGS, asked, payload=False)}

    def meant(text: str) -> int:
        if (song := ids.get(keys[text])) is not None:
            return song
        number = as_id(text)
        return number if number in there and number is not None else _named(reader, text, number)

    return [meant(text) for text in texts]


def _named(reader: ReleaseReader, text: str, number: int | None) -> int:
    """The song of that name; if there is none, what may be an id that the release does not know."""
    key = name_key(text)
    if not key:
        raise UnknownSong("a song's name is empty")
    named = Filter(must=(MatchAny("name_key", (key,)),))
    fields = (*reader.manifest.schema(Collection.SONGS).shown, "popularity")
    records = reader.top(Collection.SONGS, "popularity", SHOWN, named, payload=fields)
    if not records and number is not None:
        return number
    if not records:
        raise UnknownSong(
            f"there is no song named {text!r}",
            hint=did_you_mean(text, _popular(reader)) or "give its whole name, its id or its key",
        )
    if len(records) == 1:
        return int(records[0].id)
    count = reader.count(Collection.SONGS, named)
    records.sort(key=lambda record: (-record.payload["popularity"], record.id))
    songs = [Song.of(int(record.id), 0.0, Description.of(record.payload)) for record in records]
    listed = "".join(
        f"\n    {song.key or song.id}  {song.name} · {', '.join(song.artists) or '?'}"
        f"{f' · {song.issue_date}' if song.issue_date else ''}"
        for song in songs
    )
    more = f"\n    and {count - SHOWN} more" if count > SHOWN else ""
    raise AmbiguousSong(
        f"{count} songs are named {text!r}",
        hint=f"name the one that is meant:{listed}{more}",
    )


def _popular(reader: ReleaseReader) -> list[str]:
    songs = reader.top(Collection.SONGS, "popularity", POPULAR, payload=("name",))
    return [song.payload["name"] for song in songs if "name" in song.payload]
