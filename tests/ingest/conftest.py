"""One space of known values for all tests of ingest."""

from __future__ import annotations

from functools import partial

import pytest
from ingest_samples import known_space
from kept import kept_on
from places import ENGINES

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.store import ReleaseReader


@pytest.fixture(scope="session")
def space() -> EmbeddingSpace:
    return known_space()


@pytest.fixture(scope="session", params=ENGINES)
def reader(request: pytest.FixtureRequest, space: EmbeddingSpace) -> ReleaseReader:
    """The known space's release, on each engine. Only to be read."""
    kept = kept_on(request.param, request)
    kept.place("known", partial(ingest, space))
    return kept.store("known").open()
