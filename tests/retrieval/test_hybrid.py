"""The `hybrid` strategy is the sum of `neighbours` and `mean`, as its settings weigh them."""

from __future__ import annotations

from typing import Any

import pytest

from melon.retrieval import Given, PlaylistQuery, RetrievalSettings, Retriever
from melon.store import VectorStore

ALL = 1000
WEIGHT, POWER = 0.6, 1.5

QUERIES = {
    "songs": PlaylistQuery(songs=(3, 5, 8, 13)),
    "songs and tags": PlaylistQuery(songs=(3, 5), tags=("rain",)),
    "tags": PlaylistQuery(tags=("rain", "cafe"), title="late night"),
    "title": PlaylistQuery(title="비 오는 날"),
}


def everywhere(songs: dict[str, Any], tags: dict[str, Any]) -> dict[str, Any]:
    return {given: {"songs": songs, "tags": tags} for given in Given}


def settings(weight: float, power: float) -> RetrievalSettings:
    """Nothing is left out on the way, so that scores can be compared: all candidates are kept."""
    one = {"weight": 1}
    hops = {"songs": one, "tags": one, "words": one, "neighbours": ALL, "candidates": ALL}
    fusion = {"weight": weight, "power": power}
    return RetrievalSettings.model_validate(
        {
            "neighbours": everywhere(hops, hops),
            "dense": everywhere({"candidates": ALL, "floors": [0]}, {"playlists": ALL}),
            "hybrid": everywhere(fusion, fusion),
        }
    )


def scores(store: VectorStore, query: PlaylistQuery, strategy: str, own: RetrievalSettings):
    found = Retriever(store, settings=own).recommend(
        query, songs=ALL, tags=ALL, strategy=strategy, exact=True
    )
    songs = {song.id: song.score for song in found.songs}
    return songs, {tag.tag: tag.score for tag in found.tags}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_songs_are_fused_by_their_scores(demo_store: VectorStore, query: PlaylistQuery) -> None:
    own = settings(WEIGHT, POWER)
    held, near, fused = (
        scores(demo_store, query, strategy, own)[0] for strategy in ("neighbours", "mean", "hybrid")
    )
    best_held, best_near = max(held.values()), max(near.values())
    for song, score in fused.items():
        expected = held.get(song, 0) / best_held
        expected += WEIGHT * (max(near.get(song, 0), 0) / best_near) ** POWER
        assert score == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_tags_are_those_of_the_playlists_of_both(
    demo_store: VectorStore, query: PlaylistQuery
) -> None:
    """A score is a sum over playlists: with a power of 1 that of both scores, scaled to 1."""
    own = settings(WEIGHT, 1)
    held, near, fused = (
        scores(demo_store, query, strategy, own)[1] for strategy in ("neighbours", "mean", "hybrid")
    )
    assert len(fused) > 10
    sums = {tag: held.get(tag, 0) + WEIGHT * near.get(tag, 0) for tag in fused}
    best = max(sums.values())
    for tag, score in fused.items():
        assert score == pytest.approx(sums[tag] / best, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_without_weight_the_tags_are_the_neighbours(
    demo_store: VectorStore, query: PlaylistQuery
) -> None:
    own = settings(0, 1)
    held = scores(demo_store, query, "neighbours", own)[1]
    best = max(held.values())
    expected = {tag: score / best for tag, score in held.items()}
    assert scores(demo_store, query, "hybrid", own)[1] == pytest.approx(expected)
