"""Questions whose answers the store was trained on: what they show is how well it remembers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from melon.catalog import Playlist
from melon.store import Collection, ReleaseReader

TOGETHER = 1000
"""Playlists that are read in one request."""


def leaked(reader: ReleaseReader, answers: Sequence[Playlist]) -> list[int]:
    """The playlists that hold in the store, under their own id, some of what is hidden of them.

    Args:
        answers: what is hidden of each playlist.
    """
    return [
        playlist
        for start in range(0, len(answers), TOGETHER)
        for playlist in _leaked(reader, answers[start : start + TOGETHER])
    ]


def _leaked(reader: ReleaseReader, answers: Sequence[Playlist]) -> Iterator[int]:
    found = reader.retrieve(
        Collection.PLAYLISTS, [answer.id for answer in answers], payload=("songs", "tags")
    )
    held = {
        record.id: {*record.payload.get("songs", ()), *record.payload.get("tags", ())}
        for record in found
    }
    for answer in answers:
        if not held.get(answer.id, set()).isdisjoint((*answer.songs, *answer.tags)):
            yield answer.id
