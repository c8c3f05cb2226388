"""Where the scores of an answer come from: which seeds, and which playlists.

In the co-embedding, a score is shared out among the seeds of its probe, by their parts in the
cosine. A score of the two hops is a sum over the playlists that hold the result; a playlist's
share goes to the seeds in proportion to their parts in its score at the first hop. A learned score
is shared out in proportion to these. All shares add up to the score.
"""

from __future__ import annotations

import numpy as np

from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Fusion, SongFusion
from melon.retrieval.strategies.dense import DenseStrategy
from melon.retrieval.strategies.first_hop import Playlists
from melon.retrieval.strategies.hops import NeighbourStrategy
from melon.retrieval.strategies.hybrid import (
    HybridStrategy,
    fused_nearby,
    join,
    largest_weight,
    song_fusion,
)
from melon.retrieval.strategies.learned import LearnedStrategy
from melon.retrieval.strategies.ranking import (
    NO_SHARES,
    Answer,
    Explanation,
    Ranked,
    ResolvedQuery,
    Shares,
    Strategy,
)
from melon.retrieval.strategies.shares import (
    by_ref,
    cosine_shares,
    holder_shares,
    hop_shares,
    nearby_shares,
    parts_of_seeds,
    scaled_to,
    total_of,
)
from melon.retrieval.strategies.view import View, views
from melon.store import Collection


def explain(
    strategy: Strategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    """How the scores of (the head of) an answer that the strategy gave came about."""
    match strategy:
        case DenseStrategy():
            return _explain_dense(strategy, reader, query, answer)
        case NeighbourStrategy():
            return _explain_neighbours(strategy, reader, query, answer)
        case HybridStrategy():
            return _explain_hybrid(strategy, reader, query, answer)
        case LearnedStrategy():
            return _explain_learned(strategy, reader, query, answer)
    raise NotImplementedError(f"no explanation is written for {type(strategy).__name__}")


def _explain_dense(
    strategy: DenseStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    [nearby] = strategy.nearby(reader, [query], [True])
    return Explanation(
        songs=cosine_shares(strategy, reader, query, answer.songs, strategy.cosine(query)),
        tags=nearby_shares(reader, nearby, answer.tags.ids, 0.0),
    )


def _explain_neighbours(
    strategy: NeighbourStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    [for_songs], [for_tags] = strategy.neighbours(reader, [query])
    song_hops = strategy.hops(query, Collection.SONGS)
    tag_hops = strategy.hops(query, Collection.TAGS)
    return Explanation(
        songs=hop_shares(reader, Collection.SONGS, query, song_hops, for_songs, answer.songs.ids),
        tags=hop_shares(reader, Collection.TAGS, query, tag_hops, for_tags, answer.tags.ids),
    )


def _explain_hybrid(
    strategy: HybridStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    """The shares of both parts, scaled as their scores are."""
    settings = strategy.settings.of(query.seeds.kind)
    songs, tags = settings.to_songs, settings.to_tags
    [for_songs], [for_tags] = strategy.by_hops.neighbours(reader, [query])
    return Explanation(
        songs=_hybrid_song_shares(strategy, reader, query, for_songs, answer.songs, songs),
        tags=_hybrid_tag_shares(strategy, reader, query, for_tags, answer.tags, tags),
    )


def _hybrid_song_shares(
    strategy: HybridStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    neighbours: Playlists,
    ranked: Ranked,
    fusion: SongFusion,
) -> Shares:
    songs = Collection.SONGS
    [hop_songs] = strategy.by_hops.second_hop(reader, songs, [query], [neighbours])
    fusion = song_fusion(query, hop_songs, fusion)
    cosine = strategy.cosine(reader, query, fusion)
    [dense_songs] = strategy.by_cosine.songs(reader, [query], [cosine])
    hops = strategy.by_hops.hops(query, songs)
    by_hops = hop_shares(reader, songs, query, hops, neighbours, ranked.ids)
    by_cosine = cosine_shares(strategy.by_cosine, reader, query, ranked, cosine)
    return _blend(ranked, hop_songs, dense_songs, by_hops, by_cosine, fusion)


def _blend(
    ranked: Ranked,
    hop_songs: Ranked,
    dense_songs: Ranked,
    by_hops: Shares,
    by_cosine: Shares,
    fusion: Fusion,
) -> Shares:
    """Shares that sum to the fused scores, from those that sum to the scores of each part."""
    hop_points = set(hop_songs.ids.tolist())
    dense_scores = dict(dense_songs.pairs())
    best = dense_songs.scores[0] if len(dense_songs) else 1.0
    points = ranked.ids.tolist()
    hop_factors = [1 / hop_songs.scores[0] if point in hop_points else 0.0 for point in points]
    cosine_factors = [
        fusion.weight * (dense_scores[point] / best) ** fusion.power / dense_scores[point]
        if point in dense_scores
        else 0.0
        for point in points
    ]
    return by_hops.times(np.array(hop_factors)).plus(by_cosine.times(np.array(cosine_factors)))


def _hybrid_tag_shares(
    strategy: HybridStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    neighbours: Playlists,
    ranked: Ranked,
    fusion: Fusion,
) -> Shares:
    """A tag's score is a sum over playlists: neighbours, and nearby ones."""
    tags = Collection.TAGS
    hops = strategy.by_hops.hops(query, tags)
    [nearby] = strategy.by_cosine.nearby(reader, [query], [fusion.weight > 0])
    joined = join(neighbours, nearby, fusion)
    [unscaled] = strategy.by_hops.second_hop(reader, tags, [query], [joined])
    by_hops = hop_shares(reader, tags, query, hops, neighbours, ranked.ids)
    near = nearby_shares(reader, fused_nearby(nearby, fusion), ranked.ids, hops.candidate_discount)
    scaled = by_hops.times(np.full(len(ranked), 1 / largest_weight(neighbours)))
    best = unscaled.scores[0] if len(unscaled) else 1.0
    return scaled.plus(near).times(np.full(len(ranked), 1 / best))


def _explain_learned(
    strategy: LearnedStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    """The network weighs what it is shown as a whole: its score is shared out by the evidence."""
    [view] = views(strategy.hybrid, reader, [query])
    return Explanation(
        songs=_learned_song_shares(strategy, reader, view, answer.songs),
        tags=_learned_tag_shares(strategy.hybrid, reader, view, answer.tags),
    )


def _learned_song_shares(
    strategy: LearnedStrategy, reader: CachingReader, view: View, ranked: Ranked
) -> Shares:
    """A score goes to the playlists around that hold the song, in proportion to their similarity.

    What dislikes took of it goes to those like them; that of a song which none of them holds goes
    to the seeds, by their parts in the cosine to where the query stands.
    """
    query, songs, playlists = view.query, Collection.SONGS, view.playlists
    if not len(ranked):
        return NO_SHARES
    whole = ranked.scores / view.kept_of(ranked.ids)
    shares = NO_SHARES
    if playlists.liked_count:
        hops = strategy.hybrid.by_hops.hops(query, songs)
        refs, to_seeds = parts_of_seeds(reader, query, hops, playlists)
        for part, scores in (
            (slice(playlists.liked_count), whole),
            (slice(playlists.liked_count, None), ranked.scores - whole),
        ):
            weights = np.abs(playlists.weights[part])
            found = holder_shares(
                reader, songs, ranked.ids, 0.0, playlists.ids[part], weights, refs, to_seeds[part]
            )
            shares = shares.plus(scaled_to(found, scores))
    probe = view.probe
    if probe is None:
        return shares
    unheld = np.where(total_of(shares, len(ranked)) == 0, ranked.scores, 0)
    vectors = reader.facts(ranked.ids)["vector"]
    parts = np.array([probe.parts(vector) for vector in vectors]).reshape(len(ranked), -1)
    return shares.plus(Shares(by_ref(probe.seeds, parts * unheld[:, None]), {}))


def _learned_tag_shares(
    strategy: HybridStrategy, reader: CachingReader, view: View, ranked: Ranked
) -> Shares:
    """A score goes to the neighbours and the nearby playlists that carry the tag."""
    query, tags = view.query, Collection.TAGS
    hops, neighbours = strategy.by_hops.hops(query, tags), view.tags.neighbours
    by_hops = hop_shares(reader, tags, query, hops, neighbours, ranked.ids)
    scale = np.full(len(ranked), 1 / largest_weight(neighbours))
    near = nearby_shares(reader, view.tags.nearby, ranked.ids, 0.0)
    return scaled_to(by_hops.times(scale).plus(near), ranked.scores)
