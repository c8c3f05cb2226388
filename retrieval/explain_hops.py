"""Where a score of the two hops comes from: which neighbours hold the result, and why they are
neighbours.

A candidate's score is a sum over the neighbours that hold it; each neighbour's part goes to the
seeds in proportion to what they had in its score at the first hop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.hops import (
    Neighbours,
    WeightedSeeds,
    disliked_seeds,
    find_neighbours,
    item_values,
    liked_seeds,
)
from melon.retrieval.memory import RememberingReader
from melon.retrieval.settings import Hops
from melon.retrieval.strategy import NO_SHARES, Ask, Name, Shares
from melon.store import Collection, PointId, Record, tag_point_id

Matrix = NDArray[np.float64]
KINDS = ("song", "tag", "tag", "word", "bigram")


def hop_shares(
    reader: RememberingReader, collection: Collection, ask: Ask, hops: Hops, ids: Sequence[PointId]
) -> Shares:
    """Shares of seeds and neighbours in the scores that `spread` gives to `ids`."""
    near = find_neighbours(reader, [ask], [hops])[0]
    if not len(near) or not ids:
        return NO_SHARES
    playlists = {
        record.id: record
        for record in reader.retrieve(
            Collection.PLAYLISTS, near.ids.tolist(), payload=("songs", "tags"), sparse=True
        )
    }
    found = [playlists[point] for point in near.ids.tolist()]
    of_neighbours = (
        _holds(collection, found, ids)
        * near.weights
        * _factors(reader, collection, hops, ids)[:, None]
    )
    names, to_seeds = _seed_parts(ask, hops, near, found)
    of_seeds = of_neighbours @ to_seeds
    seeds: dict[Name, NDArray[np.float64]] = {}
    for name, shares in zip(names, of_seeds.T, strict=True):
        seeds[name] = seeds[name] + shares if name in seeds else shares
    neighbours: dict[Name, NDArray[np.float64]] = {}
    for point, shares in zip(near.ids.tolist(), of_neighbours.T, strict=True):
        name = ("playlist", int(point))
        neighbours[name] = neighbours[name] + shares if name in neighbours else shares
    return Shares(seeds, neighbours)


def _holds(collection: Collection, found: Sequence[Record], ids: Sequence[PointId]) -> Matrix:
    """(results, neighbours) float64: 1 where the neighbour holds the result."""
    places = {point: row for row, point in enumerate(ids)}
    holds = np.zeros((len(ids), len(found)))
    for column, record in enumerate(found):
        held = (
            record.payload.get("songs", ())
            if collection is Collection.SONGS
            else map(tag_point_id, record.payload.get("tags", ()))
        )
        rows = [places[point] for point in held if point in places]
        holds[rows, column] = 1
    return holds


def _factors(
    reader: RememberingReader, collection: Collection, hops: Hops, ids: Sequence[PointId]
) -> NDArray[np.float64]:
    """(results,) float64: the value stored at each holder, and the discount of popularity."""
    counts = reader.popularity(collection, ids)
    stored = reader.manifest.weights.get("popularity", 0.0)
    return np.asarray(counts ** (stored - hops.discount), np.float64)


def _seed_parts(
    ask: Ask, hops: Hops, near: Neighbours, found: Sequence[Record]
) -> tuple[list[Name], Matrix]:
    """Names of the seeds, and (neighbours, seeds) float64: rows that sum to 1."""
    liked, disliked = liked_seeds(ask, hops), disliked_seeds(ask, hops)
    names = [*_names(liked, KINDS), *_names(disliked, ("song", "tag"))]
    items = np.concatenate([seeds.items for _, seeds, _ in (*liked, *disliked)])
    values = np.concatenate([item_values(*part) for part in (*liked, *disliked)])
    count = sum(len(seeds) for _, seeds, _ in liked)
    parts = np.zeros((len(found), len(items)))
    for row, record in enumerate(found):
        own = slice(0, count) if row < near.liked else slice(count, None)
        if record.sparse is not None:
            stored = dict(
                zip(record.sparse.indices.tolist(), record.sparse.values.tolist(), strict=True)
            )
            held = [stored.get(item, 0.0) for item in items[own].tolist()]
            parts[row, own] = values[own] * np.array(held)
    totals = parts.sum(axis=1, keepdims=True)
    return names, np.divide(parts, totals, out=parts, where=totals > 0)


def _names(parts: Sequence[WeightedSeeds], kinds: Sequence[str]) -> list[Name]:
    return [
        (kind, key) for kind, (_, seeds, _) in zip(kinds, parts, strict=True) for key in seeds.keys
    ]
