"""The shape of answers: what `--json` prints, for the description of the API.

Answers are made by `to_json` of what a `Retriever` returns; a test compares every one with these.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A part of an answer, which has all of these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Described(BaseModel):
    """A part of an answer that has, besides, the catalogue's own fields, where they are known."""

    model_config = ConfigDict(extra="allow")


class Because(Answer):
    """A share of a score, of a seed or of a playlist."""

    kind: Literal["song", "tag", "word", "bigram", "playlist"]
    share: float
    id: int | None = Field(default=None, description="Of a song or playlist.")
    key: str | None = Field(default=None, description="Of a song or playlist that has one.")
    tag: str | None = None
    word: str | None = None


class SongAnswer(Described):
    """A song; what is not known is null or empty."""

    id: int
    key: str | None
    name: str | None
    artists: list[str]
    genres: list[str]
    issue_date: str | None = Field(description="A day, a month or a year, as it is known.")


class RecommendedSong(SongAnswer):
    """A song with its score; with `explain`, what that is made of."""

    score: float
    because: list[Because] | None = None
    playlists: list[Because] | None = None
    versions: list[RecommendedSong] | None = Field(
        default=None, description="Other versions of it, which would stand in the list, too."
    )


class KnownSong(SongAnswer):
    """A song, and how many playlists hold it."""

    popularity: int | None


class RecommendedTag(Answer):
    """A tag with its score."""

    tag: str
    score: float
    because: list[Because] | None = None
    playlists: list[Because] | None = None


class NearTags(Answer):
    """Tags that are written like an unknown one, by the unknown one."""

    tags: dict[str, list[str]]


class UnknownAnswer(Answer):
    """What of a query the store does not know."""

    songs: list[int | str]
    tags: list[str]
    words: list[str]
    near: NearTags


class RecommendationAnswer(Answer):
    """Songs and tags, best first."""

    store: str
    release: str
    strategy: str
    order: Literal["score", "flow"]
    fallback: Literal["popularity"] | None = Field(
        description="Where nothing of the query leads anywhere: what is popular is the answer."
    )
    popular: list[Literal["songs", "tags"]]
    songs: list[RecommendedSong]
    tags: list[RecommendedTag]
    unknown: UnknownAnswer


class BatchAnswer(Answer):
    """The answers to several queries, in their order."""

    answers: list[RecommendationAnswer]


class NearTag(Answer):
    """A tag near something."""

    tag: str
    popularity: int
    score: float


class PlaylistAnswer(Answer):
    """A playlist; what is not known is absent."""

    id: int
    key: str | None = None
    title: str | None = None
    tags: list[str] | None = None
    song_count: int | None = None
    like_count: int | None = None


class PlaylistsAnswer(Answer):
    """A page of playlists."""

    total: int = Field(description="How many there are; the pages have the first 10,000.")
    next: int | None = Field(description="Give it as `after` for the next page; null on the last.")
    playlists: list[PlaylistAnswer]


class NearPlaylist(PlaylistAnswer):
    """A playlist near something."""

    score: float


class NearWord(Answer):
    """A title word near something."""

    word: str
    popularity: int
    kind: str | None = None
    score: float


class SimilarAnswer(Answer):
    """What is nearest, of each kind that was looked for."""

    songs: list[RecommendedSong] | None = None
    tags: list[NearTag] | None = None
    playlists: list[NearPlaylist] | None = None
    words: list[NearWord] | None = None


class TagAnswer(Answer):
    """A tag, and how many playlists carry it."""

    tag: str
    popularity: int


class ArtistAnswer(Answer):
    """An artist, and how many songs are by them."""

    artist: str
    songs: int


class FoundAnswer(Answer):
    """What was found, of each kind that was looked for."""

    songs: list[KnownSong] | None = None
    tags: list[TagAnswer] | None = None
    artists: list[ArtistAnswer] | None = None
    playlists: list[PlaylistAnswer] | None = None


class SongName(Answer):
    """What a song is called."""

    id: int
    key: str | None
    name: str | None


class PlaylistName(Answer):
    """What a playlist is called."""

    id: int
    key: str | None
    title: str | None


class NamesAnswer(Answer):
    """The names of those ids that the store holds."""

    songs: list[SongName]
    playlists: list[PlaylistName]


class GenreSongs(Answer):
    """A genre, and how many songs have it."""

    genre: str
    name: str | None
    songs: int


class YearSongs(Answer):
    """A year, and how many songs were issued in it."""

    year: int
    songs: int


class ShownAnswer(Answer):
    """All that is known of one song, tag, playlist or artist."""

    kind: Literal["song", "tag", "playlist", "artist"]
    name: str | None
    id: int | None = Field(default=None, description="Of a song or playlist.")
    payload: dict[str, Any]
    song_count: int | None = Field(default=None, description="Of a playlist or artist.")
    songs: list[KnownSong] | None = None
    playlist_count: int | None = Field(default=None, description="Of all but a playlist.")
    playlists: list[PlaylistAnswer] | None = None
    genres: list[GenreSongs] | None = Field(default=None, description="Of an artist.")
    years: list[YearSongs] | None = Field(default=None, description="Of an artist.")
    nearest: SimilarAnswer = Field(description="Empty where there is no vector.")


class TagPlaylists(Answer):
    """A tag, and how many playlists carry it."""

    tag: str
    playlists: int


class FieldSongs(Answer):
    """A field, and how many songs have it."""

    field: str
    type: str
    many: bool
    indexed: bool
    own: bool
    songs: int


class ListAnswer(Answer):
    """A page of a list, under the name of what is listed."""

    total: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="Give it as `after` for the next page; null on the last.")
    tags: list[TagPlaylists] | None = None
    genres: list[GenreSongs] | None = None
    artists: list[ArtistAnswer] | None = None
    fields: list[FieldSongs] | None = None


class ValueSongs(Answer):
    """A value, and how many songs have it; of a genre its name, too."""

    value: str | int | bool
    name: str | None = None
    songs: int


class FacetsAnswer(Answer):
    """How many songs pass, and by field how many of them have each value."""

    total: int
    facets: dict[str, list[ValueSongs]]


class MapAnswer(Answer):
    """Places on a plane, as `melon map` draws them."""

    layout: Literal["t-SNE", "principal components"] = Field(
        description="The latter where `melon map` was not run for this release."
    )
    rule: str = Field(description="Which points there are, in words.")
    points: dict[str, Any] = Field(description="Lists with a value for each point.")


class ReleaseAnswer(Answer):
    """A release."""

    release: str
    live: bool
    created: str
    counts: dict[str, int]
    space: str
    schema_version: int
    preset: str


class FieldAnswer(Answer):
    """A field by which songs can be constrained, in `where`."""

    name: str
    type: str
    own: bool = Field(description="Whether the catalogue declared it.")
    counted: bool = Field(description="Whether its values can be counted.")


class AboutAnswer(Answer):
    """What answers."""

    version: str
    store: str
    release: str
    created: str
    strategy: str
    strategies: list[str]
    counts: dict[str, int]
    fields: list[FieldAnswer]


class HealthAnswer(Answer):
    """Whether the service runs, and whether it can answer."""

    live: bool
    ready: bool = Field(
        description="Whether a release is open; `/health/ready` asks the store for it, too."
    )
    release: str | None


class Said(Answer):
    """What was wrong, where, and what can be done about it."""

    what: str
    where: str | None
    hint: str | None


class ErrorAnswer(Answer):
    """Why there is no other answer."""

    error: Said
