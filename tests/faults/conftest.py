"""Small catalogues, spaces and backups for all tests of faults, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from breakage.operations import Around, make_around
from breakage.warm import Warm
from places import scratch_directory


@pytest.fixture(scope="package")
def around() -> Iterator[Around]:
    with scratch_directory() as directory:
        yield make_around(directory, shelved=1)


@pytest.fixture(scope="package")
def warm(around: Around) -> Iterator[Warm]:
    with Warm(around.directory / "log") as made:
        yield made
