"""Few songs of one artist, few that are alike, and nothing lost for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest
from demo_catalogue import Catalogue
from hypothesis import given
from hypothesis import strategies as st

from melon.embedding import EmbeddingSpace
from melon.retrieval import STRATEGIES, Constraints, PlaylistQuery, Retriever, Variety, variety
from melon.retrieval.reader import CachingReader
from melon.retrieval.strategies.hybrid import HybridStrategy
from melon.retrieval.strategies.ranking import Answer, Ranked, ResolvedQuery
from melon.retrieval.variety import cap_per_artist, maximal_marginal_relevance
from melon.text import name_key

ASKED = PlaylistQuery(tags=("rain",), title="rainy day")


def artist_counts(catalogue: Catalogue, ids: list[int]) -> Counter[str]:
    return Counter(name_key(a) for song in ids for a in catalogue.songs[song].artists)


@pytest.mark.parametrize("most", [1, 2])
def test_no_artist_has_more_songs_than_allowed(
    retriever: Retriever, catalogue: Catalogue, most: int
):
    free = retriever.recommend(ASKED, limit=30)
    assert max(artist_counts(catalogue, [s.id for s in free.songs]).values()) > most
    found = retriever.recommend(ASKED, limit=30, variety=Variety(max_per_artist=most))
    assert max(artist_counts(catalogue, [s.id for s in found.songs]).values()) <= most
    assert len(found.songs) == 30
    assert found.songs[0].id == free.songs[0].id


class Asking(HybridStrategy):
    """Keeps how many songs it was asked for by each query."""

    asked: ClassVar[list[tuple[int, PlaylistQuery]]]

    def __call__(self, reader: CachingReader, queries: Sequence[ResolvedQuery]) -> list[Answer]:
        self.asked += [(query.song_limit, query.original) for query in queries]
        return super().__call__(reader, queries)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, PlaylistQuery]]:
    """What the strategy is asked, with a pool that one artist can fill."""
    Asking.asked = []
    monkeypatch.setitem(STRATEGIES, "hybrid", lambda settings, _: Asking(settings))  # type: ignore[arg-type]
    monkeypatch.setattr(variety, "POOL", 1)
    return Asking.asked


ONE_EACH = Variety(max_per_artist=1)


def test_candidates_of_few_artists_are_followed_by_others(
    retriever: Retriever, catalogue: Catalogue, asked: list[tuple[int, PlaylistQuery]]
):
    found = retriever.recommend(ASKED, limit=40, variety=ONE_EACH, explain=True)
    assert len(found.songs) == 40
    assert max(artist_counts(catalogue, [song.id for song in found.songs]).values()) == 1
    assert [songs for songs, _ in asked][:2] == [40, 80]
    assert found.tags == retriever.recommend(ASKED, limit=40, explain=True).tags
    for song in found.songs:
        if song.score > 0:
            assert sum(part.share for part in song.because) == pytest.approx(song.score, rel=1e-3)


@pytest.mark.parametrize("query", [ASKED, PlaylistQuery()], ids=["known", "nothing known"])
@pytest.mark.usefixtures("asked")
def test_fewer_songs_come_back_only_where_there_are_no_others(
    retriever: Retriever, catalogue: Catalogue, query: PlaylistQuery
):
    limits = Constraints(artists=tuple(catalogue.artists[:3]))
    found = retriever.recommend(query, limits, limit=4, variety=ONE_EACH)
    assert len(found.songs) < 4 < len(catalogue.allowed(limits))
    taken = artist_counts(catalogue, [song.id for song in found.songs])
    assert all(artist_counts(catalogue, [song]) & taken for song in catalogue.allowed(limits))


def test_only_queries_with_too_few_songs_are_asked_again(
    retriever: Retriever, asked: list[tuple[int, PlaylistQuery]]
):
    queries = [PlaylistQuery(songs=(song,)) for song in range(12)]
    alone = [retriever.recommend(query, limit=4, variety=ONE_EACH) for query in queries]
    times = Counter(query for _, query in asked)
    assert len(set(times.values())) > 1 == min(times.values())
    one_by_one = Counter(asked)
    asked.clear()
    assert retriever.recommend_many(queries, limit=4, variety=ONE_EACH) == alone
    assert Counter(asked) == one_by_one


def test_constraints_hold_for_what_is_chosen_from_more(retriever: Retriever, catalogue: Catalogue):
    limits = Constraints(genres=("Jazz", "Ballad"), since="1990")
    wanted = Variety(max_per_artist=1, diversity=0.5)
    found = retriever.recommend(ASKED, limits, limit=15, variety=wanted)
    assert {song.id for song in found.songs} <= catalogue.allowed(limits)
    assert len({song.id for song in found.songs}) == len(found.songs)


def test_the_more_diversity_the_less_alike(retriever: Retriever, demo_space: EmbeddingSpace):
    def likeness(diversity: float) -> float:
        found = retriever.recommend(ASKED, limit=20, variety=Variety(diversity=diversity))
        rows = demo_space.song_vectors[[song.id for song in found.songs]]
        cosines = rows @ rows.T
        return float(cosines[~np.eye(len(rows), dtype=bool)].mean())

    values = [likeness(diversity) for diversity in (0.0, 0.5, 1.0)]
    assert values[0] > values[1] > values[2]


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_without_diversity_the_order_is_that_of_the_scores(count: int, seed: int):
    rng = np.random.default_rng(seed)
    ranked = Ranked.of(np.arange(20), rng.random(20))
    rows = rng.normal(size=(20, 4)).astype(np.float32)
    found = maximal_marginal_relevance(ranked, rows, 0.0, count)
    assert found.ids.tolist() == ranked.ids[:count].tolist()


def test_the_second_choice_weighs_score_against_likeness():
    """Worked by hand: b is a's twin; at half diversity c's .5 · .6 beats b's .5 · .9 - .5 · 1."""
    ranked = Ranked.of(np.array(["a", "b", "c"]), np.array([1.0, 0.9, 0.6]))
    rows = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert maximal_marginal_relevance(ranked, rows, 0.5, 3).ids.tolist() == ["a", "c", "b"]


def test_a_song_of_several_artists_counts_for_each():
    ranked = Ranked.of(np.array([1, 2, 3, 4]), np.array([4.0, 3.0, 2.0, 1.0]))
    artists = {1: ("x", "y"), 2: ("y",), 3: ("z",), 4: ()}
    assert cap_per_artist(ranked, artists, 1).ids.tolist() == [1, 3, 4]
