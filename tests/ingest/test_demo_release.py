"""The demo corpus keeps its planted structure all the way into the store."""

from __future__ import annotations

import numpy as np
from places import SERVER, Place

from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
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


def test_two_builds_of_a_space_give_the_same_answers(
    place: Place, demo_space: EmbeddingSpace
) -> None:
    """To the last digit, as the name promises; of a server's, those that tie may change places."""
    rows = range(0, len(demo_space.song_ids), 25)
    ids = demo_space.song_ids[rows].tolist()
    answers = []
    with place.open() as store:
        for rebuild in (False, True):
            release = ingest(demo_space, store, rebuild=rebuild).manifest.release
            assert release.startswith("r")
            reader = store.open()
            queries = [VectorQuery(demo_space.song_vectors[row], DENSE, limit=100) for row in rows]
            queries += [
                VectorQuery(record.sparse, "playlists", limit=100)
                for record in reader.retrieve(Collection.SONGS, ids, sparse=True)
                if record.sparse
            ]
            answers.append(
                [
                    (None if place.engine == SERVER else hits.ids.tolist(), hits.scores.tolist())
                    for hits in reader.query(Collection.SONGS, queries)
                ]
            )
    assert len(answers[0]) > 30
    assert answers[0] == answers[1]
