"""The playlists that lie near a query in the co-embedding: what its tags are found by.

A tag's own vector is a poor place to look for it: what is nearest is rarely what anybody uses. The
playlists nearest to the query say what people call such music, and how often. Each votes for its
tags, as the neighbours of the two hops do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.batching import search_ef
from melon.retrieval.caching import CachingReader
from melon.retrieval.settings import Nearby
from melon.retrieval.strategies.explain_hops import held_shares
from melon.retrieval.strategies.hops import NO_NEIGHBOURS, Neighbours, neighbour_filter
from melon.retrieval.strategies.probes import Probe, ProbeKind, probes
from melon.retrieval.strategies.strategy import NO_SHARES, ResolvedQuery, Shares
from melon.store import DENSE, Collection, Hits, Ids, VectorQuery


@dataclass(frozen=True, slots=True, eq=False)
class NearbyPlaylists:
    """The playlists around one probe of a query.

    `weights` (n,) float32 are negative around what the query dislikes.
    """

    probe: Probe
    ids: NDArray[np.uint32]
    weights: NDArray[np.float32]


def nearby_playlists(
    reader: CachingReader,
    queries: Sequence[ResolvedQuery],
    settings: Sequence[Nearby | None],
    probe_kind: ProbeKind,
) -> list[list[NearbyPlaylists]]:
    """For each query and each of its probes the nearest playlists, in one request.

    Args:
        settings: per query how many and how they are weighted; nothing is sought for None.
    """
    probed = [
        (
            query,
            nearby,
            probes(query, nearby, probe_kind) if nearby is not None and query.tags else [],
        )
        for query, nearby in zip(queries, settings, strict=True)
    ]
    searches = [
        _search(query, probe, nearby.playlists)
        for query, nearby, own in probed
        if nearby is not None
        for probe in own
    ]
    answers = iter(reader.query_some(Collection.PLAYLISTS, searches))
    return [
        [_weighed(next(answers), probe, nearby) for probe in own] if nearby is not None else []
        for _, nearby, own in probed
    ]


def merged(found: Sequence[NearbyPlaylists]) -> Neighbours:
    """The playlists around all probes of a query."""
    found = [each for each in found if len(each.ids)]
    return (
        Neighbours.summed([(each.ids, each.weights) for each in found]) if found else NO_NEIGHBOURS
    )


def nearby_shares(
    reader: CachingReader, found: Sequence[NearbyPlaylists], ids: Ids, discount: float
) -> Shares:
    """Shares in the scores of the tags `ids`; a playlist's go to the seeds by their part in its
    cosine."""
    found = [each for each in found if len(each.ids)]
    if not found or not len(ids):
        return NO_SHARES
    playlists = np.concatenate([each.ids for each in found])
    records = reader.retrieve(Collection.PLAYLISTS, playlists.tolist(), payload=False, vectors=True)
    vectors = {record.id: record.vector for record in records}
    names = [name for each in found for name in each.probe.names]
    to_seeds = np.zeros((len(playlists), len(names)))
    row = column = 0
    for each in found:
        width = len(each.probe.names)
        for playlist in each.ids.tolist():
            vector = vectors[playlist]
            if vector is not None:
                to_seeds[row, column : column + width] = each.probe.parts(vector)
            row += 1
        column += width
    weights = np.concatenate([each.weights for each in found])
    return held_shares(reader, Collection.TAGS, ids, discount, playlists, weights, names, to_seeds)


def _search(query: ResolvedQuery, probe: Probe, limit: int) -> VectorQuery:
    filter = neighbour_filter(query)
    return VectorQuery(
        probe.vector, DENSE, limit, filter, exact=query.exact, ef=search_ef(limit, filter)
    )


def _weighed(hits: Hits, probe: Probe, nearby: Nearby) -> NearbyPlaylists:
    """weight · exp(sharpness · (cosine - best)) of each playlist."""
    near = np.exp(nearby.sharpness * (hits.scores - hits.scores.max(initial=-1)))
    weights = (probe.weight * near).astype(np.float32)
    return NearbyPlaylists(probe, hits.ids.astype(np.uint32), weights)
