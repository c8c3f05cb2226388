"""Which release answers: always the same one, or whichever is live when a call begins."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, Self, TypeVar

from melon.errors import MelonError
from melon.retrieval.constraints import POPULAR, Artists, Constraints, Genres
from melon.retrieval.field_filters import SongFields
from melon.retrieval.keys import by_ids
from melon.retrieval.query import PlaylistQuery
from melon.retrieval.reader import CachingReader
from melon.retrieval.seeds import Seeds, look_up
from melon.store import Collection, Filter, NoRelease, ReleaseReader, SchemaMismatch, VectorStore
from melon.titles import DamagedTitleTokenizer, TitleTokenizer

REFRESH_SECONDS = 2.0
"""Between two looks at which release is live."""

RETRY_SECONDS = 60.0
"""After this, a release that could not be opened is tried again."""

IDLE_SECONDS = 30.0
"""After so long without a look, every thread waits for the next one: much may have happened."""

FOR_EVER = (SchemaMismatch, DamagedTitleTokenizer)
"""Errors of a release that do not pass while this process runs."""

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class OpenRelease:
    """A release that is open, with what queries and constraints may name. Threads may share it."""

    reader: CachingReader
    tokenizer: TitleTokenizer
    genres: Genres
    artists: Artists
    fields: SongFields

    @classmethod
    def of(cls, reader: ReleaseReader) -> Self:
        """Load the tokenizer, and cache what is read of the collections.

        They are opened when they are first read: one that cannot be is an error of the queries
        that need it.

        Raises:
            DamagedTitleTokenizer: it is damaged, or of another version of melon.
        """
        tokenizer = TitleTokenizer.from_bytes(reader.manifest.title_tokenizer)
        return cls(
            reader=CachingReader(reader),
            tokenizer=tokenizer,
            genres=Genres(reader.manifest.genres),
            artists=Artists(reader),
            fields=SongFields(reader.manifest.schema(Collection.SONGS), reader),
        )

    def check(self) -> None:
        """Make sure that every collection answers.

        Raises:
            NoRelease, StoreUnavailable, RequestRefused: one is missing, or cannot be read.
        """
        for collection in Collection:
            self.reader.find(collection, None, 1, payload=False)

    def by_ids(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] = (),
    ) -> tuple[list[PlaylistQuery], list[Constraints | None]]:
        """Queries and constraints with ids in place of keys; see `melon.retrieval.keys`.

        Raises:
            WrongType: one is something else, such as a title.
            InputError: a song is wanted and disliked at once, by its id and by its key.
        """
        for query in queries:
            PlaylistQuery.check(query, 'PlaylistQuery(title="rainy day")')
        for limits in constraints:
            if limits is not None:
                Constraints.check(limits, 'Constraints(genres=["Jazz"])')
        return by_ids(self.reader, queries, constraints)

    def seeds(self, queries: Sequence[PlaylistQuery]) -> list[Seeds]:
        """What the release knows of each query that has ids in place of keys."""
        return look_up(self.reader, self.tokenizer, queries)

    def known_tags(self) -> list[str]:
        """Tags that a misspelt one may mean: those that are found in titles, and popular ones."""
        popular = self.reader.top(Collection.TAGS, "popularity", POPULAR, payload=("tag",))
        return [*self.tokenizer.known_tags, *(record.payload["tag"] for record in popular)]

    def filter(self, constraints: Constraints | None) -> Filter:
        """Constraints that have ids in place of keys as a filter on the release's songs.

        Raises:
            ConstraintError: they cannot be met by anything, or name what is not known.
        """
        if constraints is None:
            return Filter()
        return constraints.resolve(self.genres, self.artists, self.fields)


class ReleaseSource(Protocol):
    """Knows the release that answers."""

    @property
    def open(self) -> OpenRelease:
        """The one that answered last."""

    def run(self, task: Callable[[OpenRelease], T]) -> T:
        """What the task returns for the one that answers now."""


class PinnedRelease:
    """One release, whatever is promoted. When it is dropped, tasks raise `NoRelease`."""

    def __init__(self, reader: ReleaseReader) -> None:
        self.open = OpenRelease.of(reader)

    def run(self, task: Callable[[OpenRelease], T]) -> T:
        """What the task returns for the release."""
        return task(self.open)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A release that is not taken up before `until`, by `time.monotonic`."""

    release: str
    until: float


class LiveRelease:
    """Whichever release is live, by a look every `REFRESH_SECONDS`. May be shared by threads.

    One that cannot be read is not taken up: the release before it goes on answering, a warning is
    logged, and where the reason may pass, the new one is tried again every `RETRY_SECONDS`. Where
    the release that answers is dropped, the live one is taken up at once.
    """

    def __init__(self, store: VectorStore) -> None:
        self.open = OpenRelease.of(store.open())
        self.open.reader.warm()
        self._store = store
        self._looking = Lock()
        self._looked = time.monotonic()
        self._looks = 0
        self._refused: _Refused | None = None
        self._warned: tuple[str | None, type[MelonError]] | None = None

    @property
    def _name(self) -> str:
        return self.open.reader.manifest.release

    def run(self, task: Callable[[OpenRelease], T]) -> T:
        """What the task returns for the current release, or the live one if that was dropped."""
        current = self.current()
        try:
            return task(current)
        except NoRelease:
            if (live := self._after(current)) is current:
                raise
        return task(live)

    def current(self) -> OpenRelease:
        """The release that answers; one that was promoted since the last look is taken up.

        One thread looks, the others answer meanwhile, unless the last look was long ago. Whoever
        still answers from the previous release keeps it open until that is done.
        """
        if (overdue := self._overdue()) < 0:
            return self.open
        if self._looking.acquire(blocking=overdue > IDLE_SECONDS):
            try:
                if self._overdue() >= 0:  # else another has looked meanwhile
                    self._look()
            finally:
                self._looking.release()
        return self.open

    def _after(self, dropped: OpenRelease) -> OpenRelease:
        """The release that answers instead of one that was dropped; itself if there is none.

        Of all threads that miss the same release, one looks, and the others wait for it.
        """
        looks = self._looks
        with self._looking:
            if self.open is dropped and self._looks == looks:
                if self._refused and self._refused.until < math.inf:
                    self._refused = None  # try it once more: nothing else can answer
                self._look()
            return self.open

    def _overdue(self) -> float:
        """For how many seconds a look has been due; negative before it is."""
        return time.monotonic() - self._looked - REFRESH_SECONDS

    def _look(self) -> None:
        """Find out what is live, and take it up. One thread at a time."""
        self._looks += 1
        try:
            live = self._store.live()
        except MelonError as error:
            self._warn(None, error)
        else:
            if live is None:
                self._warn(None, NoRelease("no release is live", where=self._store.location))
            elif live == self._name:
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
            log.info("%s: release %s answers instead of %s", self._store.location, live, self._name)
            self.open = taken
            self._refused = self._warned = None

    def _warn(self, live: str | None, error: MelonError) -> None:
        """Log why the live release does not answer, once for each reason."""
        if self._warned != (live, type(error)):
            self._warned = (live, type(error))
            log.warning("release %s goes on answering: %s", self._name, error)
