"""One space of known values for all tests of ingest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ingest_samples import known_space
from places import ENGINES, SERVER, place_on

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.store import ReleaseReader


@pytest.fixture(scope="session")
def space() -> EmbeddingSpace:
    return known_space()


@pytest.fixture(scope="session", params=ENGINES)
def reader(request: pytest.FixtureRequest, space: EmbeddingSpace) -> Iterator[ReleaseReader]:
    """The known space's release, on each engine. Only to be read."""
    server = request.getfixturevalue("qdrant_server") if request.param == SERVER else None
    with place_on(request.param, server) as place, place.open() as store:
        ingest(space, store)
        yield store.open()
