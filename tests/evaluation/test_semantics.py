"""Whether a space holds the semantics: figures as others compute them, or as they were planted."""

from __future__ import annotations

from contextlib import closing
from itertools import combinations

import numpy as np
import pytest
from places import Place
from scipy import stats

from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace
from melon.evaluation import Semantics, inspect, neighbours
from melon.evaluation.distributions import kl_divergence, rank_correlation, skewness
from melon.store import Collection, VectorStore


def test_the_nearest_are_those_of_the_vectors() -> None:
    vectors = np.random.default_rng(3).normal(size=(700, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows, cosines = neighbours(vectors, 5)
    for row in (0, 511, 512, 699):
        expected = np.argsort(-(vectors @ vectors[row]), kind="stable")
        assert rows[row].tolist() == [other for other in expected if other != row][:5]
    assert (np.diff(cosines, axis=1) <= 0).all()


def test_divergence_skewness_and_correlation_are_as_scipy_has_them() -> None:
    draws = np.random.default_rng(5)
    counts, others = draws.integers(0, 50, 30), draws.integers(0, 50, 30)
    expected = stats.entropy(counts + 0.5, others + 0.5, base=2)
    assert kl_divergence(counts.tolist(), others.tolist()) == pytest.approx(expected)
    assert kl_divergence([3, 4], [3, 4]) == 0
    assert np.isfinite(kl_divergence([5, 0], [0, 5]))
    values = draws.geometric(0.2, 400).astype(float)
    assert skewness(values) == pytest.approx(stats.skew(values))
    assert skewness(np.ones(4)) == 0
    popularity = values + draws.integers(0, 9, 400)
    assert rank_correlation(values, popularity) == pytest.approx(
        stats.spearmanr(values, popularity).statistic
    )
    assert rank_correlation(np.ones(4), np.arange(4.0)) is None


@pytest.fixture(scope="module")
def found(demo_store: VectorStore) -> Semantics:
    """On each engine."""
    with closing(demo_store.open()) as reader:
        return inspect(reader)


def test_playlists_lie_where_their_songs_do(found: Semantics, demo_space: EmbeddingSpace) -> None:
    fit = found.playlists
    assert fit is not None
    assert fit.own.count == fit.other.count == sum(fit.own.histogram) == 400
    rows = {song: row for row, song in enumerate(demo_space.song_ids.tolist())}
    own = []
    for vector, songs in zip(
        demo_space.playlist_vectors, demo_space.playlists["songs"].to_pylist(), strict=True
    ):
        mean = demo_space.song_vectors[[rows[song] for song in songs]].mean(axis=0)
        own.append(vector @ mean / np.linalg.norm(mean))
    assert fit.own.mean == pytest.approx(np.mean(own), abs=1e-4)
    assert fit.own.median == pytest.approx(np.median(own), abs=1e-4)
    assert fit.nearer > 0.95
    assert fit.other.mean < fit.own.mean - 0.3


def test_songs_of_a_genre_are_more_alike(found: Semantics, demo_space: EmbeddingSpace) -> None:
    genres = found.genres
    assert genres is not None
    songs = demo_space.songs.to_pylist()
    vectors = demo_space.song_vectors
    known = [row for row, song in enumerate(songs) if song["genres"] and vectors[row].any()]
    within, between = [], []
    for one, other in combinations(known, 2):
        alike = set(songs[one]["genres"]) & set(songs[other]["genres"])
        (within if alike else between).append(float(vectors[one] @ vectors[other]))
    assert genres.songs == len(known)
    assert [genres.within.count, genres.between.count] == [len(within), len(between)]
    assert genres.within.mean == pytest.approx(np.mean(within), abs=1e-4)
    assert genres.between.mean == pytest.approx(np.mean(between), abs=1e-4)
    assert genres.kl_divergence > 0.3
    first = genres.by_genre[0]
    its = [row for row in known if first.genre in songs[row]["genres"]]
    pairs = [float(vectors[one] @ vectors[other]) for one, other in combinations(its, 2)]
    others = [row for row in known if row not in its]
    assert first.songs == len(its)
    assert first.within == pytest.approx(np.mean(pairs), abs=1e-4)
    assert first.between == pytest.approx(np.mean(vectors[its] @ vectors[others].T), abs=1e-4)


def test_tags_are_near_tags_of_their_mood(found: Semantics, demo_truth: DemoTruth) -> None:
    moods = demo_truth.tag_mood
    pairs = [
        (moods[one.tag], moods[tag])
        for one in found.tags
        if moods[one.tag] is not None
        for tag, _ in one.nearest
    ]
    assert np.mean([one == other for one, other in pairs]) > 0.6
    assert [one.popularity for one in found.tags] == sorted(
        (one.popularity for one in found.tags), reverse=True
    )
    for one in found.tags:
        assert one.tag not in dict(one.nearest)


def test_every_point_is_covered_once(found: Semantics, demo_space: EmbeddingSpace) -> None:
    for name, counts in demo_space.vector_sources.items():
        coverage = found.coverage[Collection(name)]
        counts = counts.copy()
        assert coverage.points == counts.total()
        del counts[None]
        assert coverage.with_vector == counts.total()
        assert coverage.sources == counts


def test_hubs_are_counted(found: Semantics) -> None:
    hubs = found.hubness
    assert hubs is not None
    assert sum(hubs.histogram) == hubs.songs
    mean = sum(count * k for k, count in enumerate(hubs.histogram)) / hubs.songs
    assert mean == pytest.approx(10, abs=0.5), "but for those above the last bar"
    assert hubs.never == hubs.histogram[0] / hubs.songs
    assert hubs.most >= 10


def test_a_sample_is_the_seeds(demo_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("melon.evaluation.semantics.PLAYLISTS", 50)
    monkeypatch.setattr("melon.evaluation.semantics.OF_GENRES", 50)
    monkeypatch.setattr("melon.evaluation.semantics.HUBS", 50)
    with demo_place.open() as store, closing(store.open()) as reader:
        first, again, other = (inspect(reader, seed=seed) for seed in (1, 1, 2))
    assert first.to_json() == again.to_json()
    assert first.to_json() != other.to_json()
    assert first.playlists is not None
    assert first.playlists.own.count == 50
