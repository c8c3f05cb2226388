"""One form for every text of the catalogue."""

from __future__ import annotations

from unicodedata import normalize


def clean_text(text: str | None) -> str | None:
    """Compose a text (NFC) and strip its outer whitespace; None if nothing is left.

    Raises:
        UnicodeEncodeError: the text holds half a surrogate pair, which no encoding can write.
    """
    if not text:
        return None
    if not text.isascii():
        text.encode()
        text = normalize("NFC", text)
    return text.strip() or None
