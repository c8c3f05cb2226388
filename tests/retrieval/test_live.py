"""What operators see of a release that is taken up."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from places import DirectoryPlace, Place
from qdrant_client import models

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval import PlaylistQuery, Retriever, live
from melon.settings import Settings
from melon.store import Collection, Preset, open_store


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


def test_a_store_that_vanishes_is_said_once(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is open goes on answering, and nobody would notice that nothing new is taken up."""
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    with place.open() as store:
        first = ingest(demo_space, store).manifest.release
        retriever = Retriever(store)
        vanished(place)
        for _ in range(3):
            assert retriever.recommend(PlaylistQuery(title="rainy day")).songs
        said = f"release {first} goes on answering: {store.location}: no release is live"
        assert [message.split("\n")[0] for message in caplog.messages] == [said]


def vanished(place: Place) -> None:
    """The store's directory goes elsewhere, or its aliases are taken away."""
    if isinstance(place, DirectoryPlace):
        place.root.rename(place.root.with_name("elsewhere"))
        return
    with place.client() as client:
        names = [f"{place.prefix}_{collection}" for collection in Collection]
        gone = [models.DeleteAlias(alias_name=name) for name in names]
        client.update_collection_aliases(
            [models.DeleteAliasOperation(delete_alias=one) for one in gone]
        )


def test_a_store_stays_where_it_was_opened(
    demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process that goes to work elsewhere still takes up what is promoted."""
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    monkeypatch.chdir(tmp_path)
    with open_store(Settings(), path="store") as store:
        ingest(demo_space, store)
        retriever = Retriever(store)
        assert store.location == f"embedded store {tmp_path / 'store'}"
        monkeypatch.chdir("/")
        second = ingest(demo_space, store, preset=Preset.SMALL).manifest.release
        retriever.recommend(PlaylistQuery(title="rainy day"))
        assert retriever.release == second
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
