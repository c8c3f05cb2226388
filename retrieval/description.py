"""What is shown of a song, read from its payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

SONG_FIELDS = (
    "name",
    "artists",
    "genres",
    "genre_names",
    "issue_date",
    "issue_date_precision",
)
"""The payload that a description is made of."""

_DATE_LENGTHS = {"year": 4, "month": 7}
_DAY_LENGTH = 10


class Description(NamedTuple):
    """Of a song; what is unknown is None or empty, and a date is as precise as it is known."""

    name: str | None
    artists: tuple[str, ...]
    genres: tuple[str, ...]
    issue_date: str | None

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Description:
        """Genres are names where the release has them, else codes."""
        get = payload.get
        issued = get("issue_date")
        length = _DATE_LENGTHS.get(get("issue_date_precision", ""), _DAY_LENGTH)
        return cls(
            get("name"),
            tuple(get("artists", ())),
            tuple(get("genre_names") or get("genres", ())),
            issued[:length] if issued else None,
        )
