"""Which points a map shows: the same on each engine, with every genre, the most popular first."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest

from melon.embedding import EmbeddingSpace
from melon.plots.choice import _rule, choose, share_out
from melon.store import Collection, VectorStore

SONGS, TAGS, PLAYLISTS = Collection.SONGS, Collection.TAGS, Collection.PLAYLISTS


@pytest.mark.parametrize(
    ("counts", "places", "shares"),
    [
        ((60, 10, 30), 100, (60, 10, 30)),
        ((600, 100, 300), 100, (60, 10, 30)),
        ((600, 4, 300), 100, (64, 4, 32)),
        ((600, 0, 0), 100, (100, 0, 0)),
        ((10, 100, 300), 100, (10, 22, 68)),
        ((3, 1, 2), 100, (3, 1, 2)),
        ((5, 5, 5), 1, (0, 1, 0)),
    ],
)
def test_places_are_shared_and_none_is_left(
    counts: tuple[int, int, int], places: int, shares: tuple[int, int, int]
) -> None:
    names = (SONGS, TAGS, PLAYLISTS)
    found = share_out(places, dict(zip(names, counts, strict=True)))
    assert sum(found.values()) == min(places, sum(counts))
    assert found == dict(zip(names, shares, strict=True))


def test_all_points_with_a_vector_are_shown_where_there_is_room(
    demo_store: VectorStore, demo_space: EmbeddingSpace
) -> None:
    with closing(demo_store.open()) as reader:
        choice = choose(reader, 50_000)
    songs = demo_space.song_ids[demo_space.song_vectors.any(axis=1)]
    assert list(choice.ids[SONGS]) == songs.tolist()
    lacking = len(demo_space.songs) - len(songs)
    left_out = f"; {lacking} points without a vector left out" if lacking else ""
    assert choice.rule == (
        f"All {len(songs)} songs; all {len(demo_space.tags)} tags; all 400 playlists{left_out}."
    )


def test_the_rule_says_what_has_no_place() -> None:
    counts = {SONGS: 1, Collection.TAGS: 0, Collection.PLAYLISTS: 2}
    assert _rule(counts, counts, genres=False, lacking=1) == (
        "All 1 song; no tags; all 2 playlists; 1 point without a vector left out."
    )


def test_of_each_genre_the_most_popular_are_shown(
    demo_store: VectorStore, demo_space: EmbeddingSpace
) -> None:
    with closing(demo_store.open()) as reader:
        choice = choose(reader, 200)
    chosen = set(choice.ids[SONGS])
    assert len(chosen) == 120
    assert f"120 of {len(demo_space.songs)} songs: of each genre the same share" in choice.rule
    groups: dict[str | None, list[tuple[int, int]]] = {}
    for song in demo_space.songs.select(["id", "genres", "popularity"]).to_pylist():
        group = (song["genres"] or [None])[0]
        groups.setdefault(group, []).append((-song["popularity"], song["id"]))
    for group in groups.values():
        group.sort()
        shown = [song in chosen for _, song in group]
        assert shown[0]
        assert shown == sorted(shown, reverse=True), "a less popular one is shown instead"
        assert abs(sum(shown) / len(group) - 120 / len(demo_space.songs)) <= 1 / len(group)
    assert Counter(map(len, choice.ids.values())) == {120: 1, 60: 1, 20: 1}
