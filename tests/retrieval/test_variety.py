"""Few songs of one artist, few that are alike, and nothing lost for it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from demo_catalogue import Catalogue
from hypothesis import given
from hypothesis import strategies as st

from melon.embedding import EmbeddingSpace
from melon.retrieval import Constraints, PlaylistQuery, Retriever, Variety
from melon.retrieval.strategy import Ranked
from melon.retrieval.variety import at_most, marginally_relevant
from melon.store import name_key

ASKED = PlaylistQuery(tags=("rain",), title="rainy day")


def artist_counts(catalogue: Catalogue, ids: list[int]) -> Counter[str]:
    return Counter(name_key(a) for song in ids for a in catalogue.songs[song].artists)


@pytest.mark.parametrize("most", [1, 2])
def test_no_artist_has_more_songs_than_allowed(
    retriever: Retriever, catalogue: Catalogue, most: int
):
    free = retriever.recommend(ASKED, songs=30)
    assert max(artist_counts(catalogue, [s.id for s in free.songs]).values()) > most
    found = retriever.recommend(ASKED, songs=30, variety=Variety(max_per_artist=most))
    assert max(artist_counts(catalogue, [s.id for s in found.songs]).values()) <= most
    assert len(found.songs) == 30
    assert found.songs[0].id == free.songs[0].id


def test_constraints_hold_for_what_is_chosen_from_more(retriever: Retriever, catalogue: Catalogue):
    limits = Constraints(genres=("Jazz", "Ballad"), since="1990")
    variety = Variety(max_per_artist=1, diversity=0.5)
    found = retriever.recommend(ASKED, limits, songs=15, variety=variety)
    assert {song.id for song in found.songs} <= catalogue.allowed(limits)
    assert len({song.id for song in found.songs}) == len(found.songs)


def test_the_more_diversity_the_less_alike(retriever: Retriever, demo_space: EmbeddingSpace):
    def likeness(diversity: float) -> float:
        found = retriever.recommend(ASKED, songs=20, variety=Variety(diversity=diversity))
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
    found = marginally_relevant(ranked, rows, 0.0, count)
    assert found.ids.tolist() == ranked.ids[:count].tolist()


def test_the_second_choice_weighs_score_against_likeness():
    """Worked by hand: b is a's twin; at half diversity c's .5 · .6 beats b's .5 · .9 - .5 · 1."""
    ranked = Ranked.of(np.array(["a", "b", "c"]), np.array([1.0, 0.9, 0.6]))
    rows = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert marginally_relevant(ranked, rows, 0.5, 3).ids.tolist() == ["a", "c", "b"]


def test_a_song_of_several_artists_counts_for_each():
    ranked = Ranked.of(np.array([1, 2, 3, 4]), np.array([4.0, 3.0, 2.0, 1.0]))
    artists = {1: ("x", "y"), 2: ("y",), 3: ("z",), 4: ()}
    assert at_most(ranked, artists, 1).ids.tolist() == [1, 3, 4]
