"""The seeds of a query: the parts that the store knows, with vector, popularity and dimension."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Floats
from melon.retrieval.query import ModalityWeights, PlaylistQuery, refuse_contradiction
from melon.retrieval.reader import CachingReader
from melon.retrieval.results import Unknown
from melon.retrieval.same_song import version_key
from melon.retrieval.settings import QueryKind
from melon.store import Collection, PointId, Record, bigram_point_id, tag_point_id, word_point_id
from melon.text import clean_text
from melon.titles import TitleTokenizer

Key = int | str


@dataclass(frozen=True, slots=True, eq=False)
class SeedSet:
    """n seeds of one kind, by column.

    Attributes:
        keys: song ids, tags or words, as they stand in the query.
        vectors: (n, dim) float32, unit rows; zero where the store holds no vector.
        popularity: (n,) float32, the playlists that hold each.
        items: (n,) uint32, each one's dimension in the playlists' sparse vector `items`.
        weights: (n,) float32, of words and bigrams the query's relative weight of the title or
            the tags that they are from, the larger one if of both; 1 of all other seeds.
    """

    keys: tuple[Key, ...]
    vectors: Floats
    popularity: Floats
    items: NDArray[np.uint32]
    weights: Floats

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """The seeds of a query that the store knows, what the query dislikes, and what is unknown.

    Attributes:
        title_words: the words of the title.
        title_tags: the tags in the title.
        words: the words of the title and of the tags, by which playlists are indexed.
        bigrams: their pairs of letters, likewise.
        artists: of the songs, as names are compared (`name_key`).
        versions: what the songs, liked or not, have in common with their versions (`version_key`).
        weights: how much the songs, the tags and the title count.
    """

    songs: SeedSet
    tags: SeedSet
    title_words: SeedSet
    title_tags: SeedSet
    words: SeedSet
    bigrams: SeedSet
    not_songs: SeedSet
    not_tags: SeedSet
    weights: ModalityWeights
    artists: tuple[str, ...] = ()
    versions: frozenset[Hashable] = frozenset()
    unknown: Unknown = field(default_factory=Unknown)

    def __bool__(self) -> bool:
        """Whether anything that the query likes is known."""
        return any(map(len, (self.songs, self.tags, self.title_tags, self.words, self.bigrams)))

    @property
    def kind(self) -> QueryKind:
        """The kind of the query: songs alone, songs and text, tags (perhaps a title), or a title.

        Beside songs only known tags are text, those of the query and those in its title: with a
        title that holds none, a query counts as songs alone. Without songs, a query whose tags are
        all unknown counts as a title, for its words. The settings were chosen that way.
        """
        if len(self.songs):
            text = len(self.tags) + len(self.title_tags)
            return QueryKind.SONGS_AND_TEXT if text else QueryKind.SONGS
        return QueryKind.TAGS if len(self.tags) else QueryKind.TITLE

    def settled(self) -> Seeds:
        """The same, unless all that is known are tags in the title: they are the query's then.

        So `:)` finds the same as a title and as a tag.
        """
        if any(map(len, (self.songs, self.tags, self.words))):
            return self
        title_weight = ModalityWeights(songs=0, tags=self.weights.title, title=0)
        return replace(self, tags=self.title_tags, title_tags=self.tags, weights=title_weight)


def look_up(
    reader: CachingReader, tokenizer: TitleTokenizer, queries: Sequence[PlaylistQuery]
) -> list[Seeds]:
    """The seeds of all queries: a request per kind of seed, however many queries.

    Raises:
        InputError: a query wants and dislikes what is one tag in two spellings.
    """
    tags = _fetch(
        reader,
        Collection.TAGS,
        chain.from_iterable(_spellings(query, tokenizer) for query in queries),
        tag_point_id,
    )
    keys_of = [_SeedKeys.of(query, tokenizer, tags) for query in queries]
    songs = _fetch(
        reader,
        Collection.SONGS,
        (
            song
            for query in queries
            for song in (*query.songs, *query.not_songs)
            if isinstance(song, int)  # else a key that no song has
        ),
        lambda song: song,
    )
    words = _fetch(
        reader, Collection.WORDS, (word for keys in keys_of for word in keys.words), word_point_id
    )
    bigrams = _fetch(
        reader,
        Collection.WORDS,
        (pair for keys in keys_of for pair in keys.bigrams),
        bigram_point_id,
    )
    dim = reader.manifest.dim
    return [
        Seeds(
            songs=_gather(query.songs, songs, dim),
            tags=_gather(keys.tags, tags, dim),
            title_words=_gather(keys.title_words, words, dim),
            title_tags=_gather(keys.title_tags, tags, dim),
            words=_gather(keys.words, words, dim),
            # without a known word, a known pair of letters is chance
            bigrams=_gather(keys.bigrams if words.keys() & keys.words else {}, bigrams, dim),
            not_songs=_gather(query.not_songs, songs, dim),
            not_tags=_gather(keys.not_tags, tags, dim),
            weights=query.relative_weights,
            artists=_artists(songs[song] for song in query.songs if song in songs),
            versions=_versions(
                songs[song] for song in (*query.songs, *query.not_songs) if song in songs
            ),
            unknown=Unknown(
                songs=tuple(s for s in (*query.songs, *query.not_songs) if s not in songs),
                tags=tuple(t for t in keys.tags + keys.not_tags if t not in tags),
                words=tuple(w for w in keys.title_words if w not in words),
            ),
        ).settled()
        for query, keys in zip(queries, keys_of, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _SeedKeys:
    """The keys that one query looks up."""

    tags: tuple[str, ...]
    not_tags: tuple[str, ...]
    title_words: tuple[str, ...]
    title_tags: tuple[str, ...]
    words: Mapping[str, float]
    bigrams: Mapping[str, float]

    @classmethod
    def of(
        cls, query: PlaylistQuery, tokenizer: TitleTokenizer, known: Container[Key]
    ) -> _SeedKeys:
        """The keys of a query. A tag that the store knows as it is written is not respelt."""

        def spelt(tags: Sequence[str]) -> tuple[str, ...]:
            spellings = (
                next((spelling for spelling in tokenizer.spellings(tag) if spelling in known), tag)
                for tag in tags
            )
            return tuple(dict.fromkeys(spellings))

        title = query.title or ""
        tags, not_tags = spelt(query.tags), spelt(query.not_tags)
        refuse_contradiction("tag", tags, not_tags)
        weights = query.relative_weights
        texts = [(title, weights.title), *((tag, weights.tags) for tag in tags)]
        words = ((word, weight) for text, weight in texts for word in tokenizer.words(text))
        bigrams = ((pair, weight) for text, weight in texts for pair in tokenizer.bigrams(text))
        return cls(
            tags=tags,
            not_tags=not_tags,
            title_words=tuple(tokenizer.words(title)),
            title_tags=tuple(tag for tag in _title_tags(title, tokenizer) if tag not in tags),
            words=_heaviest(words),
            bigrams=_heaviest(bigrams),
        )


def _heaviest(weighted: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Each key once, with the largest of its weights."""
    heaviest: dict[str, float] = {}
    for key, weight in weighted:
        heaviest[key] = max(weight, heaviest.get(key, 0.0))
    return heaviest


def _spellings(query: PlaylistQuery, tokenizer: TitleTokenizer) -> Iterator[str]:
    """Every tag that a query may mean."""
    for tag in (*query.tags, *query.not_tags):
        yield from tokenizer.spellings(tag)
    yield from _title_tags(query.title or "", tokenizer)


def _title_tags(title: str, tokenizer: TitleTokenizer) -> list[str]:
    """The tags that a title may hold. Punctuation alone is looked up however rare it is."""
    tags, whole = tokenizer.tags(title), clean_text(title)
    return [whole] if whole and not tags and not tokenizer.words(title) else tags


def _fetch(
    reader: CachingReader,
    collection: Collection,
    keys: Iterable[Any],
    point_id: Callable[[Any], PointId],
) -> Mapping[Key, Record]:
    by_id = {point_id(key): key for key in dict.fromkeys(keys)}
    if not by_id:
        return {}
    known = reader.seeds(collection, list(by_id))
    return {
        key: known[point]
        for point, key in by_id.items()
        if point in known and (collection is Collection.SONGS or "item" in known[point].payload)
    }


def _artists(songs: Iterable[Record]) -> tuple[str, ...]:
    """The artists of songs, each once, in the songs' order."""
    keys = chain.from_iterable(song.payload.get("artist_keys", ()) for song in songs)
    return tuple(dict.fromkeys(keys))


def _versions(songs: Iterable[Record]) -> frozenset[Hashable]:
    """The keys by which versions of songs are told, of those that have one."""
    keys = (
        version_key(song.payload.get("name"), tuple(song.payload.get("artist_keys", ())))
        for song in songs
    )
    return frozenset(key for key in keys if key is not None)


def _gather(
    keys: Sequence[Key] | Mapping[str, float], by_key: Mapping[Key, Record], dim: int
) -> SeedSet:
    """The seeds among the keys that have a record; in a mapping, keys have weights."""
    known = tuple(key for key in keys if key in by_key)
    if not known:
        return _none(dim)
    records = [by_key[key] for key in known]
    weights: Mapping[Any, float] = keys if isinstance(keys, Mapping) else {}
    vectors = np.zeros((len(known), dim), np.float32)
    for row, record in enumerate(records):
        if record.vector is not None:
            vectors[row] = record.vector
    return SeedSet(
        keys=known,
        vectors=vectors,
        popularity=np.array([r.payload.get("popularity", 0) for r in records], np.float32),
        items=np.array([r.payload.get("item", r.id) for r in records], np.uint32),
        weights=np.array([weights.get(key, 1.0) for key in known], np.float32),
    )


@cache
def _none(dim: int) -> SeedSet:
    """No seeds at all: most queries have none of most kinds."""
    nothing = np.empty(0, np.float32)
    return SeedSet((), np.empty((0, dim), np.float32), nothing, np.empty(0, np.uint32), nothing)
