"""The playlists of a store: page by page, the most liked first, and one to be continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from melon.errors import InputError, WrongType
from melon.retrieval.errors import UnknownItem
from melon.retrieval.keys import point_of
from melon.retrieval.known import Known, first, known
from melon.retrieval.live import OpenRelease
from melon.retrieval.query import PlaylistQuery
from melon.store import Collection, Filter, MatchAny

PLAYLIST_FIELDS = ("songs", "tags", "title")
"""The payload fields of a playlist that its continuation starts from."""

MAX_PLAYLISTS = 10_000
"""Playlists that can be gone through: those before a page are found, too."""


@dataclass(frozen=True, slots=True)
class PlaylistPage:
    """A page of playlists: the most liked first; those of which no likes are known, largest first.

    Attributes:
        playlists: those of the page.
        total: how many there are; the pages have the first `MAX_PLAYLISTS`.
        next: give it as `after` for the next page; None on the last.
    """

    playlists: tuple[Known, ...]
    total: int
    next: int | None

    def to_json(self) -> dict[str, Any]:
        """As the service answers it."""
        return {
            "total": self.total,
            "next": self.next,
            "playlists": [playlist.to_json() for playlist in self.playlists],
        }


def playlists(release: OpenRelease, tags: Sequence[str], limit: int, after: int) -> PlaylistPage:
    """As `Retriever.playlists`, in one release."""
    if isinstance(tags, str):
        raise WrongType(f"{tags!r} is not a list of tags", hint=f'write ["{tags}"]')
    if limit < 1 or after < 0:
        raise InputError(f"{limit} playlists after {after} cannot be listed")
    if after >= MAX_PLAYLISTS:
        raise InputError(
            f"only the first {MAX_PLAYLISTS:,} playlists are listed", hint="look for fewer, by tags"
        )
    limit = min(limit, MAX_PLAYLISTS - after)
    wanted = PlaylistQuery(tags=tags).tags
    filter = Filter(must=tuple(MatchAny("tags", (tag,)) for tag in wanted))
    reader = release.reader
    total = reader.count(Collection.PLAYLISTS, filter)
    found = first(reader, Collection.PLAYLISTS, filter, after + limit)[after:]
    more = after + limit < min(total, MAX_PLAYLISTS)
    return PlaylistPage(
        known(reader, Collection.PLAYLISTS, found), total, after + limit if more else None
    )


def query_of(release: OpenRelease, playlist: int | str) -> PlaylistQuery:
    """As `Retriever.playlist`, in one release."""
    named = PlaylistQuery(playlist=playlist).playlist
    if named is None:
        raise InputError("a playlist is named by its id or its key")
    point = point_of(release.reader, Collection.PLAYLISTS, named)
    records = release.reader.retrieve(
        Collection.PLAYLISTS, [] if point is None else [point], payload=PLAYLIST_FIELDS
    )
    if not records:
        raise UnknownItem(
            f"the store does not hold playlist {playlist}",
            hint="give its key or id: `melon find` looks for titles",
        )
    return PlaylistQuery.model_validate({**records[0].payload, "playlist": point})
