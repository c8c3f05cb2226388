"""A playlist's bag holds each of its tokens once, and gensim is given nothing it would drop."""

import numpy as np
import pytest

from melon.catalog import Playlist, Song
from melon.embedding.bags import MAX_BAG, TokenKind, build_bags, drop_rare, split_long
from melon.embedding.columns import read_corpus
from melon.embedding.ragged import Ragged


def bag_strings(playlists, songs, kinds=frozenset(TokenKind), words=(), title_tags=()):
    corpus = read_corpus(playlists, songs)
    table, bags = build_bags(
        corpus,
        [str(w) for w in words],
        Ragged.of_lengths(np.array([len(words)]), np.arange(len(words))),
        Ragged.of_lengths(np.array([len(title_tags)]), np.array(title_tags, np.int64)),
        kinds,
    )
    strings = table.strings()
    return [strings[bags[row]].tolist() for row in range(len(bags))]


PLAYLIST = Playlist(2019, None, (2019, 7), ("2019", "b"), 0, None)
SONGS = [
    Song(7, artist_ids=(2019,), genres=("GN0100",), detail_genres=("GN0101", "GN0102")),
    Song(2019, artist_ids=(2019, 3), genres=("GN0100",)),
    Song(8, artist_ids=(55,), genres=("GN0900",)),
]


def test_a_bag_holds_every_kind_once():
    (bag,) = bag_strings([PLAYLIST], SONGS, words=["w"], title_tags=[1])
    assert bag[:3] == ["p2019", "s2019", "s7"]
    # artists 3 and 2019 of 3, 55 and 2019; everything else from the most frequent on
    assert sorted(bag[3:]) == ["a0", "a2", "d0", "d1", "g0", "t0", "t1", "w0"]


def test_kinds_that_take_no_part_leave_no_token():
    (bag,) = bag_strings([PLAYLIST], SONGS, kinds={TokenKind.SONG, TokenKind.TAG})
    assert sorted(bag) == ["s2019", "s7", "t0", "t1"]


def test_artists_without_ids_are_told_apart_by_name():
    songs = [Song(7, artists=("x",)), Song(2019, artists=("y",))]
    (bag,) = bag_strings([PLAYLIST], songs, kinds={TokenKind.SONG, TokenKind.ARTIST})
    assert len([token for token in bag if token.startswith("a")]) == 2


def test_rare_tokens_go_and_playlists_stay():
    bags = Ragged(np.array([0, 3, 5]), np.array([0, 2, 3, 1, 2]))
    kept = drop_rare(bags, least=np.array([1, 1, 2, 2]))
    assert [kept[0].tolist(), kept[1].tolist()] == [[0, 2], [1, 2]]


def test_long_bags_are_split_without_loss():
    length = 2 * MAX_BAG + 5
    long_bag = np.concatenate([[-1], np.arange(length)])
    bags = Ragged(np.array([0, 2, 3 + length]), np.concatenate([[-2, 3], long_bag]))
    parts = split_long(bags, shared=1)
    assert parts.lengths.max() <= MAX_BAG
    assert parts[0].tolist() == [-2, 3]
    pieces = [parts[row] for row in range(1, len(parts))]
    assert all(piece[0] == -1 for piece in pieces)
    assert np.concatenate([piece[1:] for piece in pieces]).tolist() == list(range(length))


@pytest.mark.parametrize("shared", [0, 1])
@pytest.mark.parametrize("length", [MAX_BAG + 1, 2 * MAX_BAG, 2 * MAX_BAG + 1])
def test_a_long_bag_is_split_evenly(shared: int, length: int):
    bags = Ragged(np.array([0, 1, 1 + length]), np.arange(1 + length))
    first, *parts = split_long(bags, shared=shared).lengths.tolist()
    assert first == 1
    assert max(parts) <= MAX_BAG
    assert max(parts) - min(parts) <= 1


def test_one_long_bag_costs_no_look_at_each_of_the_others(monkeypatch):
    lists = [[n, 100 + n] for n in range(9)]
    lists[4] = list(range(200, 205))
    bags = Ragged.of_lengths(np.array(list(map(len, lists))), np.concatenate(lists))
    looked, plain = [], Ragged.__getitem__
    monkeypatch.setattr(
        Ragged, "__getitem__", lambda self, row: looked.append(row) or plain(self, row)
    )
    parts = split_long(bags, shared=1, limit=3)
    assert looked == [4]
    expected = [*lists[:4], [200, 201, 202], [200, 203, 204], *lists[5:]]
    assert [parts[row].tolist() for row in range(len(parts))] == expected


def test_bags_within_the_limit_are_left_as_they_are():
    bags = Ragged(np.array([0, 2]), np.array([4, 3]))
    assert split_long(bags, shared=1) is bags
