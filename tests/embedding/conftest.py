"""A space trained on the planted corpus."""

from __future__ import annotations

import pytest
from planted import planted_genres, planted_playlists, planted_songs, small_settings

from melon.embedding import EmbeddingSpace, build_space


@pytest.fixture(scope="session")
def space() -> EmbeddingSpace:
    return build_space(planted_playlists(), planted_songs(), planted_genres(), small_settings())
