"""Songs by name: the id of the one that is meant, or an error that lists those of the name."""

from __future__ import annotations

from melon.errors import WrongType
from melon.fields import MAX_ID
from melon.retrieval.errors import AmbiguousSong, UnknownSong
from melon.retrieval.query import valid_text
from melon.retrieval.results import Description, Song
from melon.store import Collection, Filter, MatchAny, ReleaseReader
from melon.text import name_key

SHOWN = 8
"""Songs that the message about an ambiguous name lists."""


def song_id(reader: ReleaseReader, text: str) -> int:
    """As `Retriever.song_id`, in one release."""
    if not isinstance(text, str):
        raise WrongType(f"a song's name or id is wanted as text, not {text!r}")
    valid_text(text)
    number = _as_id(text)
    if number is not None and reader.retrieve(Collection.SONGS, [number], payload=False):
        return number
    key = name_key(text)
    if not key:
        raise UnknownSong("a song's name is empty")
    named = Filter(must=(MatchAny("name_key", (key,)),))
    fields = (*reader.manifest.schema(Collection.SONGS).shown, "popularity")
    records = reader.top(Collection.SONGS, "popularity", SHOWN, named, payload=fields)
    if not records and number is not None:
        return number
    if not records:
        raise UnknownSong(f"there is no song named {text!r}", hint="give its whole name, or its id")
    if len(records) == 1:
        return int(records[0].id)
    count = reader.count(Collection.SONGS, named)
    records.sort(key=lambda record: (-record.payload["popularity"], record.id))
    songs = [Song.of(int(record.id), 0.0, Description.of(record.payload)) for record in records]
    listed = "".join(
        f"\n    {song.id}  {song.name} · {', '.join(song.artists) or '?'}"
        f"{f' · {song.issue_date}' if song.issue_date else ''}"
        for song in songs
    )
    more = f"\n    and {count - SHOWN} more" if count > SHOWN else ""
    raise AmbiguousSong(
        f"{count} songs are named {text!r}",
        hint=f"give the id of the one meant:{listed}{more}",
    )


def _as_id(text: str) -> int | None:
    """The number, if a song could have it for an id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return int(text) if int(text) <= MAX_ID else None
