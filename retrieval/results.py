"""What comes back: ranked songs and tags, and how they came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from melon.retrieval import notebook
from melon.store import Payload

if TYPE_CHECKING:
    import pandas as pd

Fallback = Literal["popularity"]
Order = Literal["score", "flow"]
ORDERS: tuple[Order, ...] = get_args(Order)

_DATE_LENGTHS = {"year": 4, "month": 7}
_DAY_LENGTH = 10


class Description(NamedTuple):
    """Of a song; what is unknown is None or empty, and a date is as precise as it is known.

    `more` holds the values of the shown fields that have no name here, where they are known.
    """

    key: str | None
    name: str | None
    artists: tuple[str, ...]
    genres: tuple[str, ...]
    issue_date: str | None
    more: Mapping[str, Any]

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Description:
        """Of the fields that are shown; a genre without a name goes by its code."""
        get = payload.get
        issued = get("issue_date")
        length = _DATE_LENGTHS.get(get("issue_date_precision", ""), _DAY_LENGTH)
        return cls(
            get("key"),
            get("name"),
            tuple(get("artists", ())),
            tuple(get("genre_names") or get("genres", ())),
            issued[:length] if issued else None,
            {name: value for name, value in payload.items() if name not in _DESCRIBED},
        )


_DESCRIBED = {*Description._fields, "genre_names", "issue_date_precision"}


def more_fields(shown: Iterable[str]) -> tuple[str, ...]:
    """Of the shown fields, those that `more` may hold."""
    return tuple(name for name in shown if name not in _DESCRIBED)


@dataclass(frozen=True, slots=True)
class Unknown:
    """What of a query the store does not know.

    `near` has tags of the store that are written like an unknown one, where there are any, if one
    query was asked alone.
    """

    songs: tuple[int | str, ...] = ()
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    near: Mapping[str, Sequence[str]] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        return bool(self.songs or self.tags or self.words)


@dataclass(frozen=True, slots=True)
class Because:
    """A share of a result's score: of a seed (song, tag, word, bigram) or of a playlist.

    `ref` is the id of the song or playlist, or the tag or word itself; `key` is the song's or
    playlist's, where it has one.
    """

    kind: str
    ref: int | str
    share: float
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `--json --explain` prints it."""
        name = {"tag": "tag", "word": "word", "bigram": "word"}.get(self.kind, "id")
        key = {} if self.key is None else {"key": self.key}
        return {"kind": self.kind, name: self.ref, **key, "share": round(self.share, 6)}


@dataclass(frozen=True, slots=True)
class Song:
    """A recommended song. Unknown metadata is None or empty.

    `versions` are other versions of it, which would stand in the list, too, best first.
    """

    id: int
    score: float
    key: str | None = None
    name: str | None = None
    artists: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    issue_date: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    because: tuple[Because, ...] = ()
    playlists: tuple[Because, ...] = ()
    versions: tuple[Song, ...] = ()

    @classmethod
    def of(
        cls,
        song: int,
        score: float,
        description: Description,
        because: tuple[Because, ...] = (),
        playlists: tuple[Because, ...] = (),
        versions: tuple[Song, ...] = (),
    ) -> Song:
        """A song with its score, as it is described."""
        return cls(song, score, *description, because, playlists, versions)

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it; `issue_date` is as precise as it is known."""
        return {
            "id": self.id,
            "key": self.key,
            "name": self.name,
            "artists": list(self.artists),
            "genres": list(self.genres),
            "issue_date": self.issue_date,
            **self.more,
            "score": round(self.score, 6),
            **({"versions": [one.to_json() for one in self.versions]} if self.versions else {}),
        } | _why(self.because, self.playlists)


@dataclass(frozen=True, slots=True)
class Tag:
    """A recommended tag."""

    tag: str
    score: float
    because: tuple[Because, ...] = ()
    playlists: tuple[Because, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"tag": self.tag, "score": round(self.score, 6)} | _why(self.because, self.playlists)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer to one query: songs and tags, best first, or songs in the `order` of a flow.

    `fallback` is "popularity" where the strategy has no answer: nothing of the query is known, or
    counts, or leads to anything that passes. The answer is then what is most popular under the
    same constraints, and a score is a number of playlists. `popular` names the lists of which that
    is so, "songs" or "tags" alone where the strategy finds the others. Where it finds too few,
    popular songs and tags follow with a score of 0. `known` is whether the store knows anything of
    what the query likes. `fields` names what the release's songs may have in `more`.
    """

    store: str
    release: str
    strategy: str
    fallback: Fallback | None
    songs: tuple[Song, ...]
    tags: tuple[Tag, ...]
    unknown: Unknown = field(default_factory=Unknown)
    popular: tuple[str, ...] = ()
    known: bool = True
    order: Order = "score"
    fields: tuple[str, ...] = field(default=(), compare=False)

    def to_frame(self, kind: Literal["songs", "tags"] = "songs") -> pd.DataFrame:
        """The songs, or the tags, a row each, in their order.

        The columns are those of the release, whatever was found.

        Raises:
            InputError: `kind` is neither.
            MissingExtra: pandas is not installed.
        """
        return notebook.to_frame(self, kind)

    def _repr_html_(self) -> str:
        """As notebooks show it."""
        return notebook.to_html(self)

    def to_json(self) -> dict[str, Any]:
        """As `melon query --json` prints it: fields may be added, never renamed."""
        return {
            "store": self.store,
            "release": self.release,
            "strategy": self.strategy,
            "order": self.order,
            "fallback": self.fallback,
            "popular": list(self.popular),
            "songs": [song.to_json() for song in self.songs],
            "tags": [tag.to_json() for tag in self.tags],
            "unknown": {
                "songs": list(self.unknown.songs),
                "tags": list(self.unknown.tags),
                "words": list(self.unknown.words),
                "near": {"tags": {tag: list(near) for tag, near in self.unknown.near.items()}},
            },
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to one query by ids and names alone, best first.

    `fallback` and `popular` are those of a `Recommendation`. `known` is whether the store knows
    anything of the query, and `unknown` what it does not; what is known may still lead nowhere.
    """

    songs: tuple[int, ...]
    tags: tuple[str, ...]
    fallback: Fallback | None = field(default=None, compare=False)
    popular: tuple[str, ...] = field(default=(), compare=False)
    known: bool = field(default=True, compare=False)
    unknown: Unknown = field(default_factory=Unknown, compare=False)


def _why(because: Sequence[Because], playlists: Sequence[Because]) -> Payload:
    """`because` sums to the score, `playlists` to the part of it that came through them."""
    if not because and not playlists:
        return {}
    return {
        "because": [share.to_json() for share in because],
        "playlists": [share.to_json() for share in playlists],
    }
