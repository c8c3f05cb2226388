"""Places that tests of many files only read, filled once on each engine.

A fixture with parameters ends whenever the next test has another one: in each file, twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from places import Place, place_on
from qdrant_server import Endpoint

from melon.store import VectorStore


class Kept(ExitStack):
    """Places on one engine, and a store on each; they stay open until the session ends."""

    def __init__(self, engine: str, server: Endpoint | None = None) -> None:
        super().__init__()
        self._engine = engine
        self._server = server
        self._places: dict[str, Place] = {}
        self._stores: dict[str, VectorStore] = {}

    def place(self, name: str, fill: Callable[[VectorStore], object]) -> Place:
        """The place of that name, which `fill` fills when it is first asked for."""
        if name not in self._places:
            place = self.enter_context(place_on(self._engine, self._server))
            with place.open() as store:
                fill(store)
            self._places[name] = place
        return self._places[name]

    def store(self, name: str) -> VectorStore:
        """The store that is open on the place of that name."""
        if name not in self._stores:
            self._stores[name] = self.enter_context(self._places[name].open())
        return self._stores[name]


def kept_on(engine: str, request: pytest.FixtureRequest) -> Kept:
    """What is kept on an engine, which starts only where a test runs on it."""
    return request.getfixturevalue(f"kept_{engine}")
