"""From queries to ranked songs and tags: look up the seeds, ask a strategy, fill up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from melon.errors import InputError, WrongType
from melon.retrieval.constraints import Constraints
from melon.retrieval.describe import describe, tag_names
from melon.retrieval.flow import in_flow
from melon.retrieval.known import largest
from melon.retrieval.live import OpenRelease
from melon.retrieval.query import PlaylistQuery
from melon.retrieval.reader import CachingReader
from melon.retrieval.results import ORDERS, Fallback, Order, Ranking, Recommendation, more_fields
from melon.retrieval.seeds import Seeds
from melon.retrieval.strategies.explain import explain
from melon.retrieval.strategies.learned import Candidates, LearnedStrategy
from melon.retrieval.strategies.ranking import (
    EMPTY,
    NO_SHARES,
    NOTHING,
    UNEXPLAINED,
    Answer,
    Explanation,
    Ranked,
    ResolvedQuery,
    Strategy,
)
from melon.retrieval.variety import Variety
from melon.retrieval.versions import fold, pool_with_versions
from melon.store import Collection, Filter, HasId, PointId, ReleaseReader, id_array, tag_point_id

POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How all queries of one call are to be answered.

    Raises:
        InputError: neither songs nor tags are wanted, or a limit is negative.
        WrongType: `variety` is something else.
    """

    strategy: Strategy
    limit: int
    tag_limit: int
    exact: bool = False
    variety: Variety = field(default_factory=Variety)
    explain: bool = False
    all_versions: bool = False
    order: Order = "score"

    def __post_init__(self) -> None:
        Variety.check(self.variety, "Variety(max_per_artist=2)")
        if self.limit < 0 or self.tag_limit < 0 or self.limit + self.tag_limit == 0:
            raise InputError(f"{self.limit} songs and {self.tag_limit} tags cannot be recommended")
        if self.order not in ORDERS:
            raise InputError(
                f"there is no order {self.order!r}", hint=f"give {' or '.join(ORDERS)}"
            )

    @property
    def pool(self) -> int:
        """How many candidates to choose the songs from at first."""
        if self.variety or self.all_versions:
            return self.variety.pool(self.limit)
        return pool_with_versions(self.limit)

    def choose(self, reader: CachingReader, query: ResolvedQuery, answer: Answer) -> Answer:
        """The candidates of an answer that satisfy these wishes, or fewer if too few do."""
        songs, versions = answer.songs, answer.versions
        if not self.all_versions:
            count = None if self.variety else self.limit
            songs, versions = fold(reader, songs, query.seeds.versions, count)
        songs = self.variety.choose(reader, songs, self.limit)
        if self.order == "flow":
            songs = in_flow(reader, songs)
        return replace(answer, songs=songs, versions=versions)


def recommend(
    store: str,
    release: OpenRelease,
    queries: Sequence[PlaylistQuery],
    constraints: Sequence[Constraints | None] | None,
    wanted: Wanted,
) -> list[Recommendation]:
    """The songs and tags of each query, described, and with reasons where these are wanted.

    Args:
        store: where the release is, for the record.

    Raises:
        InputError: there are more queries than constraints, or fewer.
        WrongType: a query or a constraint is something else.
        ConstraintError: a constraint cannot be met by anything, or names what is not known.
    """
    reader = release.reader
    resolved = _resolved(release, queries, constraints, wanted)
    pairs = _chosen(reader, resolved, wanted, wanted.pool)
    answers = [answer for _, answer in pairs]
    reasons = [
        _reasons(reader, query, answer, wanted) if wanted.explain else UNEXPLAINED
        for query, answer in pairs
    ]
    songs, tags = describe(reader, answers, reasons)
    fields = more_fields(reader.manifest.schema(Collection.SONGS).shown)
    return [
        Recommendation(
            store=store,
            release=reader.manifest.release,
            strategy=wanted.strategy.name,
            order=wanted.order,
            fallback=_fallback(answer, wanted),
            popular=_popular(answer),
            known=bool(query.seeds),
            songs=songs[row],
            tags=tags[row],
            unknown=query.seeds.unknown,
            fields=fields,
        )
        for row, (query, answer) in enumerate(pairs)
    ]


def rank(
    release: OpenRelease,
    queries: Sequence[PlaylistQuery],
    constraints: Sequence[Constraints | None] | None,
    wanted: Wanted,
) -> list[Ranking]:
    """The ids of the songs and the names of the tags of each query; else as `recommend`."""
    resolved = _resolved(release, queries, constraints, wanted)
    answers = _answers(release.reader, resolved, wanted.strategy)
    return [
        Ranking(
            songs=tuple(answer.songs.ids.tolist()),
            tags=tuple(names),
            fallback=_fallback(answer, wanted),
            popular=_popular(answer),
            known=bool(query.seeds),
            unknown=query.seeds.unknown,
        )
        for query, answer, names in zip(
            resolved, answers, tag_names(release.reader, answers), strict=True
        )
    ]


def find_candidates(
    release: OpenRelease,
    queries: Sequence[PlaylistQuery],
    strategy: LearnedStrategy,
    wanted: Wanted,
) -> list[tuple[Candidates, Candidates]]:
    """What a learned ranking would order for each query: songs, and tags."""
    return strategy.candidates(release.reader, _resolved(release, queries, None, wanted))


def most_popular(
    reader: ReleaseReader, collection: Collection, limit: int, filter: Filter
) -> Ranked:
    """The points in most playlists, those in equally many by their ids: the same on each engine."""
    if limit == 0:
        return EMPTY
    records = largest(reader, collection, POPULARITY, filter, limit, (POPULARITY,))
    counts = np.array([record.payload[POPULARITY] for record in records], np.float64)
    return Ranked.of(id_array([record.id for record in records]), counts)


def _resolved(
    release: OpenRelease,
    queries: Sequence[PlaylistQuery],
    constraints: Sequence[Constraints | None] | None,
    wanted: Wanted,
) -> list[ResolvedQuery]:
    """The queries with their seeds and filters; the filters keep the seeds out of the answers."""
    for values, name in ((queries, "queries"), (constraints or (), "constraints")):
        if not isinstance(values, Sequence):
            raise WrongType(f"{name} is a list: write {name}=[{values!r}]")
    if constraints is None:
        constraints = [None] * len(queries)
    if len(constraints) != len(queries):
        raise InputError(f"{len(queries)} queries have {len(constraints)} constraints")
    queries, constraints = release.by_ids(queries, constraints)
    filters = [release.filter(constraint) for constraint in constraints]
    return [
        ResolvedQuery(
            original=query,
            seeds=_with_unknown(seeds, limits),
            song_filter=filter
            & _without([s for s in (*query.songs, *query.not_songs) if isinstance(s, int)]),
            tag_filter=_without(
                [tag_point_id(str(tag)) for tag in seeds.tags.keys + seeds.not_tags.keys]
            ),
            song_limit=wanted.limit,
            tag_limit=wanted.tag_limit,
            exact=wanted.exact,
        )
        for query, seeds, limits, filter in zip(
            queries, release.seeds(queries), constraints, filters, strict=True
        )
    ]


def _with_unknown(seeds: Seeds, limits: Constraints | None) -> Seeds:
    """The seeds; what is unknown includes the keys of excluded songs that no song has."""
    unknown = seeds.unknown
    excluded = limits.exclude_songs if limits else ()
    if keys := [s for s in excluded if isinstance(s, str) and s not in unknown.songs]:
        return replace(seeds, unknown=replace(unknown, songs=(*unknown.songs, *keys)))
    return seeds


def _chosen(
    reader: CachingReader, queries: Sequence[ResolvedQuery], wanted: Wanted, pool: int
) -> list[tuple[ResolvedQuery, Answer]]:
    """Answers whose songs are chosen as is wanted from `pool` candidates of each query.

    Where too few candidates satisfy it, the query is asked again for twice as many, until enough
    do or there are no more. Each answer comes with its query as it was asked in the end.
    """
    queries = [replace(query, song_limit=pool) for query in queries]
    candidates = _answers(reader, queries, wanted.strategy)
    if not wanted.all_versions:
        reader.load_descriptions(
            [song for found in candidates for song in found.songs.ids.tolist()]
        )
    pairs = [
        (query, wanted.choose(reader, query, answer))
        for query, answer in zip(queries, candidates, strict=True)
    ]
    short = [
        row
        for row, ((_, chosen), whole) in enumerate(zip(pairs, candidates, strict=True))
        if len(chosen.songs) < wanted.limit and len(whole.songs) == pool
    ]
    if short:
        more = _chosen(reader, [queries[row] for row in short], wanted, 2 * pool)
        for row, pair in zip(short, more, strict=True):
            pairs[row] = pair
    return pairs


def _answers(
    reader: CachingReader, queries: Sequence[ResolvedQuery], strategy: Strategy
) -> list[Answer]:
    """The best songs and tags of each query.

    Popular ones stand in where nothing of a query is known or leads to any, with the number of
    their playlists for a score, and follow with no score where a strategy finds too few.
    """
    of_known = iter(strategy(reader, [query for query in queries if query.seeds]))
    answers = [next(of_known) if query.seeds else NOTHING for query in queries]
    return [
        _filled(reader, answer.head(query.song_limit, query.tag_limit), query)
        for query, answer in zip(queries, answers, strict=True)
    ]


def _filled(reader: ReleaseReader, answer: Answer, query: ResolvedQuery) -> Answer:
    """The answer with as many songs and tags as are wanted, if so many pass."""

    def fill(ranked: Ranked, collection: Collection) -> Ranked:
        missing = query.limit(collection) - len(ranked)
        if not missing:
            return ranked
        rest = query.filter(collection) & _without(ranked.ids.tolist())
        popular = most_popular(reader, collection, missing, rest)
        return ranked.followed_by(popular.ids) if len(ranked) else popular

    found = {Collection.SONGS: answer.songs, Collection.TAGS: answer.tags}
    return Answer(
        songs=fill(answer.songs, Collection.SONGS),
        tags=fill(answer.tags, Collection.TAGS),
        popular=frozenset(c for c, ranked in found.items() if query.limit(c) and not len(ranked)),
    )


def _reasons(
    reader: CachingReader, query: ResolvedQuery, answer: Answer, wanted: Wanted
) -> Explanation:
    """The shares in the scores; what is popular has no other reason."""
    if _fallback(answer, wanted):
        return UNEXPLAINED
    found = explain(wanted.strategy, reader, query, answer)
    return Explanation(
        songs=NO_SHARES if Collection.SONGS in answer.popular else found.songs,
        tags=NO_SHARES if Collection.TAGS in answer.popular else found.tags,
    )


def _popular(answer: Answer) -> tuple[str, ...]:
    """The names of the lists that are of what is popular."""
    lists = (Collection.SONGS, Collection.TAGS)
    return tuple(str(name) for name in lists if name in answer.popular)


def _fallback(answer: Answer, wanted: Wanted) -> Fallback | None:
    """What stands in where a strategy finds nothing at all."""
    lists = (wanted.limit > 0) + (wanted.tag_limit > 0)
    return "popularity" if len(answer.popular) == lists else None


def _without(ids: Sequence[PointId]) -> Filter:
    """All but these."""
    return Filter(must_not=(HasId(tuple(ids)),)) if ids else Filter()
