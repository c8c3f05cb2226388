"""Cold songs land where their album, artist, genre or playlists are, the most trusted first."""

import numpy as np
import pytest
from planted import (
    COLD_BY_ALBUM,
    COLD_BY_ARTIST,
    COLD_BY_GENRE,
    COLD_BY_PLAYLIST,
    GROUPS,
    UNKNOWABLE,
    group_of,
)

from melon.embedding.cold_start import Evidence, cold_start
from melon.embedding.ragged import Ragged

X, Y, Z, NOTHING = [*np.eye(4, dtype=np.float32)[:3].tolist(), [0.0] * 4]


def lists(*rows: list[int]) -> Ragged:
    lengths = np.array([len(row) for row in rows])
    return Ragged.of_lengths(lengths, np.array([v for row in rows for v in row], np.int64))


def floats(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_what_is_trained_is_left_as_it_is():
    evidence = [Evidence("album", 1, lists([0], [0]), floats(Z))]
    vectors, sources = cold_start(floats(X, NOTHING), lists([0, 1]), floats(Y), evidence)
    np.testing.assert_array_equal(vectors, floats(X, X))
    assert sources.tolist() == ["trained", "album"]


def test_a_group_without_a_trained_song_counts_by_its_own_token():
    evidence = [Evidence("artist", 1, lists([0]), floats(Z))]
    vectors, sources = cold_start(floats(NOTHING), lists([]), floats(NOTHING), evidence)
    np.testing.assert_array_equal(vectors, floats(Z))
    assert sources.tolist() == ["artist"]


def test_what_is_known_is_blended_by_weight_and_named_by_the_strongest():
    evidence = [
        Evidence("album", 3, lists([0], [], []), floats(X)),
        Evidence("artist", 4, lists([0], [], []), floats(Y)),
        Evidence("genre", 9, lists([], [0], []), floats(Z)),
    ]
    playlists = lists([0, 1, 2])
    vectors, sources = cold_start(np.zeros((3, 4), np.float32), playlists, floats(X), evidence)
    np.testing.assert_allclose(vectors, floats([0.6, 0.8, 0, 0], Z, X), rtol=1e-6)
    assert sources.tolist() == ["album", "genre", "playlists"]


def test_nothing_known_leaves_zero_and_no_source():
    vectors, sources = cold_start(floats(NOTHING), lists([]), floats(NOTHING))
    assert not vectors.any()
    assert sources.tolist() == [None]


def test_rare_tags_are_the_mean_of_the_playlists_that_carry_them():
    vectors, sources = cold_start(floats(NOTHING, Z), lists([0], [0, 1]), floats(X, Y))
    np.testing.assert_allclose(vectors, floats([0.5**0.5, 0.5**0.5, 0, 0], Z), rtol=1e-6)
    assert sources.tolist() == ["playlists", "trained"]


def test_blocks_give_what_one_pass_gives(monkeypatch):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 4)).astype(np.float32)
    vectors[10:] = 0
    groups = lists(*[[int(g)] for g in rng.integers(5, size=30)])
    evidence = [Evidence("artist", 1, groups, np.zeros((5, 4), np.float32))]
    holders, playlists = lists([12, 29]), floats(X)
    whole = cold_start(vectors, holders, playlists, evidence)
    monkeypatch.setattr("melon.embedding.cold_start._BLOCK", 7)
    in_blocks = cold_start(vectors, holders, playlists, evidence)
    np.testing.assert_array_equal(in_blocks[0], whole[0])
    assert in_blocks[1].tolist() == whole[1].tolist()


@pytest.mark.parametrize(
    ("song", "source"),
    [
        (COLD_BY_ALBUM, "album"),
        (COLD_BY_ARTIST, "artist"),
        (COLD_BY_GENRE, "genre"),
        (COLD_BY_PLAYLIST, "playlists"),
    ],
)
def test_cold_songs_of_the_planted_corpus_lie_in_their_group(space, song, source):
    row = int(np.searchsorted(space.song_ids, song))
    assert space.songs["vector_source"][row].as_py() == source
    similarity = space.song_vectors @ space.song_vectors[row]
    known = space.song_ids < 100 * GROUPS
    means = [similarity[known & (space.song_ids // 100 == g)].mean() for g in range(GROUPS)]
    assert int(np.argmax(means)) == group_of(101)


def test_a_song_of_which_nothing_is_known_has_no_vector(space):
    row = int(np.searchsorted(space.song_ids, UNKNOWABLE))
    assert space.songs["vector_source"][row].as_py() is None
    assert not space.song_vectors[row].any()
