"""The form in which names are stored for comparison."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """NFKC, case-folded, single spaces: `name_key` and `artist_keys` hold names in this form."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
