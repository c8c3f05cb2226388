"""A server dies, stops, is slow, cut off or garbled: an error in time, and then as before."""

from __future__ import annotations

import random

import pytest
from breakage.operations import OPERATIONS, Around
from breakage.proxy import before
from breakage.servers import FAULTS, TIMEOUT, ServerTrials, ask
from breakage.warm import Warm
from breakage.world import OnServer
from qdrant_server import running_server

pytestmark = pytest.mark.long

QUERIES = 36


@pytest.mark.timeout(900)
def test_a_server_with_a_fault(around: Around, warm: Warm, qdrant_binary: object) -> None:
    """Two commands for each fault, and queries."""
    chance = random.Random(2)
    with (
        running_server(
            around.directory / "faulty", settings={"STORAGE__WAL__WAL_CAPACITY_MB": "4"}
        ) as server,
        before(server, chance) as proxy,
    ):
        place = OnServer(server, "faulty", through=proxy.endpoint, timeout=TIMEOUT)
        trials = ServerTrials(
            around.world(place),
            around,
            warm,
            chance,
            thorough=0,
            in_a_row=2,
            server=server,
            proxy=proxy,
        )
        trials.run({name: 2 for name in OPERATIONS if name != "train"})
        assert trials.faults.keys() == set(FAULTS)
        ends = ask(trials.world, server, proxy, QUERIES)
        assert ends.total() == QUERIES
        assert ends["answered"] > QUERIES / 4
