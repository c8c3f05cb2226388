"""The strategy `learned`: what neighbours, co-embedding and artists find, in a learned order.

Which songs and tags are candidates is what the store answers, so every constraint holds. Small
networks, learned from the catalogue's own playlists when its space was trained, then put them in
order by what `melon.retrieval.strategies.inputs` says of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from melon.ranking import LEARNED, Network, Ranking
from melon.retrieval.arrays import Floats, Scores
from melon.retrieval.batching import excluded_ids, has_conditions
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategies.hops import HOLDERS
from melon.retrieval.strategies.hybrid import FILLING, HybridStrategy
from melon.retrieval.strategies.inputs import song_inputs, tag_inputs
from melon.retrieval.strategies.probes import EPSILON
from melon.retrieval.strategies.ranking import EMPTY, Answer, Ranked, ResolvedQuery
from melon.retrieval.strategies.view import View, joined, views
from melon.retrieval.tables import Numbers
from melon.store import Collection, Ids, SparseVector, VectorQuery, id_array

BY_NEIGHBOURS = 300
"""Songs of the neighbours that are candidates, beside those near the query."""

TAGS = 150
"""Tags that are candidates."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """n songs, or tags, that may be recommended, and what is known of each.

    Attributes:
        ids: (n,) of their points.
        inputs: (n, k) float32, in the order of `SONG_INPUTS` or `TAG_INPUTS`.
        scores: (n,) by neighbours and co-embedding, which order them where no network does.
        kept: (n,) what the query's dislikes leave of each, 0 to 1.
    """

    ids: Ids
    inputs: Floats
    scores: Scores
    kept: Scores

    def ranked(self, network: Network | None) -> Ranked:
        """Those that score above 0, by the network, 1 at most, or without one by `scores`."""
        if not len(self.ids):
            return EMPTY
        scores = self.scores
        if network is not None:
            logits = network.score(self.inputs).astype(np.float64)
            scores = np.exp(logits - logits.max())
        return Ranked.of(self.ids, scores * self.kept).above(0)


class LearnedStrategy:
    """Candidates of the neighbours and of the co-embedding, in a learned order."""

    name = LEARNED

    def __init__(self, settings: RetrievalSettings, ranking: Ranking | None) -> None:
        self.hybrid = HybridStrategy(settings)
        self._songs = ranking.songs if ranking else None
        self._tags = ranking.tags if ranking else None

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        """The candidates of all queries, each in the networks' order."""
        return [
            Answer(songs.ranked(self._songs), tags.ranked(self._tags))
            for songs, tags in self.candidates(reader, queries)
        ]

    def candidates(
        self, reader: CachingReader, queries: Sequence[ResolvedQuery]
    ) -> list[tuple[Candidates, Candidates]]:
        """The candidate songs and tags of each query.

        Two rounds of requests: searches, then what is not cached of what they found. Between them
        the store says which songs of the neighbours pass, for queries with constraints.
        """
        seen = views(self.hybrid, reader, queries)
        songs, tags = _passing(reader, seen), [_likely_tags(reader, view) for view in seen]
        parts = list(zip(seen, songs, tags, strict=True))
        seeds = [np.array(query.seeds.songs.keys, np.int64) for query in queries]
        reader.load_facts(joined([*(view.songs.ids[rows] for view, rows, _ in parts), *seeds]))
        reader.load_tag_facts(joined([view.tags.held.ids[rows] for view, _, rows in parts]))
        return [
            (self._songs_of(reader, view, songs), self._tags_of(reader, view, tags))
            for view, songs, tags in parts
        ]

    def _songs_of(self, reader: CachingReader, view: View, rows: Numbers) -> Candidates:
        query, around = view.query, view.around
        hops = self.hybrid.by_hops.hops(query, Collection.SONGS)
        facts = reader.facts(view.songs.ids[rows])
        popularity = facts["popularity"].astype(np.float64)
        by_hops = _scaled(np.maximum(view.liked[rows], 0) * popularity**-hops.candidate_discount)
        scores = by_hops
        if around.place is not None:
            cosine = self.hybrid.by_cosine.cosine(query)
            fusion = self.hybrid.settings.of(query.seeds.kind).to_songs
            near = np.exp(cosine.sharpness * (facts["vector"] @ around.place - 1))
            near = _scaled(near * popularity**cosine.prior)
            scores = by_hops + max(fusion.weight, FILLING) * near**fusion.power
        seeds = reader.facts(np.array(query.seeds.songs.keys, np.int64))
        held = around.songs.of_items(rows)
        inputs = song_inputs(around, held, scores, by_hops, facts, seeds)
        ids = view.songs.ids[rows].astype(np.int64)
        return Candidates(ids, inputs, scores, view.kept(rows))

    def _tags_of(self, reader: CachingReader, view: View, rows: Numbers) -> Candidates:
        tags, hops = view.around.tags, self.hybrid.by_hops.hops(view.query, Collection.TAGS)
        facts = reader.tag_facts(tags.ids[rows])
        discount = facts["popularity"].astype(np.float64) ** -hops.candidate_discount
        scores = _scaled(view.tags.scores[rows] * discount)
        by_hops = _scaled(np.maximum(view.tags.by_neighbours[rows], 0) * discount)
        inputs = tag_inputs(view.around, tags.of_items(rows), scores, by_hops, facts)
        ids = id_array(reader.tag_points(tags.ids[rows]))
        return Candidates(ids, inputs, scores, np.ones(len(rows)))


def _passing(reader: CachingReader, views: Sequence[View]) -> list[Numbers]:
    """The rows of the songs of each view that are candidates."""
    limits = [
        limit and max(BY_NEIGHBOURS, limit) for limit in (view.query.song_limit for view in views)
    ]
    searches = [
        VectorQuery(
            SparseVector(view.playlists.ids[: len(view.weights)], view.weights.astype(np.float32)),
            HOLDERS,
            limit,
            view.query.song_filter,
        )
        if limit and len(view.weights) and has_conditions(view.query.song_filter)
        else None
        for view, limit in zip(views, limits, strict=True)
    ]
    hits = reader.query_some(Collection.SONGS, searches)
    passing = []
    for view, limit, found in zip(views, limits, hits, strict=True):
        if has_conditions(view.query.song_filter):
            rows = view.rows_of(found.ids)
        else:
            excluded = excluded_ids(view.query.song_filter)
            rows = _best(view.liked, limit + len(excluded))
            rows = rows[~np.isin(view.songs.ids[rows], excluded)]
            rows = rows[_best(view.liked[rows], limit)]
        is_candidate = np.zeros(len(view.liked), np.bool_)
        is_candidate[rows] = is_candidate[view.near] = True
        passing.append(np.flatnonzero(is_candidate))
    return passing


def _likely_tags(reader: CachingReader, view: View) -> Numbers:
    """The rows of the tags of a view that are candidates, best first."""
    query, scores = view.query, view.tags.scores
    rows = np.flatnonzero(scores > 0)
    excluded = [str(tag) for tag in (*query.seeds.tags.keys, *query.seeds.not_tags.keys)]
    rows = rows[~np.isin(view.tags.held.ids[rows], reader.tag_codes(excluded))]
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    return rows[: max(TAGS, query.tag_limit) if query.tag_limit else 0]


def _best(scores: Scores, count: int) -> Numbers:
    """The rows of the largest scores above 0, in no order."""
    if count < len(scores):
        rows = np.argpartition(-scores, count)[:count]
        return np.asarray(rows[scores[rows] > 0], np.int64)
    return np.flatnonzero(scores > 0)


def _scaled(scores: Scores) -> Scores:
    """The same with 1 for the largest."""
    return scores / max(float(scores.max(initial=0)), EPSILON)
