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
FIELDS_FILE = "fields.json"

COMPLETE = ".import.complete"
"""Where the files of an import stand that is complete, until they are all where they belong."""


@dataclass(frozen=True, slots=True)
class CorpusFiles:
    """The files of a corpus. Song metadata, genres and the catalogue's own fields are optional."""

    playlists: tuple[Path, ...]
    songs: Path | None = None
    genres: Path | None = None
    fields: Path | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file of the corpus."""
        return (*self.playlists, *filter(None, (self.songs, self.genres, self.fields)))


def find_corpus(paths: Sequence[Path]) -> CorpusFiles:
    """Find the files of a corpus.

    A directory stands for its `train.json`, `val.json`, `test.json`, `song_meta.json`,
    `genre_gn_all.json` and `fields.json`, as far as they exist. Any other path is a file of
    playlists, unless it is named like one of the last three. A file that is named twice counts
    once.

    Raises:
        MissingFile: a path does not exist.
        BadCorpus: a directory, or the paths together, name no file of playlists, or they name two
            files of songs, of genres or of fields.
    """
    playlists: list[Path] = []
    beside: dict[str, list[Path]] = {SONG_FILE: [], GENRE_FILE: [], FIELDS_FILE: []}
    for path in paths:
        if path.is_dir():
            playlists += _playlists_in(path)
            for name, found in beside.items():
                found += [file for file in [path / name] if file.is_file()]
        elif not path.exists():
            raise MissingFile(
                "there is no such file or directory", where=str(path), hint="check the path"
            )
        elif path.name in beside:
            beside[path.name].append(path)
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
        songs=_only(beside[SONG_FILE], "song metadata"),
        genres=_only(beside[GENRE_FILE], "genres"),
        fields=_only(beside[FIELDS_FILE], "fields"),
    )


def _playlists_in(directory: Path) -> list[Path]:
    if (directory / COMPLETE).exists():
        raise BadCorpus(
            "an import into this directory is not at its end: it is running, or was killed",
            where=str(directory),
            hint="wait for it, or import it again: that completes it",
        )
    files = [directory / name for name in PLAYLIST_FILES if (directory / name).is_file()]
    if not files:
        looked_for = ", ".join(PLAYLIST_FILES[:-1]) + f" and {PLAYLIST_FILES[-1]}"
        raise BadCorpus(
            f"no playlists here: looked for {looked_for}",
            where=str(directory),
            hint="give the directory that holds one of them, or name the files of playlists; "
            "`melon import` makes some of other formats",
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
