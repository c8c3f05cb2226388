"""The one door to recommendations: a `Retriever` answers queries from a store's live release."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Self, TypeVar

from melon.embedding.title import DamagedTitleTokenizer
from melon.errors import InputError, MelonError
from melon.retrieval.answering import OpenRelease
from melon.retrieval.constraints import Constraints
from melon.retrieval.dense import ClusterStrategy, MeanStrategy, VoteStrategy
from melon.retrieval.given import given_by
from melon.retrieval.hybrid import HybridStrategy
from melon.retrieval.neighbours import NeighbourStrategy
from melon.retrieval.query import PlaylistQuery
from melon.retrieval.results import Ranking, Recommendation
from melon.retrieval.settings import Given, RetrievalSettings
from melon.retrieval.showing import rankings, shown_songs, shown_tags
from melon.retrieval.similar import Item, Neighbour, similar
from melon.retrieval.strategy import UNEXPLAINED, Strategy
from melon.retrieval.variety import Variety
from melon.store import Collection, NoRelease, ReleaseReader, SchemaMismatch, VectorStore

STRATEGIES: Mapping[str, Callable[[RetrievalSettings], Strategy]] = {
    "mean": MeanStrategy,
    "vote": VoteStrategy,
    "cluster": ClusterStrategy,
    "neighbours": NeighbourStrategy,
    "hybrid": HybridStrategy,
}
DEFAULT_STRATEGY = "hybrid"
REFRESH_SECONDS = 2.0
RETRY_SECONDS = 60.0
"""After this, a release that could not be opened is tried again."""

IDLE_SECONDS = 30.0
"""After so long without a look, nobody answers before one has looked: much may have happened."""

FOR_EVER = (SchemaMismatch, DamagedTitleTokenizer)
"""Reasons to refuse a release that do not change as long as this process runs."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class UnknownStrategy(InputError):
    """There is no strategy of this name."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """A release that is not taken up, at least until then (of `time.monotonic`)."""

    release: str
    until: float


class Retriever:
    """Continues playlists and tags them, from a store and nothing else.

    Without a `release`, it follows the live one: a newly promoted release is taken up within
    `REFRESH_SECONDS`, between two calls and never within one. One that cannot be read is not: the
    release before it goes on answering, a warning is logged, and where the reason may pass, the
    new one is tried again every `RETRY_SECONDS`. Where the release that answers is dropped, the
    live one is taken up at once, and the call answered from it. May be shared by threads.

    With a `release`, it answers from that one alone, and every call raises `NoRelease` when it is
    dropped.

    Raises:
        NoRelease, SchemaMismatch, StoreUnavailable, DamagedTitleTokenizer: there is nothing to
            answer from.
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
        self._looking = Lock()
        self._looked = time.monotonic()
        self._looks = 0
        self._refused: _Refused | None = None
        self._warned: tuple[str | None, type[MelonError]] | None = None
        self._open = OpenRelease.of(store.open(release))

    @property
    def reader(self) -> ReleaseReader:
        """The release that answers, for questions of one's own."""
        return self._open.reader

    @property
    def engine_reader(self) -> ReleaseReader:
        """The engine's own reader of it, to wrap and give to `with_reader`."""
        return self._open.reader.engine

    @property
    def release(self) -> str:
        """Name of the release that answers."""
        return self._open.reader.manifest.release

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
        other._open = OpenRelease.of(reader)
        return other

    def kinds(self, queries: Sequence[PlaylistQuery]) -> list[Given | None]:
        """By which settings each query is answered; None where nothing of it is known.

        Raises:
            NoRelease: the release was dropped, and there is no other to take up.
        """
        seeds = self._ask(lambda current: current.seeds(queries))
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
                order is then that of being chosen, not of their scores. Where the candidates
                are mostly of one artist, the query is asked again for more.

        Raises:
            ConstraintError: a constraint cannot be met by anything, or names what is not known.
            UnknownStrategy: there is none of that name.
            NoRelease: the release was dropped, and there is no other to take up.
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
        """Answer many queries in few requests; the answers are those of `recommend`.

        Raises:
            as `recommend`.
        """
        wanted, chosen = variety or Variety(), self._strategy(strategy)

        def recommended(current: OpenRelease) -> list[Recommendation]:
            asks, answers = current.varied(
                queries,
                constraints,
                wanted,
                songs=songs,
                pool=wanted.pool(songs),
                tags=tags,
                strategy=chosen,
                exact=exact,
            )
            reader = current.reader
            reasons = [
                # popular songs and tags have no reasons but that
                chosen.explain(reader, ask, answer)
                if explain and not answer.popular
                else UNEXPLAINED
                for ask, answer in zip(asks, answers, strict=True)
            ]
            found_songs = shown_songs(reader, answers, reasons)
            found_tags = shown_tags(reader, answers, reasons)
            return [
                Recommendation(
                    store=self._store.location,
                    release=reader.manifest.release,
                    strategy=strategy,
                    fallback="popularity" if answer.popular else None,
                    songs=own_songs,
                    tags=own_tags,
                    unknown=ask.seeds.unknown,
                )
                for ask, answer, own_songs, own_tags in zip(
                    asks, answers, found_songs, found_tags, strict=True
                )
            ]

        return self._ask(recommended)

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
        """The songs and tags of `recommend_many` without what is shown of them: much cheaper.

        Raises:
            as `recommend`.
        """
        chosen = self._strategy(strategy)

        def ranked(current: OpenRelease) -> list[Ranking]:
            _, answers = current.answer(
                queries, constraints, songs=songs, tags=tags, strategy=chosen, exact=exact
            )
            return rankings(current.reader, answers)

        return self._ask(ranked)

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
            ConstraintError: a constraint cannot be met by anything, or names what is not known.
            UnknownItem: the store does not hold the item, or no vector for it.
            NoRelease: the release was dropped, and there is no other to take up.
        """

        def nearest(current: OpenRelease) -> dict[Collection, list[Neighbour]]:
            return similar(
                current.reader,
                current.tokenizer,
                item,
                to=to,
                limit=limit,
                constraints=constraints,
                exact=exact,
            )

        return self._ask(nearest)

    def _ask(self, question: Callable[[OpenRelease], T]) -> T:
        """The answer of the current release; of the one that is live now, if that was dropped."""
        current = self._current()
        try:
            return question(current)
        except NoRelease:
            if self._pinned or (live := self._after(current)) is current:
                raise
        return question(live)

    def _current(self) -> OpenRelease:
        """The release that answers; one that was promoted since the last look is taken up.

        One thread looks, the others answer meanwhile, unless the last look was long ago. Whoever
        still answers from the previous release keeps it open until that is done.
        """
        if self._pinned or (overdue := self._overdue()) < 0:
            return self._open
        if self._looking.acquire(blocking=overdue > IDLE_SECONDS):
            try:
                if self._overdue() >= 0:  # else another has looked meanwhile
                    self._look()
            finally:
                self._looking.release()
        return self._open

    def _after(self, dropped: OpenRelease) -> OpenRelease:
        """The release that answers instead of one that was dropped; itself if there is none.

        Of all threads that miss the same release, one looks; the others wait for what it finds.
        """
        looks = self._looks
        with self._looking:
            if self._open is dropped and self._looks == looks:
                if self._refused and self._refused.until < math.inf:
                    self._refused = None  # nothing is left to lose by another try
                self._look()
            return self._open

    def _overdue(self) -> float:
        """For how many seconds a look has been due; below zero, until it is."""
        return time.monotonic() - self._looked - REFRESH_SECONDS

    def _look(self) -> None:
        """Find out what is live, and take it up. One thread at a time."""
        self._looks += 1
        try:
            live = self._store.live()
        except MelonError as error:
            self._warn(None, error)
        else:
            if live in (None, self.release):
                self._refused = self._warned = None
            elif self._may_take_up(live):
                self._take_up(live)
        finally:
            self._looked = time.monotonic()

    def _may_take_up(self, live: str) -> bool:
        refused = self._refused
        return refused is None or live != refused.release or time.monotonic() >= refused.until

    def _take_up(self, live: str) -> None:
        """Answer from this release from now on, if all of it can be read."""
        reader: ReleaseReader | None = None
        try:
            reader = self._store.open(live)
            taken = OpenRelease.of(reader)
            taken.check()
        except MelonError as error:
            if reader is not None:
                reader.close()
            again = math.inf if isinstance(error, FOR_EVER) else time.monotonic() + RETRY_SECONDS
            self._refused = _Refused(live, again)
            self._warn(live, error)
        else:
            self._open = taken
            self._refused = self._warned = None

    def _warn(self, live: str | None, error: MelonError) -> None:
        """Say once why the live release does not answer, however often it is met."""
        if self._warned != (live, type(error)):
            self._warned = (live, type(error))
            log.warning("release %s goes on answering: %s", self.release, error)

    def _strategy(self, name: str) -> Strategy:
        if name not in STRATEGIES:
            raise UnknownStrategy(
                f"there is no strategy {name!r}", hint=f"strategies are {', '.join(STRATEGIES)}"
            )
        return STRATEGIES[name](self._settings)
