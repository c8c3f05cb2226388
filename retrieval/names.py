"""Songs by name: the id of the one that is meant, or the candidates."""

from __future__ import annotations

from melon.errors import InputError
from melon.retrieval.results import SONG_FIELDS, Song
from melon.store import Collection, Filter, MatchAny, ReleaseReader, name_key

SHOWN = 8
LOOKED_AT = 100


class UnknownSong(InputError):
    """No song has this name."""


class AmbiguousSong(InputError):
    """Several songs have this name."""


def song_id(reader: ReleaseReader, text: str) -> int:
    """The song that `text` means: an id in digits, else a name, whatever its case.

    Raises:
        UnknownSong: there is none of that name.
        AmbiguousSong: there are several; the message lists them, most popular first.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    key = name_key(text)
    if not key:
        raise UnknownSong("a song's name is empty")
    named = Filter(must=(MatchAny("name_key", (key,)),))
    fields = (*SONG_FIELDS, "popularity")
    found = reader.find(Collection.SONGS, named, LOOKED_AT, payload=fields)
    if len(found) == 1:
        return int(found[0].id)
    if not found:
        raise UnknownSong(f"there is no song named {text!r}", hint="give its whole name, or its id")
    found.sort(key=lambda record: (-record.payload["popularity"], record.id))
    songs = [Song.of(int(record.id), 0.0, record.payload) for record in found[:SHOWN]]
    listed = "".join(
        f"\n    {song.id}  {song.name} · {', '.join(song.artists) or '?'}"
        f"{f' · {song.issue_date}' if song.issue_date else ''}"
        for song in songs
    )
    more = f"\n    and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise AmbiguousSong(
        f"{len(found)} songs are named {text!r}",
        hint=f"give the id of the one meant:{listed}{more}",
    )
