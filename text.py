"""Forms in which texts are kept and compared, and the words and symbols that they are made of.

    clean_text   what a reader of files makes of a text; None where nothing of it can be seen
    storable     what a space and a store can hold of it
    name_key     compares names of songs and artists: `name_key`, `artist_keys` in the store
    normalise    compares titles and tags
    compact      compares tags whatever their spaces

All are the same in training and at query time.

What Python knows of a character depends on its version: pictographs count as symbols by their
blocks, and what is invisible is listed here, so that a text is the same to all of them.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator

_SENTENCEPIECE_MARKS = "▁▅"

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
    key = unicodedata.normalize("NFKC", name if name.isascii() else seen(name)).casefold()
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
    parts = _UNFOLDED.split(_ENCLOSED.sub(r" \g<0> ", seen(text)))
    parts[::2] = map(_folded, parts[::2])
    folded = "".join(parts)
    if len(parts) > 1 or not folded.replace(" ", "").isalnum():
        folded = _symbols_apart(folded)
    return " ".join(folded.split())


def compact(tag: str) -> str:
    """The form in which spellings of a tag that differ by case and spaces alone are the same."""
    return normalise(tag).replace(" ", "")


def seen(text: str) -> str:
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


def without_symbols(text: str) -> str:
    """A text without its symbols, but with the spaces beside them."""
    classes = text.translate(_CLASSES)
    symbols = [slice(*row.span()) for row in _SYMBOLS.finditer(classes)]
    ends = [0, *(symbol.stop for symbol in symbols)]
    starts = [*(symbol.start for symbol in symbols), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def tokens(text: str) -> Iterator[re.Match[str]]:
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
