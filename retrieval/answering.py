"""From queries to ranked candidates: one open release, asked by one strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from melon.embedding.title import TitleTokenizer
from melon.errors import InputError
from melon.retrieval.caching import CachingReader
from melon.retrieval.constraints import Constraints
from melon.retrieval.popularity import filled, popular, without
from melon.retrieval.query import PlaylistQuery
from melon.retrieval.seeds import Seeds, resolve
from melon.retrieval.strategies.strategy import NOTHING, Answer, ResolvedQuery, Strategy
from melon.retrieval.variety import Variety
from melon.store import Collection, Filter, ReleaseReader, tag_point_id


@dataclass(frozen=True, slots=True, eq=False)
class OpenRelease:
    """A release that is open, with its title tokenizer. May be shared by threads."""

    reader: CachingReader
    tokenizer: TitleTokenizer

    @classmethod
    def of(cls, reader: ReleaseReader) -> Self:
        """Load the tokenizer, open what will be asked, and cache what is read.

        A collection that cannot be read is an error for those queries that need it.

        Raises:
            DamagedTitleTokenizer: it is damaged, or of another version of melon.
        """
        tokenizer = TitleTokenizer.from_bytes(reader.manifest.title_tokenizer)
        reader.warm()
        return cls(CachingReader(reader), tokenizer)

    def check(self) -> None:
        """Make sure that every collection answers.

        Raises:
            NoRelease, StoreUnavailable, RequestRefused: one is missing, or cannot be read.
        """
        for collection in Collection:
            self.reader.find(collection, None, 1, payload=False)

    def seeds(self, queries: Sequence[PlaylistQuery]) -> list[Seeds]:
        """What the release knows of each query."""
        return resolve(self.reader, self.tokenizer, queries)

    def answer(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None,
        *,
        songs: int,
        tags: int,
        strategy: Strategy,
        exact: bool,
    ) -> tuple[list[ResolvedQuery], list[Answer]]:
        """The best `songs` and `tags` of each query, and the queries as they were resolved.

        What is popular stands in where nothing of a query is known or leads anywhere, and
        follows where a strategy finds too few.

        Raises:
            InputError: nothing is wanted, or queries and constraints are not equally many.
            ConstraintError: a constraint cannot be met by anything, or names what is not known.
        """
        if songs < 0 or tags < 0 or songs + tags == 0:
            raise InputError(f"{songs} songs and {tags} tags cannot be recommended")
        limits = [None] * len(queries) if constraints is None else constraints
        if len(limits) != len(queries):
            raise InputError(f"{len(queries)} queries have {len(limits)} constraints")
        filters = [limit.resolve(self.reader) if limit else Filter() for limit in limits]
        resolved = [
            _resolved(query, seeds, filter, songs, tags, exact)
            for query, seeds, filter in zip(queries, self.seeds(queries), filters, strict=True)
        ]
        known = iter(strategy(self.reader, [query for query in resolved if query.seeds]))
        answers = [next(known) if query.seeds else NOTHING for query in resolved]
        answers = [
            filled(self.reader, answer.head(songs, tags), query)
            if answer
            else popular(self.reader, query)
            for query, answer in zip(resolved, answers, strict=True)
        ]
        return resolved, answers

    def varied(
        self,
        queries: Sequence[PlaylistQuery],
        constraints: Sequence[Constraints | None] | None,
        variety: Variety,
        *,
        songs: int,
        pool: int,
        tags: int,
        strategy: Strategy,
        exact: bool,
    ) -> tuple[list[ResolvedQuery], list[Answer]]:
        """As `answer`, with the songs chosen for variety from `pool` candidates of each query.

        Where too few candidates satisfy `variety`, the query is asked again for twice as many,
        until enough do or there are no more.
        """
        resolved, found = self.answer(
            queries, constraints, songs=pool, tags=tags, strategy=strategy, exact=exact
        )
        answers = [
            replace(answer, songs=variety.choose(self.reader, answer.songs, songs))
            for answer in found
        ]
        short = [
            row
            for row, (answer, whole) in enumerate(zip(answers, found, strict=True))
            if len(answer.songs) < songs and len(whole.songs) == pool
        ]
        if short:
            more = self.varied(
                [queries[row] for row in short],
                None if constraints is None else [constraints[row] for row in short],
                variety,
                songs=songs,
                pool=2 * pool,
                tags=tags,
                strategy=strategy,
                exact=exact,
            )
            for row, query, answer in zip(short, *more, strict=True):
                resolved[row], answers[row] = query, answer
        return resolved, answers


def _resolved(
    query: PlaylistQuery, seeds: Seeds, constraint: Filter, songs: int, tags: int, exact: bool
) -> ResolvedQuery:
    own_songs = query.songs + query.not_songs
    own_tags = tuple(tag_point_id(str(t)) for t in seeds.tags.keys + seeds.not_tags.keys)
    return ResolvedQuery(
        original=query,
        seeds=seeds,
        song_filter=constraint & without(own_songs),
        tag_filter=without(own_tags),
        songs=songs,
        tags=tags,
        exact=exact,
    )
