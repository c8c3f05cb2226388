"""What of the questions the store does not know, which is too much if it is the wrong store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from melon.catalog import Playlist
from melon.retrieval import Ranking
from melon.store import Collection, ReleaseReader


def wrong_store_note(unknown: int, questions: int) -> str:
    """What to add to a note on questions that a store does not know: that it is the wrong one.

    Nothing, "", unless more than half of the questions are unknown.
    """
    return ": it is probably that of another catalogue" if 2 * unknown > questions else ""


@dataclass(slots=True)
class Unknowns:
    """Collects it while questions are answered.

    Attributes:
        questions: ids of those of which the store knows nothing, whatever the strategy.
        songs: the songs given that it does not hold.
        tags: the tags, likewise.
    """

    questions: set[int] = field(default_factory=set)
    songs: set[int] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    def add(self, question: Playlist, ranking: Ranking) -> None:
        """Take note of what was unknown of one question."""
        if not ranking.known:
            self.questions.add(question.id)
        self.songs.update(ranking.unknown.songs)
        self.tags.update(ranking.unknown.tags)


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
