"""The one door to recommendations: a `Retriever` answers queries from a store's live release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self

from melon.errors import WrongType
from melon.retrieval.constraints import Constraints
from melon.retrieval.counts import Counts, counts
from melon.retrieval.errors import UnknownSong
from melon.retrieval.find import KINDS, Found, find
from melon.retrieval.listing import Listing, listing
from melon.retrieval.live import LiveRelease, OpenRelease, PinnedRelease, ReleaseSource
from melon.retrieval.playlists import PlaylistPage, playlists, query_of
from melon.retrieval.query import ModalityWeights, PlaylistQuery, refuse_contradiction, whole
from melon.retrieval.recommend import Wanted, find_candidates, rank, recommend
from melon.retrieval.results import Order, Ranking, Recommendation
from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.show import Shown, show
from melon.retrieval.similar import Item, Nearest, similar
from melon.retrieval.song_names import song_ids
from melon.retrieval.strategies import STRATEGIES, can_answer, check_strategy, default_strategy
from melon.retrieval.strategies.learned import Candidates, LearnedStrategy
from melon.retrieval.variety import Variety
from melon.store import Collection, ReleaseReader, VectorStore
from melon.text import near

MAX_NEAR = 5
"""Unknown tags of a query for which the like of them is looked for."""


class Retriever:
    """Continues playlists and tags them, from a store and nothing else.

    It answers from the live release: a newly promoted one is taken up between two calls and never
    within one (see `LiveRelease`). May be shared by threads.

    Args:
        store: asked for everything.
        release: answer from this one alone. Every call raises `NoRelease` when it is dropped.
        follow: whether to take up what is promoted; without, the release that is live now answers
            alone.
        settings: what the strategies are weighted by, the built-in ones by default.
        strategy: answers where a call names none; by default the one that suits the release.

    Raises:
        UnknownStrategy: there is none of that name.
        NoRelease, SchemaMismatch, StoreUnavailable, DamagedTitleTokenizer: there is nothing to
            answer from.
        WrongType: the store or the settings are something else, such as a path.
    """

    def __init__(
        self,
        store: VectorStore,
        *,
        release: str | None = None,
        follow: bool = True,
        settings: RetrievalSettings | None = None,
        strategy: str | None = None,
    ) -> None:
        if not hasattr(store, "live"):
            raise WrongType(
                f"a store is wanted, not {store!r}",
                hint="write melon.open(path), or Retriever(open_store(load_settings(), path=...))",
            )
        if settings is not None and not isinstance(settings, RetrievalSettings):
            raise WrongType(
                f"retrieval settings are wanted, not {settings!r}",
                hint="write settings=RetrievalSettings.load(Path(...))",
            )
        if strategy is not None:
            check_strategy(strategy)
        self._location, self._close = store.location, store.close
        self._default = strategy
        self._settings = settings or RetrievalSettings.default()
        self._source: ReleaseSource = (
            LiveRelease(store) if follow and release is None else PinnedRelease(store.open(release))
        )

    @classmethod
    def of_reader(cls, reader: ReleaseReader) -> Self:
        """A retriever of a release that is in no store, such as one in memory."""
        retriever = cls.__new__(cls)
        retriever._location, retriever._close = "", reader.close
        retriever._default = None
        retriever._settings = RetrievalSettings.default()
        retriever._source = PinnedRelease(reader)
        return retriever

    def close(self) -> None:
        """Close the store."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def reader(self) -> ReleaseReader:
        """A reader of the release that answers, for other questions than these."""
        return self._source.open.reader

    @property
    def engine_reader(self) -> ReleaseReader:
        """The engine's reader of that release, to be wrapped for `with_reader`."""
        return self._source.open.reader.engine

    @property
    def release(self) -> str:
        """Name of the release that answers."""
        return self._source.open.reader.manifest.release

    @property
    def settings(self) -> RetrievalSettings:
        """What the strategies are weighted by."""
        return self._settings

    @property
    def strategy(self) -> str:
        """The name of the strategy that answers where a call names none.

        Raises:
            UnknownStrategy: the release names one that this version of melon does not have.
        """
        return self._default or default_strategy(self._source.open.reader.manifest)

    @property
    def strategies(self) -> tuple[str, ...]:
        """The names of those in `STRATEGIES` that can answer: some need what a release may lack."""
        manifest = self._source.open.reader.manifest
        return tuple(name for name in STRATEGIES if can_answer(name, manifest))

    def with_settings(self, settings: RetrievalSettings) -> Self:
        """A retriever of the same release with other settings; nothing is opened again."""
        retriever = copy(self)
        retriever._settings = settings
        return retriever

    def with_reader(self, reader: ReleaseReader) -> Self:
        """A retriever that asks another reader of the same release, and stays with it."""
        retriever = copy(self)
        retriever._source = PinnedRelease(reader)
        return retriever

    def recommend(
        self,
        query: PlaylistQuery | None = None,
        constraints: Constraints | None = None,
        *,
        songs: Iterable[int | str] | None = None,
        tags: Iterable[str] | None = None,
        title: str | None = None,
        not_songs: Iterable[int | str] | None = None,
        not_tags: Iterable[str] | None = None,
        weights: ModalityWeights | None = None,
        limit: int = 20,
        tag_limit: int = 10,
        strategy: str | None = None,
        exact: bool = False,
        explain: bool = False,
        variety: Variety | None = None,
        all_versions: bool = False,
        order: Order = "score",
    ) -> Recommendation:
        """The songs that continue a playlist and the tags that fit it.

        Seeds never come back, nor does what is disliked. Where the query leads to nothing (it is
        empty, unknown or weightless, has no vector, or nothing that it leads to passes), the
        answer is what is most popular under the same constraints, marked as `fallback`.

        Args:
            query: part of a playlist, to which `songs`, `tags` and so on add; not needed with them.
                `playlist` makes that of a playlist in the store.
            constraints: what a song must be.
            songs: by id, or by key or name as `song_id` takes them.
            tags: as the catalogue writes them; see `PlaylistQuery`.
            title: of the playlist, in place of the query's.
            not_songs: that are disliked, like `songs`.
            not_tags: that are disliked.
            weights: how much songs, tags and title count, in place of the query's.
            limit: how many songs; fewer come back only where fewer pass the constraints. Where
                the strategy finds too few, the most popular follow with a score of 0 at most.
            tag_limit: how many tags, likewise.
            strategy: a name in `STRATEGIES`; by default that of `Retriever.strategy`.
            exact: scan instead of using the index.
            explain: say for every result that the strategy scored from which seeds and through
                which playlists its score came; costs the query again, and more.
            variety: choose the songs from more candidates, few of one artist, few alike; their
                order is then that in which they were chosen, not that of their scores. Where the
                candidates are mostly of one artist, the query is asked again for more.
            all_versions: list every version of a song, live, remastered and so on, and those of
                the seeds, too. Else the most popular of those found stands for all of them.
            order: `"flow"` puts the same songs in an order to be listened to: each is followed by
                the one nearest to it in the co-embedding whose artists were not just heard.

        Raises:
            ConstraintError: a constraint cannot be met by anything, or names what is not known.
            UnknownSong, AmbiguousSong: no song has one of the names, or several have it.
            InputError: nothing is asked for, or a tag is wanted and disliked at once, in two
                spellings, or a value is wrong as in a `PlaylistQuery`.
            UnknownStrategy: there is none of that name.
            WrongType: the query or the constraints are something else, such as a title.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        asked = self.query(
            query,
            songs=songs,
            tags=tags,
            title=title,
            not_songs=not_songs,
            not_tags=not_tags,
            weights=weights,
        )
        [answer] = self.recommend_many(
            [asked],
            [constraints],
            limit=limit,
            tag_limit=tag_limit,
            strategy=strategy,
            exact=exact,
            explain=explain,
            variety=variety,
            all_versions=all_versions,
            order=order,
        )
        return self.with_near(answer)

    def query(
        self,
        query: PlaylistQuery | None = None,
        *,
        songs: Iterable[int | str] | None = None,
        tags: Iterable[str] | None = None,
        title: str | None = None,
        not_songs: Iterable[int | str] | None = None,
        not_tags: Iterable[str] | None = None,
        weights: ModalityWeights | None = None,
    ) -> PlaylistQuery:
        """The query that `recommend` asks: songs that are named have their ids in it.

        Args:
            as `recommend`.

        Raises:
            UnknownSong, AmbiguousSong, InputError, WrongType, NoRelease: as `recommend`.
        """
        if query is None:
            query = PlaylistQuery()
        PlaylistQuery.check(query, 'recommend(title="rainy day")')
        if weights is not None:
            ModalityWeights.check(weights, "ModalityWeights(tags=2)")
        songs, not_songs = _listed(songs), _listed(not_songs)
        if isinstance(songs, tuple) and isinstance(not_songs, tuple):
            refuse_contradiction("song", songs, not_songs)  # by the names that are given
        return query.adding(
            songs=self._song_ids(songs),
            tags=tags,
            title=title,
            not_songs=self._song_ids(not_songs),
            not_tags=not_tags,
            weights=weights,
        )

    def with_near(self, answer: Recommendation) -> Recommendation:
        """An answer that says, too, which tags of the store are written like the unknown ones.

        Of the first of these: each takes as long as an answer does.
        """
        if not answer.unknown.tags:
            return answer
        known = self._source.run(lambda release: release.known_tags())
        some = answer.unknown.tags[:MAX_NEAR]
        found = {tag: names for tag in some if (names := near(tag, known))}
        return replace(answer, unknown=replace(answer.unknown, near=found))

    def recommend_many(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None = None,
        *,
        limit: int = 20,
        tag_limit: int = 10,
        strategy: str | None = None,
        exact: bool = False,
        explain: bool = False,
        variety: Variety | None = None,
        all_versions: bool = False,
        order: Order = "score",
    ) -> list[Recommendation]:
        """Answer many queries in few requests; the answers are those of `recommend`.

        Without `unknown.near`, which would take longer than the answers: see `with_near`.

        Raises:
            as `recommend`.
        """
        wanted = self._wanted(
            strategy,
            limit,
            tag_limit,
            exact,
            Variety() if variety is None else variety,
            explain,
            all_versions,
            order,
        )
        return self._source.run(
            lambda release: recommend(
                self._location, release, queries, constraints, wanted(release)
            )
        )

    def rank_many(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None = None,
        *,
        limit: int = 20,
        tag_limit: int = 10,
        strategy: str | None = None,
        exact: bool = False,
    ) -> list[Ranking]:
        """The songs and tags of `recommend_many` by ids and names alone: much cheaper.

        All versions of songs are in it, as of `all_versions`.

        Raises:
            as `recommend`.
        """
        wanted = self._wanted(strategy, limit, tag_limit, exact)
        return self._source.run(
            lambda release: rank(release, queries, constraints, wanted(release))
        )

    def candidates(
        self, queries: Sequence[PlaylistQuery], *, limit: int = 20, tag_limit: int = 10
    ) -> list[tuple[Candidates, Candidates]]:
        """The songs and the tags that a learned ranking would order for each query.

        Args:
            limit: how many songs are wanted at least.
            tag_limit: how many tags.
        """
        learned = LearnedStrategy(self._settings, None)
        wanted = Wanted(learned, whole(limit, "limit"), whole(tag_limit, "tag_limit"))
        return self._source.run(lambda release: find_candidates(release, queries, learned, wanted))

    def similar(
        self,
        item: Item,
        *,
        to: Sequence[Collection | str] = (Collection.SONGS, Collection.TAGS),
        limit: int = 10,
        constraints: Constraints | None = None,
        exact: bool = False,
    ) -> dict[Collection, list[Nearest]]:
        """The nearest points to one item in each collection, the item itself left out.

        Args:
            item: a song, a tag, a title, a playlist or a title word.
            to: the collections to look in, as such or by name: `("songs", "playlists")`.
            limit: points of each.
            constraints: what a song must be.
            exact: scan instead of using the index.

        Raises:
            ConstraintError: a constraint cannot be met by anything, names what is not known, or is
                there where no songs are looked for.
            UnknownItem: the store does not hold the item, or no vector for it.
            InputError: there is no collection of that name, or `limit` is below 1.
            WrongType: the item or the constraints are something else, such as an id.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        number = whole(limit, "limit")
        return self._source.run(
            lambda release: similar(
                release, item, to=to, limit=number, constraints=constraints, exact=exact
            )
        )

    def find(self, text: str, *, kinds: Sequence[str] = KINDS, limit: int = 10) -> Found:
        """The songs, tags, artists and playlists with this part of their name or key.

        Each word of the text has to begin one of the name, whatever their order, case and accents;
        of Korean, Japanese, Chinese and Thai, it may stand anywhere. What has exactly this key or
        id comes first; what has a key of which parts begin so is found, too.

        Args:
            text: a part of a name, a title or a key.
            kinds: of `songs`, `tags`, `artists` and `playlists`, which to look for.
            limit: how many of each.

        Raises:
            InputError: there is nothing to look for, there is no such kind, or `limit` is below 1.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        number = whole(limit, "limit")
        return self._source.run(lambda release: find(release.reader, text, kinds, number))

    def show(self, kind: str, what: int | str, *, limit: int = 10) -> Shown:
        """All that the store knows of one song, tag, playlist or artist.

        Args:
            kind: `song`, `tag`, `playlist` or `artist`.
            what: a key, an id, or a whole name, whatever its case; a title of a playlist.
            limit: how many songs, playlists, and nearest of each kind.

        Raises:
            UnknownItem, UnknownSong: there is none; the hint says what is written alike.
            AmbiguousSong, InputError: several have the name.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        number = whole(limit, "limit")
        return self._source.run(lambda release: show(release, kind, what, number))

    def listing(
        self,
        kind: str,
        *,
        prefix: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Listing:
        """The tags, genres, artists or fields of the store, each with how often it is there.

        Largest counts first; they are exact.

        Args:
            kind: `tags`, `genres`, `artists` or `fields`.
            prefix: how the name begins (a genre's name or code), whatever its case and accents.
            limit: how many; all of them by default.
            after: begin after this value: the `next` of the page before.

        Raises:
            InputError: there is no such list, `after` is not in it, or `limit` is below 1.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        number = None if limit is None else whole(limit, "limit")
        return self._source.run(
            lambda release: listing(release.reader, kind, prefix, number, after)
        )

    def counts(
        self,
        fields: Sequence[str] | None = None,
        constraints: Constraints | None = None,
        *,
        limit: int = 20,
    ) -> Counts:
        """How many of the songs that pass the constraints have each value of some fields, exactly.

        Args:
            fields: indexed fields of whole values; by default the genres, the year of issue, and
                those of the catalogue's own fields that can be counted.
            constraints: what a counted song must be.
            limit: how many values of each field, the most frequent first.

        Raises:
            ConstraintError: a constraint cannot be met by anything, or names what is not known.
            InputError: the values of a field cannot be counted, or `limit` is below 1.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        number = whole(limit, "limit")
        return self._source.run(lambda release: counts(release, fields, constraints, number))

    def playlists(
        self, *, tags: Sequence[str] = (), limit: int = 20, after: int = 0
    ) -> PlaylistPage:
        """The playlists that carry all of some tags, the most liked first.

        Args:
            tags: as the catalogue writes them; without any, every playlist is listed.
            limit: how many.
            after: how many to leave out: the `next` of the page before.

        Raises:
            InputError: a tag is blank, or a page after the first 10,000 is asked for.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        numbers = whole(limit, "limit"), whole(after, "after")
        return self._source.run(lambda release: playlists(release, tags, *numbers))

    def song_id(self, text: str) -> int:
        """The song that `text` means: a key, else an id in digits, else a whole name in any case.

        Digits that are no id of a song in the store are a name, as of "1999". Where no song has
        that name either, they are taken for an id, which a query then reports as unknown.

        Raises:
            UnknownSong: there is none of that name, or the number is not an id.
            AmbiguousSong: there are several; the message lists them, most popular first.
            InputError: the name is not valid Unicode.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        return self._source.run(lambda release: song_ids(release.reader, [text])[0])

    def excluded(self, song: int | str) -> int | str:
        """A song that must not come back; one that the store lacks as it is, to be reported.

        Raises:
            UnknownSong, AmbiguousSong: the name is empty, or several songs have it.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        if not isinstance(song, str):
            return song
        try:
            return self.song_id(song)
        except UnknownSong:
            if not song.strip():
                raise
            return song

    def playlist(self, playlist: int | str) -> PlaylistQuery:
        """The query that continues a playlist of the store: its songs, its tags and its title.

        Args:
            playlist: its id, or as text its key, else its id in digits.

        Raises:
            UnknownItem: the store holds no such playlist.
            InputError: it is neither an id nor a key.
            NoRelease: the release was dropped, and there is no other to take up.
        """
        return self._source.run(lambda release: query_of(release, playlist))

    def _song_ids(self, songs: Iterable[int | str] | None) -> Iterable[int | str] | None:
        if not isinstance(songs, tuple):
            return songs  # None, or what a query refuses
        texts = [song for song in songs if isinstance(song, str)]
        if not texts:
            return songs
        found = self._source.run(lambda release: song_ids(release.reader, texts))
        ids = dict(zip(texts, found, strict=True))
        return tuple(ids[song] if isinstance(song, str) else song for song in songs)

    def _wanted(
        self, strategy: str | None, limit: int, tag_limit: int, *more: Any
    ) -> Callable[[OpenRelease], Wanted]:
        """What is wanted of any release, whose own the strategy is."""
        if strategy is not None:
            check_strategy(strategy)
        limits = whole(limit, "limit"), whole(tag_limit, "tag_limit")

        def of(release: OpenRelease) -> Wanted:
            manifest = release.reader.manifest
            name = strategy or self._default or default_strategy(manifest)
            return Wanted(STRATEGIES[name](self._settings, manifest), *limits, *more)

        return of


def _listed(songs: Iterable[int | str] | None) -> Iterable[int | str] | None:
    """What is given, as it can be read twice; no list stays as it is."""
    return songs if isinstance(songs, str) or not isinstance(songs, Iterable) else tuple(songs)
