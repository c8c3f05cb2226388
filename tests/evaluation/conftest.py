"""Questions of the demo corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evaluation_samples import HeldOut

from melon.catalog import Playlist, ReadReport, read_playlists
from melon.demo import DemoTruth
from melon.embedding import build_space, training_settings
from melon.evaluation import mask, split
from melon.ingest import ingest
from melon.store.embedded import EmbeddedStore


@pytest.fixture(scope="session")
def demo_questions(demo_corpus: tuple[Path, DemoTruth]) -> list[Playlist]:
    """Masked playlists that training knew whole, of each kind."""
    playlists = read_playlists([demo_corpus[0] / "train.json"], report=ReadReport())
    whole = [p for p in playlists if p.title and len(p.tags) > 1 and len(p.songs) > 1][:32]
    kinds = ("songs", "songs+tags", "tags+title", "title")
    rng = np.random.default_rng(0)
    return [mask(playlist, kinds[i % 4], rng)[0] for i, playlist in enumerate(whole)]


@pytest.fixture(scope="session")
def held_out(
    demo_corpus: tuple[Path, DemoTruth], tmp_path_factory: pytest.TempPathFactory
) -> HeldOut:
    """Forty per cent of the demo corpus held out, and an embedded store of what is left."""
    home = tmp_path_factory.mktemp("held-out")
    split([demo_corpus[0] / "train.json"], home, hold_out=0.4, seed=2)
    settings = training_settings(dim=16, epochs=6, window=5, title_pieces=64, workers=1, seed=1)
    playlists = read_playlists([home / "train.json"], report=ReadReport())
    with EmbeddedStore(home / "store") as store:
        ingest(build_space(playlists, (), {}, settings), store)
    return HeldOut(home / "questions.json", home / "answers.json", home / "store")
