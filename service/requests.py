"""What the service is asked, in the words of `PlaylistQuery`, `Constraints` and the command.

One model serves the parameters of a GET, the JSON of a POST and the arguments of a tool. Each
answers itself by a `Retriever`, with what the command prints as `--json` for the same question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from melon.errors import InputError, first_problem
from melon.fields import MAX_ID
from melon.retrieval import (
    Constraints,
    Item,
    ModalityWeights,
    Order,
    PlaylistQuery,
    Retriever,
    Variety,
    playlist_file,
)
from melon.settings import StrategyName
from melon.store import Collection

MAX_RESULTS = 10_000
MAX_ORDERED = 1000
MAX_LISTED = 100_000
MAX_QUERIES = 100
MAX_NAMES = 10_000
MAX_TEXT = 1000

Text = Annotated[str, Field(max_length=MAX_TEXT)]
SongName = Annotated[int, Strict(), Field(ge=0, le=MAX_ID)] | Text
Songs = Annotated[list[SongName], Field(max_length=MAX_NAMES)]
Names = Annotated[list[Text], Field(max_length=MAX_NAMES)]
Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
ShownKind = Literal["song", "tag", "playlist", "artist"]
ListedKind = Literal["tags", "genres", "artists", "fields"]
FoundKind = Literal["songs", "tags", "artists", "playlists"]
PlaylistFormat = Literal["m3u8", "jspf", "csv", "json"]
NearKind = Literal["songs", "tags", "playlists", "words"]


class Request(BaseModel):
    """A question, of which nothing is ignored: a misspelt constraint would widen the search."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    release: Text | None = Field(
        default=None, description="Ask this release, not the live one.", min_length=1
    )


class Question(Request):
    """A request that says all there is to say."""

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """What the release that a retriever asks answers, as JSON."""
        raise NotImplementedError


def _of(name: str, beginning: str = "A song ") -> str:
    """What a constraint says, as `Constraints` describes it."""
    return f"{beginning}{Constraints.model_fields[name].description}.".replace("`", "")


class Constrained(Question):
    """A question about the songs that pass some constraints."""

    genres: Names | None = Field(default=None, description=_of("genres") + " By name or code.")
    all_genres: Names | None = Field(default=None, description=_of("all_genres"))
    not_genres: Names | None = Field(default=None, description=_of("not_genres"))
    artists: Names | None = Field(default=None, description=_of("artists") + " Whole names.")
    not_artists: Names | None = Field(default=None, description=_of("not_artists"))
    since: Text | None = Field(
        default=None, description=_of("since") + " 2015, 2015-03 or 2015-03-31."
    )
    until: Text | None = Field(default=None, description=_of("until"))
    min_popularity: int | None = Field(default=None, ge=0, description=_of("min_popularity"))
    max_popularity: int | None = Field(default=None, ge=0, description=_of("max_popularity"))
    where: Names | None = Field(
        default=None,
        description="Conditions on fields, which all have to hold: `bpm >= 120`,"
        " `language in (ko, en)`, `explicit = true`.",
    )

    @property
    def constraints(self) -> Constraints:
        """The constraints that are given.

        Raises:
            InputError: one is none.
        """
        return Constraints.model_validate(self._given())

    def _given(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name in Constraints.model_fields and getattr(self, name) is not None
        }


class QueryRequest(Constrained):
    """Part of a playlist to continue; without any, what is most popular under the constraints."""

    songs: Songs = Field(
        default=[],
        description="Songs, by id; as text by key, id or whole name.",
    )
    tags: Names = Field(default=[], description="Tags.")
    title: Text | None = Field(default=None, description="The playlist's title.")
    playlist: SongName | None = Field(
        default=None,
        description="A playlist of the store, by key or id: its songs, its tags and its title.",
    )
    not_songs: Songs = Field(default=[], description="Songs that are disliked.")
    not_tags: Names = Field(default=[], description="Tags that are disliked.")
    exclude_songs: Songs = Field(default=[], description="Songs that must not come back.")
    song_weight: Weight = Field(default=1.0, description="How much the songs count.")
    tag_weight: Weight = Field(default=1.0, description="How much the tags count.")
    title_weight: Weight = Field(default=1.0, description="How much the title counts.")
    limit: int = Field(default=20, ge=0, le=MAX_RESULTS, description="Songs to recommend.")
    tag_limit: int = Field(default=10, ge=0, le=MAX_RESULTS, description="Tags to recommend.")
    max_per_artist: int | None = Field(
        default=None, ge=1, description="Songs of one artist at most."
    )
    diversity: float = Field(
        default=0.0, ge=0, le=1, description="0 ranks by score alone, 1 by unlikeness alone."
    )
    all_versions: bool = Field(
        default=False,
        description="List all versions of a song (live, remastered, …), not the most popular one.",
    )
    order: Order = Field(
        default="score", description="Of the songs: `flow` is one to be listened to."
    )
    strategy: StrategyName | None = Field(
        default=None, description="How candidates are found; by default as suits the release."
    )
    explain: bool = Field(
        default=False, description="Say which seeds and playlists each score is from."
    )
    exact: bool = Field(default=False, description="Scan all points instead of using the index.")

    @model_validator(mode="after")
    def _takes_no_minutes(self) -> Self:
        """Each song is compared with every other one to be chosen or ordered by its likeness."""
        if self.limit > MAX_ORDERED and (self.diversity or self.order == "flow"):
            raise ValueError(f"with diversity or in another order, limit is {MAX_ORDERED} at most")
        return self

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """As `melon query --json`."""
        return retriever.recommend(*self._asked(retriever), **self.options).to_json()

    def _asked(self, retriever: Retriever) -> tuple[PlaylistQuery, Constraints]:
        """The query and the constraints, for which names are looked up."""
        out = tuple(map(retriever.excluded, self.exclude_songs))
        constraints = Constraints.model_validate({**self._given(), "exclude_songs": out})
        query = retriever.query(
            None if self.playlist is None else retriever.playlist(self.playlist),
            songs=self.songs,
            tags=self.tags,
            title=self.title,
            not_songs=self.not_songs,
            not_tags=self.not_tags,
            weights=ModalityWeights(
                songs=self.song_weight, tags=self.tag_weight, title=self.title_weight
            ),
        )
        return query, constraints

    @property
    def options(self) -> dict[str, Any]:
        """How the answer is to be, in the words of `Retriever.recommend`."""
        return {
            "limit": self.limit,
            "tag_limit": self.tag_limit,
            "strategy": self.strategy,
            "exact": self.exact,
            "explain": self.explain,
            "variety": Variety(max_per_artist=self.max_per_artist, diversity=self.diversity),
            "all_versions": self.all_versions,
            "order": self.order,
        }


class ExportRequest(QueryRequest):
    """A query of which the songs are wanted as a playlist for players and importers."""

    format: PlaylistFormat = Field(default="m3u8", description="Of the file.")

    def file(self, retriever: Retriever) -> str:
        """As `melon query --export` writes it: called as the query's playlist, or `melon`."""
        query, constraints = self._asked(retriever)
        answer = retriever.recommend(query, constraints, **self.options)
        return playlist_file(answer, self.format, title=query.title)


def answer_together(requests: Sequence[QueryRequest], retriever: Retriever) -> list[dict[str, Any]]:
    """What each request with the same options is answered with, in few questions to the store."""
    asked = [request._asked(retriever) for request in requests]
    found = retriever.recommend_many(
        [query for query, _ in asked],
        [constraints for _, constraints in asked],
        **requests[0].options,
    )
    return [retriever.with_near(answer).to_json() for answer in found]


class SimilarRequest(Constrained):
    """Where to look from: exactly one of a song, a tag, a title, a playlist or a word."""

    song: SongName | None = Field(default=None, description="By id; as text by key, id or name.")
    tag: Text | None = Field(default=None, description="A tag.")
    title: Text | None = Field(default=None, description="The title of a playlist.")
    playlist: SongName | None = Field(default=None, description="A playlist, by key or id.")
    word: Text | None = Field(default=None, description="A title word.")
    to: list[NearKind] = Field(
        default=["songs", "tags"], min_length=1, max_length=4, description="What to look for."
    )
    limit: int = Field(default=10, ge=1, le=MAX_RESULTS, description="How many of each.")
    exact: bool = Field(default=False, description="Scan all points instead of using the index.")

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """As `melon similar --json`."""
        song = self.song
        item = Item(
            song=retriever.song_id(song) if isinstance(song, str) else song,
            tag=self.tag,
            title=self.title,
            playlist=self.playlist,
            word=self.word,
        )
        nearest = retriever.similar(
            item,
            to=[Collection(name) for name in self.to],
            limit=self.limit,
            constraints=self.constraints,
            exact=self.exact,
        )
        return {str(kind): [near.to_json() for near in some] for kind, some in nearest.items()}


class FindRequest(Question):
    """A part of a name, a title or a key."""

    text: Text = Field(description="A part of a name, a title or a key.")
    kinds: list[FoundKind] = Field(
        default=["songs", "tags", "artists", "playlists"],
        min_length=1,
        max_length=4,
        description="What to look for.",
    )
    limit: int = Field(default=10, ge=1, le=MAX_RESULTS, description="How many of each.")

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """As `melon find --json`."""
        return retriever.find(self.text, kinds=self.kinds, limit=self.limit).to_json()


class ShowRequest(Request):
    """What to show."""

    what: Text = Field(description="Its key, its id, or its whole name.")
    limit: int = Field(default=10, ge=1, le=MAX_RESULTS, description="How many of each kind.")

    def show(self, retriever: Retriever, kind: ShownKind) -> dict[str, Any]:
        """As `melon show --json`."""
        return retriever.show(kind, self.what, limit=self.limit).to_json()


class NamesRequest(Request):
    """Ids of which the names are wanted, such as those in `because`."""

    songs: list[int] = Field(default=[], max_length=MAX_NAMES, description="Ids of songs.")
    playlists: list[int] = Field(default=[], max_length=MAX_NAMES, description="Ids of playlists.")

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """What those that the store holds are called."""
        songs = known_by(retriever, Collection.SONGS, self.songs, ("key", "name"))
        playlists = known_by(retriever, Collection.PLAYLISTS, self.playlists, ("key", "title"))
        return {"songs": songs, "playlists": playlists}


def known_by(
    retriever: Retriever, collection: Collection, ids: Sequence[int], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Of each id that is held, the fields by which it is called; unknown ones are None."""
    possible = [number for number in dict.fromkeys(ids) if 0 <= number <= MAX_ID]
    return [
        {"id": record.id, **{name: record.payload.get(name) for name in names}}
        for record in retriever.reader.retrieve(collection, possible, payload=tuple(names))
    ]


class ListRequest(Request):
    """A page of a list."""

    prefix: Text | None = Field(default=None, description="Only what begins so.")
    limit: int = Field(default=100, ge=1, le=MAX_LISTED, description="How many.")
    after: Text | None = Field(default=None, description="The `next` of the page before.")

    def list(self, retriever: Retriever, kind: ListedKind) -> dict[str, Any]:
        """As `melon list --json`."""
        listing = retriever.listing(kind, prefix=self.prefix, limit=self.limit, after=self.after)
        return listing.to_json()


class PlaylistsRequest(Question):
    """A page of playlists."""

    tags: Names = Field(default=[], description="Only those that carry all of these.")
    limit: int = Field(default=20, ge=1, le=MAX_RESULTS, description="How many.")
    after: int = Field(
        default=0, ge=0, le=MAX_RESULTS, description="The `next` of the page before."
    )

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """The playlists, most liked first."""
        return retriever.playlists(tags=self.tags, limit=self.limit, after=self.after).to_json()


class ReleaseRequest(Request):
    """Which release to tell of."""


class FacetsRequest(Constrained):
    """Which values to count among the songs that pass."""

    facets: Names | None = Field(
        default=None,
        description="Fields of which values are counted; by default genres, issue_year, and those"
        " of the catalogue's own fields that can be.",
    )
    limit: int = Field(default=20, ge=1, le=MAX_RESULTS, description="How many values of each.")

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """How many songs pass, and how many of them have each value."""
        return retriever.counts(self.facets, self.constraints, limit=self.limit).to_json()


class BatchRequest(BaseModel):
    """Several queries, answered in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries: list[QueryRequest] = Field(min_length=1, max_length=MAX_QUERIES)

    @model_validator(mode="after")
    def _is_not_too_much(self) -> Self:
        """All queries together have as many results as one may have."""
        for limit in ("limit", "tag_limit"):
            if sum(getattr(query, limit) for query in self.queries) > MAX_RESULTS:
                raise ValueError(
                    f"the queries have a {limit} of {MAX_RESULTS} at most, all together"
                )
        return self


def refused(error: ValidationError, hint: str | None = None) -> InputError:
    """The first thing that is wrong with a question, with a hint where it has no such parameter."""
    problem = first_problem(error)
    where = problem.place or None
    if problem.kind == "extra_forbidden":
        return InputError("there is nothing of this name", where=where, hint=hint)
    return InputError(problem.what, where=where)
