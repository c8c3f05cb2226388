"""Where a score of the two hops comes from: which neighbours hold the result, and why they are
neighbours.

A candidate's score is a sum over the neighbours that hold it; each neighbour's part goes to the
seeds in proportion to what they had in its score at the first hop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.caching import CachingReader
from melon.retrieval.settings import Hops
from melon.retrieval.strategies.hops import Neighbours, disliked_seeds, liked_seeds
from melon.retrieval.strategies.strategy import NO_SHARES, Name, ResolvedQuery, Shares
from melon.store import Collection, Ids, Record

Matrix = NDArray[np.float64]


def hop_shares(
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
    found = [playlists[point] for point in neighbours.ids.tolist()]
    names, to_seeds = _seed_parts(query, hops, neighbours, found)
    return held_shares(
        reader, collection, ids, hops.discount, neighbours.ids, neighbours.weights, names, to_seeds
    )


def held_shares(
    reader: CachingReader,
    collection: Collection,
    ids: Ids,
    discount: float,
    neighbours: NDArray[np.uint32],
    weights: NDArray[np.float32],
    names: Sequence[Name],
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
    held = _stored(reader, collection, ids, neighbours) * weights * discounted[:, None]
    return Shares(
        _by_name(names, held @ to_seeds),
        _by_name([("playlist", int(point)) for point in neighbours.tolist()], held),
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


def _by_name(names: Sequence[Name], columns: Matrix) -> dict[Name, NDArray[np.float64]]:
    """The columns (results, n) by their names; those of the same name are added up."""
    shares: dict[Name, NDArray[np.float64]] = {}
    for name, column in zip(names, columns.T, strict=True):
        shares[name] = shares[name] + column if name in shares else column
    return shares


def _seed_parts(
    query: ResolvedQuery, hops: Hops, neighbours: Neighbours, found: Sequence[Record]
) -> tuple[list[Name], Matrix]:
    """Names of the seeds, and (neighbours, seeds) float64: rows that sum to 1."""
    liked, disliked = liked_seeds(query, hops), disliked_seeds(query, hops)
    both = (*liked, *disliked)
    names: list[Name] = [(part.kind, key) for part in both for key in part.seeds.keys]
    items = np.concatenate([part.seeds.items for part in both])
    values = np.concatenate([part.values for part in both])
    count = sum(map(len, liked))
    parts = np.zeros((len(found), len(items)))
    for row, record in enumerate(found):
        own = slice(0, count) if row < neighbours.liked_count else slice(count, None)
        if record.sparse is not None:
            stored = dict(
                zip(record.sparse.indices.tolist(), record.sparse.values.tolist(), strict=True)
            )
            held = [stored.get(item, 0.0) for item in items[own].tolist()]
            parts[row, own] = values[own] * np.array(held)
    totals = parts.sum(axis=1, keepdims=True)
    return names, np.divide(parts, totals, out=parts, where=totals > 0)
