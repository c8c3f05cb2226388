"""Titles and tags as people write them find what is meant, and what is just popular says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from places import Place
from some_ranking import some_ranking

from melon.catalog import Playlist
from melon.embedding import build_space, training_settings
from melon.ingest import ingest
from melon.retrieval import STRATEGIES, PlaylistQuery, Retriever

SETTINGS = training_settings(dim=8, epochs=2, min_count=1, workers=1, seed=1)


def playlists(
    first: int, title: str | None, tags: Iterable[str], songs: range, count: int = 20
) -> list[Playlist]:
    """Playlists of eight songs each, that go round a range of songs."""
    return [
        Playlist(
            id=first + n,
            title=title,
            songs=tuple(songs[(5 * n + k) % len(songs)] for k in range(8)) if songs else (),
            tags=tuple(tags),
            like_count=None,
            updated=None,
        )
        for n in range(count)
    ]


def retriever_of(place: Place, *parts: list[Playlist]) -> Retriever:
    store = place.open()
    space = build_space([one for part in parts for one in part], settings=SETTINGS)
    ingest(replace(space, ranking=some_ranking()), store)
    return Retriever(store)


@pytest.mark.parametrize("title", ["workout💪", "★Workout★", "💪🏽💪workout🔥"])
def test_a_word_is_found_whatever_is_glued_to_it(place: Place, title: str):
    retriever = retriever_of(
        place,
        playlists(0, "christmas🎄", ["xmas"], range(30)),
        playlists(20, title, ["gym"], range(50, 80)),
    )
    for asked in ("workout", "WORKOUT", "workout🔥🎉", "💪workout"):
        found = retriever.recommend(title=asked, limit=30)
        assert {song.id for song in found.songs} == {*range(50, 80)}
        assert found.tags[0].tag == "gym"
        assert not found.popular


@pytest.mark.parametrize(
    ("tag", "count", "more"), [(":)", 20, [":) zzzzq", ":)🎉"]), ("!!!", 3, [])]
)
def test_a_tag_of_punctuation_is_found_as_a_title_too(
    place: Place, tag: str, count: int, more: list[str]
):
    retriever = retriever_of(
        place,
        playlists(0, None, ["sad", "rain"], range(30)),
        playlists(20, None, [tag, "happy"], range(50, 80), count),
    )
    for strategy in STRATEGIES:
        by_tag = retriever.recommend(tags=[tag], strategy=strategy)
        assert by_tag.tags[0].tag == "happy"
        assert by_tag.tags[0].score > 0
        for title in (tag, f" {tag}\u200b", *more):
            by_title = retriever.recommend(title=title, strategy=strategy)
            assert (by_title.songs, by_title.tags) == (by_tag.songs, by_tag.tags)


def test_tags_in_a_title_find_tags_beside_its_words(place: Place):
    retriever = retriever_of(
        place,
        playlists(0, "evening", ["sad"], range(30)),
        playlists(20, "evening", ["quiet"], range(30)),
        playlists(40, None, [":)", "happy"], range(50, 80)),
    )
    found = retriever.recommend(title="evening :)", explain=True)
    happy = next(tag for tag in found.tags if tag.tag == "happy")
    assert [(part.kind, part.ref) for part in happy.because] == [("tag", ":)")]


@pytest.mark.parametrize("strategy", ["hybrid", "neighbours"])
def test_a_list_to_which_nothing_leads_says_that_it_is_popular(place: Place, strategy: str):
    """Its scores are numbers of playlists, as in a fallback, and it has no other reasons."""
    retriever = retriever_of(
        place,
        playlists(0, None, [], range(30)),
        playlists(20, None, ["rain", "sad"], range(0), count=5),
        playlists(40, None, ["sad"], range(0), count=3),
    )
    asked = {"strategy": strategy, "explain": True}
    by_song = retriever.recommend(songs=[0], **asked)
    assert by_song.fallback is None
    if by_song.popular:  # the co-embedding has tags near everything
        assert by_song.popular == ("tags",)
        assert [(tag.tag, tag.score) for tag in by_song.tags] == [("sad", 8), ("rain", 5)]
        assert not any(tag.because or tag.playlists for tag in by_song.tags)
    else:
        assert strategy not in ("neighbours",)
        assert any(tag.score > 0 for tag in by_song.tags)
    assert retriever.recommend(songs=[0], tag_limit=0, **asked).popular == ()
    nothing = retriever.recommend(title="zzzzq", limit=3, **asked)
    assert (nothing.fallback, nothing.popular) == ("popularity", ("songs", "tags"))
    assert nothing.to_json()["popular"] == ["songs", "tags"]
    assert retriever.recommend(title="zzzzq", limit=0, **asked).popular == ("tags",)
    query = PlaylistQuery(tags=("rain",))
    [ranking] = retriever.rank_many([query], strategy=strategy)
    assert ranking.popular == retriever.recommend(query, strategy=strategy).popular
