"""Whether a store suits the questions: it knows what they give, and not what they hide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from melon.catalog import Playlist
from melon.retrieval import Ranking
from melon.store import Collection, ReleaseReader


@dataclass(slots=True)
class Unknowns:
    """What of the questions the store does not know, collected while they are answered.

    Attributes:
        questions: ids of questions of which the store knows nothing, whatever the strategy.
        songs: songs of questions that are not in the store.
        tags: tags, likewise.
    """

    questions: set[int] = field(default_factory=set)
    songs: set[int] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    def add(self, question: Playlist, ranking: Ranking) -> None:
        """Add what the store does not know of one question."""
        if not ranking.known:
            self.questions.add(question.id)
        self.songs.update(ranking.unknown.songs)
        self.tags.update(ranking.unknown.tags)


TOGETHER = 1000
"""Playlists that are read in one request."""


def leaked(reader: ReleaseReader, answers: Sequence[Playlist]) -> list[int]:
    """The ids of leaked answers: the store's playlist of that id has some of what is hidden.

    Args:
        answers: what is hidden of each playlist.
    """
    return [
        playlist
        for start in range(0, len(answers), TOGETHER)
        for playlist in _leaked(reader, answers[start : start + TOGETHER])
    ]


def _leaked(reader: ReleaseReader, answers: Sequence[Playlist]) -> Iterator[int]:
    records = reader.retrieve(
        Collection.PLAYLISTS, [answer.id for answer in answers], payload=("songs", "tags")
    )
    stored = {
        record.id: {*record.payload.get("songs", ()), *record.payload.get("tags", ())}
        for record in records
    }
    for answer in answers:
        if not stored.get(answer.id, set()).isdisjoint((*answer.songs, *answer.tags)):
            yield answer.id
