"""Releases that a service is asked for by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from melon.embedding import EmbeddingSpace
from melon.ingest import SparseWeights, ingest
from melon.retrieval import PlaylistQuery, RetrievalSettings
from melon.service import source
from melon.service.source import Source
from melon.store.embedded import EmbeddedStore


def test_a_release_goes_on_answering_while_others_are_asked_for(
    tmp_path: Path, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_PINNED", 1)
    with EmbeddedStore(tmp_path) as store:
        first = ingest(demo_space, store).manifest.release
        weights = SparseWeights(song_length=-0.5)  # or it would be the same release
        second = ingest(demo_space, store, weights=weights).manifest.release
        named = Source(store, RetrievalSettings.default(), None)
        answering = named.retriever(first)
        named.retriever(second)
        [answer] = answering.recommend_many([PlaylistQuery(tags=("rain",))], limit=3)
        assert answer.release == first
        assert len(answer.songs) == 3
        assert named.retriever(first) is not answering
