"""The `hybrid` strategy is the sum of `neighbours` and `mean`, as its settings weigh them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from melon.retrieval import Constraints, PlaylistQuery, QueryKind, RetrievalSettings, Retriever
from melon.retrieval.strategies import hybrid
from melon.store import DENSE, Collection, Filter, Hits, ReleaseReader, VectorQuery, VectorStore
from melon.store.protocol import ForwardingReader

ALL = 1000
WEIGHT, POWER = 0.6, 1.5

QUERIES = {
    "songs": PlaylistQuery(songs=(3, 5, 8, 13)),
    "songs and tags": PlaylistQuery(songs=(3, 5), tags=("rain",)),
    "tags": PlaylistQuery(tags=("rain", "cafe"), title="late night"),
    "title": PlaylistQuery(title="비 오는 날"),
}


def everywhere(songs: dict[str, Any], tags: dict[str, Any]) -> dict[str, Any]:
    return {f"from_{given}": {"to_songs": songs, "to_tags": tags} for given in QueryKind}


def settings(weight: float, power: float) -> RetrievalSettings:
    """Nothing is left out on the way, so that scores can be compared: all candidates are kept."""
    hops = {
        "song_weight": 1,
        "tag_weight": 1,
        "word_weight": 1,
        "playlists": ALL,
        "candidates": ALL,
    }
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
        query, limit=ALL, tag_limit=ALL, strategy=strategy, exact=True
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


class Watched(ForwardingReader):
    """Keeps what the engine is asked."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self.asked: list[tuple[Collection, VectorQuery]] = []

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        self.asked += [(collection, query) for query in queries]
        return super().query(collection, queries)

    def using(self, collection: Collection, vector: str) -> list[VectorQuery]:
        return [own for where, own in self.asked if where is collection and own.using == vector]


def watched(retriever: Retriever, constraints: Constraints | None = None) -> Watched:
    reader = Watched(retriever.reader)
    retriever.with_reader(reader).recommend(QUERIES["songs"], constraints)
    return reader


def floors(reader: Watched) -> list[float | None]:
    """Of the searches for songs in the co-embedding."""
    return [
        next((part.gte for part in (own.filter or Filter()).must if part.field == "popularity"), 0)
        for own in reader.using(Collection.SONGS, DENSE)
    ]


def test_beside_the_neighbours_songs_are_sought_above_one_floor(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hybrid, "ENOUGH", 0)
    floor = RetrievalSettings.default().hybrid.from_songs.to_songs.floor
    assert floors(watched(retriever)) == [floor]


def test_where_few_songs_are_popular_all_floors_are_asked(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hybrid, "ENOUGH", 1e9)
    expected = list(RetrievalSettings.default().dense.from_songs.to_songs.floors)
    assert floors(watched(retriever)) == expected


@pytest.mark.parametrize(
    "constraints",
    [Constraints(since=date(2001, 1, 1)), Constraints(not_genres=("Ballad", "Jazz"))],
    ids=["chooses", "excludes"],
)
def test_where_a_constraint_chooses_unpopular_songs_are_found_too(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch, constraints: Constraints
) -> None:
    monkeypatch.setattr(hybrid, "ENOUGH", 0)
    assert 0 in floors(watched(retriever, constraints))


def test_songs_to_exclude_are_no_such_constraint(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hybrid, "ENOUGH", 0)
    excluding = Constraints(exclude_songs=tuple(range(100, 400)))
    assert floors(watched(retriever, excluding)) == floors(watched(retriever))


def test_songs_and_tags_ask_for_the_same_playlists_once(retriever: Retriever) -> None:
    """With the default settings both seek the playlists that share most with a query's songs."""
    assert len(watched(retriever).using(Collection.PLAYLISTS, "items")) == 1
    own = RetrievalSettings.default().neighbours.from_songs
    assert own.to_songs.playlists != own.to_tags.playlists


def test_places_that_the_neighbours_leave_are_filled_from_the_co_embedding(
    retriever: Retriever,
) -> None:
    """No playlist holds the songs that are wanted, and the settings give a title no cosine."""
    title, unheard = PlaylistQuery(title="rain"), Constraints(max_popularity=0)
    found, near = (
        retriever.recommend(title, unheard, limit=10, strategy=strategy, explain=True)
        for strategy in ("hybrid", "mean")
    )
    assert found.fallback is None
    assert [song.id for song in found.songs] == [song.id for song in near.songs]
    assert found.songs[0].score == pytest.approx(hybrid.FILLING)
    for song in found.songs:
        assert sum(part.share for part in song.because) == pytest.approx(song.score, rel=1e-3)
        assert {part.kind for part in song.because} == {"word"}


def test_where_the_neighbours_hold_enough_no_places_are_filled(retriever: Retriever) -> None:
    title = PlaylistQuery(title="rain")
    few, all_ = (retriever.recommend(title, limit=count).songs for count in (5, ALL))
    held = retriever.recommend(title, limit=5, strategy="neighbours").songs
    assert [song.id for song in few] == [song.id for song in held]
    assert all(song.score > 0 for song in all_[: len(held)])
