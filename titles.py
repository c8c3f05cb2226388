"""The tokenizer that cuts titles into words, and finds the known tags that stand in them."""

from __future__ import annotations

import io
import json
import textwrap
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melon.errors import MelonError, first_problem
from melon.text import clean_text, compact, normalise, seen, storable, tokens, without_symbols

MAX_TITLE_BYTES = 64 << 20
"""Of a stored tokenizer, unpacked: one of 100,000 tags and 8,000 pieces has 3 MB."""

_MAGIC = b"melon-title-2\n"
_META_SPACE = "▁"

_LONGEST_LINE = 1_000
"""Characters; sentencepiece skips a line of more than 4192 bytes."""

_REPEATED = 2
"""Times that a word must stand in titles and tags to be kept whole."""

_WORDS_WITHOUT_SPACES = (("\u1100", "\u11ff"), ("\u3040", "\ud7ff"), ("\U00020000", "\U0003ffff"))


class DamagedTitleTokenizer(MelonError):
    """A stored title tokenizer cannot be read."""


def _damaged(what: str) -> DamagedTitleTokenizer:
    return DamagedTitleTokenizer(
        f"the title tokenizer is damaged: {what}", hint="train the space again"
    )


class _Header(BaseModel):
    """What stands before the model in a stored tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model_bytes: int
    whole: list[str]
    tags: list[Annotated[str, Field(min_length=1)]]
    spellings: dict[str, str]


def _inflated(packed: bytes) -> bytes:
    inflate = zlib.decompressobj()
    content = inflate.decompress(packed, MAX_TITLE_BYTES)
    if not inflate.eof:
        raise ValueError(
            f"unpacked, it has more than {MAX_TITLE_BYTES:,} bytes"
            if inflate.unconsumed_tail
            else "it is cut short"
        )
    return content


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
        by_count = chain.from_iterable(repeat(tag, tags[tag]) for tag in sorted(tags))
        lines = [line for text in chain(titles, by_count) if (line := _line(text))]
        model = _train_model(lines, pieces) if lines else b""
        whole = _words_to_keep(lines, model, pieces) if model else ()
        return cls(model, whole, {}).with_tags(tags, tag_min_count=tag_min_count)

    def with_tags(self, tags: Mapping[str, int], *, tag_min_count: int = 5) -> TitleTokenizer:
        """The same that finds these tags in titles, too; see `train`."""
        known = dict(self._tags)
        for tag, count in sorted(tags.items(), key=lambda item: (-item[1], item[0])):
            key = compact(tag)
            if count >= tag_min_count and key:
                known.setdefault(key, storable(tag))
        return TitleTokenizer(self._model, self._whole, known)

    @property
    def known_tags(self) -> list[str]:
        """The tags that it finds in titles, as they are stored: those that are not too rare."""
        return list(self._tags.values())

    def words(self, title: str) -> list[str]:
        """The title's words, cut into the pieces that they consist of; in order, once each.

        A symbol is a word. A word that would fall apart into single letters or digits is unknown
        to the model: it stays whole, to be learnt or reported.
        """
        text = normalise(title)
        words: dict[str, None] = {}
        for token in tokens(text):
            word = text[slice(*token.span())]
            words.update(dict.fromkeys([word] if token["symbol"] else self._pieces(word)))
        return list(words)

    def _pieces(self, word: str) -> list[str]:
        if self._processor is None or word in self._whole:
            return [word]
        marked: list[str] = self._processor.encode(word, out_type=str)
        pieces = [piece for mark in marked if (piece := mark.strip(_META_SPACE))]
        letters = [piece for piece in pieces if len(piece) == 1 and _is_alphabetic(piece)]
        return [word] if letters else pieces

    @staticmethod
    def bigrams(text: str) -> list[str]:
        """Pairs of adjacent letters and digits in order, once each, across spaces and symbols.

        They find what pieces miss: endings, spacing and spelling vary, most of the pairs stay
        (McNamee & Mayfield 2004, doi:10.1023/B:INRT.0000009441.78971.be).
        """
        letters = filter(str.isalnum, _line(text))
        return list(dict.fromkeys(map("".join, pairwise(letters))))

    def tags(self, title: str) -> list[str]:
        """The known tags that stand in the title, in order, once each, as they are stored.

        Spaces are ignored: "비 오는 날" holds the tag 비오는날. Words of an alphabet match as a
        whole only ("rap" does not stand in "trap"); in Korean, Chinese and Japanese a tag may be
        part of a word, but not a single character of one, nor may it begin within one word and
        reach into the next.
        """
        written = _Title.of(normalise(title))
        joined = written.joined
        tags: dict[str, None] = {}
        start = 0
        while start < len(joined):
            for length in self._lengths.get(joined[start], ()):
                end = start + length
                tag = self._tags.get(joined[start:end]) if end <= len(joined) else None
                if tag is not None and written.stands_free(start, end):
                    tags[tag] = None
                    start = end
                    break
            else:
                start += 1
        return list(tags)

    def spellings(self, tag: str) -> list[str]:
        """How the catalogue may spell a tag, likeliest first: as it is given, then a known one.

        Without its symbols, too, where no tag is known that has them.
        """
        key, visible = compact(tag), seen(tag)
        plain = clean_text(" ".join(without_symbols(visible).split()))
        known = (self._tags.get(key), plain, self._tags.get(without_symbols(key)))
        return list(dict.fromkeys([tag, visible, *filter(None, known)]))

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
            header, _, model = _inflated(blob[len(_MAGIC) :]).partition(b"\n")
            stored = _Header.model_validate_json(header)
            if stored.model_bytes != len(model):
                raise ValueError("the model is cut short")
            tags = {key: stored.spellings.get(key, key) for key in stored.tags}
            return cls(model, stored.whole, tags)
        except ValidationError as error:
            problem = first_problem(error)
            raise _damaged(f"{problem.place}: {problem.what}".removeprefix(": ")) from None
        except (zlib.error, ValueError, RuntimeError) as error:
            raise _damaged(str(error)) from error


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


def _line(text: str) -> str:
    """The words of a text without its symbols, for sentencepiece to learn from."""
    text = normalise(text)
    return " ".join(text[slice(*t.span())] for t in tokens(text) if not t["symbol"])


@dataclass(frozen=True, slots=True)
class _Title:
    """A normalised text without its spaces.

    Attributes:
        joined: its characters.
        inner: for each place within a word or symbol, whether it is a symbol.
        gaps: the places where two words are written apart.
    """

    joined: str
    inner: Mapping[int, bool]
    gaps: Set[int]

    @classmethod
    def of(cls, text: str) -> _Title:
        inner: dict[int, bool] = {}
        gaps, beside_symbols, position = set(), set(), 0
        for part in text.split():
            for token in tokens(part):
                start, end = position + token.start(), position + token.end()
                inner |= dict.fromkeys(range(start + 1, end), token["symbol"] is not None)
                if token["symbol"]:
                    beside_symbols |= {start, end}
            position += len(part)
            gaps.add(position)
        return cls("".join(text.split()), inner, gaps - beside_symbols)

    def stands_free(self, start: int, end: int) -> bool:
        """Whether what stands there is not just a fragment of a longer word, or of a symbol."""
        if self.inner.get(start) or self.inner.get(end):
            return False
        cut_before, cut_after = start in self.inner, end in self.inner
        if cut_before and any(start < gap < end for gap in self.gaps):
            return False
        if cut_before and self._is_alphabetic_at(start):
            return False
        if cut_after and self._is_alphabetic_at(end):
            return False
        whole = not cut_before and not cut_after
        return whole or end - start > 1 or not self.joined[start].isalpha()

    def _is_alphabetic_at(self, place: int) -> bool:
        """Whether an alphabet's word goes on there."""
        return all(map(_is_alphabetic, self.joined[place - 1 : place + 1]))


def _is_alphabetic(character: str) -> bool:
    """Whether its script writes words apart; Hangul, Kana and Han count as scripts that do not."""
    return character.isalnum() and not any(a <= character <= b for a, b in _WORDS_WITHOUT_SPACES)
