"""Where the scores of an answer come from: which seeds, and which playlists.

In the co-embedding, a score is shared out among the seeds of its probe, by their parts in the
cosine. A score of the two hops is a sum over the playlists that hold the result; a playlist's
share goes to the seeds in proportion to their parts in its score at the first hop. A learned score
is shared out in proportion to these. All shares add up to the score.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melon.retrieval.arrays import Floats, PlaylistArray, Scores
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Fusion, Hops, SongFusion
from melon.retrieval.strategies.dense import DenseStrategy, NearbyPlaylists
from melon.retrieval.strategies.first_hop import Playlists, disliked_seeds, liked_seeds
from melon.retrieval.strategies.hops import NeighbourStrategy
from melon.retrieval.strategies.hybrid import (
    HybridStrategy,
    fused_nearby,
    join,
    largest_weight,
    song_fusion,
)
from melon.retrieval.strategies.learned import LearnedStrategy
from melon.retrieval.strategies.probes import EPSILON
from melon.retrieval.strategies.ranking import (
    NO_SHARES,
    Answer,
    Explanation,
    Ranked,
    ResolvedQuery,
    SeedRef,
    Shares,
    Strategy,
)
from melon.retrieval.strategies.view import View, views
from melon.store import Collection, Ids, Record


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
        songs=_cosine_shares(strategy, reader, query, answer.songs, strategy.cosine(query)),
        tags=_nearby_shares(reader, nearby, answer.tags.ids, 0.0),
    )


def _explain_neighbours(
    strategy: NeighbourStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    [for_songs], [for_tags] = strategy.neighbours(reader, [query])
    song_hops = strategy.hops(query, Collection.SONGS)
    tag_hops = strategy.hops(query, Collection.TAGS)
    return Explanation(
        songs=_hop_shares(reader, Collection.SONGS, query, song_hops, for_songs, answer.songs.ids),
        tags=_hop_shares(reader, Collection.TAGS, query, tag_hops, for_tags, answer.tags.ids),
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
    hop_shares = _hop_shares(reader, songs, query, hops, neighbours, ranked.ids)
    cosine_shares = _cosine_shares(strategy.by_cosine, reader, query, ranked, cosine)
    return _blend(ranked, hop_songs, dense_songs, hop_shares, cosine_shares, fusion)


def _blend(
    ranked: Ranked,
    hop_songs: Ranked,
    dense_songs: Ranked,
    hop_shares: Shares,
    cosine_shares: Shares,
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
    return hop_shares.times(np.array(hop_factors)).plus(
        cosine_shares.times(np.array(cosine_factors))
    )


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
    hop_shares = _hop_shares(reader, tags, query, hops, neighbours, ranked.ids)
    nearby_shares = _nearby_shares(
        reader, fused_nearby(nearby, fusion), ranked.ids, hops.candidate_discount
    )
    scaled = hop_shares.times(np.full(len(ranked), 1 / largest_weight(neighbours)))
    return scaled.plus(nearby_shares).times(
        np.full(len(ranked), 1 / unscaled.scores.max(initial=EPSILON))
    )


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
        refs, to_seeds = _parts_of_seeds(reader, query, hops, playlists)
        for part, scores in (
            (slice(playlists.liked_count), whole),
            (slice(playlists.liked_count, None), ranked.scores - whole),
        ):
            weights = np.abs(playlists.weights[part])
            found = _holder_shares(
                reader, songs, ranked.ids, 0.0, playlists.ids[part], weights, refs, to_seeds[part]
            )
            shares = shares.plus(_scaled_to(found, scores))
    probe = view.probe
    if probe is None:
        return shares
    unheld = np.where(_total(shares, len(ranked)) == 0, ranked.scores, 0)
    vectors = reader.facts(ranked.ids)["vector"]
    parts = np.array([probe.parts(vector) for vector in vectors]).reshape(len(ranked), -1)
    return shares.plus(Shares(_by_ref(probe.seeds, parts * unheld[:, None]), {}))


def _learned_tag_shares(
    strategy: HybridStrategy, reader: CachingReader, view: View, ranked: Ranked
) -> Shares:
    """A score goes to the neighbours and the nearby playlists that carry the tag."""
    query, tags = view.query, Collection.TAGS
    hops, neighbours = strategy.by_hops.hops(query, tags), view.tags.neighbours
    by_hops = _hop_shares(reader, tags, query, hops, neighbours, ranked.ids)
    scale = np.full(len(ranked), 1 / largest_weight(neighbours))
    near = _nearby_shares(reader, view.tags.nearby, ranked.ids, 0.0)
    return _scaled_to(by_hops.times(scale).plus(near), ranked.scores)


def _scaled_to(shares: Shares, scores: Scores) -> Shares:
    """The same in proportion, such that each result's sum to its score, if it has any."""
    total = _total(shares, len(scores))
    return shares.times(np.divide(scores, total, out=np.zeros(len(scores)), where=total != 0))


def _total(shares: Shares, count: int) -> Scores:
    return sum(shares.seeds.values(), np.zeros(count))


def _cosine_shares(
    strategy: DenseStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    ranked: Ranked,
    cosine: Cosine | None,
) -> Shares:
    """The seeds' shares in the scores that `DenseStrategy.songs` gives with these settings."""
    [by_probe] = strategy.scores_by_probe(reader, [query], [cosine])
    if not len(ranked) or not by_probe:
        return NO_SHARES
    points = ranked.ids.tolist()
    records = reader.retrieve(Collection.SONGS, points, payload=False, vectors=True)
    vectors = {record.id: record.vector for record in records}
    shares: dict[SeedRef, Scores] = {}
    for probe, (ids, probe_scores) in by_probe:
        scores = dict(zip(ids.tolist(), probe_scores.tolist(), strict=True))
        for row, point in enumerate(points):
            vector = vectors[point]
            if vector is None or point not in scores:
                continue
            for ref, part in zip(probe.seeds, probe.parts(vector).tolist(), strict=True):
                share = shares.setdefault(ref, np.zeros(len(ranked)))
                share[row] += scores[point] * part
    return Shares(shares, {})


def _nearby_shares(
    reader: CachingReader, nearby: Sequence[NearbyPlaylists], ids: Ids, discount: float
) -> Shares:
    """Shares in the scores of the tags `ids`, a playlist's by the seeds' parts in its cosine."""
    nearby = [part for part in nearby if len(part.ids)]
    if not nearby or not len(ids):
        return NO_SHARES
    playlists = np.concatenate([part.ids for part in nearby])
    records = reader.retrieve(Collection.PLAYLISTS, playlists.tolist(), payload=False, vectors=True)
    vectors = {record.id: record.vector for record in records}
    refs = [ref for part in nearby for ref in part.probe.seeds]
    to_seeds = np.zeros((len(playlists), len(refs)))
    row = column = 0
    for part in nearby:
        width = len(part.probe.seeds)
        for playlist in part.ids.tolist():
            vector = vectors[playlist]
            if vector is not None:
                to_seeds[row, column : column + width] = part.probe.parts(vector)
            row += 1
        column += width
    weights = np.concatenate([part.weights for part in nearby])
    return _holder_shares(
        reader, Collection.TAGS, ids, discount, playlists, weights, refs, to_seeds
    )


def _hop_shares(
    reader: CachingReader,
    collection: Collection,
    query: ResolvedQuery,
    hops: Hops,
    neighbours: Playlists,
    ids: Ids,
) -> Shares:
    """Shares of seeds and neighbours in the scores that `second_hop` gives to `ids`."""
    if not neighbours.liked_count or not len(ids):
        return NO_SHARES
    refs, to_seeds = _parts_of_seeds(reader, query, hops, neighbours)
    weights, discount = neighbours.weights, hops.candidate_discount
    return _holder_shares(
        reader, collection, ids, discount, neighbours.ids, weights, refs, to_seeds
    )


def _parts_of_seeds(
    reader: CachingReader, query: ResolvedQuery, hops: Hops, neighbours: Playlists
) -> tuple[list[SeedRef], Scores]:
    """The seeds, and their parts in each neighbour: (neighbours, seeds) float64, rows sum to 1."""
    points = neighbours.ids.tolist()
    records = {
        record.id: record
        for record in reader.retrieve(Collection.PLAYLISTS, points, payload=False, sparse=True)
    }
    return _seed_parts(query, hops, neighbours, [records[point] for point in points])


def _seed_parts(
    query: ResolvedQuery, hops: Hops, neighbours: Playlists, records: Sequence[Record]
) -> tuple[list[SeedRef], Scores]:
    """The seeds, and their parts in each neighbour: (neighbours, seeds) float64, rows sum to 1.

    Seeds led to the expected songs by which neighbours were found besides: the parts of these go to
    the seeds in proportion to their own in all neighbours together.
    """
    liked, disliked = liked_seeds(query, hops), disliked_seeds(query, hops)
    both = (*liked, *disliked)
    refs: list[SeedRef] = [(part.kind, key) for part in both for key in part.seeds.keys]
    items = np.concatenate([part.seeds.items for part in both])
    values = np.concatenate([part.values for part in both])
    count, alike = sum(map(len, liked)), slice(0, neighbours.liked_count)
    parts = _products(records, items, values)
    parts[alike, count:] = 0
    parts[neighbours.liked_count :, :count] = 0
    if neighbours.expected is not None:
        expected = neighbours.expected
        found = _products(records[alike], expected.indices, expected.values).sum(axis=1)
        own = parts[alike].sum(axis=0)
        parts[alike] += np.outer(found, own / max(own.sum(), EPSILON))
    totals = parts.sum(axis=1, keepdims=True)
    return refs, np.divide(parts, totals, out=parts, where=totals > 0)


def _products(records: Sequence[Record], items: PlaylistArray, values: Floats) -> Scores:
    """(records, items) float64: each item's value times what is stored of it."""
    products = np.zeros((len(records), len(items)))
    for row, record in enumerate(records):
        if record.sparse is not None:
            stored = dict(
                zip(record.sparse.indices.tolist(), record.sparse.values.tolist(), strict=True)
            )
            products[row] = [stored.get(item, 0.0) for item in items.tolist()]
    return products * values


def _holder_shares(
    reader: CachingReader,
    collection: Collection,
    ids: Ids,
    discount: float,
    playlists: PlaylistArray,
    weights: Floats,
    refs: Sequence[SeedRef],
    to_seeds: Scores,
) -> Shares:
    """Shares of playlists in the scores of `ids`, which they hold, and through these of seeds.

    Args:
        discount: exponent of popularity that the scores were divided by.
        playlists: (n,) ids, with `weights` (n,).
        refs: of k seeds; one may be there several times.
        to_seeds: (n, k) float64, the seeds' parts in each playlist; rows sum to 1.
    """
    discounted = reader.popularity(collection, ids) ** -discount
    parts = _stored(reader, collection, ids, playlists) * weights * discounted[:, None]
    return Shares(
        _by_ref(refs, parts @ to_seeds),
        _by_ref([("playlist", int(point)) for point in playlists.tolist()], parts),
    )


def _stored(
    reader: CachingReader, collection: Collection, ids: Ids, playlists: PlaylistArray
) -> Scores:
    """(results, playlists) float64: what is stored of each result at each playlist, 0 for none."""
    records = {
        record.id: record.sparse
        for record in reader.retrieve(collection, ids.tolist(), payload=False, sparse=True)
    }
    stored = np.zeros((len(ids), len(playlists)))
    for row, point in enumerate(ids.tolist()):
        holders = records[point]
        if holders is None or not len(holders.indices):
            continue
        order = np.argsort(holders.indices)
        indices, values = holders.indices[order], holders.values[order]
        positions = np.minimum(np.searchsorted(indices, playlists), len(indices) - 1)
        stored[row] = np.where(indices[positions] == playlists, values[positions], 0)
    return stored


def _by_ref(refs: Sequence[SeedRef], columns: Scores) -> dict[SeedRef, Scores]:
    """The columns (results, n) by what they belong to; those of the same are added up."""
    shares: dict[SeedRef, Scores] = {}
    for ref, column in zip(refs, columns.T, strict=True):
        shares[ref] = shares[ref] + column if ref in shares else column
    return shares
