"""The strategies that look from several places: what they find, and in how many searches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from melon.embedding import EmbeddingSpace
from melon.retrieval import PlaylistQuery, QueryKind, RetrievalSettings, Retriever
from melon.retrieval.strategies.probes import MAX_CLUSTERS, MAX_VOTERS
from melon.store import DENSE, Collection, ForwardingReader, Hits, ReleaseReader, VectorQuery

HAIR = 5e-3
"""Songs that share a vector were moved apart by a hair, which is worth so much of a score."""

MANY = tuple(range(0, 120, 3))
SHARPNESS, FLOORS = 6.0, (0, 5, 20)


class Counting(ForwardingReader):
    """Counts the searches, and remembers how many songs each wants."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self.limits: dict[Collection, list[int]] = {collection: [] for collection in Collection}

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        self.limits[collection] += [query.limit for query in queries if query.using == DENSE]
        return super().query(collection, queries)


def with_floors(floors: Sequence[int]) -> RetrievalSettings:
    songs = {"seed_discount": 0, "sharpness": SHARPNESS, "prior": 0, "floors": list(floors)}
    defaults = RetrievalSettings.default().model_dump()
    kinds = {
        f"from_{kind}": targets | {"to_songs": targets["to_songs"] | songs}
        for kind in QueryKind
        if (targets := defaults["dense"][f"from_{kind}"])
    }
    return RetrievalSettings.model_validate(defaults | {"dense": kinds})


@pytest.mark.parametrize("seeds", [(3, 5, 8, 13), MANY], ids=["few", "many"])
def test_every_seed_votes_for_what_is_near_it(
    retriever: Retriever, demo_space: EmbeddingSpace, seeds: tuple[int, ...]
):
    """Many seeds vote in groups, which is nearly the same."""
    vectors: NDArray[np.float32] = np.asarray(demo_space.song_vectors)
    votes = np.exp(SHARPNESS * (vectors @ vectors[list(seeds)].T - 1)).mean(axis=1)
    songs = len(vectors) - len(seeds)
    found = retriever.with_settings(with_floors([0])).recommend(
        songs=seeds, limit=songs, strategy="vote", exact=True
    )
    by_id = {song.id: song.score for song in found.songs}
    expected = {song: votes[song] for song in by_id}
    if len(seeds) <= MAX_VOTERS:
        assert by_id == pytest.approx(expected, rel=HAIR, abs=HAIR)
        return
    best = sorted(set(range(len(vectors))) - set(seeds), key=lambda song: -votes[song])[:50]
    assert len(set(best) & {song.id for song in found.songs[:50]}) > 35


@pytest.mark.parametrize(("strategy", "most"), [("vote", MAX_VOTERS), ("cluster", MAX_CLUSTERS)])
def test_many_seeds_take_few_searches(retriever: Retriever, strategy: str, most: int):
    """Each seed by itself would take a search above each floor, and one for the playlists."""
    counting = Counting(retriever.engine_reader)
    asking = retriever.with_settings(with_floors(FLOORS)).with_reader(counting)
    asking.recommend(songs=MANY, strategy=strategy)
    assert 0 < len(counting.limits[Collection.SONGS]) <= most * len(FLOORS)
    assert len(counting.limits[Collection.PLAYLISTS]) == 1


def test_a_probe_beside_others_looks_for_fewer_songs(retriever: Retriever):
    limits = []
    for songs in (MANY[:1], MANY[:2]):
        counting = Counting(retriever.engine_reader)
        retriever.with_reader(counting).recommend(songs=songs, strategy="vote")
        limits.append(max(counting.limits[Collection.SONGS]))
    assert limits[0] > limits[1]


@pytest.mark.parametrize("strategy", ["vote", "cluster"])
def test_tags_are_those_of_the_mean(retriever: Retriever, strategy: str):
    query = PlaylistQuery(songs=MANY, tags=("rain",), not_songs=(200,))
    tags = retriever.recommend(query, strategy=strategy, explain=True).tags
    assert tags
    assert tags == retriever.recommend(query, strategy="mean", explain=True).tags
