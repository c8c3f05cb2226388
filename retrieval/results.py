"""What comes back: ranked songs and tags, and how they came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.description import Description
from melon.retrieval.seeds import Unknown
from melon.retrieval.strategies.strategy import Answer, Name, Shares
from melon.store import Payload

Fallback = Literal["popularity"]


def fallback(answer: Answer) -> Fallback | None:
    """What stands in for what a strategy finds."""
    return "popularity" if answer.popular else None


@dataclass(frozen=True, slots=True)
class Because:
    """A share of a result's score: of a seed (song, tag, word, bigram) or a neighbour playlist."""

    kind: str
    key: int | str
    share: float

    def to_json(self) -> dict[str, Any]:
        """As `--json --explain` prints it."""
        name = {"tag": "tag", "word": "word", "bigram": "word"}.get(self.kind, "id")
        return {"kind": self.kind, name: self.key, "share": round(self.share, 6)}


@dataclass(frozen=True, slots=True)
class Song:
    """A recommended song. Unknown metadata is None or empty."""

    id: int
    score: float
    name: str | None = None
    artists: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    issue_date: str | None = None
    because: tuple[Because, ...] = ()
    neighbours: tuple[Because, ...] = ()

    @classmethod
    def of(
        cls,
        song: int,
        score: float,
        description: Description,
        because: tuple[Because, ...] = (),
        neighbours: tuple[Because, ...] = (),
    ) -> Song:
        """A song with its score, as it is described."""
        return cls(song, score, *description, because, neighbours)

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it; `issue_date` is as precise as it is known."""
        return {
            "id": self.id,
            "name": self.name,
            "artists": list(self.artists),
            "genres": list(self.genres),
            "issue_date": self.issue_date,
            "score": round(self.score, 6),
        } | _why(self.because, self.neighbours)


@dataclass(frozen=True, slots=True)
class Tag:
    """A recommended tag."""

    tag: str
    score: float
    because: tuple[Because, ...] = ()
    neighbours: tuple[Because, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"tag": self.tag, "score": round(self.score, 6)} | _why(
            self.because, self.neighbours
        )


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer to one query: songs and tags, best first.

    `fallback` is "popularity" where the strategy found none of the songs and tags asked for:
    nothing of the query is known, or counts, or leads to anything that passes. The answer is then
    what is most popular under the same constraints, and a score is a number of playlists. Where
    it found some, but too few, popular ones follow with a score of 0, and `fallback` is None.
    """

    store: str
    release: str
    strategy: str
    fallback: Fallback | None
    songs: tuple[Song, ...]
    tags: tuple[Tag, ...]
    unknown: Unknown = field(default_factory=Unknown)

    def to_json(self) -> dict[str, Any]:
        """As `melon query --json` prints it: fields may be added, never renamed."""
        return {
            "store": self.store,
            "release": self.release,
            "strategy": self.strategy,
            "fallback": self.fallback,
            "songs": [song.to_json() for song in self.songs],
            "tags": [tag.to_json() for tag in self.tags],
            "unknown": {
                "songs": list(self.unknown.songs),
                "tags": list(self.unknown.tags),
                "words": list(self.unknown.words),
            },
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to one query by ids and names alone, best first.

    `fallback` is that of a `Recommendation`. `known` is whether the store holds anything of the
    query, and `unknown` what it does not hold; what is known may still lead nowhere.
    """

    songs: tuple[int, ...]
    tags: tuple[str, ...]
    fallback: Fallback | None = field(default=None, compare=False)
    known: bool = field(default=True, compare=False)
    unknown: Unknown = field(default_factory=Unknown, compare=False)


def because(
    shares: Shares, row: int, score: float
) -> tuple[tuple[Because, ...], tuple[Because, ...]]:
    """The shares of the seeds and of the neighbours in one result's score, largest first.

    What only fills an answer up scores 0 and has none, though seeds may have voted against it.
    """
    if score <= 0 or not (shares.seeds or shares.neighbours):
        return (), ()

    def ranked(parts: Mapping[Name, NDArray[np.float64]]) -> tuple[Because, ...]:
        own = [Because(*name, float(share[row])) for name, share in parts.items() if share[row]]
        return tuple(sorted(own, key=lambda part: -abs(part.share)))

    return ranked(shares.seeds), ranked(shares.neighbours)


def _why(because: Sequence[Because], neighbours: Sequence[Because]) -> Payload:
    """`because` sums to the score; `neighbours` sum to what the neighbourhood has in it."""
    if not because and not neighbours:
        return {}
    return {
        "because": [share.to_json() for share in because],
        "neighbours": [share.to_json() for share in neighbours],
    }
