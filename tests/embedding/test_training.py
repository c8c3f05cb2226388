"""Training learns, tells how far it is, stops when told to, and repeats itself on one worker."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from gensim.models import Word2Vec
from planted import planted_playlists, planted_songs, small_settings
from pydantic import ValidationError

from melon.catalog import Playlist
from melon.embedding import TrainingSettings, build_space, training_settings
from melon.embedding.bags import MAX_BAG, TokenKind, TokenTable
from melon.embedding.errors import EmptyVocabulary, TrainingDiverged
from melon.embedding.loss import LossSample
from melon.embedding.ragged import Ragged
from melon.embedding.training import train_vectors
from melon.errors import InputError
from melon.progress import ignore

TABLE = TokenTable({TokenKind.PLAYLIST: np.arange(50), TokenKind.SONG: np.arange(20)})

Told = tuple[str, int, int | None]


def bags(seed: int = 3) -> Ragged:
    """Fifty playlists of six of twenty songs; song 19 stands in one of them only."""
    rng = np.random.default_rng(seed)
    lists = [[p, *(50 + rng.choice(19, 6, replace=False))] for p in range(50)]
    lists[0].append(69)
    return Ragged.of_lengths(
        np.array([len(each) for each in lists]), np.array([v for each in lists for v in each])
    )


def train(progress=ignore, **changes):
    settings = small_settings(**({"min_count": 2, "epochs": 3} | changes))
    return train_vectors(bags(), TABLE, settings, progress)


def test_frequent_tokens_and_all_playlists_get_unit_vectors_and_rare_ones_none():
    vectors, _ = train()
    assert vectors.dtype == np.float32
    norms = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(norms[:69], 1, rtol=1e-5)
    assert norms[69] == 0


def test_minimum_counts_hold_for_the_kind_they_name():
    # playlists are never too rare
    vectors, _ = train(min_count=1000, min_counts={"song": 1})
    assert vectors.any(axis=1).all()
    with pytest.raises(EmptyVocabulary):
        train(min_count=1, min_counts={"song": 1000})


def test_a_minimum_count_given_alone_is_that_of_all_kinds():
    kinds = [kind for kind in TokenKind if kind is not TokenKind.PLAYLIST]
    for least in (1, 20):
        settings = training_settings(min_count=least)
        assert {settings.min_count_of(kind) for kind in kinds} == {least}
        again = TrainingSettings.model_validate(settings.model_dump(mode="json"))
        assert again == settings
    both = training_settings(min_count=4, min_counts={"word": 2})
    assert (both.min_count_of(TokenKind.WORD), both.min_count_of(TokenKind.TAG)) == (2, 4)


def test_without_one_words_have_to_be_more_frequent_than_the_rest():
    usual = training_settings().settled(np.array([3]))
    again = TrainingSettings.model_validate(usual.model_dump(mode="json"))
    for settings in (usual, again, training_settings(min_count=None)):
        counts = {kind: settings.min_count_of(kind) for kind in (TokenKind.WORD, TokenKind.SONG)}
        assert counts == {TokenKind.WORD: 10, TokenKind.SONG: 3}


def test_the_hint_of_an_empty_vocabulary_helps():
    playlists = [Playlist(number, "rainy", (), (), 0, None) for number in range(5)]
    settings = small_settings(kinds=["word", "playlist"])
    with pytest.raises(EmptyVocabulary, match="min_count"):
        build_space(playlists, settings=settings)
    space = build_space(playlists, settings=small_settings(kinds=["word", "playlist"], min_count=1))
    assert "trained" in space.word_table["vector_source"].to_pylist()


@pytest.mark.parametrize(
    "changes", [{}, {"shuffle": False}, {"skip_gram": True}, {"skip_gram": True, "window": 2}]
)
def test_one_worker_gives_the_same_vectors_twice(changes):
    first, again = train(**changes)[0], train(**changes)[0]
    assert first.tobytes() == again.tobytes()
    assert train(**changes, seed=2)[0].tobytes() != first.tobytes()


def test_a_separate_process_gives_the_same_space(space):
    code = (
        "from planted import *; from melon.embedding import build_space;"
        "print(build_space(planted_playlists(), planted_songs(), planted_genres(),"
        " small_settings()).hash)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == space.hash


def test_the_order_of_playlists_and_songs_does_not_matter(space):
    again = build_space(
        reversed(planted_playlists()), reversed(planted_songs()), space.genres, small_settings()
    )
    assert again.hash == space.hash


def test_every_bag_is_seen_each_epoch_in_another_order(monkeypatch):
    epochs = []

    def read(self, corpus_iterable, epochs_wanted=2, **options):
        epochs.extend([tuple(bag) for bag in corpus_iterable] for _ in range(epochs_wanted))

    monkeypatch.setattr(Word2Vec, "train", read)
    train(min_count=1)
    first, second = epochs
    assert first != second
    assert sorted(map(sorted, first)) == sorted(map(sorted, second))
    strings = TABLE.strings()
    assert sorted(map(sorted, first)) == sorted(sorted(strings[bags()[r]]) for r in range(50))


def test_gensim_trains_on_every_token_of_a_bag_past_its_limit(monkeypatch):
    seen = []
    plain = Word2Vec._do_train_job

    def counting(self, sentences, alpha, inits):
        tally, raw = plain(self, sentences, alpha, inits)
        seen.append((tally, sum(map(len, sentences))))
        return tally, raw

    monkeypatch.setattr(Word2Vec, "_do_train_job", counting)
    length = 25_000
    table = TokenTable({TokenKind.SONG: np.arange(length)})
    one_bag = Ragged(np.array([0, length]), np.arange(length))
    settings = training_settings(dim=2, window=1, negative=1, epochs=1, min_count=1)
    train_vectors(one_bag, table, settings, ignore)
    assert sum(trained for trained, _ in seen) == sum(given for _, given in seen) == length


@pytest.mark.parametrize("skip_gram", [True, False])
def test_a_bag_of_one_token_past_the_limit_leaves_none_alone(skip_gram):
    """With this seed, the loss is asked of the last token, too."""
    length = MAX_BAG + 1
    table = TokenTable({TokenKind.SONG: np.arange(length)})
    one_bag = Ragged(np.array([0, length]), np.arange(length))
    settings = training_settings(
        dim=2, window=1, negative=1, epochs=1, min_count=1, skip_gram=skip_gram, seed=2
    )
    vectors, _ = train_vectors(one_bag, table, settings, ignore)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("skip_gram", [True, False])
def test_progress_moves_on_to_the_end_and_loss_falls(skip_gram):
    told: list[Told] = []
    _, log = train(lambda *now: told.append(now), epochs=8, skip_gram=skip_gram)
    assert told == sorted(told)
    ends = dict.fromkeys(now for now in told if now[1] == now[2])
    assert list(ends) == [(f"epoch {epoch}/8", 50, 50) for epoch in range(1, 9)]
    assert [entry.epoch for entry in log] == list(range(1, 9))
    assert all(entry.words_per_second > 0 for entry in log)
    assert log[-1].loss < log[0].loss


def test_progress_is_told_within_an_epoch_too(monkeypatch):
    monkeypatch.setattr("melon.embedding.training._TELL_EVERY", 0)
    monkeypatch.setattr("melon.embedding.training._CHUNK", 10)
    told: list[Told] = []
    train(lambda *now: told.append(now), epochs=2)
    assert {10, 20, 30, 40} <= {done for _, done, _ in told}


@pytest.mark.parametrize("within_an_epoch", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_ends_training_at_once(monkeypatch, within_an_epoch, error):
    if within_an_epoch:
        monkeypatch.setattr("melon.embedding.training._TELL_EVERY", 0)
        monkeypatch.setattr("melon.embedding.training._CHUNK", 5)
    before = threading.active_count()
    told: list[Told] = []

    def stop(*now: Any) -> None:
        told.append(now)
        raise error("enough")

    with pytest.raises(error):
        train(stop, epochs=1000)
    [(step, done, total)] = told
    assert step == "epoch 1/1000"
    assert (done < total) is within_an_epoch
    assert threading.active_count() == before


@pytest.mark.timeout(60)
@pytest.mark.parametrize("chunks", [0, 3])
def test_an_error_while_bags_are_handed_out_ends_training(monkeypatch, chunks):
    """Raised in gensim's thread, where it would leave the others waiting for ever."""
    monkeypatch.setattr("melon.embedding.training._CHUNK", 5)
    before = threading.active_count()
    plain, calls = Ragged.select, iter(range(100))

    def fail(self, rows):
        if len(rows) == 5 and next(calls) == chunks:
            raise MemoryError("no room for a chunk")
        return plain(self, rows)

    monkeypatch.setattr(Ragged, "select", fail)
    with pytest.raises(MemoryError, match="no room for a chunk"):
        train(epochs=2)
    assert threading.active_count() == before


def test_vectors_that_are_no_numbers_are_an_error(monkeypatch):
    def poison(self, model, names):
        model.wv.vectors[3, 1] = np.nan
        return 1.0

    monkeypatch.setattr(LossSample, "loss", poison)
    with pytest.raises(TrainingDiverged, match="after epoch 1") as caught:
        train()
    assert "alpha" in str(caught.value.hint)


def test_an_empty_vocabulary_is_an_error_that_names_the_setting():
    with pytest.raises(EmptyVocabulary) as caught:
        build_space(planted_playlists(), settings=small_settings(min_count=10_000, min_counts={}))
    assert "min_count" in str(caught.value.hint)


def test_the_published_preset_is_the_published_one():
    published = training_settings("published")
    assert (published.dim, published.window, published.epochs) == (300, 100, 50)
    assert (published.min_count, published.ns_exponent) == (10, -0.5)
    assert TokenKind.PLAYLIST in published.kinds


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"dim": 0}, "dim"),
        ({"windows": 5}, "windows"),
        ({"alpha": float("nan")}, "alpha"),
        ({"kinds": ["songs"]}, "kinds"),
        ({"min_counts": {"song": 0}}, "min_counts.song"),
        ({"batch_words": 20_000}, "batch_words"),
        ({"window": MAX_BAG + 1}, "window"),
        ({"negative": 1_001}, "negative"),
        ({"ns_exponent": 2.1}, "ns_exponent"),
        ({"ns_exponent": -2.1}, "ns_exponent"),
        ({"ns_exponent": float("nan")}, "ns_exponent"),
        ({"kinds": []}, "kinds"),
        ({"title_pieces": 1_000_001}, "title_pieces"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(changes, named):
    with pytest.raises(InputError) as caught:
        training_settings(**changes)
    assert named in str(caught.value.where)


def test_unknown_presets_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match="published"):
        training_settings("best")


def test_settings_do_not_change_once_made():
    with pytest.raises(ValidationError):
        training_settings().dim = 5


def test_the_loss_is_that_of_the_predictions_training_makes():
    """Vectors that tell bags apart lose less than ones that do not, by the formula's own value."""
    lists = Ragged(np.array([0, 3, 6]), np.array([0, 1, 2, 3, 4, 5]))
    names = np.array(list("abcdef"), dtype=object)
    apart = np.repeat(np.eye(2, dtype=np.float32) * 4, 3, axis=0)

    class Model:
        class wv:  # noqa: N801
            key_to_index: ClassVar = {name: place for place, name in enumerate("abcdef")}
            vectors = apart

        syn1neg = apart

    for skip_gram in (True, False):
        sample = LossSample.draw(lists, small_settings(skip_gram=skip_gram, negative=1))
        same_bag = (sample.noise[:, 0] < 3) == (sample.target < 3)
        softplus = np.logaddexp(0, 16.0)
        expected = np.logaddexp(0, -16.0) + np.mean(np.where(same_bag, softplus, np.log(2)))
        assert sample.loss(Model, names) == pytest.approx(expected, rel=1e-5)
        assert (sample.inputs.lengths == (1 if skip_gram else 2)).all()
        assert not (sample.inputs.values == np.repeat(sample.target, sample.inputs.lengths)).any()


@pytest.mark.parametrize("skip_gram", [True, False])
def test_the_loss_of_long_bags_is_asked_of_as_many_tokens_as_a_window_has(skip_gram):
    lists = Ragged(np.array([0, MAX_BAG, MAX_BAG + 3]), np.arange(MAX_BAG + 3))
    sample = LossSample.draw(lists, small_settings(skip_gram=skip_gram, window=5))
    long = sample.target < MAX_BAG
    assert not long.all()
    expected = 1 if skip_gram else np.where(long, 10, 2)
    np.testing.assert_array_equal(sample.inputs.lengths, expected)
    of_long = np.repeat(long, sample.inputs.lengths)
    np.testing.assert_array_equal(sample.inputs.values < MAX_BAG, of_long)
    np.testing.assert_array_equal(sample.inputs.unique().lengths, sample.inputs.lengths)
    assert not (sample.inputs.values == np.repeat(sample.target, sample.inputs.lengths)).any()
