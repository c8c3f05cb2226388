"""The bags that word2vec trains on, one of tokens for each playlist.

A token's string is one letter for its kind, then its number in decimal: `s2019` is the song with
id 2019, `t2019` the tag at index 2019 of the tag vocabulary, `a2019` the artist at that index of
the artist vocabulary. Kinds therefore never collide, and no string ever holds a space, which
gensim would split on, whatever a tag or a title holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melon.embedding.columns import Corpus, column
from melon.embedding.ragged import Ints, Ragged


class TokenKind(StrEnum):
    """The kinds of token of a co-embedding."""

    SONG = "song"
    TAG = "tag"
    WORD = "word"
    GENRE = "genre"
    DETAIL_GENRE = "detail_genre"
    ARTIST = "artist"
    PLAYLIST = "playlist"


_PREFIX = {
    TokenKind.SONG: "s",
    TokenKind.TAG: "t",
    TokenKind.WORD: "w",
    TokenKind.GENRE: "g",
    TokenKind.DETAIL_GENRE: "d",
    TokenKind.ARTIST: "a",
    TokenKind.PLAYLIST: "p",
}


def token(kind: TokenKind, number: int) -> str:
    """Spell a token: songs and playlists by id, other kinds by their index in the vocabulary."""
    return f"{_PREFIX[kind]}{number}"


@dataclass(frozen=True, slots=True)
class TokenTable:
    """All tokens of a corpus, numbered through, kind after kind.

    The number of a token in this table is its *code*: training works on arrays of codes and turns
    them into strings only where gensim wants them.

    Attributes:
        numbers: for each kind that takes part, the (n,) int64 numbers its tokens are spelled with.
    """

    numbers: dict[TokenKind, Ints]

    def __len__(self) -> int:
        return sum(map(len, self.numbers.values()))

    def span(self, kind: TokenKind) -> slice:
        """The codes of one kind; an empty slice where the kind takes no part."""
        start = 0
        for member, numbers in self.numbers.items():
            if member is kind:
                return slice(start, start + len(numbers))
            start += len(numbers)
        return slice(0, 0)

    def strings(self) -> NDArray[np.object_]:
        """(n,) object: every token's string, by code."""
        spelled = [token(kind, n) for kind, numbers in self.numbers.items() for n in numbers]
        return np.array(spelled, dtype=object)

    def values(self, by_kind: dict[TokenKind, int]) -> Ints:
        """(n,) int64: by code, the value of its kind."""
        parts = [np.full(len(numbers), by_kind[kind]) for kind, numbers in self.numbers.items()]
        return np.concatenate([np.zeros(0, np.int64), *parts])


MAX_BAG = 10_000
"""gensim silently drops the tokens of a bag past the 10,000th (`MAX_SENTENCE_LEN`)."""


def build_bags(
    corpus: Corpus,
    words: list[str],
    playlist_words: Ragged,
    title_tags: Ragged,
    kinds: Collection[TokenKind],
) -> tuple[TokenTable, Ragged]:
    """Make each playlist's bag: every token once, and the table that numbers the tokens.

    Args:
        corpus: the playlists and songs as columns.
        words: the words that `playlist_words` numbers.
        playlist_words: for each playlist, the words of its title and tags.
        title_tags: for each playlist, the known tags in its title; they join the playlist's tags.
        kinds: the kinds of token that take part.

    Returns:
        The table, and for each playlist the codes of its tokens: the playlist's first, then its
        songs in their order, tags, words, and the genres, detail genres and artists of its songs.
    """
    songs = corpus.playlist_songs
    everything: dict[TokenKind, tuple[Ints, Ragged]] = {
        TokenKind.PLAYLIST: (column(corpus.playlists, "id"), _one_each(len(songs))),
        TokenKind.SONG: (column(corpus.songs, "id"), songs),
        TokenKind.TAG: (
            np.arange(len(corpus.tags)),
            Ragged.side_by_side([corpus.playlist_tags, title_tags]).unique(),
        ),
        TokenKind.WORD: (np.arange(len(words)), playlist_words),
        TokenKind.GENRE: (np.arange(len(corpus.genres)), songs.through(corpus.song_genres)),
        TokenKind.DETAIL_GENRE: (
            np.arange(len(corpus.detail_genres)),
            songs.through(corpus.song_detail_genres),
        ),
        TokenKind.ARTIST: (np.arange(corpus.artist_count), songs.through(corpus.song_artists)),
    }
    parts = {kind: part for kind, part in everything.items() if kind in kinds}
    table = TokenTable({kind: numbers for kind, (numbers, _) in parts.items()})
    coded = [Ragged(r.offsets, r.values + table.span(kind).start) for kind, (_, r) in parts.items()]
    return table, Ragged.side_by_side(coded)


def drop_rare(bags: Ragged, least: Ints) -> Ragged:
    """The bags without the tokens that stand in fewer bags than `least` (by code) asks."""
    counts = np.bincount(bags.values, minlength=len(least))
    return bags.keep((counts >= least)[bags.values])


def split_long(bags: Ragged, *, shared: int, limit: int = MAX_BAG) -> Ragged:
    """Cut bags of more than `limit` tokens into several, so that gensim loses none of them.

    The parts of a bag are as long as each other, but for one token: a part of one token alone
    could not be learned from.

    Args:
        bags: the bags.
        shared: how many tokens at a bag's start (the playlist's) each of its parts repeats.
        limit: most tokens of a bag; more than `shared`.
    """
    uncut = bags.lengths
    long = np.flatnonzero(uncut > limit)
    if not len(long):
        return bags
    values: list[Ints] = []
    lengths: list[Ints] = []
    behind = 0
    for row in long.tolist():
        head, rest = np.split(bags[row], [shared])
        parts = np.array_split(rest, -(-len(rest) // (limit - shared)))
        values.append(bags.values[bags.offsets[behind] : bags.offsets[row]])
        values += [np.concatenate([head, part]) for part in parts]
        lengths += [uncut[behind:row], np.array([shared + len(part) for part in parts])]
        behind = row + 1
    values.append(bags.values[bags.offsets[behind] :])
    lengths.append(uncut[behind:])
    return Ragged.of_lengths(np.concatenate(lengths), np.concatenate(values))


def _one_each(n: int) -> Ragged:
    return Ragged(np.arange(n + 1), np.arange(n))
