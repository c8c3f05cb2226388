"""What a strategy is given and what it returns; all of them work on many queries at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.query import PlaylistQuery
from melon.retrieval.reader import CachingReader
from melon.retrieval.seeds import Seeds
from melon.store import Filter, Ids, PointId


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedQuery:
    """One query with its seeds and filters, ready to be answered.

    The filters hold the constraints and keep the seeds out; `songs` and `tags` say how many
    candidates are wanted at least.
    """

    original: PlaylistQuery
    seeds: Seeds
    song_filter: Filter
    tag_filter: Filter
    songs: int
    tags: int
    exact: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Candidates, best first; ties are in the order of their ids, so every run gives the same."""

    ids: Ids
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def pairs(self) -> Iterator[tuple[PointId, float]]:
        """Each with its score."""
        return zip(self.ids.tolist(), self.scores.tolist(), strict=True)

    def head(self, count: int) -> Ranked:
        """The best `count`."""
        return Ranked(self.ids[:count], self.scores[:count])

    def rows(self, rows: Sequence[int]) -> Ranked:
        """Some of them, in the order of their rows."""
        return Ranked(self.ids[rows], self.scores[rows])

    def followed_by(self, ids: Ids) -> Ranked:
        """The same, then others that have no score: 0, or the last one's if that is less."""
        if not len(self):
            return Ranked(ids, np.zeros(len(ids)))
        last = min(0.0, float(self.scores[-1]))
        scores = np.concatenate([self.scores, np.full(len(ids), last)])
        return Ranked(np.concatenate([self.ids, ids]), scores)

    @classmethod
    def of(cls, ids: Ids, scores: NDArray[np.float64]) -> Ranked:
        """Rank n different points (n,) by their scores (n,)."""
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.lexsort((ids, -scores))
            ordered = scores[order]
        return cls(ids[order], ordered)

    @classmethod
    def of_sums(cls, parts: Sequence[tuple[Ids, NDArray[np.float64]]]) -> Ranked:
        """Rank points by the sum of the scores that they have in any of the parts.

        Args:
            parts: per part, different points and their scores.
        """
        parts = [part for part in parts if len(part[0])]
        if len(parts) < 2:
            return cls.of(*parts[0]) if parts else EMPTY
        ids, inverse = np.unique(np.concatenate([ids for ids, _ in parts]), return_inverse=True)
        scores = np.bincount(inverse, np.concatenate([scores for _, scores in parts]), len(ids))
        return cls.of(ids, scores.astype(np.float64, copy=False))

    def above(self, score: float) -> Ranked:
        """Those that score more than that."""
        return self.head(int((self.scores > score).sum()))


EMPTY = Ranked(np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The candidates for one query.

    `popular` is true if nothing better was found than the most popular items.
    """

    songs: Ranked
    tags: Ranked
    popular: bool = False

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(len(self.songs) or len(self.tags))

    def head(self, songs: int, tags: int) -> Answer:
        """The best of them."""
        return Answer(self.songs.head(songs), self.tags.head(tags), self.popular)


NOTHING = Answer(EMPTY, EMPTY)

SeedRef = tuple[str, int | str]
"""What a share belongs to: its kind (song, tag, word, bigram, playlist) and its id or text."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Parts of the scores of n results.

    Attributes:
        seeds: for each seed its shares (n,) in the scores; over all seeds they sum to the scores.
        neighbours: for each neighbour playlist its shares (n,); they sum to what the
            neighbourhood has in the scores.
    """

    seeds: Mapping[SeedRef, NDArray[np.float64]]
    neighbours: Mapping[SeedRef, NDArray[np.float64]]

    def times(self, factors: NDArray[np.float64]) -> Shares:
        """The same with every result's shares multiplied by its factor (n,)."""
        return Shares(
            {name: factors * share for name, share in self.seeds.items()},
            {name: factors * share for name, share in self.neighbours.items()},
        )

    def plus(self, other: Shares) -> Shares:
        """The shares of both, added up."""
        return Shares(_sum(self.seeds, other.seeds), _sum(self.neighbours, other.neighbours))


NO_SHARES = Shares({}, {})


def _sum(
    one: Mapping[SeedRef, NDArray[np.float64]], other: Mapping[SeedRef, NDArray[np.float64]]
) -> dict[SeedRef, NDArray[np.float64]]:
    total = dict(one)
    for name, share in other.items():
        total[name] = total[name] + share if name in total else share
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The shares in the scores of an answer's songs and tags."""

    songs: Shares
    tags: Shares


UNEXPLAINED = Explanation(NO_SHARES, NO_SHARES)


class Strategy(Protocol):
    """Finds candidates for queries that have at least one known seed."""

    @property
    def name(self) -> str:
        """What it is called by, in options and answers."""

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """One answer per query, the same whether queries are asked together or one by one."""
