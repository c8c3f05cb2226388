"""The files of a corpus, by their names or by the directory that they are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from melon.catalog.errors import BadCorpus
from melon.errors import MissingFile

PLAYLIST_FILES = ("train.json", "val.json", "test.json")
SONG_FILE = "song_meta.json"
GENRE_FILE = "genre_gn_all.json"


@dataclass(frozen=True, slots=True)
class CorpusFiles:
    """The files of a corpus. Song metadata and genres are optional."""

    playlists: tuple[Path, ...]
    songs: Path | None = None
    genres: Path | None = None


def find_corpus(paths: Sequence[Path]) -> CorpusFiles:
    """Find the files of a corpus.

    A directory stands for its `train.json`, `val.json`, `test.json`, `song_meta.json` and
    `genre_gn_all.json`, as far as they exist. Any other path is a file of playlists, unless it
    is named like the songs or the genres. A file that is named twice counts once.

    Raises:
        MissingFile: a path does not exist.
        BadCorpus: a directory, or the paths together, name no file of playlists, or they name two
            files of songs, or two of genres.
    """
    playlists: list[Path] = []
    songs: list[Path] = []
    genres: list[Path] = []
    for path in paths:
        if path.is_dir():
            playlists += _playlists_in(path)
            songs += [file for file in [path / SONG_FILE] if file.is_file()]
            genres += [file for file in [path / GENRE_FILE] if file.is_file()]
        elif not path.exists():
            raise MissingFile(
                "there is no such file or directory", where=str(path), hint="check the path"
            )
        elif path.name == SONG_FILE:
            songs.append(path)
        elif path.name == GENRE_FILE:
            genres.append(path)
        else:
            playlists.append(path)
    if not playlists:
        raise BadCorpus(
            "there is no file of playlists",
            where=", ".join(map(str, paths)) or None,
            hint=f"give a directory that holds {PLAYLIST_FILES[0]}, or files of playlists",
        )
    return CorpusFiles(
        playlists=tuple(_distinct(playlists)),
        songs=_only(songs, "song metadata"),
        genres=_only(genres, "genres"),
    )


def _playlists_in(directory: Path) -> list[Path]:
    files = [directory / name for name in PLAYLIST_FILES if (directory / name).is_file()]
    if not files:
        looked_for = ", ".join(PLAYLIST_FILES[:-1]) + f" and {PLAYLIST_FILES[-1]}"
        raise BadCorpus(
            f"no playlists here: looked for {looked_for}",
            where=str(directory),
            hint="give the directory that holds one of them, or name the files of playlists",
        )
    return files


def _only(files: list[Path], kind: str) -> Path | None:
    distinct = _distinct(files)
    if len(distinct) > 1:
        raise BadCorpus(
            f"there are {len(distinct)} files of {kind}: {', '.join(map(str, distinct))}",
            hint="merge them into one: ids mean the same only within one file",
        )
    return distinct[0] if distinct else None


def _distinct(files: Iterable[Path]) -> list[Path]:
    """The files in order, each by the first of its names."""
    names: dict[Path, Path] = {}
    for file in files:
        names.setdefault(file.resolve(), file)
    return list(names.values())
