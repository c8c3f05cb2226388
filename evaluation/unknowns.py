"""What of the questions the store does not know, which is too much if it is the wrong store."""

from __future__ import annotations

from dataclasses import dataclass, field

from melon.catalog import Playlist
from melon.retrieval import Ranking


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
