"""The questions that were answered worst, with names instead of ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.evaluation.questions import Pair, kind_of
from melon.evaluation.submission import Result
from melon.store import Collection, ReleaseReader

Names = tuple[str, ...]

NAMED = 10
"""Songs of each list that are named."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A question with what was expected and what came; lists of songs are cut at `NAMED`.

    Attributes:
        playlist: its key, else its id.
        kind: of the question.
        score: what it adds to the score.
        title: that is given, if one is.
        songs: that are given.
        tags: likewise.
        expected_songs: that are hidden.
        expected_tags: likewise.
        came_songs: that were recommended, best first.
        came_tags: likewise.
        counts: how many songs are given, and how many are hidden.
        found: which names of songs and tags are both expected, of all, and among those that came.
    """

    playlist: str
    kind: str
    score: float
    title: str | None
    songs: Names
    tags: Names
    expected_songs: Names
    expected_tags: Names
    came_songs: Names
    came_tags: Names
    counts: tuple[int, int]
    found: frozenset[str]


def worst(
    reader: ReleaseReader,
    pairs: Sequence[Pair],
    results: Sequence[Result],
    scores: NDArray[np.float64],
    count: int = 10,
) -> tuple[Miss, ...]:
    """The questions that add least to the score; of equal ones those that hide most.

    Args:
        reader: of the release that was asked, for names.
        pairs: n questions with their answers.
        results: their results, in the same order.
        scores: (n,) what each adds, see `by_question`.
        count: how many questions.
    """
    hidden = [len(answer.songs) + len(answer.tags) for _, answer in pairs]
    order = sorted(range(len(pairs)), key=lambda row: (scores[row], -hidden[row], row))[:count]
    asked = [(*pairs[row], results[row], float(scores[row])) for row in order]
    names = _names(
        reader,
        (
            song
            for question, answer, result, _ in asked
            for songs in (question.songs, answer.songs, result.songs)
            for song in songs[:NAMED]
        ),
    )

    def named(songs: Sequence[int]) -> Names:
        return tuple(names.get(song, f"song {song}") for song in songs[:NAMED])

    return tuple(
        Miss(
            question.key or str(question.id),
            kind_of(question),
            score,
            question.title,
            named(question.songs),
            question.tags,
            named(answer.songs),
            answer.tags,
            named(result.songs),
            result.tags,
            (len(question.songs), len(answer.songs)),
            frozenset(
                [
                    *named([song for song in result.songs[:NAMED] if song in answer.songs]),
                    *(tag for tag in result.tags if tag in answer.tags),
                ]
            ),
        )
        for question, answer, result, score in asked
    )


def _names(reader: ReleaseReader, songs: Iterable[int]) -> dict[int, str]:
    """What songs are called, with their artists; those without a name are left out."""
    ids = list(dict.fromkeys(songs))
    records = reader.retrieve(Collection.SONGS, ids, payload=("name", "artists"))
    return {
        int(record.id): " · ".join([record.payload["name"], *record.payload.get("artists", ())])
        for record in records
        if record.payload.get("name")
    }
