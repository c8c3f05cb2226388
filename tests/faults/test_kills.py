"""A hundred times kill -9: nothing is lost or wrong, and the same command again finishes."""

from __future__ import annotations

import random
from uuid import uuid4

import pytest
from breakage.kills import Trials
from breakage.operations import OPERATIONS, Around
from breakage.warm import Warm
from breakage.world import Embedded, OnServer, Place
from qdrant_server import Endpoint

pytestmark = pytest.mark.long

EMBEDDED = {
    **{"train": 10, "update": 2, "ingest": 2, "restore": 2, "copy": 2},
    **{"promote": 13, "drop": 5, "prune": 3, "backup": 11},
}
ON_SERVER = {
    **{"update": 3, "ingest": 4, "restore": 3, "copy": 4},
    **{"promote": 13, "drop": 6, "prune": 4, "backup": 13},
}


def kill(place: Place, around: Around, warm: Warm, quota: dict[str, int]) -> None:
    """Five in a row at most before a command is let through: to finish costs the most."""
    trials = Trials(around.world(place), around, warm, random.Random(1), thorough=0, in_a_row=5)
    trials.run(quota)
    assert trials.tried == quota


def test_all_operations_are_killed() -> None:
    assert OPERATIONS.keys() == EMBEDDED.keys() | ON_SERVER.keys()
    assert sum(EMBEDDED.values()) + sum(ON_SERVER.values()) == 100


@pytest.mark.timeout(900)
def test_killed_on_an_embedded_store(around: Around, warm: Warm) -> None:
    kill(Embedded(around.directory / "killed"), around, warm, EMBEDDED)


@pytest.mark.timeout(900)
def test_killed_on_a_server(around: Around, warm: Warm, qdrant_server: Endpoint) -> None:
    kill(OnServer(qdrant_server, f"t{uuid4().hex[:12]}"), around, warm, ON_SERVER)
