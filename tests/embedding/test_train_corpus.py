"""From files to a space in one call: as by hand, and nothing is lost when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted import planted_genres, planted_playlists, planted_songs, small_settings

from melon.catalog import (
    BadRecord,
    ReadReport,
    find_corpus,
    write_genres,
    write_playlists,
    write_songs,
)
from melon.embedding import EmbeddingSpace, build_from_files, train_corpus
from melon.embedding.errors import NotASpace
from melon.errors import ReplacedInput


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    directory = tmp_path / "corpus"
    directory.mkdir()
    write_playlists(directory / "train.json", planted_playlists())
    write_songs(directory / "song_meta.json", planted_songs())
    write_genres(directory / "genre_gn_all.json", planted_genres().values())
    return directory


def test_it_is_the_space_of_the_records(corpus: Path, tmp_path: Path, space: EmbeddingSpace):
    report, steps = ReadReport(), []
    trained = train_corpus(
        [corpus],
        tmp_path / "space",
        small_settings(),
        report=report,
        progress=lambda step, *_: steps.append(step),
    )
    assert trained.hash == space.hash == EmbeddingSpace.load(tmp_path / "space").hash
    assert build_from_files(find_corpus([corpus]), small_settings()).hash == space.hash
    assert report.playlists == len(planted_playlists())
    epochs = [f"epoch {number}/{len(space.epochs)}" for number in range(1, len(space.epochs) + 1)]
    read = ["playlists", "songs"]
    assert list(dict.fromkeys(steps)) == [*read, "titles", "bags", *epochs, "vectors"]


def test_nothing_is_read_where_the_space_could_not_be_saved(corpus: Path, tmp_path: Path):
    with pytest.raises(NotASpace):
        train_corpus([tmp_path / "no such corpus"], corpus)
    train_corpus([corpus], tmp_path / "space", small_settings(epochs=1))
    inside = corpus / "train.json"
    inside = inside.rename(tmp_path / "space" / inside.name)
    with pytest.raises(ReplacedInput):
        train_corpus([inside], tmp_path / "space")
    assert inside.exists()


def test_a_bad_record_is_an_error_where_asked_for(corpus: Path, tmp_path: Path):
    (corpus / "train.json").write_text('[{"id": "x"}]')
    with pytest.raises(BadRecord):
        train_corpus([corpus], tmp_path / "space", strict=True)
    assert not (tmp_path / "space").exists()
