"""Rehearsals know nothing of the playlists that they are asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melon.catalog import Playlist, ReadReport, Song, find_corpus, read_playlists
from melon.demo import DemoTruth
from melon.embedding import Catalogue, build_space, read_catalogue, training_settings
from melon.embedding.columns import read_corpus
from melon.evaluation import KINDS, kind_of
from melon.learning.rehearsal import QUESTIONS, SHARE, draw_folds, rehearse
from melon.progress import ignore

SETTINGS = training_settings(dim=8, epochs=1, title_pieces=32, workers=1, seed=3)


@pytest.fixture(scope="module")
def catalogue(demo_corpus: tuple[Path, DemoTruth]) -> Catalogue:
    return read_catalogue(find_corpus([demo_corpus[0]]))


def playlist(number: int, songs: int = 4, **fields: object) -> Playlist:
    held = tuple(range(number, number + songs))
    blank = Playlist(number, None, held, (), None, None)
    return replace(blank, **fields)


def made_of(playlists: list[Playlist]) -> Catalogue:
    return Catalogue(read_corpus(playlists, []))


def test_five_rehearsals_ask_for_each_playlist_of_a_small_catalogue_once(catalogue):
    folds = draw_folds(catalogue, np.random.default_rng(1))
    assert [len(fold.pairs) for fold in folds] == [80] * SHARE
    rows = np.concatenate([fold.rows for fold in folds])
    assert sorted(rows.tolist()) == list(range(400))
    ids = catalogue.corpus.playlists["id"].to_numpy()
    for fold in folds:
        assert [question.id for question, _ in fold.pairs] == ids[fold.rows].tolist()
    kinds = Counter(kind_of(question) for fold in folds for question, _ in fold.pairs)
    assert set(kinds) == set(KINDS)
    assert kinds["songs+tags"] > kinds["tags+title"] > kinds["title"]


def test_the_last_rehearsal_has_all_kinds_of_question_too():
    """There are fewer playlists left for it than a rehearsal leaves out."""
    whole = [playlist(number, tags=("a", "b"), title="rain") for number in range(12)]
    short = [playlist(number, songs=1) for number in range(20, 108)]
    [fold] = draw_folds(made_of([*whole, *short]), np.random.default_rng(1))
    kinds = Counter(kind_of(question) for question, _ in fold.pairs)
    assert kinds == {"songs": 3, "songs+tags": 6, "tags+title": 2, "title": 1}


@pytest.mark.parametrize(
    ("playlists", "sizes"),
    [(60_000, [QUESTIONS]), (12_000, [2_400, 2_400]), (10, [2] * 5), (4, [])],
)
def test_there_are_as_many_rehearsals_as_it_takes(playlists, sizes):
    folds = draw_folds(
        made_of([playlist(number) for number in range(playlists)]), np.random.default_rng(1)
    )
    assert [len(fold.pairs) for fold in folds] == sizes
    assert sum(sizes) <= QUESTIONS or len(sizes) < SHARE


def test_what_is_too_short_for_a_question_is_left_in(catalogue):
    short = [playlist(number, songs=1) for number in range(30)]
    few = made_of([*short, *(playlist(number) for number in range(30, 40))])
    folds = draw_folds(few, np.random.default_rng(1))
    assert sorted(question.id for fold in folds for question, _ in fold.pairs) == list(
        range(30, 40)
    )


def test_questions_and_answers_are_the_parts_of_the_playlist(catalogue):
    by_id = {row["id"]: row for row in catalogue.corpus.playlists.to_pylist()}
    for fold in draw_folds(catalogue, np.random.default_rng(1)):
        for question, answer in fold.pairs:
            whole = by_id[question.id]
            assert sorted(question.songs + answer.songs) == sorted(whole["songs"])
            assert sorted(question.tags + answer.tags) == sorted(whole["tags"])
            assert question.title in (None, whole["title"])


def test_the_space_is_that_of_a_catalogue_without_these_playlists(demo_corpus, catalogue):
    """To the byte: popularity, tags, words, and songs that are known from playlists alone."""
    files = find_corpus([demo_corpus[0]])
    fold = draw_folds(catalogue, np.random.default_rng(1))[0]
    left_out = {question.id for question, _ in fold.pairs}
    records = list(read_playlists(files.playlists, report=ReadReport()))
    # songs without metadata, of which some are in the left-out playlists alone
    bare = read_corpus(records, [Song(id=records[0].songs[0], name="described")])
    rehearsed = rehearse(Catalogue(bare), fold, SETTINGS, ignore)
    others = [record for record in records if record.id not in left_out]
    alone = build_space(others, [Song(id=records[0].songs[0], name="described")], settings=SETTINGS)
    assert rehearsed.hash == alone.hash
    assert len(rehearsed.songs) < len(bare.songs)


def test_the_same_seed_draws_the_same_questions(catalogue):
    one, same, other = (
        [fold.pairs for fold in draw_folds(catalogue, np.random.default_rng(seed))]
        for seed in (1, 1, 2)
    )
    assert one == same != other
