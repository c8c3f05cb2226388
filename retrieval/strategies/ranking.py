"""What a strategy is asked, and what it answers. Every strategy works on many queries at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from melon.retrieval.arrays import Scores
from melon.retrieval.query import PlaylistQuery
from melon.retrieval.reader import CachingReader
from melon.retrieval.seeds import Seeds
from melon.store import Collection, Filter, Ids, PointId


class Strategy(Protocol):
    """Finds candidates for queries that have at least one known seed."""

    @property
    def name(self) -> str:
        """What it is called by, in options and answers."""

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """One answer per query, the same whether queries are asked together or one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedQuery:
    """One query with its seeds, its filters, and how many songs and tags are wanted at least.

    The filters hold the constraints and keep the seeds out.
    """

    original: PlaylistQuery
    seeds: Seeds
    song_filter: Filter
    tag_filter: Filter
    song_limit: int
    tag_limit: int
    exact: bool = False

    def filter(self, collection: Collection) -> Filter:
        """Which songs, or tags, may be recommended."""
        return self.song_filter if collection is Collection.SONGS else self.tag_filter

    def limit(self, collection: Collection) -> int:
        """How many songs, or tags, are wanted at least."""
        return self.song_limit if collection is Collection.SONGS else self.tag_limit


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Candidates, best first; ties are in the order of their ids, so every run gives the same."""

    ids: Ids
    scores: Scores

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
    def of(cls, ids: Ids, scores: Scores) -> Ranked:
        """Rank n different points (n,) by their scores (n,)."""
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.lexsort((ids, -scores))
            ordered = scores[order]
        return cls(ids[order], ordered)

    @classmethod
    def of_sums(cls, parts: Sequence[tuple[Ids, Scores]]) -> Ranked:
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

    `popular` are the collections of which the most popular ones stand in, because a strategy finds
    none. `versions` are other versions of some of the songs, by the songs' ids.
    """

    songs: Ranked
    tags: Ranked
    popular: frozenset[Collection] = frozenset()
    versions: Mapping[PointId, Ranked] = field(default_factory=dict)

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
        playlists: for each playlist that the scores came through its shares (n,); over all
            playlists they sum to the part of the scores that comes from them.
    """

    seeds: Mapping[SeedRef, Scores]
    playlists: Mapping[SeedRef, Scores]

    def times(self, factors: Scores) -> Shares:
        """The same with every result's shares multiplied by its factor (n,)."""
        return Shares(
            {ref: factors * share for ref, share in self.seeds.items()},
            {ref: factors * share for ref, share in self.playlists.items()},
        )

    def plus(self, more: Shares) -> Shares:
        """The shares of both, added up."""
        return Shares(_sum(self.seeds, more.seeds), _sum(self.playlists, more.playlists))


NO_SHARES = Shares({}, {})


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The shares in the scores of an answer's songs and tags."""

    songs: Shares
    tags: Shares


UNEXPLAINED = Explanation(NO_SHARES, NO_SHARES)


def _sum(shares: Mapping[SeedRef, Scores], more: Mapping[SeedRef, Scores]) -> dict[SeedRef, Scores]:
    total = dict(shares)
    for ref, share in more.items():
        total[ref] = total[ref] + share if ref in total else share
    return total
