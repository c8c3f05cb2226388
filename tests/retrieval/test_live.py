"""What operators see of a release that is taken up."""

from __future__ import annotations

import logging

import pytest
from places import Place

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval import PlaylistQuery, Retriever, live
from melon.store import Preset


def test_a_release_that_is_taken_up_is_logged_once(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    caplog.set_level(logging.INFO, "melon.retrieval.live")
    with place.open() as store:
        first = ingest(demo_space, store).manifest.release
        retriever = Retriever(store)
        retriever.recommend(PlaylistQuery(title="rainy day"))
        second = ingest(demo_space, store, preset=Preset.SMALL).manifest.release
        for _ in range(2):
            retriever.recommend(PlaylistQuery(title="rainy day"))
        assert caplog.messages == [f"{store.location}: release {second} answers instead of {first}"]
