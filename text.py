"""Forms in which texts are kept and compared, and the tokenizer that cuts titles into words.

    clean_text   what a reader of files makes of a text; None where it is blank
    storable     what a space and a store can hold of it
    name_key     compares names of songs and artists: `name_key`, `artist_keys` in the store
    normalise    compares titles and tags
    compact      compares tags whatever their spaces

All are the same in training and at query time. Only the tokenizer needs sentencepiece.
"""

from __future__ import annotations

import difflib
import io
import json
import textwrap
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, pairwise, repeat
from typing import Any

from melon.errors import MelonError

_MAGIC = b"melon-title-1\n"
_META_SPACE = "▁"
_SENTENCEPIECE_MARKS = "▁▅"
_LONGEST_LINE = 1_000
"""Characters; sentencepiece skips a line of more than 4192 bytes."""

_REPEATED = 2
"""Times that a word must stand in titles and tags to be kept whole."""

_WORDS_WITHOUT_SPACES = (("\u1100", "\u11ff"), ("\u3040", "\ud7ff"), ("\U00020000", "\U0003ffff"))


def clean_text(text: str | None) -> str | None:
    """Compose a text (NFC) and strip white space from its ends; None if nothing is left.

    Raises:
        UnicodeEncodeError: the text holds half a surrogate pair, which no encoding can write.
    """
    if not text:
        return None
    if not text.isascii():
        text.encode()
        text = unicodedata.normalize("NFC", text)
    return text.strip() or None


def storable(text: str) -> str:
    """The text with `?` for lone surrogates, which neither Arrow nor Qdrant can hold.

    Only hand-made records hold any: the readers of files skip such records.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def name_key(name: str) -> str:
    """NFKC, case-folded, single spaces: `name_key` and `artist_keys` hold names in this form."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def near(wanted: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names that are written almost like `wanted`, the nearest first."""
    by_key = {name_key(name): name for name in known}
    return [by_key[key] for key in difflib.get_close_matches(name_key(wanted), by_key, n=3)]


def did_you_mean(wanted: str, known: Iterable[str]) -> str | None:
    """A hint at the known names that are near, or None."""
    return f"did you mean {' or '.join(names)}?" if (names := near(wanted, known)) else None


def normalise(text: str) -> str:
    """Bring a title or tag to the one form in which texts are compared.

    Compatibility caseless form (Unicode 3.13, D146, then NFKC): full-width and half-width, upper
    and lower case, composed and decomposed Hangul become one. Runs of white space and control
    characters become one space; lone surrogates, which no encoder takes, are dropped.
    """
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFD", text).casefold()
        folded = unicodedata.normalize("NFKD", folded).casefold()
        folded = unicodedata.normalize("NFKC", folded)
    if not folded.isprintable():
        folded = "".join(_plain(character) for character in folded)
    return " ".join(folded.split())


def compact(tag: str) -> str:
    """The form in which spellings of a tag that differ by case and spaces alone are the same."""
    return normalise(tag).replace(" ", "")


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    return {"Cc": " ", "Cs": ""}.get(category, character)


class DamagedTitleTokenizer(MelonError):
    """A stored title tokenizer cannot be read."""


class TitleTokenizer:
    """Cuts a title into words (sentencepiece) and finds the known tags that stand in it.

    The pieces are those of a unigram model (Kudo 2018, doi:10.18653/v1/P18-1007) trained on titles
    and tags. Such a model takes for a piece only what is part of two different words, so a small
    corpus cannot fill its vocabulary; there, repeated words fill the rest of it, and stay whole.
    Known tags are matched by their normalised form without spaces, the longest at each
    place; the answer is the tag as it is stored, by its most frequent spelling.
    """

    def __init__(self, model: bytes, whole: Iterable[str], tags: Mapping[str, str]) -> None:
        """Args:
        model: serialised sentencepiece model; empty where there was no text to train one on.
        whole: words that the model must not cut.
        tags: from each tag's `compact` form to its stored spelling.
        """
        self._model = model
        self._whole = dict.fromkeys(whole)
        self._tags = dict(tags)
        self._lengths: dict[str, list[int]] = {}
        for key in sorted(self._tags, key=len, reverse=True):
            lengths = self._lengths.setdefault(key[0], [])
            if not lengths or lengths[-1] != len(key):
                lengths.append(len(key))
        self._processor: Any = _load_model(model) if model else None

    @classmethod
    def train(
        cls,
        titles: Iterable[str],
        tags: Mapping[str, int],
        *,
        pieces: int = 8000,
        tag_min_count: int = 5,
    ) -> TitleTokenizer:
        """Learn the pieces, and remember the tags.

        Deterministic: the same texts in the same order give the same bytes.

        Args:
            titles: every playlist's title, repeats included.
            tags: each tag with the number of playlists that carry it.
            pieces: wanted size of the piece vocabulary; a small corpus gets a smaller one.
            tag_min_count: playlists that a tag must have for titles to be searched for it.
        """
        known: dict[str, str] = {}
        for tag, count in sorted(tags.items(), key=lambda item: (-item[1], item[0])):
            key = compact(tag)
            if count >= tag_min_count and key:
                known.setdefault(key, tag)
        by_count = chain.from_iterable(repeat(tag, tags[tag]) for tag in sorted(tags))
        lines = [line for text in chain(titles, by_count) if (line := " ".join(_bare_words(text)))]
        model = _train_model(lines, pieces) if lines else b""
        return cls(model, _words_to_keep(lines, model, pieces) if model else (), known)

    def words(self, title: str) -> list[str]:
        """The title's words, cut into the pieces that they consist of; in order, once each.

        A word that would fall apart into single letters or digits is unknown to the model: it
        stays whole, to be learnt or reported.
        """
        words: dict[str, None] = {}
        for word in _bare_words(title):
            words.update(dict.fromkeys(self._pieces(word)))
        return list(words)

    def _pieces(self, word: str) -> list[str]:
        if self._processor is None or word in self._whole:
            return [word]
        marked: list[str] = self._processor.encode(word, out_type=str)
        pieces = [piece for mark in marked if (piece := mark.strip(_META_SPACE))]
        return [word] if any(map(_is_letter, pieces)) else pieces

    @staticmethod
    def bigrams(text: str) -> list[str]:
        """Pairs of adjacent letters and digits in order, once each, across spaces.

        They find what pieces miss: endings, spacing and spelling vary, most of the pairs stay
        (McNamee & Mayfield 2004, doi:10.1023/B:INRT.0000009441.78971.be).
        """
        letters = "".join(filter(str.isalnum, normalise(text)))
        return list(dict.fromkeys(map("".join, pairwise(letters))))

    def tags(self, title: str) -> list[str]:
        """The known tags that stand in the title, in order, once each, as they are stored.

        Spaces are ignored: "비 오는 날" holds the tag 비오는날. Words of an alphabet match as a
        whole only ("rap" does not stand in "trap"); in Korean, Chinese and Japanese a tag may be
        part of a word, but not a single character of one, nor may it begin within one word and
        reach into the next.
        """
        text = normalise(title)
        joined = text.replace(" ", "")
        word_starts = _word_starts(text)
        tags: dict[str, None] = {}
        start = 0
        while start < len(joined):
            for length in self._lengths.get(joined[start], ()):
                end = start + length
                tag = self._tags.get(joined[start:end]) if end <= len(joined) else None
                if tag is not None and _stands_free(joined, start, end, word_starts):
                    tags[tag] = None
                    start = end
                    break
            else:
                start += 1
        return list(tags)

    def to_bytes(self) -> bytes:
        """One self-contained blob, compressed; the same tokenizer gives the same bytes."""
        spellings = {key: tag for key, tag in self._tags.items() if key != tag}
        header = json.dumps(
            {
                "model_bytes": len(self._model),
                "whole": list(self._whole),
                "tags": list(self._tags),
                "spellings": spellings,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        return _MAGIC + zlib.compress(header + b"\n" + self._model, 9)

    @classmethod
    def from_bytes(cls, blob: bytes) -> TitleTokenizer:
        """Read what `to_bytes` wrote.

        Raises:
            DamagedTitleTokenizer: the blob is damaged, or from another version of melon.
        """
        if not blob.startswith(_MAGIC):
            raise DamagedTitleTokenizer(
                "not a title tokenizer of this version of melon",
                hint="train the space again, or update melon",
            )
        try:
            header, _, model = zlib.decompress(blob[len(_MAGIC) :]).partition(b"\n")
            stored = json.loads(header.decode())
            if stored["model_bytes"] != len(model):
                raise ValueError("the model is cut short")
            spellings = stored["spellings"]
            tags = {key: spellings.get(key, key) for key in stored["tags"]}
            return cls(model, stored["whole"], tags)
        except (zlib.error, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise DamagedTitleTokenizer(
                f"the title tokenizer is damaged: {error}", hint="train the space again"
            ) from error


def _words_to_keep(lines: list[str], model: bytes, pieces: int) -> list[str]:
    """The most frequent words for which the model left room in its vocabulary."""
    processor = _load_model(model)
    room = pieces - processor.get_piece_size()
    if room <= 0:
        return []
    words = Counter(word for line in lines for word in line.split())
    ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, count in ranked if count >= _REPEATED][:room]


def _train_model(lines: list[str], pieces: int) -> bytes:
    """Train a unigram model in memory."""
    import sentencepiece

    characters = len(set().union(*lines))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=chain.from_iterable(map(_broken, lines)),
        model_writer=model,
        model_type="unigram",
        vocab_size=max(pieces, characters + 8),  # it refuses fewer pieces than characters
        hard_vocab_limit=False,
        character_coverage=0.9995,
        normalization_rule_name="identity",
        bos_id=-1,
        eos_id=-1,
        num_threads=1,  # sums of floats in another order would give another model
        minloglevel=2,
    )
    return model.getvalue()


def _broken(line: str) -> list[str]:
    """A line as several that sentencepiece takes, cut between words where there are any."""
    return [line] if len(line) <= _LONGEST_LINE else textwrap.wrap(line, _LONGEST_LINE)


def _load_model(model: bytes) -> Any:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(model)
    return processor


def _bare_words(text: str) -> list[str]:
    """The words of a text, split at blanks, punctuation and the marks of sentencepiece."""
    spaced = (" " if _is_separator(character) else character for character in normalise(text))
    return "".join(spaced).split()


def _is_separator(character: str) -> bool:
    if character.isascii():
        return not character.isalnum()
    return unicodedata.category(character)[0] in "PZC" or character in _SENTENCEPIECE_MARKS


def _is_letter(piece: str) -> bool:
    return len(piece) == 1 and _is_alphabetic(piece)


def _word_starts(text: str) -> set[int]:
    """Where words start in the text without its spaces, its end included."""
    starts, position = {0}, 0
    for word in text.split():
        position += len(word)
        starts.add(position)
    return starts


def _stands_free(joined: str, start: int, end: int, word_starts: set[int]) -> bool:
    """Whether joined[start:end] is not just a fragment of a longer word."""
    if start in word_starts and end in word_starts:
        return True
    if start not in word_starts:
        reaches_over = any(position in word_starts for position in range(start + 1, end))
        if reaches_over or (_is_alphabetic(joined[start - 1]) and _is_alphabetic(joined[start])):
            return False
    if end not in word_starts and _is_alphabetic(joined[end - 1]) and _is_alphabetic(joined[end]):
        return False
    return end - start > 1 or not joined[start].isalpha()


def _is_alphabetic(character: str) -> bool:
    """Whether its script writes words apart; Hangul, Kana and Han count as scripts that do not."""
    return character.isalnum() and not any(a <= character <= b for a, b in _WORDS_WITHOUT_SPACES)
