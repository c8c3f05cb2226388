"""Forms in which texts are kept and compared, and the tokenizer that cuts titles into words.

    clean_text   what a reader of files makes of a text; None where nothing of it can be seen
    storable     what a space and a store can hold of it
    name_key     compares names of songs and artists: `name_key`, `artist_keys` in the store
    normalise    compares titles and tags
    compact      compares tags whatever their spaces

All are the same in training and at query time. Only the tokenizer needs sentencepiece.

What Python knows of a character depends on its version: pictographs count as symbols by their
blocks, and what is invisible is listed here, so that a text is the same to all of them.
"""

from __future__ import annotations

import difflib
import io
import json
import re
import textwrap
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melon.errors import MelonError, first_problem

_MAGIC = b"melon-title-2\n"
_META_SPACE = "▁"
_SENTENCEPIECE_MARKS = "▁▅"
_LONGEST_LINE = 1_000
"""Characters; sentencepiece skips a line of more than 4192 bytes."""

MAX_TITLE_BYTES = 64 << 20
"""Of a stored tokenizer, unpacked: one of 100,000 tags and 8,000 pieces has 3 MB."""

_REPEATED = 2
"""Times that a word must stand in titles and tags to be kept whole."""

_WORDS_WITHOUT_SPACES = (("\u1100", "\u11ff"), ("\u3040", "\ud7ff"), ("\U00020000", "\U0003ffff"))

_BLANK = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
"""White space, and the Braille pattern without dots."""

_JOINER, _KEYCAP, _EMOJI_STYLE, _FLAG = "\u200d", "\u20e3", "\ufe0f", "\U0001f3f4"
_TONES, _TAGS = "\U0001f3fb-\U0001f3ff", "\U000e0020-\U000e007f"
_UNSEEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\ufe00-\ufe0f\U000e0001\U000e0100-\U000e01ef"
)
"""Unicode's `Default_Ignorable_Code_Point`, but for what joins emoji and spells flags."""

_LETTER_EMOJI = (
    "℠™ℹ㊗㊙\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251"
)
"""Symbols that are no way of writing the letters that NFKC makes of them."""

_SYMBOL_BLOCKS = (
    ("\u24ea", "\u24ff"),
    ("\u2776", "\u2793"),
    ("\U0001f000", "\U0001faff"),
    ("\U0001fc00", "\U0001ffff"),
)
"""Digits in circles of which NFKC makes nothing, and the blocks of pictographs."""

_BLANKS = re.compile(f"[{_BLANK}\0-\x1f\x7f-\x9f]")
_DROPPED = re.compile(f"[{_UNSEEN}\ud800-\udfff]")
_OF_EMOJI = re.compile(f"({_FLAG}[{_TAGS}]+)|[{_JOINER}{_TONES}{_TAGS}]")
_ENCLOSED = re.compile("[\u2460-\u24ff\u3200-\u32ff\U0001f100-\U0001f1e5\U0001f200-\U0001f2ff]+")
_UNFOLDED = re.compile(f"([0-9#*]{_KEYCAP}|[{_LETTER_EMOJI}])")
_DOT = "\u0307"
_DOTTED = re.compile("(?<=[ij])[\u0300-\u036f]+")

# Of the classes of characters, a letter each: see `_class`.
_SYMBOL = "[dh]k|rr|[rs][mt]*(?:z[rs][mt]*)*"
_SYMBOLS = re.compile(f"(?:(?:{_SYMBOL}) *)+")
_TOKEN = re.compile(f"(?P<symbol>{_SYMBOL})|(?:a|d(?!k))(?:[am]|d(?!k))*")


def _spelt_out(ranges: str) -> str:
    """Every character of a regular expression's ranges."""
    return re.sub(
        "(.)-(.)", lambda ends: "".join(map(chr, range(ord(ends[1]), ord(ends[2]) + 1))), ranges
    )


_EDGES = _spelt_out(_BLANK + _UNSEEN + _JOINER + _TAGS)
_AT_EDGES = frozenset(_EDGES)
_FILLERS = "".join(filter(str.isalnum, _EDGES))
_LOOKS = re.compile(f"{_EMOJI_STYLE}|(?<={_FLAG})[{_TAGS}]+")
"""What makes an emoji of a symbol before it, or another flag of a flag."""


def clean_text(text: str | None) -> str | None:
    """Compose a text (NFC) and strip what is invisible from its ends; None if nothing is left.

    Invisible are white space and what Unicode has renderers ignore, such as a zero width space.
    What changes how the symbol before it looks stays.

    Raises:
        UnicodeEncodeError: the text holds half a surrogate pair, which no encoding can write.
    """
    if not text:
        return None
    if text.isascii():
        return text.strip() or None
    text = unicodedata.normalize("NFC", text)
    if text.isalnum() and text.strip(_FILLERS) == text:
        return text  # as most are: half of the time that the rest takes
    text.encode()
    if text[0] not in _AT_EDGES and text[-1] not in _AT_EDGES:
        return text  # to strip thousands of characters takes longer than all the rest
    bare = text.strip(_EDGES)
    if bare and not bare[-1].isalnum():
        looks = _LOOKS.match(text, text.index(bare) + len(bare))
        return bare + looks[0] if looks else bare
    return bare or None


def storable(text: str) -> str:
    """The text with `?` for lone surrogates, which neither Arrow nor Qdrant can hold.

    Only hand-made records hold any: the readers of files skip such records.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def name_key(name: str) -> str:
    """The form of names in `name_key` and `artist_keys`: NFKC, case-folded, single spaces.

    What is invisible goes, and every i is one, as in `normalise`.
    """
    key = unicodedata.normalize("NFKC", name if name.isascii() else _seen(name)).casefold()
    return " ".join((_folded(key) if "ı" in key or _DOT in key else key).split())


def near(wanted: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names that are written almost like `wanted`, the nearest first."""
    by_key = {name_key(name): name for name in known}
    return [by_key[key] for key in difflib.get_close_matches(name_key(wanted), by_key, n=3)]


def did_you_mean(wanted: str, known: Iterable[str]) -> str | None:
    """A hint at the known names that are near, or None."""
    return f"did you mean {' or '.join(names)}?" if (names := near(wanted, known)) else None


def normalise(text: str) -> str:
    """Bring a title or tag to the one form in which texts are compared.

    - What is invisible, variation selectors, and lone surrogates go; control characters become
      spaces.
    - Compatibility caseless form (Unicode 3.13, D146, then NFKC): full-width and half-width, upper
      and lower case, composed and decomposed Hangul become one. So do the i with and without a
      dot, whatever their capitals. What is enclosed, as in ①, stands apart.
    - Emoji lose their skin tones. Symbols stand apart, each once in a row of symbols: an emoji is
      one, though it be of several that are joined, and so are a flag and a keycap. Joiners go
      where they join no emoji.
    - Runs of white space become one space, none at the ends.
    """
    if text.isascii():
        folded = text.lower() if text.isprintable() else _BLANKS.sub(" ", text.lower())
        return " ".join(folded.split())
    parts = _UNFOLDED.split(_ENCLOSED.sub(r" \g<0> ", _seen(text)))
    parts[::2] = map(_folded, parts[::2])
    folded = "".join(parts)
    if len(parts) > 1 or not folded.replace(" ", "").isalnum():
        folded = _symbols_apart(folded)
    return " ".join(folded.split())


def compact(tag: str) -> str:
    """The form in which spellings of a tag that differ by case and spaces alone are the same."""
    return normalise(tag).replace(" ", "")


def _seen(text: str) -> str:
    """What can be seen of a text, its skin tones apart, with a space for every blank."""
    return _OF_EMOJI.sub(_of_emoji, _DROPPED.sub("", _BLANKS.sub(" ", text)))


def _of_emoji(match: re.Match[str]) -> str:
    """What stays of the tags of a flag, of a joiner or a skin tone, by what stands beside it."""
    found, start, end, text = match[0], match.start(), match.end(), match.string
    after_symbol = start > 0 and _is_symbol(text[start - 1])
    if found == _JOINER:
        return found if after_symbol and end < len(text) and _is_symbol(text[end]) else ""
    if _class(found[0]) == "t" or after_symbol:
        return match[1] or ""
    return found


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFD", text).casefold()
    text = unicodedata.normalize("NFKD", text).casefold().replace("ı", "i")
    text = _DOTTED.sub(lambda marks: marks[0].replace(_DOT, ""), text)
    return unicodedata.normalize("NFKC", text)


def _symbols_apart(text: str) -> str:
    """The text with spaces round its symbols, and with each of a row of symbols once."""
    parts, at, classes = [], 0, text.translate(_CLASSES)
    for row in _SYMBOLS.finditer(classes):
        symbols = (text[slice(*one.span())] for one in _TOKEN.finditer(classes, *row.span()))
        parts += [text[at : row.start()], *dict.fromkeys(symbols)]
        at = row.end()
    kept = [part for part in parts if part.strip() != _JOINER]
    apart = " ".join([*kept, text[at:]])
    # what a joiner stands between that joins nothing is one row
    return apart if len(kept) == len(parts) else _symbols_apart(apart)


def _without_symbols(text: str) -> str:
    """A text without its symbols, but with the spaces beside them."""
    classes = text.translate(_CLASSES)
    symbols = [slice(*row.span()) for row in _SYMBOLS.finditer(classes)]
    ends = [0, *(symbol.stop for symbol in symbols)]
    starts = [*(symbol.start for symbol in symbols), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Where the words and symbols of a normalised text are: matches in its characters' classes."""
    return _TOKEN.finditer(text.translate(_CLASSES))


class _Classes(dict[int, str]):
    """The class of each character for `str.translate`, kept once it is known."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _class(chr(code))
        return found


_CLASSES = _Classes()


def _class(character: str) -> str:
    """One letter for what a character is.

    A letter (a), digit (d), hash or asterisk (h), mark (m), symbol (s), regional indicator (r),
    keycap (k), joiner (z), tag of a flag (t), space, or punctuation (p).
    """
    if character.isspace():
        return " "
    if character.isascii():
        if character in "#*":
            return "h"
        return "d" if character.isdigit() else "a" if character.isalpha() else "p"
    if character in (_KEYCAP, _JOINER):
        return "k" if character == _KEYCAP else "z"
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return "r"
    if "\U000e0020" <= character <= "\U000e007f":
        return "t"
    if _is_symbol(character):
        return "s"
    return {"L": "a", "N": "a", "M": "m"}.get(unicodedata.category(character)[0], "p")


def _is_symbol(character: str) -> bool:
    """Whether a character is a word of its own: no punctuation, and none that NFKC replaces."""
    if character.isascii() or character in _SENTENCEPIECE_MARKS:
        return False
    if _UNFOLDED.fullmatch(character):
        return True
    if unicodedata.normalize("NFKC", character) != character:
        return False
    return unicodedata.category(character) in ("So", "Sm", "Sc") or any(
        first <= character <= last for first, last in _SYMBOL_BLOCKS
    )


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
                known.setdefault(key, tag)
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
        for token in _tokens(text):
            word = text[slice(*token.span())]
            words.update(dict.fromkeys([word] if token["symbol"] else self._pieces(word)))
        return list(words)

    def _pieces(self, word: str) -> list[str]:
        if self._processor is None or word in self._whole:
            return [word]
        marked: list[str] = self._processor.encode(word, out_type=str)
        pieces = [piece for mark in marked if (piece := mark.strip(_META_SPACE))]
        return [word] if any(map(_is_letter, pieces)) else pieces

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
        key, seen = compact(tag), _seen(tag)
        plain = clean_text(" ".join(_without_symbols(seen).split()))
        known = (self._tags.get(key), plain, self._tags.get(_without_symbols(key)))
        return list(dict.fromkeys([tag, seen, *filter(None, known)]))

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
    return " ".join(text[slice(*t.span())] for t in _tokens(text) if not t["symbol"])


def _is_letter(piece: str) -> bool:
    return len(piece) == 1 and _is_alphabetic(piece)


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
            for token in _tokens(part):
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
