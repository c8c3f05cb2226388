"""Questions and answers that name songs and playlists by keys, asked of the store that has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from melon import cli
from melon.catalog import find_corpus
from melon.embedding import build_from_files, training_settings
from melon.evaluation import StoreKeys, paired, read_questions
from melon.fields import MAX_ID
from melon.ingest import ingest
from melon.store import ReleaseReader
from melon.store.embedded import EmbeddedStore


def write(path: Path, *records: dict[str, object]) -> Path:
    path.write_text(json.dumps([{"tags": [], "songs": []} | record for record in records]))
    return path


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseReader]:
    """Songs 3 and 7, of which 7 has a key, and songs and a playlist that have nothing else."""
    home = tmp_path_factory.mktemp("keyed")
    write(
        home / "train.json",
        {"id": "list:a", "songs": ["track:a", "track:b", 3, "x"]},
        {"id": 5, "songs": ["track:b", 3, "x"]},
    )
    (home / "song_meta.json").write_text(json.dumps([{"id": 7, "key": "x"}]))
    settings = training_settings(dim=8, epochs=1, min_count=1, title_pieces=32)
    with EmbeddedStore(home / "store") as store:
        ingest(build_from_files(find_corpus([home]), settings), store)
        yield store.open()


def test_keys_are_those_of_the_store_and_digits_are_ids(
    reader: ReleaseReader, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "questions.json",
        {"id": "list:a", "songs": ["track:b", "3", "x", 3, "4"]},
        {"id": "5", "songs": ["track:a"]},
    )
    first, second = read_questions(path, StoreKeys(lambda: reader, [path]))
    assert (first.id, first.key, first.songs) == (6, "list:a", (9, 3, 7, 4))
    assert (second.id, second.songs) == (5, (8,))


def test_what_the_store_does_not_know_is_the_same_in_all_files(
    reader: ReleaseReader, tmp_path: Path
) -> None:
    questions = write(
        tmp_path / "questions.json",
        {"id": "new", "songs": ["unheard of", "track:a"]},
        {"id": "newer", "songs": [MAX_ID]},
    )
    answers = write(
        tmp_path / "answers.json",
        {"id": "newer", "songs": ["unheard of", "x"]},
        {"id": "new", "songs": ["track:b"]},
    )
    keys = StoreKeys(lambda: reader, [questions, answers])
    pairs = paired(read_questions(questions, keys), read_questions(answers, keys))
    assert [(question.key, answer.key) for question, answer in pairs] == [
        ("new", "new"),
        ("newer", "newer"),
    ]
    [(asked, _), (_, hidden)] = pairs
    assert asked.songs[0] == hidden.songs[0] != MAX_ID
    assert reader.retrieve("songs", [asked.songs[0]]) == []
    alone = read_questions(questions, StoreKeys(lambda: reader, [questions]))
    assert [question.id for question in alone] == [question.id for question, _ in pairs]


def test_a_store_is_not_asked_about_integers(tmp_path: Path) -> None:
    def opened() -> ReleaseReader:
        raise AssertionError("the store was opened")

    path = write(tmp_path / "questions.json", {"id": 1, "key": "list:a", "songs": [3]})
    [question] = read_questions(path, StoreKeys(opened, [path]))
    assert question.songs == (3,)


def test_training_says_what_was_read_though_it_is_read_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "train.json", *({"id": f"l{n}", "songs": ["a", "b"]} for n in range(9)))
    command = ["melon", "train", str(path), "--out", str(tmp_path / "space"), "--dim", "4"]
    monkeypatch.setattr("sys.argv", [*command, "--epochs", "1"])
    assert cli.run() == 0
    said = capsys.readouterr().err
    assert "read 9 playlists" in said
    assert "\nanswers by hybrid: playlists were too few, too short or too unlike to learn" in said
