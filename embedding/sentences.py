"""One playlist is one bag of tokens: what word2vec learns from in place of sentences."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from melon.embedding.corpus import Corpus, column
from melon.embedding.ragged import Ints, Ragged
from melon.embedding.tokens import TokenKind, TokenTable

MAX_BAG = 10_000
"""gensim drops what lies past 10,000 tokens of a sentence without a word (`MAX_SENTENCE_LEN`)."""


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
        title_tags: for each playlist, the known tags found in its title; they join its own tags.
        kinds: the kinds of token that take part.

    Returns:
        The table, and for each playlist the codes of its tokens: its own first, then its songs in
        their order, tags, words, and the genres, detail genres and artists of its songs.
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
        shared: how many tokens at a bag's start (its playlist's own) each of its parts repeats.
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
