"""The fields of songs, tags, playlists and words: declared here, and nowhere else.

What a file may say of a song, the columns of a space, the payloads, their indexes, what a result
says of a song and docs/fields.md all follow from these tuples. An optional field that a file has
and an application filters by is one more `Field` in `SONGS`; a catalogue declares its own songs'
further fields in `fields.json`, and `own_field` makes a `Field` of each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool
from pydantic_core import PydanticCustomError

from melon.errors import InputError

MAX_ID = 2**31 - 1
"""Largest id of a song or playlist: a point's id (u64), and a dimension of `items` (u32)."""

MAX_DIM = 65_536
"""Most dimensions that a vector of Qdrant's has."""

MAX_INTEGER = 2**63 - 1
"""Largest integer that Qdrant and Arrow can hold; the smallest is one below its negative."""


_DETAIL_GENRE = re.compile(r"GN\d\d(?!00)\d\d", re.ASCII)


def parent_genre(code: str) -> str | None:
    """The genre of a detail genre, as `GN0100` is that of `GN0101`; None for any other code.

    Any string may be a genre's code, but only Melon's own say that they are details of another.
    """
    return f"{code[:-2]}00" if _DETAIL_GENRE.fullmatch(code) else None


class FieldType(StrEnum):
    """The type of a value. Qdrant has an index for each of these.

    That of a text holds its words, and finds a word by how it begins.

    A `date` is a day: in payloads it is the datetime of its midnight, and is indexed as such.
    """

    TEXT = "text"
    KEYWORD = "keyword"
    INTEGER = "integer"
    FLOAT = "float"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class Index:
    """How a payload field is indexed.

    Attributes:
        in_graph: The HNSW graph has extra links for the field's values, so that a filter does
            not cut it apart. Not for fields that say the same as others (`genre_names`,
            `genre_years`, `issue_year`), nor for those of which a value has so few points that a
            filter on it is answered by a scan (names, artists).
        scanned: A search under a filter on the field looks at every point that passes, and so finds
            all, without links. Fields of the catalogue's own are many, most of them numbers, and
            the links for each of these cost as much as the whole graph; with fewer links, searches
            found .37 to .97 of what they should.
        tenant: Engines are told that the values are names of tenants, so that they link every one.
            Of other fields they leave out the values that they take for connected enough already:
            in every other build, a genre that a tenth of the songs have was then found with a
            recall of .86. Playlists have no tenants: Qdrant stores a tenant's points together,
            which changes the order of equal scores; playlists have many of those, and tag nDCG
            would be .469 instead of .473 (on the dev questions, as docs/quality.md says).
        pinned: An embedded shard keeps the index in memory, for queries pass their filter point
            by point. The others are read from disk: 708,000 songs open in 1.7 s, not in 5 to 8,
            and take 150 MB, not 460.
        range_only: The integers are looked up by ranges only, so that an embedded shard indexes
            them for nothing else.
    """

    in_graph: bool = False
    scanned: bool = False
    tenant: bool = False
    pinned: bool = False
    range_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a song, tag, playlist or word.

    Attributes:
        name: In records, in the columns of a space and in payloads.
        type: Of its values.
        many: Whether it holds a list of them.
        meaning: For docs/fields.md, in Markdown.
        example: A value as payloads have it.
        index: How its payload is indexed, if it is.
        source: Its name in the files that are read; None if it is made.
        made_of: What it is made of, where it is made, for docs/fields.md.
        payload: Whether it is in payloads.
        shown: Whether results show it.
        required: Whether a record without it is skipped.
        minimum: The smallest integer that is accepted.
        maximum: The largest.
        written: What the file has, for docs/fields.md, where that is not plain from the type.
        missing: What it means if the file has none, for docs/fields.md.
    """

    name: str
    type: FieldType
    meaning: str
    example: Any
    many: bool = False
    index: Index | None = None
    source: str | None = None
    made_of: str = ""
    payload: bool = True
    shown: bool = False
    required: bool = False
    minimum: int = 0
    maximum: int = MAX_INTEGER
    written: str = ""
    missing: str = "not known"


def stored_float(value: float) -> float:
    """A float as payloads have it, of 15 digits, and as filters ask for it.

    Of one with more, engines read another last digit than was written, and not the same one in
    an index as in a payload.
    """
    rounded = float(f"{value:.15g}")
    return rounded if math.isfinite(rounded) else value


def read_fields(fields: Iterable[Field]) -> list[Field]:
    """Those that a file may have."""
    return [field for field in fields if field.source is not None]


def payload_fields(fields: Iterable[Field]) -> list[Field]:
    """Those that payloads may have."""
    return [field for field in fields if field.payload]


def indexed_fields(fields: Iterable[Field]) -> list[Field]:
    """Those by which points can be filtered."""
    return [field for field in fields if field.index is not None]


TEXT, KEYWORD, INTEGER = FieldType.TEXT, FieldType.KEYWORD, FieldType.INTEGER
DATE, DATETIME = FieldType.DATE, FieldType.DATETIME

SONGS = (
    Field(
        name="id",
        type=INTEGER,
        source="id",
        written="integer, 0 to 2³¹ − 1, or string: the key",
        required=True,
        maximum=MAX_ID,
        payload=False,
        meaning="number of the song, and id of its point",
        example=17,
    ),
    Field(
        name="key",
        type=KEYWORD,
        index=Index(),
        source="key",
        shown=True,
        meaning="what its catalogue calls the song: a URI, an ISRC, a number of its own",
        example="spotify:track:4uLU6hMCjMI75M1A2tKUQC",
        missing="it goes by its `id`",
    ),
    Field(
        name="name",
        type=TEXT,
        source="song_name",
        shown=True,
        meaning="title, as the catalogue has it but for outer white space",
        example="Rain  Café",
        missing="no name: it can be named by its id only",
    ),
    Field(
        name="name_key",
        type=KEYWORD,
        index=Index(),
        made_of="`name`",
        meaning="`name` in NFKC, case-folded, single spaces: for looking songs up by name",
        example="rain café",
    ),
    Field(
        name="search_words",
        type=TEXT,
        index=Index(),
        made_of="`name`",
        meaning="words of `name` by which it is looked for: see "
        "[text search](collections.md#text-search)",
        example="rain cafe",
    ),
    Field(
        name="key_words",
        type=TEXT,
        index=Index(),
        made_of="`key`",
        meaning="how each part of `key` begins, likewise",
        example="spotif track 15dwxy",
    ),
    Field(
        name="artist_ids",
        type=INTEGER,
        many=True,
        index=Index(),
        source="artist_id_basket",
        meaning="ids of the artists; there may be more than names",
        example=[7, 8],
        missing="artists are told apart by their names",
    ),
    Field(
        name="artists",
        type=KEYWORD,
        many=True,
        index=Index(),
        source="artist_name_basket",
        shown=True,
        meaning="names",
        example=["비", "The Ｒain"],
        missing="passes no constraint on artists",
    ),
    Field(
        name="artist_keys",
        type=KEYWORD,
        many=True,
        index=Index(),
        made_of="`artists`",
        meaning="`artists`, in the form of `name_key`",
        example=["비", "the rain"],
    ),
    Field(
        name="artist_words",
        type=TEXT,
        many=True,
        index=Index(),
        made_of="`artists`",
        meaning="`artists`, in the form of `search_words`",
        example=["비", "the rain"],
    ),
    Field(
        name="album_id",
        type=INTEGER,
        source="album_id",
        meaning="id of the album",
        example=70,
        missing="no vector from its album",
    ),
    Field(
        name="album",
        type=TEXT,
        source="album_name",
        meaning="name of the album",
        example="Wet",
    ),
    Field(
        name="genres",
        type=KEYWORD,
        many=True,
        index=Index(in_graph=True, tenant=True, pinned=True),
        source="song_gn_gnr_basket",
        written="array of genre codes",
        shown=True,
        meaning="codes",
        example=["GN0100"],
        missing="passes no constraint on genres",
    ),
    Field(
        name="genre_names",
        type=KEYWORD,
        many=True,
        index=Index(),
        made_of="`genres`",
        shown=True,
        meaning="names of `genres`: the code itself where the catalogue has none",
        example=["발라드"],
    ),
    Field(
        name="detail_genres",
        type=KEYWORD,
        many=True,
        index=Index(in_graph=True, tenant=True),
        source="song_gn_dtl_gnr_basket",
        written="array of detail genre codes",
        meaning="codes",
        example=["GN0101"],
        missing="passes no constraint on these",
    ),
    Field(
        name="genre_years",
        type=KEYWORD,
        many=True,
        index=Index(pinned=True),
        made_of="`genres`, `issue_year`",
        meaning="each of `genres` with `issue_year`",
        example=["GN0100/2015"],
    ),
    Field(
        name="issue_date",
        type=DATE,
        index=Index(in_graph=True, pinned=True),
        source="issue_date",
        written="string or integer: `20140819`, `2014-08-19`, `201408`, `2014`, or as "
        "[format.md](format.md#dates) says",
        shown=True,
        meaning="midnight of the day of issue; of the first day of the month or year where only "
        "those are known",
        example="2015-08-19T00:00:00Z",
        missing="passes no constraint on dates",
    ),
    Field(
        name="issue_date_precision",
        type=TEXT,
        made_of="`issue_date`",
        shown=True,
        meaning="`day`, `month` or `year`",
        example="day",
    ),
    Field(
        name="issue_year",
        type=INTEGER,
        index=Index(),
        made_of="`issue_date`",
        meaning="year of issue",
        example=2015,
    ),
    Field(
        name="popularity",
        type=INTEGER,
        index=Index(in_graph=True, pinned=True, range_only=True),
        made_of="the playlists",
        meaning="how many playlists hold the song",
        example=3,
    ),
    Field(
        name="vector_source",
        type=KEYWORD,
        index=Index(),
        made_of="training",
        meaning="where `w2v` comes from",
        example="trained",
    ),
)

TAGS = (
    Field(
        name="tag",
        type=KEYWORD,
        index=Index(),
        made_of="the playlists",
        shown=True,
        meaning="the tag",
        example="rainy day",
    ),
    Field(
        name="search_words",
        type=TEXT,
        index=Index(),
        made_of="`tag`",
        meaning="words of `tag` by which it is looked for: see "
        "[text search](collections.md#text-search)",
        example="rainy day",
    ),
    Field(
        name="popularity",
        type=INTEGER,
        index=Index(in_graph=True, pinned=True, range_only=True),
        made_of="the playlists",
        shown=True,
        meaning="how many playlists carry it",
        example=12,
    ),
    Field(
        name="item",
        type=INTEGER,
        made_of="its place among the tags",
        meaning="its dimension in `items`",
        example=2**31,
    ),
    Field(
        name="vector_source",
        type=KEYWORD,
        index=Index(),
        made_of="training",
        meaning="where `w2v` comes from",
        example="trained",
    ),
)

PLAYLISTS = (
    Field(
        name="id",
        type=INTEGER,
        source="id",
        written="integer, 0 to 2³¹ − 1, or string: the key",
        required=True,
        maximum=MAX_ID,
        payload=False,
        meaning="number of the playlist, and id of its point",
        example=1,
    ),
    Field(
        name="key",
        type=KEYWORD,
        index=Index(),
        source="key",
        shown=True,
        meaning="what its catalogue calls the playlist: a URI, an ISRC, a number of its own",
        example="spotify:playlist:37i9dQZF1DX4WYpdgoIcn6",
        missing="it goes by its `id`",
    ),
    Field(
        name="title",
        type=TEXT,
        source="plylst_title",
        shown=True,
        meaning="title",
        example="비 오는 날",
        missing="no title",
    ),
    Field(
        name="search_words",
        type=TEXT,
        index=Index(),
        made_of="`title`",
        meaning="words of `title` by which it is looked for: see "
        "[text search](collections.md#text-search)",
        example="비오는날 오는날 는날 날",
    ),
    Field(
        name="key_words",
        type=TEXT,
        index=Index(),
        made_of="`key`",
        meaning="how each part of `key` begins, likewise",
        example="spotif playli 37i9dq",
    ),
    Field(
        name="tags",
        type=KEYWORD,
        many=True,
        index=Index(in_graph=True),
        source="tags",
        shown=True,
        meaning="tags",
        missing="no tags",
        example=["비오는날", "rain"],
    ),
    Field(
        name="songs",
        type=INTEGER,
        many=True,
        source="songs",
        required=True,
        maximum=MAX_ID,
        written="array of songs' ids or keys",
        meaning="ids of the songs",
        example=[17, 4],
    ),
    Field(
        name="like_count",
        type=INTEGER,
        index=Index(range_only=True),
        source="like_cnt",
        meaning="how many people like it",
        example=12,
    ),
    Field(
        name="updated",
        type=DATETIME,
        source="updt_date",
        written="string, `2019-12-17 14:06:45.000`, or as [format.md](format.md#dates) says",
        payload=False,
        meaning="last change; a time written without a zone is taken for UTC",
        example="2019-12-17T14:06:45Z",
    ),
    Field(
        name="song_count",
        type=INTEGER,
        index=Index(pinned=True, range_only=True),
        made_of="`songs`",
        shown=True,
        meaning="how many songs; 0 where there are none",
        example=2,
    ),
    Field(
        name="genres",
        type=KEYWORD,
        many=True,
        index=Index(in_graph=True),
        made_of="its songs",
        meaning="codes of the genres that at least a quarter of its songs have, of those whose "
        "genre is known",
        example=["GN0100"],
    ),
    Field(
        name="updt_date",
        type=DATETIME,
        index=Index(in_graph=True),
        made_of="file: `updt_date`",
        meaning="last change; a time written without a zone is taken for UTC",
        example="2019-12-17T14:06:45Z",
    ),
    Field(
        name="vector_source",
        type=TEXT,
        made_of="training",
        meaning="where `w2v` comes from",
        example="items",
    ),
)

WORDS = (
    Field(
        name="word",
        type=KEYWORD,
        index=Index(),
        made_of="titles and tags",
        shown=True,
        meaning="the word, or the letter bigram",
        example="rain",
    ),
    Field(
        name="kind",
        type=KEYWORD,
        index=Index(),
        made_of="titles and tags",
        meaning="`word` or `bigram`",
        example="word",
    ),
    Field(
        name="popularity",
        type=INTEGER,
        index=Index(range_only=True),
        made_of="the playlists",
        shown=True,
        meaning="how many playlists have it in their title or tags",
        example=40,
    ),
    Field(
        name="item",
        type=INTEGER,
        made_of="its place among the words",
        meaning="its dimension in `items`",
        example=2**31 + 2**30,
    ),
    Field(
        name="vector_source",
        type=TEXT,
        made_of="training",
        meaning="where `w2v` comes from",
        example="trained",
    ),
)

RESERVED = frozenset(
    name for field in SONGS for name in (field.name, field.source) if name is not None
) | {"score", "because", "playlists", "versions", "more"}
"""Names that an own field cannot have: of the declared fields, and of what results say besides."""

_NAME = re.compile(r"\w+")
"""Letters and digits of any script, and `_`: a path in a payload needs no quotes for these."""


def own_field(name: str, type: FieldType, many: bool = False) -> Field:
    """A field of songs that a catalogue declares itself.

    It stands under its name in the records of `song_meta.json`, in the space and in payloads, is
    shown by results, and indexed by its type; a text is not.

    Raises:
        InputError: no own field can have that name.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"no field can be called {name!r}", hint="letters, digits and _ make a name"
        )
    if name in RESERVED:
        raise InputError(
            f"{name!r} means something already, and cannot be a field of your own",
            hint="give it another name",
        )
    return Field(
        name=name,
        type=type,
        many=many,
        meaning="of the catalogue's own",
        example=None,
        index=None if type is TEXT else Index(scanned=True),
        source=name,
        shown=True,
        minimum=-MAX_INTEGER - 1,
    )


class OwnField(BaseModel):
    """How files and manifests declare an own field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: FieldType
    many: StrictBool = False

    @classmethod
    def of(cls, field: Field) -> Self:
        """The declaration of a field."""
        return cls(name=field.name, type=field.type, many=field.many)

    def field(self) -> Field:
        """The field that is declared; see `own_field`."""
        return own_field(self.name, self.type, self.many)


def _can_be_declared(declared: tuple[OwnField, ...]) -> tuple[OwnField, ...]:
    for one in declared:
        try:
            one.field()
        except InputError as error:
            raise PydanticCustomError("own_field", "{what}", {"what": error.what}) from None
    names = [one.name for one in declared]
    if len(set(names)) < len(names):
        raise PydanticCustomError("own_fields", "two fields have one name")
    return declared


OwnFields = Annotated[tuple[OwnField, ...], AfterValidator(_can_be_declared)]
"""The own fields that a manifest declares."""
