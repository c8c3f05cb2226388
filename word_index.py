"""What text indexes hold of names, titles and keys, and what they are asked for.

Qdrant's `prefix` tokenizer cuts at all but letters and digits, and finds a word by how it begins.
So a text is laid down as the words by which it is to be found: each word of an alphabet; of a
script that writes words together, what begins at each of its characters; and signs, in letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from melon.text import normalise

WORD_LETTERS = 8
"""Letters that an index holds of a word at most; of a longer one the rest is a word, too."""

KEY_LETTERS = 6
"""Letters that it holds of each part of a key: enough to tell a million keys of chance apart.
With whole keys, the index would be four times as large as that of the names."""

_SIGN = "\N{LATIN LETTER BIDENTAL PERCUSSIVE}"
"""Begins the word for a sign, since no name has this letter."""

_TOGETHER = (
    ("\u0e00", "\u0eff"),
    ("\u1000", "\u109f"),
    ("\u1100", "\u11ff"),
    ("\u1780", "\u17ff"),
    ("\u3040", "\ud7ff"),
    ("\U00020000", "\U0003ffff"),
)
"""Thai and Lao, Myanmar, Jamo, Khmer; Kana, Han and Hangul: of these, any part is looked for."""

_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_APOSTROPHES = dict.fromkeys(map(ord, "'\u2019"))

_WORD, _TOGETHER_RUN, _SYMBOL, _OTHER, _SPACE = "word", "together", "symbol", "other", " "


def plain_form(text: str) -> str:
    """The normal form of a text without accents, nor apostrophes that stand beside anything."""
    plain = normalise(text)
    if not plain.isascii():
        bare = unicodedata.normalize("NFD", plain).translate(_ACCENTS)
        plain = unicodedata.normalize("NFC", bare)
    return plain.translate(_APOSTROPHES) or plain


def indexed_words(text: str) -> str:
    """A name, title or tag as its text index holds it: words that may be looked for, once each.

    Without accents and apostrophes, in normal form. Scripts that write words together are joined
    over spaces: 비 오는 날 is found by 비오는날, by 오는 and by 날. Signs count where they are
    symbols, such as emoji, or where there is nothing else.
    """
    runs = [run for run in _runs(text) if run[0] is not _SPACE]
    if all(kind is _OTHER for kind, _ in runs):
        return _once(_sign(character) for _, run in runs for character in run)
    words: list[str] = []
    for kind, group in groupby((run for run in runs if run[0] is not _OTHER), lambda run: run[0]):
        parts = [part for _, part in group]
        match kind:
            case "word":
                words += (piece for part in parts for piece in _pieces(part))
            case "together":
                joined = "".join(parts)
                words += (joined[at : at + WORD_LETTERS] for at in range(len(joined)))
            case _:
                words += (_sign(character) for part in parts for character in part)
    return _once(words)


def asked_words(text: str) -> str:
    """What the index is asked for to find a text's words: "" where there are none.

    Letters and digits decide. Only where there are none do signs.
    """
    runs = list(_runs(text))
    words = [
        piece for kind, run in runs if kind in (_WORD, _TOGETHER_RUN) for piece in _pieces(run)
    ]
    for kinds in ((_SYMBOL,), (_OTHER,)):
        words = words or [_sign(char) for kind, run in runs if kind in kinds for char in run]
    return _once(words)


def key_words(key: str) -> str:
    """How each part of a key begins: what its text index holds, and is asked for."""
    return _once(part[:KEY_LETTERS] for part in key_parts(key))


def key_parts(key: str) -> list[str]:
    """The parts of a key, which stand between all but letters and digits."""
    return [run for kind, run in _runs(key) if kind in (_WORD, _TOGETHER_RUN)]


def finds(asked: str, words: str) -> bool:
    """Whether a text index finds these words: each one asked for begins one of them."""
    held = words.split()
    return bool(asked) and all(
        any(word.startswith(part) for word in held) for part in asked.split()
    )


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of a plain text, each of one kind of character."""
    plain = plain_form(text)
    for kind, characters in groupby(plain, _kind):
        yield kind, "".join(characters)


@lru_cache(maxsize=1 << 16)
def _kind(character: str) -> str:
    category = "L" if character.isalnum() else unicodedata.category(character)
    if category[0] in "LMN":
        together = any(first <= character <= last for first, last in _TOGETHER)
        return _TOGETHER_RUN if together else _WORD
    if character == " " or category[0] in "CZ":
        return _SPACE
    return _SYMBOL if category[0] == "S" and not character.isascii() else _OTHER


def _pieces(run: str) -> Iterator[str]:
    return (run[at : at + WORD_LETTERS] for at in range(0, len(run), WORD_LETTERS))


def _sign(character: str) -> str:
    return f"{_SIGN}{ord(character):x}"


def _once(words: Iterator[str] | list[str]) -> str:
    return " ".join(dict.fromkeys(words))
