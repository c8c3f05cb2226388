"""Shares of seeds and of playlists in the scores of one search: they add up to the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melon.retrieval.arrays import Floats, PlaylistArray, Scores
from melon.retrieval.reader import CachingReader
from melon.retrieval.settings import Cosine, Hops
from melon.retrieval.strategies.dense import DenseStrategy, NearbyPlaylists
from melon.retrieval.strategies.first_hop import Playlists, disliked_seeds, liked_seeds
from melon.retrieval.strategies.probes import EPSILON
from melon.retrieval.strategies.ranking import NO_SHARES, Ranked, ResolvedQuery, SeedRef, Shares
from melon.store import Collection, Ids, Record


def cosine_shares(
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


def nearby_shares(
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
    return holder_shares(reader, Collection.TAGS, ids, discount, playlists, weights, refs, to_seeds)


def hop_shares(
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
    refs, to_seeds = parts_of_seeds(reader, query, hops, neighbours)
    weights, discount = neighbours.weights, hops.candidate_discount
    return holder_shares(reader, collection, ids, discount, neighbours.ids, weights, refs, to_seeds)


def parts_of_seeds(
    reader: CachingReader, query: ResolvedQuery, hops: Hops, neighbours: Playlists
) -> tuple[list[SeedRef], Scores]:
    """The seeds, and their parts in each neighbour: (neighbours, seeds) float64, rows sum to 1.

    Seeds led to the expected songs by which neighbours were found besides: the parts of these go to
    the seeds in proportion to their own in all neighbours together.
    """
    points = neighbours.ids.tolist()
    found = reader.retrieve(Collection.PLAYLISTS, points, payload=False, sparse=True)
    by_id = {record.id: record for record in found}
    records = [by_id[point] for point in points]
    liked, disliked = liked_seeds(query, hops), disliked_seeds(query, hops)
    both = (*liked, *disliked)
    refs: list[SeedRef] = [(part.kind, key) for part in both for key in part.seeds.keys]
    items = np.concatenate([part.seeds.items for part in both])
    values = np.concatenate([part.values for part in both])
    count, alike = sum(map(len, liked)), slice(0, neighbours.liked_count)
    parts = _products(records, items, values)
    parts[alike, count:] = 0
    parts[neighbours.liked_count :, :count] = 0
    if (expected := neighbours.expected) is not None:
        of_expected = _products(records[alike], expected.indices, expected.values).sum(axis=1)
        own = parts[alike].sum(axis=0)
        parts[alike] += np.outer(of_expected, own / max(own.sum(), EPSILON))
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


def holder_shares(
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
        by_ref(refs, parts @ to_seeds),
        by_ref([("playlist", int(point)) for point in playlists.tolist()], parts),
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


def by_ref(refs: Sequence[SeedRef], columns: Scores) -> dict[SeedRef, Scores]:
    """The columns (results, n) by what they belong to; those of the same are added up."""
    shares: dict[SeedRef, Scores] = {}
    for ref, column in zip(refs, columns.T, strict=True):
        shares[ref] = shares[ref] + column if ref in shares else column
    return shares


def scaled_to(shares: Shares, scores: Scores) -> Shares:
    """The same in proportion, such that each result's sum to its score, if it has any."""
    total = total_of(shares, len(scores))
    return shares.times(np.divide(scores, total, out=np.zeros(len(scores)), where=total != 0))


def total_of(shares: Shares, count: int) -> Scores:
    """(count,) float64: what the shares of the seeds in each result add up to."""
    return sum(shares.seeds.values(), np.zeros(count))
