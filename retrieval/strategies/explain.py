"""Where the scores of an answer come from: which seeds, and which neighbour playlists.

In the co-embedding, a score's parts go to the seeds that the place of the search was made of, by
their parts in the cosine. A score of the two hops is a sum over the neighbours that hold the
result; each neighbour's part goes to the seeds in proportion to what they had in its score at the
first hop. All parts add up to the score.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Fusion, Hops, SongFusion
from melon.retrieval.strategies.dense import DenseStrategy, NearbyPlaylists
from melon.retrieval.strategies.hops import (
    Neighbours,
    NeighbourStrategy,
    disliked_seeds,
    liked_seeds,
)
from melon.retrieval.strategies.hybrid import (
    HybridStrategy,
    fused,
    join,
    largest_weight,
    song_fusion,
)
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
from melon.store import Collection, Ids, Record

Matrix = NDArray[np.float64]


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
    raise NotImplementedError(f"no explanation is written for {type(strategy).__name__}")


def _explain_dense(
    strategy: DenseStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    [nearby] = strategy.nearby(reader, [query])
    return Explanation(
        songs=_cosine_shares(strategy, reader, query, answer.songs, strategy.cosine(query)),
        tags=_nearby_shares(reader, nearby, answer.tags.ids, 0.0),
    )


def _explain_neighbours(
    strategy: NeighbourStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    [of_songs], [of_tags] = strategy.neighbours(reader, [query])
    song_hops = strategy.hops(query, Collection.SONGS)
    tag_hops = strategy.hops(query, Collection.TAGS)
    return Explanation(
        songs=_hop_shares(reader, Collection.SONGS, query, song_hops, of_songs, answer.songs.ids),
        tags=_hop_shares(reader, Collection.TAGS, query, tag_hops, of_tags, answer.tags.ids),
    )


def _explain_hybrid(
    strategy: HybridStrategy, reader: CachingReader, query: ResolvedQuery, answer: Answer
) -> Explanation:
    """The shares of both parts, scaled as their scores are."""
    settings = strategy.settings.of(query.seeds.kind)
    [of_songs], [of_tags] = strategy.by_hops.neighbours(reader, [query])
    return Explanation(
        songs=_hybrid_song_shares(
            strategy, reader, query, of_songs, answer.songs, settings.to_songs
        ),
        tags=_hybrid_tag_shares(strategy, reader, query, of_tags, answer.tags, settings.to_tags),
    )


def _hybrid_song_shares(
    strategy: HybridStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    neighbours: Neighbours,
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


def _hybrid_tag_shares(
    strategy: HybridStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    neighbours: Neighbours,
    ranked: Ranked,
    fusion: Fusion,
) -> Shares:
    """A tag's score is a sum over playlists: the shares of either part are theirs in it."""
    tags = Collection.TAGS
    hops = strategy.by_hops.hops(query, tags)
    [nearby] = strategy.by_cosine.nearby(reader, [query], [fusion.weight > 0])
    joined = join(neighbours, nearby, fusion)
    [unscaled] = strategy.by_hops.second_hop(reader, tags, [query], [joined])
    hop_shares = _hop_shares(reader, tags, query, hops, neighbours, ranked.ids)
    by_place = _nearby_shares(reader, fused(nearby, fusion), ranked.ids, hops.candidate_discount)
    scaled = hop_shares.times(np.full(len(ranked), 1 / largest_weight(neighbours)))
    return scaled.plus(by_place).times(
        np.full(len(ranked), 1 / unscaled.scores.max(initial=EPSILON))
    )


def _cosine_shares(
    strategy: DenseStrategy,
    reader: CachingReader,
    query: ResolvedQuery,
    ranked: Ranked,
    settings: Cosine | None,
) -> Shares:
    """The seeds' shares in the scores that `DenseStrategy.songs` gives with these settings."""
    by_probe = strategy.scores_by_probe(reader, query, settings)
    if not len(ranked) or not by_probe:
        return NO_SHARES
    points = ranked.ids.tolist()
    records = reader.retrieve(Collection.SONGS, points, payload=False, vectors=True)
    vectors = {record.id: record.vector for record in records}
    seeds: dict[SeedRef, NDArray[np.float64]] = {}
    for probe, scored in by_probe:
        scores = dict(zip(scored.ids.tolist(), scored.scores.tolist(), strict=True))
        for row, point in enumerate(points):
            vector = vectors[point]
            if vector is None or point not in scores:
                continue
            for name, part in zip(probe.names, probe.parts(vector).tolist(), strict=True):
                share = seeds.setdefault(name, np.zeros(len(ranked)))
                share[row] += scores[point] * part
    return Shares(seeds, {})


def _nearby_shares(
    reader: CachingReader, nearby: Sequence[NearbyPlaylists], ids: Ids, discount: float
) -> Shares:
    """Shares in the scores of the tags `ids`, a playlist's by the seeds' parts in its cosine."""
    nearby = [each for each in nearby if len(each.ids)]
    if not nearby or not len(ids):
        return NO_SHARES
    playlists = np.concatenate([each.ids for each in nearby])
    records = reader.retrieve(Collection.PLAYLISTS, playlists.tolist(), payload=False, vectors=True)
    vectors = {record.id: record.vector for record in records}
    names = [name for each in nearby for name in each.probe.names]
    to_seeds = np.zeros((len(playlists), len(names)))
    row = column = 0
    for each in nearby:
        width = len(each.probe.names)
        for playlist in each.ids.tolist():
            vector = vectors[playlist]
            if vector is not None:
                to_seeds[row, column : column + width] = each.probe.parts(vector)
            row += 1
        column += width
    weights = np.concatenate([each.weights for each in nearby])
    return _holder_shares(
        reader, Collection.TAGS, ids, discount, playlists, weights, names, to_seeds
    )


def _hop_shares(
    reader: CachingReader,
    collection: Collection,
    query: ResolvedQuery,
    hops: Hops,
    neighbours: Neighbours,
    ids: Ids,
) -> Shares:
    """Shares of seeds and neighbours in the scores that `second_hop` gives to `ids`."""
    if not neighbours.liked_count or not len(ids):
        return NO_SHARES
    playlists = {
        record.id: record
        for record in reader.retrieve(
            Collection.PLAYLISTS, neighbours.ids.tolist(), payload=False, sparse=True
        )
    }
    neighbour_records = [playlists[point] for point in neighbours.ids.tolist()]
    names, to_seeds = _seed_parts(query, hops, neighbours, neighbour_records)
    return _holder_shares(
        reader,
        collection,
        ids,
        hops.candidate_discount,
        neighbours.ids,
        neighbours.weights,
        names,
        to_seeds,
    )


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


def _holder_shares(
    reader: CachingReader,
    collection: Collection,
    ids: Ids,
    discount: float,
    neighbours: NDArray[np.uint32],
    weights: NDArray[np.float32],
    names: Sequence[SeedRef],
    to_seeds: Matrix,
) -> Shares:
    """Shares in the scores of `ids` of the playlists that hold them, and through these of seeds.

    Args:
        discount: exponent of popularity that the scores were divided by.
        neighbours: (n,) ids of playlists, with `weights` (n,).
        names: of k seeds; one may be there several times.
        to_seeds: (n, k) float64, the seeds' parts in each neighbour; rows sum to 1.
    """
    discounted = reader.popularity(collection, ids) ** -discount
    parts = _stored(reader, collection, ids, neighbours) * weights * discounted[:, None]
    return Shares(
        _by_name(names, parts @ to_seeds),
        _by_name([("playlist", int(point)) for point in neighbours.tolist()], parts),
    )


def _stored(
    reader: CachingReader,
    collection: Collection,
    ids: Ids,
    neighbours: NDArray[np.uint32],
) -> Matrix:
    """(results, neighbours) float64: what each result has stored at each neighbour, 0 for none."""
    records = {
        record.id: record.sparse
        for record in reader.retrieve(collection, ids.tolist(), payload=False, sparse=True)
    }
    stored = np.zeros((len(ids), len(neighbours)))
    for row, point in enumerate(ids.tolist()):
        holders = records[point]
        if holders is None or not len(holders.indices):
            continue
        order = np.argsort(holders.indices)
        indices, values = holders.indices[order], holders.values[order]
        positions = np.minimum(np.searchsorted(indices, neighbours), len(indices) - 1)
        stored[row] = np.where(indices[positions] == neighbours, values[positions], 0)
    return stored


def _by_name(names: Sequence[SeedRef], columns: Matrix) -> dict[SeedRef, NDArray[np.float64]]:
    """The columns (results, n) by their names; those of the same name are added up."""
    shares: dict[SeedRef, NDArray[np.float64]] = {}
    for name, column in zip(names, columns.T, strict=True):
        shares[name] = shares[name] + column if name in shares else column
    return shares


def _seed_parts(
    query: ResolvedQuery, hops: Hops, neighbours: Neighbours, records: Sequence[Record]
) -> tuple[list[SeedRef], Matrix]:
    """Names of the seeds, and (neighbours, seeds) float64: rows that sum to 1."""
    liked, disliked = liked_seeds(query, hops), disliked_seeds(query, hops)
    both = (*liked, *disliked)
    names: list[SeedRef] = [(part.kind, key) for part in both for key in part.seeds.keys]
    items = np.concatenate([part.seeds.items for part in both])
    values = np.concatenate([part.values for part in both])
    count = sum(map(len, liked))
    parts = np.zeros((len(records), len(items)))
    for row, record in enumerate(records):
        columns = slice(0, count) if row < neighbours.liked_count else slice(count, None)
        if record.sparse is not None:
            stored = dict(
                zip(record.sparse.indices.tolist(), record.sparse.values.tolist(), strict=True)
            )
            of_items = [stored.get(item, 0.0) for item in items[columns].tolist()]
            parts[row, columns] = values[columns] * np.array(of_items)
    totals = parts.sum(axis=1, keepdims=True)
    return names, np.divide(parts, totals, out=parts, where=totals > 0)
