"""Whether a store suits the questions: it knows what they give, and not what they hide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from melon.catalog import Playlist
from melon.evaluation.questions import Pair
from melon.evaluation.submission import SONGS
from melon.retrieval import Ranking
from melon.store import (
    SCHEMA,
    Collection,
    Filter,
    HasId,
    NumberRange,
    ReleaseReader,
    SparseVector,
    VectorQuery,
)


@dataclass(slots=True)
class Unknowns:
    """What of the questions the store does not know, collected while they are answered.

    Attributes:
        questions: ids of questions of which the store knows nothing, whatever the strategy.
        songs: songs of questions that are not in the store.
        tags: tags, likewise.
    """

    questions: set[int] = field(default_factory=set)
    songs: set[int | str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    def add(self, question: Playlist, ranking: Ranking) -> None:
        """Add what the store does not know of one question."""
        if not ranking.known:
            self.questions.add(question.id)
        self.songs.update(ranking.unknown.songs)
        self.tags.update(ranking.unknown.tags)


TOGETHER = 1000
"""Playlists that are read in one request."""

SEARCHED_TOGETHER = 64
"""Playlists that are searched for in one request."""


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


def copied(reader: ReleaseReader, pairs: Sequence[Pair]) -> list[int]:
    """The ids of questions about copies: a playlist of the store, of another id, has their songs.

    Which are those that the question gives and those that its answer hides, two at least. Tags and
    title may differ. Where an answer is as long as answers are at most, the playlist of the store
    may have further songs.
    """
    return [
        playlist
        for start in range(0, len(pairs), SEARCHED_TOGETHER)
        for playlist in _copied(reader, pairs[start : start + SEARCHED_TOGETHER])
    ]


def _copied(reader: ReleaseReader, pairs: Sequence[Pair]) -> Iterator[int]:
    wholes = [
        (question.id, {*question.songs, *answer.songs}, len(answer.songs) >= SONGS)
        for question, answer in pairs
        if len({*question.songs, *answer.songs}) > 1
    ]
    # Among playlists of one length, the one that shares most songs comes first.
    queries = [
        VectorQuery(
            SparseVector(np.array(sorted(songs), np.uint32), np.ones(len(songs), np.float32)),
            str(SCHEMA[Collection.PLAYLISTS].sparse),
            1,
            Filter(
                must=(NumberRange("song_count", len(songs), None if more else len(songs)),),
                must_not=(HasId((playlist,)),),
            ),
            payload=("songs",),
        )
        for playlist, songs, more in wholes
    ]
    hits = reader.query(Collection.PLAYLISTS, queries) if queries else []
    for (playlist, songs, _), found in zip(wholes, hits, strict=True):
        if any(songs <= {*hit.payload.get("songs", ())} for hit in found):
            yield playlist
