"""From the files of a corpus to a space: what `melon train` does, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from melon.catalog import (
    CorpusFiles,
    ReadReport,
    find_corpus,
    read_genres,
    read_playlists,
    read_songs,
)
from melon.embedding.build import build_space
from melon.embedding.files import check_place
from melon.embedding.progress import ProgressCallback, ignore
from melon.embedding.settings import TrainingSettings
from melon.embedding.space import EmbeddingSpace
from melon.outputs import check_not_read


def train_corpus(
    corpus: Sequence[Path],
    out: Path,
    settings: TrainingSettings | None = None,
    *,
    report: ReadReport | None = None,
    strict: bool = False,
    progress: ProgressCallback = ignore,
) -> EmbeddingSpace:
    """Train a space on a corpus and save it; whether it could be saved is asked first.

    Args:
        corpus: directories in Melon's format, and files of playlists: see `find_corpus`.
        out: directory of the space.
        settings: hyper-parameters; the default preset where there are none.
        report: counts what is read and skipped.
        strict: raise at the first record that would be skipped.
        progress: told how far each stage has come.

    Returns:
        The saved space, as `EmbeddingSpace.load` gives it.

    Raises:
        NotASpace, UnwritableFile: see `EmbeddingSpace.save`.
        ReplacedInput: a file of the corpus lies where the space would.
        UnreadableFile, NoPlaylists, AmbiguousCorpus: see `find_corpus`.
        NothingToTrain, RepeatedPlaylist, EmptyVocabulary, TrainingDiverged: see `build_space`.
    """
    check_place(out)
    files = find_corpus(corpus)
    check_not_read(out, [*files.playlists, *filter(None, (files.songs, files.genres))])
    space = build_from_files(files, settings, report=report, strict=strict, progress=progress)
    return space.save(out)


def build_from_files(
    files: CorpusFiles,
    settings: TrainingSettings | None = None,
    *,
    report: ReadReport | None = None,
    strict: bool = False,
    progress: ProgressCallback = ignore,
) -> EmbeddingSpace:
    """As `train_corpus`, of files that were found before; the space is not saved."""
    report = report or ReadReport()
    genres = read_genres(files.genres) if files.genres else {}
    songs = (
        read_songs(files.songs, genres=genres or None, report=report, strict=strict)
        if files.songs
        else ()
    )
    playlists = read_playlists(files.playlists, report=report, strict=strict)
    return build_space(playlists, songs, genres, settings, progress)
