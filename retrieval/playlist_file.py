"""An answer as a playlist that players and importers take: M3U8, JSPF, CSV, or Melon's JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from melon.errors import InputError
from melon.files import write_csv
from melon.retrieval.results import Recommendation, Song

SEPARATORS = frozenset(";|,")
"""What imports take to stand between names."""

DASH = " - "
"""Between artist and title in an M3U8 file."""

NO_BREAK = "\u00a0"
"""A space that ends no artist: what stands before the first dash is the artist."""

CSV_COLUMNS = ("track_key", "track_name", "artists", "genres", "release_date", "playlist_title")


class Playlist(NamedTuple):
    """What is written: `name` is what the playlist is called by in a file of several."""

    name: str
    title: str
    songs: Sequence[Song]
    tags: Sequence[str]


def playlist_file(
    answer: Recommendation, format: str, *, name: str = "melon", title: str | None = None
) -> str:
    """The recommended songs, in their order, as the content of a file.

    Songs go by their key, else by their id. `melon import` reads every format.

    Args:
        format: a name in `PLAYLIST_FORMATS`.
        name: what Melon's JSON calls the playlist, as its `id`.
        title: of the playlist, the name by default.

    Raises:
        InputError: there is no such format, or it cannot hold a song's key.
    """
    write = PLAYLIST_FORMATS.get(format)
    if write is None:
        raise InputError(
            f"{format!r} is no format of playlists", hint=f"give {', '.join(PLAYLIST_FORMATS)}"
        )
    return write(Playlist(name, title or name, answer.songs, [tag.tag for tag in answer.tags]))


def key_of(song: Song) -> str:
    """What a song is called by in files: its key, else its id."""
    return str(song.id) if song.key is None else song.key


def _m3u8(playlist: Playlist) -> str:
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(playlist.title)}"]
    for song in playlist.songs:
        key = key_of(song)
        if key.startswith("#") or key.splitlines() != [key.strip()]:
            raise InputError(f"no line of an M3U8 file can be {key!r}", hint="write JSPF or CSV")
        if name := _line(song.name or ""):
            if song.artists or DASH in name:
                artists = _line("; ".join(song.artists))
                name = artists.replace(" -", f"{NO_BREAK}-") + DASH + name
            lines.append(f"#EXTINF:-1,{name}")
        lines.append(key)
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _jspf(playlist: Playlist) -> str:
    tracks = [
        {
            "identifier": [key_of(song)],
            **({"title": song.name} if song.name else {}),
            **({"creator": "; ".join(song.artists)} if song.artists else {}),
        }
        for song in playlist.songs
    ]
    return _json(
        {"playlist": {"title": playlist.title, "identifier": playlist.name, "track": tracks}}
    )


def _csv(playlist: Playlist) -> str:
    text = io.StringIO()
    rows = (
        (key_of(song), song.name, artists, genres, song.issue_date, playlist.title)
        for song, artists, genres in zip(
            playlist.songs,
            _cells([song.artists for song in playlist.songs]),
            _cells([song.genres for song in playlist.songs]),
            strict=True,
        )
    )
    write_csv(text, [CSV_COLUMNS, *rows])
    return text.getvalue()


def _cells(column: Sequence[Sequence[str]]) -> list[str]:
    """Names in cells, between `;`; as lists in JSON where a name has what separates names."""
    if not any(SEPARATORS & set(name) for names in column for name in names):
        return ["; ".join(names) for names in column]
    return [json.dumps(names, ensure_ascii=False) if names else "" for names in column]


def _melon(playlist: Playlist) -> str:
    songs = [song.id if song.key is None else song.key for song in playlist.songs]
    return _json(
        [
            {
                "id": playlist.name,
                "plylst_title": playlist.title,
                "songs": songs,
                "tags": list(playlist.tags),
            }
        ]
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


PLAYLIST_FORMATS: Mapping[str, Callable[[Playlist], str]] = {
    "m3u8": _m3u8,
    "jspf": _jspf,
    "csv": _csv,
    "json": _melon,
}
"""What writes each format, by the end of a file's name."""
