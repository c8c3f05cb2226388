"""The sample release on both engines, made once and only read."""

from __future__ import annotations

import pytest
from kept import kept_on
from places import ENGINES
from store_samples import BothReaders, Sample, publish, sample

from melon.store import ReleaseReader


@pytest.fixture(scope="session")
def songs_sample() -> Sample:
    return sample()


def reader_on(engine: str, request: pytest.FixtureRequest, songs_sample: Sample) -> ReleaseReader:
    kept = kept_on(engine, request)
    kept.place("sample", lambda store: publish(store, songs_sample.contents))
    return kept.store("sample").open()


@pytest.fixture(scope="session", params=ENGINES)
def reader(request: pytest.FixtureRequest, songs_sample: Sample) -> ReleaseReader:
    """A reader of the sample's release on each engine."""
    return reader_on(request.param, request, songs_sample)


@pytest.fixture(scope="session")
def readers(request: pytest.FixtureRequest, songs_sample: Sample) -> BothReaders:
    """Readers of the same release on both engines at once, by the engine's name."""
    found = BothReaders()
    for engine in ENGINES:
        found[engine] = reader_on(engine, request, songs_sample)
    return found
