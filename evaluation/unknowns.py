"""What of the questions the store does not know, which is too much if it is the wrong store."""

from __future__ import annotations

from dataclasses import dataclass, field

from melon.catalog import Playlist
from melon.retrieval import Ranking


def is_of_another_catalogue(unknown: int, questions: int) -> bool:
    """Whether so many of the questions are unknown to a store that it is probably the wrong one."""
    return 2 * unknown > questions


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
