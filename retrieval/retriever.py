"""The one door to recommendations: a `Retriever` answers queries from a store's live release."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self

from melon.embedding.title import TitleTokenizer
from melon.errors import InputError
from melon.retrieval.constraints import Constraints, check_artists
from melon.retrieval.dense import ClusterStrategy, MeanStrategy, VoteStrategy
from melon.retrieval.given import given_by
from melon.retrieval.hybrid import HybridStrategy
from melon.retrieval.memory import RememberingReader
from melon.retrieval.neighbours import NeighbourStrategy
from melon.retrieval.popularity import filled, popular, without
from melon.retrieval.query import PlaylistQuery
from melon.retrieval.results import SONG_FIELDS, Ranking, Recommendation, Song, Tag, because
from melon.retrieval.seeds import Seeds, resolve
from melon.retrieval.settings import Given, RetrievalSettings
from melon.retrieval.similar import Item, Neighbour, similar
from melon.retrieval.strategy import (
    NOTHING,
    UNEXPLAINED,
    Answer,
    Ask,
    Explanation,
    Ranked,
    Strategy,
)
from melon.retrieval.variety import Variety
from melon.store import (
    Collection,
    Filter,
    PointId,
    ReleaseReader,
    VectorStore,
    tag_point_id,
)

STRATEGIES: Mapping[str, Callable[[RetrievalSettings], Strategy]] = {
    "mean": MeanStrategy,
    "vote": VoteStrategy,
    "cluster": ClusterStrategy,
    "neighbours": NeighbourStrategy,
    "hybrid": HybridStrategy,
}
DEFAULT_STRATEGY = "hybrid"
REFRESH_SECONDS = 2.0


class UnknownStrategy(InputError):
    """There is no strategy of this name."""


class Retriever:
    """Continues playlists and tags them, from a store and nothing else.

    Without a `release`, it follows the live one: a newly promoted release is taken up within
    `REFRESH_SECONDS`, between two calls and never within one. Not safe for use by several
    threads at once.

    Raises:
        NoRelease, SchemaMismatch, StoreUnavailable: there is nothing to answer from.
    """

    def __init__(
        self,
        store: VectorStore,
        *,
        release: str | None = None,
        settings: RetrievalSettings | None = None,
    ) -> None:
        self._store = store
        self._settings = settings or RetrievalSettings.default()
        self._pinned = release
        self._looked = 0.0
        self._adopt(store.open(release))

    @property
    def reader(self) -> ReleaseReader:
        """The release that answers, for questions of one's own."""
        return self._reader

    @property
    def release(self) -> str:
        """Name of the release that answers."""
        return self._reader.manifest.release

    @property
    def settings(self) -> RetrievalSettings:
        """What the strategies are weighted by."""
        return self._settings

    def with_settings(self, settings: RetrievalSettings) -> Self:
        """A retriever of the same release with other settings; nothing is opened again."""
        other = copy(self)
        other._settings = settings
        return other

    def with_reader(self, reader: ReleaseReader) -> Self:
        """A retriever that asks another reader of the same release, and stays with it."""
        other = copy(self)
        other._pinned = self.release
        other._reader = RememberingReader(reader)
        return other

    def kinds(self, queries: Sequence[PlaylistQuery]) -> list[Given | None]:
        """By which settings each query is answered; None where nothing of it is known."""
        self._follow()
        seeds = resolve(self._reader, self._tokenizer, queries)
        return [given_by(known) if known else None for known in seeds]

    def recommend(
        self,
        query: PlaylistQuery,
        constraints: Constraints | None = None,
        *,
        songs: int = 20,
        tags: int = 10,
        strategy: str = DEFAULT_STRATEGY,
        exact: bool = False,
        explain: bool = False,
        variety: Variety | None = None,
    ) -> Recommendation:
        """The songs that continue a playlist and the tags that fit it.

        Seeds never come back, nor does what the query dislikes.

        Args:
            query: part of a playlist; where nothing of it leads anywhere (it is empty, unknown,
                or has no vector), the answer is what is most popular under the same
                constraints, marked as `fallback`.
            constraints: what a song must be.
            songs: how many songs; fewer come back only where fewer pass the constraints. Where
                the strategy finds too few, the most popular follow with a score of 0 at most.
            tags: how many tags, likewise.
            strategy: a name in `STRATEGIES`.
            exact: scan instead of using the index.
            explain: say for every result which seeds and which neighbour playlists its score
                came from; costs the query again, and more.
            variety: choose the songs from more candidates, few of one artist, few alike; their
                order is then that of being chosen, not of their scores.

        Raises:
            ConstraintError: a constraint cannot be met by anything, or names what is not known.
            UnknownStrategy: there is none of that name.
        """
        return self.recommend_many(
            [query],
            [constraints],
            songs=songs,
            tags=tags,
            strategy=strategy,
            exact=exact,
            explain=explain,
            variety=variety,
        )[0]

    def recommend_many(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None = None,
        *,
        songs: int = 20,
        tags: int = 10,
        strategy: str = DEFAULT_STRATEGY,
        exact: bool = False,
        explain: bool = False,
        variety: Variety | None = None,
    ) -> list[Recommendation]:
        """Answer many queries in few requests; the answers are those of `recommend`."""
        variety = variety or Variety()
        pool = variety.pool(songs)
        asks, answers = self._answer(queries, constraints, pool, tags, strategy, exact)
        answers = [
            replace(answer, songs=variety.choose(self._reader, answer.songs, songs))
            for answer in answers
        ]
        shown_songs = self._payloads(Collection.SONGS, SONG_FIELDS, [a.songs for a in answers])
        shown_tags = self._payloads(Collection.TAGS, ("tag",), [a.tags for a in answers])
        chosen = self._strategy(strategy)
        reasons = [
            self._reasons(chosen, ask, answer) if explain else UNEXPLAINED
            for ask, answer in zip(asks, answers, strict=True)
        ]
        return [
            Recommendation(
                store=self._store.location,
                release=self.release,
                strategy=strategy,
                fallback="popularity" if answer.popular else None,
                songs=tuple(
                    Song.of(int(song), score, shown_songs[song], *because(why.songs, row))
                    for row, (song, score) in enumerate(_pairs(answer.songs))
                ),
                tags=tuple(
                    Tag(str(shown_tags[tag]["tag"]), score, *because(why.tags, row))
                    for row, (tag, score) in enumerate(_pairs(answer.tags))
                ),
                unknown=ask.seeds.unknown,
            )
            for ask, answer, why in zip(asks, answers, reasons, strict=True)
        ]

    def rank_many(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None = None,
        *,
        songs: int = 20,
        tags: int = 10,
        strategy: str = DEFAULT_STRATEGY,
        exact: bool = False,
    ) -> list[Ranking]:
        """The songs and tags of `recommend_many` without what is shown of them: much cheaper."""
        _, answers = self._answer(queries, constraints, songs, tags, strategy, exact)
        names = self._payloads(Collection.TAGS, ("tag",), [answer.tags for answer in answers])
        return [
            Ranking(
                songs=tuple(map(int, answer.songs.ids)),
                tags=tuple(str(names[tag]["tag"]) for tag in answer.tags.ids),
            )
            for answer in answers
        ]

    def similar(
        self,
        item: Item,
        *,
        to: Sequence[Collection] = (Collection.SONGS, Collection.TAGS),
        limit: int = 10,
        constraints: Constraints | None = None,
        exact: bool = False,
    ) -> dict[Collection, list[Neighbour]]:
        """The nearest points to one item in each collection, the item itself left out.

        Args:
            item: a song, a tag, a title, a playlist or a title word.
            to: the collections to look in.
            limit: points of each.
            constraints: what a song must be.
            exact: scan instead of using the index.

        Raises:
            UnknownItem: the store does not hold the item, or no vector for it.
        """
        self._follow()
        check_artists(self._reader, [constraints] if constraints else [])
        return similar(
            self._reader,
            self._tokenizer,
            item,
            to=to,
            limit=limit,
            constraints=constraints,
            exact=exact,
        )

    def _answer(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None,
        songs: int,
        tags: int,
        strategy: str,
        exact: bool,
    ) -> tuple[list[Ask], list[Answer]]:
        """The best `songs` and `tags` of each query, and what was asked of the store for them."""
        self._check_limits(songs, tags)
        chosen = self._strategy(strategy)
        self._follow()
        reader = self._reader
        genres = reader.manifest.genres
        limits = [None] * len(queries) if constraints is None else constraints
        if len(limits) != len(queries):
            raise InputError(f"{len(queries)} queries have {len(limits)} constraints")
        check_artists(reader, filter(None, limits))
        asks = [
            self._ask(query, seeds, (limit or Constraints()).to_filter(genres), songs, tags, exact)
            for query, seeds, limit in zip(
                queries, resolve(reader, self._tokenizer, queries), limits, strict=True
            )
        ]
        known = iter(chosen(reader, [ask for ask in asks if ask.seeds]))
        answers = [next(known) if ask.seeds else NOTHING for ask in asks]
        answers = [
            filled(reader, answer.head(songs, tags), ask) if answer else popular(reader, ask)
            for ask, answer in zip(asks, answers, strict=True)
        ]
        return asks, answers

    def _ask(
        self,
        query: PlaylistQuery,
        seeds: Seeds,
        constraint: Filter,
        songs: int,
        tags: int,
        exact: bool,
    ) -> Ask:
        own_songs = query.songs + query.not_songs
        own_tags = tuple(tag_point_id(str(t)) for t in seeds.tags.keys + seeds.not_tags.keys)
        return Ask(
            query=query,
            seeds=seeds,
            song_filter=constraint & without(own_songs),
            tag_filter=without(own_tags),
            songs=songs,
            tags=tags,
            exact=exact,
        )

    def _reasons(self, chosen: Strategy, ask: Ask, answer: Answer) -> Explanation:
        """How the scores came about; popular songs and tags have no reasons but that."""
        return UNEXPLAINED if answer.popular else chosen.explain(self._reader, ask, answer)

    def _payloads(
        self, collection: Collection, fields: tuple[str, ...], ranked: Sequence[Ranked]
    ) -> Mapping[PointId, Mapping[str, Any]]:
        """What is shown of the points, asked for once however many answers hold them."""
        unique = list(dict.fromkeys(point_id for part in ranked for point_id in part.ids))
        found = self._reader.retrieve(collection, unique, payload=fields)
        return {record.id: record.payload for record in found}

    def _follow(self) -> None:
        """Take up a release that was promoted since the last look."""
        if self._pinned or time.monotonic() - self._looked < REFRESH_SECONDS:
            return
        live = self._store.live()
        if live is not None and live != self.release:
            previous = self._reader
            self._adopt(self._store.open(live))
            previous.close()
        self._looked = time.monotonic()

    def _adopt(self, reader: ReleaseReader) -> None:
        self._reader = RememberingReader(reader)
        self._tokenizer = TitleTokenizer.from_bytes(reader.manifest.title_tokenizer)
        self._looked = time.monotonic()

    def _strategy(self, name: str) -> Strategy:
        if name not in STRATEGIES:
            raise UnknownStrategy(
                f"there is no strategy {name!r}", hint=f"strategies are {', '.join(STRATEGIES)}"
            )
        return STRATEGIES[name](self._settings)

    @staticmethod
    def _check_limits(songs: int, tags: int) -> None:
        if songs < 0 or tags < 0 or songs + tags == 0:
            raise InputError(f"{songs} songs and {tags} tags cannot be recommended")


def _pairs(ranked: Ranked) -> list[tuple[PointId, float]]:
    return list(zip(ranked.ids, ranked.scores.tolist(), strict=True))
