"""What most playlists hold: the answer where nothing is known, and the end of a short one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melon.retrieval.strategies.strategy import EMPTY, Answer, Ranked, ResolvedQuery
from melon.store import Collection, Filter, HasId, NumberRange, PointId, ReleaseReader, id_array

POPULARITY = "popularity"


def popular(reader: ReleaseReader, query: ResolvedQuery) -> Answer:
    """The most popular songs and tags that pass; the score is the number of playlists."""
    return Answer(
        songs=most_popular(reader, Collection.SONGS, query.songs, query.song_filter),
        tags=most_popular(reader, Collection.TAGS, query.tags, query.tag_filter),
        popular=True,
    )


def filled(reader: ReleaseReader, answer: Answer, query: ResolvedQuery) -> Answer:
    """Where candidates are fewer than wanted, what is popular follows, with no score."""

    def fill(ranked: Ranked, collection: Collection, limit: int, filter: Filter) -> Ranked:
        missing = limit - len(ranked)
        if not missing:
            return ranked
        rest = filter & without(ranked.ids.tolist())
        return ranked.followed_by(most_popular(reader, collection, missing, rest).ids)

    return Answer(
        songs=fill(answer.songs, Collection.SONGS, query.songs, query.song_filter),
        tags=fill(answer.tags, Collection.TAGS, query.tags, query.tag_filter),
    )


def most_popular(
    reader: ReleaseReader, collection: Collection, limit: int, filter: Filter
) -> Ranked:
    """The points in most playlists, those in equally many by their ids: the same on each engine."""
    if limit == 0:
        return EMPTY
    fields = (POPULARITY,)
    found = reader.top(collection, POPULARITY, limit, filter, payload=fields)
    if len(found) == limit:
        # Engines differ in which of the last, equally popular ones they give: take those with
        # the lowest ids, which is the order of `find` on both.
        least = found[-1].payload[POPULARITY]
        tied = filter & Filter(must=(NumberRange(POPULARITY, least, least),))
        found = [record for record in found if record.payload[POPULARITY] > least]
        found += reader.find(collection, tied, limit - len(found), payload=fields)
    counts = np.array([record.payload[POPULARITY] for record in found], np.float64)
    return Ranked.of(id_array([record.id for record in found]), counts)


def without(ids: Sequence[PointId]) -> Filter:
    """All but these."""
    return Filter(must_not=(HasId(tuple(ids)),)) if ids else Filter()
