"""The demo corpus keeps its planted structure all the way into the store."""

from __future__ import annotations

import numpy as np

from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace
from melon.store import DENSE, Collection, VectorQuery, VectorStore


def test_nearest_songs_share_their_mood(
    demo_store: VectorStore, demo_space: EmbeddingSpace, demo_truth: DemoTruth
) -> None:
    reader = demo_store.open()
    held = np.flatnonzero(demo_space.song_popularity >= 3)[:100]
    queries = [VectorQuery(v, DENSE, limit=11) for v in demo_space.song_vectors[held]]
    mood = demo_truth.song_mood
    agreement = [
        mood[hit.id] == mood[demo_space.song_ids[row]]
        for row, hits in zip(held, reader.query(Collection.SONGS, queries), strict=True)
        for hit in hits
        if hit.id != demo_space.song_ids[row]
    ]
    assert np.mean(agreement) > 0.75  # 0.08 by chance
