"""From a corpus to a space that knows how its release is best asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from melon.catalog import ReadReport, find_corpus
from melon.embedding import (
    EmbeddingSpace,
    TrainingSettings,
    check_place,
    read_catalogue,
    train_space,
    training_settings,
)
from melon.learning.learn import learn_ranking
from melon.outputs import check_not_read
from melon.progress import Progress, ignore


def train_corpus(
    corpus: Sequence[Path],
    out: Path,
    settings: TrainingSettings | None = None,
    *,
    ranking: bool = True,
    report: ReadReport | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> EmbeddingSpace:
    """Train a space on a corpus, learn a ranking for it, and save both.

    Before training, it is checked that the space can be saved.

    Args:
        corpus: directories in Melon's format, and files of playlists: see `find_corpus`.
        out: directory of the space.
        settings: hyper-parameters; the default preset where there are none.
        ranking: whether a ranking is learned: see `learn_ranking`.
        report: counts what is read and skipped.
        strict: raise at the first record that would be skipped.
        lenient: take what there is of a file of which less than half can be used.
        progress: told how far each step is: `playlists` and `songs` (in bytes; before them `keys`,
            where ids are strings), then those of `build_space` and of `learn_ranking`.

    Returns:
        The saved space, as `EmbeddingSpace.load` gives it.

    Raises:
        NotASpace, UnwritableFile: see `EmbeddingSpace.save`.
        ReplacedInput: a file of the corpus lies where the space would.
        UnreadableFile, BadCorpus: see `find_corpus`.
        NothingToTrain, RepeatedPlaylist, EmptyVocabulary, TrainingDiverged: see `build_space`.
    """
    check_place(out)
    files = find_corpus(corpus)
    check_not_read(out, files.all)
    settings = settings or training_settings()
    catalogue = read_catalogue(
        files, report=report, strict=strict, lenient=lenient, progress=progress
    )
    space = train_space(catalogue, settings, progress)
    if ranking:
        space = replace(space, ranking=learn_ranking(catalogue, settings, progress))
    return space.save(out)
