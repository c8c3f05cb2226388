"""Questions of the demo corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from melon.catalog import DemoTruth, Playlist, ReadReport, read_playlists
from melon.evaluation import mask


@pytest.fixture(scope="session")
def demo_questions(demo_corpus: tuple[Path, DemoTruth]) -> list[Playlist]:
    """Masked playlists that training knew whole, of each kind."""
    playlists = read_playlists([demo_corpus[0] / "train.json"], report=ReadReport())
    whole = [p for p in playlists if p.title and len(p.tags) > 1 and len(p.songs) > 1][:32]
    kinds = ("songs", "songs+tags", "tags+title", "title")
    rng = np.random.default_rng(0)
    return [mask(playlist, kinds[i % 4], rng)[0] for i, playlist in enumerate(whole)]
