"""Strategies on the co-embedding alone."""

from __future__ import annotations

from collections.abc import Sequence

from melon.retrieval.strategy import EMPTY, Answer, Ask, Ranked
from melon.retrieval.vectors import Vector, multimodal_mean
from melon.store import DENSE, Collection, Filter, ReleaseReader, VectorQuery

EF = 256
"""Beam of the HNSW walk: a filter that keeps a tenth needs more than the default."""


class MeanStrategy:
    """Nearest songs and tags to the multimodal mean of the seeds; the score is the cosine."""

    def __call__(self, reader: ReleaseReader, asks: Sequence[Ask]) -> list[Answer]:
        """One filtered ANN request for the songs of all queries, and one for the tags."""
        means = [multimodal_mean(ask.seeds, ask.query.weights) for ask in asks]
        songs = nearest(
            reader, Collection.SONGS, means, [(a.song_filter, a.songs, a.exact) for a in asks]
        )
        tags = nearest(
            reader, Collection.TAGS, means, [(a.tag_filter, a.tags, a.exact) for a in asks]
        )
        return [Answer(*pair) for pair in zip(songs, tags, strict=True)]


def nearest(
    reader: ReleaseReader,
    collection: Collection,
    vectors: Sequence[Vector | None],
    wanted: Sequence[tuple[Filter, int, bool]],
) -> list[Ranked]:
    """The points nearest to each vector under its filter, in one request.

    Args:
        vectors: one per query; None gives no candidates.
        wanted: per query the filter, how many, and whether to scan exactly.
    """
    queries = [
        VectorQuery(vector, DENSE, limit, filter, exact=exact, ef=max(EF, limit))
        for vector, (filter, limit, exact) in zip(vectors, wanted, strict=True)
        if vector is not None and limit > 0
    ]
    answers = iter(reader.query(collection, queries) if queries else [])
    return [
        Ranked.of_hits(next(answers)) if vector is not None and limit > 0 else EMPTY
        for vector, (_, limit, _) in zip(vectors, wanted, strict=True)
    ]
