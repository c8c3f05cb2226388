"""What a token is: its kind, its number, and the string by which gensim knows it.

A token's string is one letter for its kind, then its number in decimal: `s2019` is the song with
id 2019, `t2019` the tag at index 2019 of the tag vocabulary, `a2019` the artist at that index of
the artist vocabulary. Kinds therefore never collide, and no string ever holds a space, which
gensim would split on, whatever a tag or a title holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melon.embedding.ragged import Ints


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
        for other, numbers in self.numbers.items():
            if other is kind:
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
