"""What the columns of playlists and songs are usually called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a column says of an entry, its playlist or its song."""

    PLAYLIST = "playlist"
    TITLE = "title"
    TAGS = "tags"
    LIKES = "likes"
    UPDATED = "updated"
    TRACK = "track"
    NAME = "name"
    ARTISTS = "artists"
    ALBUM = "album"
    GENRES = "genres"
    DATE = "date"
    POSITION = "position"


ROLES = {role.value: role for role in Role}

OF_PLAYLISTS = (Role.PLAYLIST, Role.TITLE, Role.TAGS, Role.LIKES, Role.UPDATED)
OF_SONGS = (Role.TRACK, Role.NAME, Role.ARTISTS, Role.ALBUM, Role.GENRES, Role.DATE)

MEANINGS = {
    Role.PLAYLIST: "key of the playlist",
    Role.TITLE: "title of the playlist",
    Role.TAGS: "tags of the playlist, several in one cell or one a row",
    Role.LIKES: "how many people like the playlist",
    Role.UPDATED: "last change of the playlist",
    Role.TRACK: "key of the song",
    Role.NAME: "name of the song",
    Role.ARTISTS: "artists of the song",
    Role.ALBUM: "name of the album",
    Role.GENRES: "genres of the song, several in one cell or one a row",
    Role.DATE: "release of the song",
    Role.POSITION: "place of the song in the playlist",
}

USUAL_NAMES: dict[Role, tuple[str, ...]] = {
    Role.PLAYLIST: (
        *("playlist id", "playlist uri", "playlist url", "playlist key", "playlist identifier"),
        *("plylst id", "pid", "list id", "플레이리스트 id", "재생목록 id"),
        *("playlist ids", "playlist uris"),
    ),
    Role.TITLE: (
        *("playlist name", "playlist title", "playlist title original", "plylst title"),
        *("list name", "list title", "플레이리스트", "플레이리스트명", "재생목록"),
        *("name der playlist", "nom de la playlist", "nombre de la playlist"),
    ),
    Role.TAGS: ("tags", "tag", "playlist tags", "hashtags", "keywords", "태그"),
    Role.LIKES: (
        *("likes", "like count", "like cnt", "followers", "num followers", "number of followers"),
        *("playlist likes", "playlist followers", "followers total"),
    ),
    Role.UPDATED: (
        *("updated", "updated at", "last modified", "last modified date", "modified at"),
        *("updt date", "playlist updated"),
    ),
    Role.TRACK: (
        *("track uri", "track id", "track url", "track key", "track identifier"),
        *("song uri", "song id", "song url", "song key", "spotify uri", "spotify id"),
        *("spotify track id", "video id", "item id", "recording mbid", "곡 id", "동영상 id"),
        *("track location", "track uris", "track ids", "song uris", "song ids"),
    ),
    Role.NAME: (
        *("track name", "track title", "song name", "song title", "곡명", "노래", "제목"),
        *("titel des songs", "titre du morceau", "nombre de la canción"),
    ),
    Role.ARTISTS: (
        *("artists", "artist", "artist name", "artist names", "track artist", "track artists"),
        *("artist name 1", "artist name basket", "creator", "performer", "singer"),
        *("가수", "아티스트"),
        *("künstler", "interpret", "interpreten", "artiste", "artistes", "interprète"),
        *("artista", "artistas", "intérprete"),
    ),
    Role.ALBUM: ("album", "album name", "album title", "release name", "앨범", "앨범명", "álbum"),
    Role.GENRES: (
        *("genres", "genre", "track genre", "artist genres", "song gn gnr basket", "장르"),
        *("género", "géneros"),
    ),
    Role.DATE: (
        *("release date", "album release date", "issue date", "released", "release year", "year"),
        *("발매일", "erscheinungsdatum", "date de sortie", "fecha de lanzamiento"),
        *("jahr", "année", "año"),
    ),
    Role.POSITION: (
        *("position", "pos", "playlist position", "track position", "track num", "index"),
        *("order", "sort order", "sequence", "순서", "#"),
    ),
}
"""Beside case, spaces and punctuation, which do not count."""

_PLAYLISTS = (
    *("playlist", "wiedergabeliste", "liste de lecture", "lista", "lista de reproducción"),
)
_TRACKS = ("track", "song", "lied", "morceau", "chanson", "canción")
KEY_OR_NAME = dict.fromkeys(_PLAYLISTS, (Role.PLAYLIST, Role.TITLE)) | dict.fromkeys(
    _TRACKS, (Role.TRACK, Role.NAME)
)
"""Names of columns that hold keys or names, as their values tell."""

LAST_RESORTS: dict[Role, tuple[str, ...]] = {
    Role.PLAYLIST: ("user id", "user", "user name", "session id", "session", "basket id"),
    Role.TRACK: ("artist id", "movie id", "product id", "item", "isrc"),
}
"""Proposed where a table of playlists has nothing better."""

ROW_LABEL = "row label"
ROW_LABELS = {"rowlabel", "indexlevel0"}
"""Of an index without a name, in frames and as pandas writes it into parquet: texts are keys, if
rows are of a playlist or a song each."""

BARE = {
    **dict.fromkeys(ROW_LABELS, (Role.PLAYLIST, Role.TRACK)),
    "id": (Role.PLAYLIST, Role.TRACK),
    "uri": (Role.PLAYLIST, Role.TRACK),
    "url": (Role.PLAYLIST, Role.TRACK),
    "identifier": (Role.PLAYLIST, Role.TRACK),
    "key": (Role.PLAYLIST, Role.TRACK),
    "name": (Role.TITLE, Role.NAME),
    **dict.fromkeys(("title", "titel", "titre", "título", "titulo"), (Role.TITLE, Role.NAME)),
}
"""Names that say nothing of whose key or name it is: what else the table has decides."""

FIELD_NAMES = {
    "durationms": "duration_ms",
    "trackdurationms": "duration_ms",
    "addedat": "added_at",
    "dateadded": "added_at",
    "addeddate": "added_at",
    "timeadded": "added_at",
    "key": "musical_key",
    "popularity": "track_popularity",
}
"""Own fields that go by another name than their header's."""


def meaning(*roles: Role) -> str:
    """What a column of one of the roles is, for people."""
    return " or the ".join(f"{MEANINGS[role]} ({role})" for role in roles)


def folded(name: str) -> str:
    """A header without case, spaces and punctuation, if it has more: `Artist Name(s)` is
    `artistnames`."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in text if character.isalnum()) or text.strip()


def field_name(header: str) -> str:
    """The name of an own field, in snake case: `Track URI` becomes `track_uri`."""
    text = unicodedata.normalize("NFKC", header)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"\W+|_+", "_", text).strip("_").lower()


KEY_OR_NAME = {folded(name): roles for name, roles in KEY_OR_NAME.items()}
BY_NAME = {folded(name): role for role, names in USUAL_NAMES.items() for name in names}


def titled(names: Iterable[str]) -> bool:
    """Whether one of the names may be that of a playlist's title."""
    return any(Role.TITLE in _roles(name) for name in names)


def has_role(name: str) -> bool:
    """Whether a column of this name would be taken for something."""
    return bool(_roles(name))


def of_playlist(name: str) -> bool:
    """Whether a column of this name may be that of a playlist's key or title."""
    return bool(_roles(name) & {Role.PLAYLIST, Role.TITLE})


def of_song(name: str) -> bool:
    """Whether a column of this name says something of songs alone."""
    return bool(_roles(name)) and _roles(name) <= {*OF_SONGS}


def names_song(names: Iterable[str]) -> bool:
    """Whether one of the names is plainly that of a song's key or name."""
    return any(_roles(name) and _roles(name) <= {Role.TRACK, Role.NAME} for name in names)


def _roles(name: str) -> set[Role]:
    name = folded(name)
    return {*KEY_OR_NAME.get(name, ()), *BARE.get(name, ())} or {*filter(None, [BY_NAME.get(name)])}
