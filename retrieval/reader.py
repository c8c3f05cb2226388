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
from typing import Generic, TypeVar

import numpy as np

from melon.retrieval.arrays import Scores, SongArray
from melon.retrieval.batching import query_grouped
from melon.retrieval.facts import SONG_PAYLOAD, TAG_PAYLOAD, Facts, song_facts, tag_facts
from melon.retrieval.results import Description
from melon.retrieval.tables import ArrayRows, ById, ListRows, Lists, Numbers, PointTable
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

MAX_FACTS = 400_000
"""Songs, and tags, whose facts are cached at most, some 190 MB of 100 dimensions."""

MAX_SEEDS = 80_000
"""Songs, tags and words that are cached at most as seeds of queries, some 100 MB of each."""

V = TypeVar("V")

NO_HITS = Hits(np.empty(0, np.int64), np.empty(0))


class TagCodes:
    """Small numbers for tags, whose points have long ids. May be shared by threads."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._tags: list[str] = []
        self._points: dict[int, str] = {}  # of those that were asked for: most never are
        self._lock = Lock()

    def of(self, tags: Iterable[str]) -> SongArray:
        """The code of each tag, (n,) int32; one that is new gets the next."""
        codes = self._codes
        return np.array([codes[tag] if tag in codes else self._add(tag) for tag in tags], np.int32)

    def points(self, codes: Ids) -> list[str]:
        """The ids of the points of the tags."""
        known = self._points
        for code in set(codes.tolist()).difference(known):
            known[code] = tag_point_id(self._tags[code])
        return [known[code] for code in codes.tolist()]

    def _add(self, tag: str) -> int:
        with self._lock:
            if tag not in self._codes:
                self._tags.append(tag)
                self._codes[tag] = len(self._tags) - 1
            return self._codes[tag]


class CachingReader(ForwardingReader):
    """A release's reader that keeps what it has read of points. May be shared by threads."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self._popularity = {collection: ById() for collection in Collection}
        self._song_counts: dict[int, int] = {}
        self._tag_codes = TagCodes()
        self._held = PointTable(
            Collection.PLAYLISTS,
            partial(ListRows, _songs, self._codes_of_tags),
            MAX_PLAYLISTS,
            payload=("songs", "tags"),
        )
        self._seeds = {
            collection: PointCache(
                collection, _whole, MAX_SEEDS, payload=("popularity", "item", *more), vectors=True
            )
            for collection, more in (
                (Collection.SONGS, ("artist_keys", "name")),
                (Collection.TAGS, ()),
                (Collection.WORDS, ()),
            )
        }
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
        self._facts = PointTable(
            Collection.SONGS,
            partial(ArrayRows, partial(song_facts, dim)),
            MAX_FACTS,
            payload=SONG_PAYLOAD,
            vectors=True,
        )
        self._tag_facts = PointTable(
            Collection.TAGS,
            partial(ArrayRows, partial(tag_facts, dim)),
            MAX_FACTS,
            payload=TAG_PAYLOAD,
            vectors=True,
            points=self._tag_codes.points,
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

    def songs(self, playlists: Ids) -> Lists:
        """The ids of each playlist's songs.

        For many queries, call `load_held` for all their playlists first.
        """
        rows, found = self.load_held(playlists)
        return rows.of(0, found)

    def tags_of(self, playlists: Ids) -> Lists:
        """The codes of each playlist's tags; else as `songs`."""
        rows, found = self.load_held(playlists)
        return rows.of(1, found)

    def load_held(self, playlists: Ids) -> tuple[ListRows, Numbers]:
        """Cache what these playlists hold; one request reads what is not."""
        return self._held.load(self._reader, playlists)

    def tag_codes(self, tags: Iterable[str]) -> SongArray:
        """(n,) int32: the numbers by which this reader calls the tags."""
        return self._tag_codes.of(tags)

    def tag_points(self, codes: Ids) -> list[str]:
        """The ids of the points of the tags that have these codes."""
        return self._tag_codes.points(codes)

    def tag_facts(self, codes: Ids) -> Facts:
        """What is known of the tags that have these codes, as `melon.retrieval.facts.tag_facts`."""
        rows, found = self.load_tag_facts(codes)
        return rows.of(found)

    def load_tag_facts(self, codes: Ids) -> tuple[ArrayRows, Numbers]:
        """Cache the facts of these tags; one request reads those that are not."""
        return self._tag_facts.load(self._reader, codes)

    def facts(self, songs: Ids) -> Facts:
        """What is known of each song, (n,) as of `melon.retrieval.facts.song_facts`.

        For many queries, call `load_facts` for all their songs first.
        """
        rows, found = self.load_facts(songs)
        return rows.of(found)

    def load_facts(self, songs: Ids) -> tuple[ArrayRows, Numbers]:
        """Cache the facts of these songs; one request reads those that are not."""
        return self._facts.load(self._reader, songs)

    def seeds(self, collection: Collection, ids: Sequence[PointId]) -> Mapping[PointId, Record]:
        """At least these songs, tags or words, as seeds; one request reads those not cached."""
        return self._seeds[collection].load(self._reader, ids)

    def _codes_of_tags(self, playlist: Record) -> SongArray:
        return self._tag_codes.of(playlist.payload.get("tags", ()))

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


def _songs(playlist: Record) -> Sequence[int]:
    songs: Sequence[int] = playlist.payload.get("songs", ())
    return songs


def _whole(point: Record) -> Record:
    return point


def _tag(tag: Record) -> str:
    return str(tag.payload.get("tag", tag.id))


def _description(schema: CollectionSchema, song: Record) -> Description:
    return Description.of(schema.in_order(song.payload))


def _artist_keys(song: Record) -> tuple[str, ...]:
    return tuple(song.payload.get("artist_keys", ()))
