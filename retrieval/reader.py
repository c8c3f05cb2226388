"""A reader that caches what strategies ask for again and again.

Reading a payload costs an engine several times what finding the point costs, and the same popular
songs and long playlists are candidates for most queries. A release never changes, so what was
read once of it stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Floats, Scores, SongArray
from melon.retrieval.batching import query_grouped
from melon.retrieval.results import Description
from melon.retrieval.song_facts import PAYLOAD as FACTS_PAYLOAD
from melon.retrieval.song_facts import Facts, FactsOf
from melon.store import (
    Collection,
    CollectionSchema,
    Filter,
    ForwardingReader,
    Hits,
    Ids,
    NumberRange,
    PointId,
    Record,
    ReleaseReader,
    VectorQuery,
    tag_point_id,
)

MAX_PLAYLISTS = 200_000
"""Playlists whose songs and tags are cached at most, some 100 MB."""

MAX_TAGS = 1_000_000
"""Tags whose text is cached at most."""

MAX_DESCRIPTIONS = 50_000
"""Songs whose description is cached at most, some 50 MB."""

MAX_ARTIST_KEYS = 100_000
"""Songs whose artists are cached at most, some 30 MB."""

MAX_FACTS = 200_000
"""Songs, and tags, whose facts are cached at most, some 110 MB of 100 dimensions."""

MAX_TABLE_ID = 16_000_000
"""Ids up to this have a table of counts, 64 MB at most."""

MAX_OTHERS = 1_000_000
"""Counts of other points are cached up to this, some 100 MB; past that, their cache is emptied."""

V = TypeVar("V")

NO_HITS = Hits(np.empty(0, np.int64), np.empty(0))


class Held(NamedTuple):
    """What a playlist holds: the ids of its songs, and the codes of its tags."""

    songs: SongArray
    tags: SongArray


class TagCodes:
    """Small numbers for tags, whose points have long ids. May be shared by threads."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._points: list[str] = []
        self._lock = Lock()

    def of(self, tags: Iterable[str]) -> SongArray:
        """The code of each tag, (n,) int32; one that is new gets the next."""
        codes = self._codes
        return np.array([codes[tag] if tag in codes else self._add(tag) for tag in tags], np.int32)

    def points(self, codes: Ids) -> list[str]:
        """The ids of the points of the tags."""
        return [self._points[code] for code in codes.tolist()]

    def _add(self, tag: str) -> int:
        with self._lock:
            if tag not in self._codes:
                self._points.append(tag_point_id(tag))
                self._codes[tag] = len(self._points) - 1
            return self._codes[tag]


class CachingReader(ForwardingReader):
    """A release's reader that keeps what it has read of points. May be shared by threads."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self._popularity = {collection: Counts() for collection in Collection}
        self._song_counts: dict[int, int] = {}
        self._tag_codes = TagCodes()
        self._held = PointCache(
            Collection.PLAYLISTS, self._held_by, MAX_PLAYLISTS, payload=("songs", "tags")
        )
        self._tags = PointCache(Collection.TAGS, _tag, MAX_TAGS, payload=("tag",))
        self._descriptions = PointCache(
            Collection.SONGS,
            partial(_description, reader.manifest.schema(Collection.SONGS)),
            MAX_DESCRIPTIONS,
            payload=reader.manifest.schema(Collection.SONGS).shown,
        )
        self._artist_keys = PointCache(
            Collection.SONGS, _artist_keys, MAX_ARTIST_KEYS, payload=("artist_keys",)
        )
        dim = reader.manifest.dim
        self._facts_of = FactsOf(dim)
        self._facts = PointCache(
            Collection.SONGS, self._facts_of, MAX_FACTS, payload=FACTS_PAYLOAD, vectors=True
        )
        self._tag_facts = PointCache(
            Collection.TAGS,
            partial(_tag_facts, dim),
            MAX_FACTS,
            payload=("popularity",),
            vectors=True,
        )

    @property
    def engine(self) -> ReleaseReader:
        """The reader that is asked for what is not cached."""
        return self._reader

    def popularity(self, collection: Collection, ids: Ids) -> Scores:
        """How many playlists hold each of n points, (n,) float64; 1 at least, to take powers of.

        For many queries, ask for all their points first: one request loads those not cached.
        """
        cached = self._popularity[collection]
        counts = cached.of(ids)
        unknown = counts < 0
        if unknown.any():
            missing, inverse = np.unique(ids[unknown], return_inverse=True)
            values = self._reader.values(collection, "popularity", missing.tolist())
            loaded = np.array([values.get(point, 0) for point in missing.tolist()], np.int64)
            cached.add(missing, loaded)
            counts[unknown] = loaded[inverse]
        return np.asarray(np.maximum(counts, 1), np.float64)

    def held(self, playlists: Ids) -> list[Held]:
        """What each playlist holds.

        For many queries, call `load_held` for all their playlists first.
        """
        return self._held.of(self._reader, playlists.tolist())

    def songs(self, playlists: Ids) -> list[SongArray]:
        """The ids of each playlist's songs, (n,) int32; else as `held`."""
        return [held.songs for held in self.held(playlists)]

    def tags_of(self, playlists: Ids) -> list[SongArray]:
        """The codes of each playlist's tags, (n,) int32; else as `held`."""
        return [held.tags for held in self.held(playlists)]

    def load_held(self, playlists: Sequence[PointId]) -> None:
        """Cache what these playlists hold; one request reads what is not."""
        self._held.load(self._reader, playlists)

    def tag_codes(self, tags: Iterable[str]) -> SongArray:
        """(n,) int32: the numbers by which this reader calls the tags."""
        return self._tag_codes.of(tags)

    def tag_points(self, codes: Ids) -> list[str]:
        """The ids of the points of the tags that have these codes."""
        return self._tag_codes.points(codes)

    def tag_facts(self, codes: Ids) -> tuple[Floats, Floats]:
        """The vectors (n, dim) and popularity (n,) of the tags that have these codes."""
        facts = self._tag_facts.of(self._reader, self.tag_points(codes))
        vectors = np.array([vector for vector, _ in facts], np.float32)
        counts = np.array([count for _, count in facts], np.float32)
        return vectors.reshape(len(facts), self.manifest.dim), counts

    def facts(self, songs: Ids) -> Facts:
        """What is known of each song, (n,) of `facts_type`.

        For many queries, call `load_facts` for all their songs first.
        """
        return self._facts_of.joined(self._facts.of(self._reader, songs.tolist()))

    def load_facts(self, songs: Sequence[PointId]) -> None:
        """Cache the facts of these songs; one request reads those that are not."""
        self._facts.load(self._reader, songs)

    def _held_by(self, playlist: Record) -> Held:
        get = playlist.payload.get
        return Held(np.array(get("songs", ()), np.int32), self._tag_codes.of(get("tags", ())))

    def tags(self, ids: Ids) -> list[str]:
        """The tags that points stand for.

        For many queries, call `load_tags` for all their points first.
        """
        return self._tags.of(self._reader, ids.tolist())

    def load_tags(self, ids: Sequence[PointId]) -> Mapping[PointId, str]:
        """At least these tags; one request loads those not cached."""
        return self._tags.load(self._reader, ids)

    def load_descriptions(self, songs: Sequence[PointId]) -> Mapping[PointId, Description]:
        """The descriptions of at least these songs; one request loads those not cached."""
        return self._descriptions.load(self._reader, songs)

    def load_artist_keys(self, songs: Sequence[PointId]) -> Mapping[PointId, tuple[str, ...]]:
        """The artists of at least these songs, as names are compared (`name_key`)."""
        return self._artist_keys.load(self._reader, songs)

    def count_songs(self, min_popularity: int) -> int:
        """How many songs stand in at least so many playlists."""
        if min_popularity not in self._song_counts:
            popular = Filter(must=(NumberRange("popularity", gte=min_popularity),))
            self._song_counts[min_popularity] = self._reader.count(Collection.SONGS, popular)
        return self._song_counts[min_popularity]

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """What the engine's reader answers, asked in the way that costs least."""
        return query_grouped(partial(self._reader.query, collection), queries)

    def query_some(
        self, collection: Collection, queries: Sequence[VectorQuery | None]
    ) -> list[Hits]:
        """The hits of each query in one request; none where there is no query."""
        some = [query for query in queries if query is not None]
        answers = iter(self.query(collection, some) if some else [])
        return [NO_HITS if query is None else next(answers) for query in queries]


@dataclass(slots=True, eq=False)
class PointCache(Generic[V]):
    """What was read of the points of a collection, by their ids.

    May be shared by threads: each goes on with the dictionary that it began with, even where
    another thread has put a new one in its place.

    Attributes:
        collection: which points.
        value: takes what is kept from a record.
        max_points: how many points are kept at most; past that, the cache is emptied.
        payload: the fields that `value` is taken from.
        vectors: whether it is taken from the dense vector.
        known: the values of those that were read.
    """

    collection: Collection
    value: Callable[[Record], V]
    max_points: int
    payload: tuple[str, ...] | bool = False
    vectors: bool = False
    known: dict[PointId, V] = field(default_factory=dict)

    def of(self, reader: ReleaseReader, ids: Sequence[PointId]) -> list[V]:
        """The value of each point; of one that is not in the release, as if nothing was known."""
        known: Mapping[PointId, V] = self.known
        try:
            return [known[point] for point in ids]
        except KeyError:
            known = self.load(reader, ids)
        return [known[point] if point in known else self.value(Record(point, {})) for point in ids]

    def load(self, reader: ReleaseReader, ids: Sequence[PointId]) -> Mapping[PointId, V]:
        """The values of at least these points; one request reads those not cached.

        A point that is not in the release has none.
        """
        known = self.known
        missing = set(ids).difference(known)
        if not missing:
            return known
        if len(known) + len(missing) > self.max_points:
            known, missing = {}, set(ids)
        records = reader.retrieve(
            self.collection, list(missing), payload=self.payload, vectors=self.vectors
        )
        known.update((record.id, self.value(record)) for record in records)
        self.known = known
        return known


class Counts:
    """Counts of points by their ids: a table for small numbers, a dictionary for all other ids.

    A count may be loaded twice: where one of the ids is too large for the table, none of them is
    looked up in it. May be shared by threads: a count that one adds while another makes the table
    longer may be lost, and is then loaded again.
    """

    def __init__(self) -> None:
        self._table = np.zeros(0, np.int32)  # one more than each count
        self._others: dict[int | str, int] = {}

    def of(self, ids: Ids) -> NDArray[np.int64]:
        """The count of each point, (n,) int64, -1 where it is not known."""
        if _has_table(ids):
            return self._grown(ids)[ids].astype(np.int64) - 1
        others = self._others
        return np.array([others.get(point, -1) for point in ids.tolist()], np.int64)

    def add(self, ids: Ids, counts: NDArray[np.int64]) -> None:
        """Cache the counts (n,) of n points."""
        if _has_table(ids):
            self._grown(ids)[ids] = counts + 1
            return
        if len(self._others) + len(ids) > MAX_OTHERS:
            self._others = {}
        self._others.update(zip(ids.tolist(), counts.tolist(), strict=True))

    def _grown(self, ids: Ids) -> NDArray[np.int32]:
        """The table, long enough for the ids."""
        end = int(ids.max(initial=-1)) + 1
        table = self._table
        if end > len(table):
            longer = np.zeros(max(end, min(2 * len(table), MAX_TABLE_ID)), np.int32)
            longer[: len(table)] = table
            self._table = table = longer
        return table


def _has_table(ids: Ids) -> bool:
    return ids.dtype.kind == "i" and int(ids.max(initial=0)) < MAX_TABLE_ID


def _tag(tag: Record) -> str:
    return str(tag.payload.get("tag", tag.id))


def _description(schema: CollectionSchema, song: Record) -> Description:
    return Description.of(schema.in_order(song.payload))


def _artist_keys(song: Record) -> tuple[str, ...]:
    return tuple(song.payload.get("artist_keys", ()))


def _tag_facts(dim: int, tag: Record) -> tuple[Floats, float]:
    vector = np.zeros(dim, np.float32) if tag.vector is None else tag.vector
    return vector, max(tag.payload.get("popularity", 0), 1)
