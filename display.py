"""What of a catalogue's texts may be displayed: nothing that a terminal or a browser acts upon."""

from __future__ import annotations

# Unicode's category Cc, its separators of lines and paragraphs, and what turns text round.
_BREAKS = [*map(ord, "\t\n\r\x85\u2028\u2029")]
_TURNS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_MARKS = [0x061C, 0x200E, 0x200F]
"""Of direction: unseen, and common in names of scripts that run to the left."""

_CONTROLS: dict[int, str | None] = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), *_TURNS], "\N{REPLACEMENT CHARACTER}"
)
_CONTROLS |= dict.fromkeys(_BREAKS, " ") | dict.fromkeys(_MARKS)
_ESCAPES = {code: f"\\u{code:04x}" for code in _CONTROLS if code >= 0x7F}
"""What JSON may hold as it is, and a terminal acts upon; the others it has escaped already."""


def printable(text: str) -> str:
    """A text of the catalogue as part of one line, without what would be acted upon."""
    return text.translate(_CONTROLS)


def escaped(json: str) -> str:
    """The same JSON, with what a terminal would act upon escaped in its strings."""
    return json.translate(_ESCAPES)
