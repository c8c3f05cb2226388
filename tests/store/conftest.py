"""The sample release on both engines, made once and only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from places import ENGINES, SERVER, place_on
from store_samples import BothReaders, Sample, publish, sample

from melon.store import ReleaseReader


@pytest.fixture(scope="session")
def songs_sample() -> Sample:
    return sample()


@pytest.fixture(scope="session", params=ENGINES)
def reader(request: pytest.FixtureRequest, songs_sample: Sample) -> Iterator[ReleaseReader]:
    """A reader of the sample's release on each engine."""
    server = request.getfixturevalue("qdrant_server") if request.param == SERVER else None
    with place_on(request.param, server) as place, place.open() as store:
        publish(store, songs_sample.contents)
        yield store.open()


@pytest.fixture(scope="session")
def readers(request: pytest.FixtureRequest, songs_sample: Sample) -> Iterator[BothReaders]:
    """Readers of the same release on both engines at once, by the engine's name."""
    server = request.getfixturevalue("qdrant_server")
    found = BothReaders()
    with (
        place_on(ENGINES[0], None) as one,
        place_on(ENGINES[1], server) as two,
        one.open() as first,
        two.open() as second,
    ):
        for engine, store in zip(ENGINES, (first, second), strict=True):
            publish(store, songs_sample.contents)
            found[engine] = store.open()
        yield found
