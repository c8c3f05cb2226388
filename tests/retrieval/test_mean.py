"""The `mean` strategy against numpy on the very vectors that were ingested."""

from __future__ import annotations

import numpy as np
import pytest
from demo_catalogue import Catalogue
from numpy.typing import NDArray

from melon.embedding import EmbeddingSpace
from melon.ingest import SparseWeights
from melon.retrieval import (
    Constraints,
    ModalityWeights,
    PlaylistQuery,
    QueryKind,
    RetrievalSettings,
    Retriever,
)
from melon.store import VectorStore

Vectors = NDArray[np.float32]


HAIR = 5e-3
"""Songs that share a vector were moved apart by a hair, which is worth so much of a score.

Where all songs of a query are such ones it is worth more: it moves the mean itself.
"""

DISCOUNT, SHARPNESS, PRIOR = 0.3, 6.0, 0.5
NEARBY_SHARPNESS, ALL = 15.0, 1000


@pytest.fixture
def retriever(demo_store: VectorStore) -> Retriever:
    """Settings of the test's own: one weight for all modalities, and nothing is left out."""
    songs = {
        "seed_discount": DISCOUNT,
        "sharpness": SHARPNESS,
        "prior": PRIOR,
        "floors": [0],
        "candidates": ALL,
    }
    tags = {"seed_discount": DISCOUNT, "sharpness": NEARBY_SHARPNESS, "playlists": ALL}
    given = {f"from_{kind}": {"to_songs": songs, "to_tags": tags} for kind in QueryKind}
    defaults = RetrievalSettings.default().model_dump()
    return Retriever(
        demo_store, settings=RetrievalSettings.model_validate(defaults | {"dense": given})
    )


def scores(cosines: Vectors, popularity: NDArray[np.int64]) -> Vectors:
    """The formula of a song's score: exp(sharpness (cosine - 1)) popularity^prior."""
    return np.exp(SHARPNESS * (cosines - 1)) * np.maximum(popularity, 1) ** PRIOR


def tag_scores(space: EmbeddingSpace, mean: Vectors) -> dict[str, float]:
    """Every playlist votes for its m tags with exp(sharpness (cosine - best)) m^holder_tags."""
    cosines = space.playlist_vectors @ mean
    votes = np.exp(NEARBY_SHARPNESS * (cosines - cosines.max()))
    found: dict[str, float] = {}
    for vote, tags in zip(votes.tolist(), space.playlists["tags"].to_pylist(), strict=True):
        for tag in tags:
            found[tag] = found.get(tag, 0) + vote * len(tags) ** SparseWeights().holder_tags
    return found


def unit(vector: Vectors) -> Vectors:
    return vector / np.linalg.norm(vector)


def expected_mean(space: EmbeddingSpace, query: PlaylistQuery) -> Vectors:
    """Formula of the multimodal mean: the weighted sum of the modalities' mean directions."""
    tokenizer, title = space.title, query.title or ""
    texts = (title, *query.tags) if tokenizer.words(title) else ()
    words = {word for text in texts for word in tokenizer.words(text)} & {*space.words}
    tags = [space.tags.index(tag) for tag in query.tags]
    rows = [space.words.index(word) for word in sorted(words)]
    songs = [*query.songs]
    word_popularity = space.word_table["popularity"].to_numpy()
    parts = [
        (query.weights.songs, space.song_vectors[songs], space.song_popularity[songs]),
        (query.weights.tags, space.tag_vectors[tags], space.tag_popularity[tags]),
        (query.weights.title, space.word_vectors[rows], word_popularity[rows]),
    ]
    means = [
        weight * unit((vectors * np.maximum(popularity, 1.0)[:, None] ** -DISCOUNT).sum(axis=0))
        for weight, vectors, popularity in parts
        if vectors.any()
    ]
    mean = np.sum(means, axis=0)
    mean = unit(mean)
    if query.not_songs:
        mean -= 0.5 * space.song_vectors[[*query.not_songs]].mean(axis=0)
    return unit(mean)


@pytest.mark.parametrize(
    "query",
    [
        PlaylistQuery(songs=(3, 5, 8, 13)),
        PlaylistQuery(tags=("rain", "cafe")),
        PlaylistQuery(title="비 오는 날"),
        PlaylistQuery(songs=(4, 8), tags=("rain",), title="late night"),
        PlaylistQuery(songs=(4,), tags=("rain",), weights=ModalityWeights(songs=0.2, tags=3)),
        PlaylistQuery(songs=(4, 8), not_songs=(20, 21)),
    ],
    ids=["songs", "tags", "title", "mix", "weights", "dislikes"],
)
@pytest.mark.parametrize(
    "limits",
    [Constraints(), Constraints(genres=("Jazz", "Rock"), since="1995")],
    ids=["all", "some"],
)
def test_songs_are_near_the_mean_and_tags_those_of_playlists_near_it(
    retriever: Retriever,
    demo_space: EmbeddingSpace,
    catalogue: Catalogue,
    query: PlaylistQuery,
    limits: Constraints,
):
    found = retriever.recommend(query, limits, limit=25, tag_limit=8, strategy="mean", exact=True)
    mean = expected_mean(demo_space, query)
    allowed = sorted(catalogue.allowed(limits) - {*query.songs, *query.not_songs})
    own_scores = scores(
        demo_space.song_vectors[allowed] @ mean, demo_space.song_popularity[allowed]
    )
    best = np.sort(own_scores)[::-1][:25]
    assert [song.score for song in found.songs] == pytest.approx(best, rel=HAIR)
    own = dict(zip(allowed, own_scores, strict=True))
    assert [own[s.id] for s in found.songs] == pytest.approx(best, rel=HAIR)
    by_tag = {tag: s for tag, s in tag_scores(demo_space, mean).items() if tag not in query.tags}
    best = sorted(by_tag.values(), reverse=True)[:8]
    assert [tag.score for tag in found.tags] == pytest.approx(best, rel=HAIR)
    assert [by_tag[tag.tag] for tag in found.tags] == pytest.approx(best, rel=HAIR)


def test_an_answer_shows_what_the_catalogue_says(retriever: Retriever, catalogue: Catalogue):
    """Names, artists, genres by name, and dates no more precise than they are known."""
    found = retriever.recommend(PlaylistQuery(tags=("rain",)), limit=500, tag_limit=1)
    lengths = {"day": 10, "month": 7, "year": 4}
    for song in found.songs:
        own = catalogue.songs[song.id]
        day = own.issue_date
        assert song.name == own.name
        assert song.artists == own.artists
        assert song.genres == tuple(catalogue.genres[code].name for code in own.genres)
        assert song.issue_date == (day.day.isoformat()[: lengths[day.precision]] if day else None)
    assert {len(song.issue_date or "") for song in found.songs} == {0, 4, 7, 10}
