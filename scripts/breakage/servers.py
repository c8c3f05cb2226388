"""A server that dies, stops or is behind a bad line, in the middle of what melon asks of it."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from qdrant_server import Server

from breakage.catalogue import QUERIES
from breakage.kills import Trials, check_end
from breakage.operations import Step
from breakage.proxy import FAULTS as OF_LINES
from breakage.proxy import Proxy
from breakage.world import OnServer, State, Violation, World, difference_of, ranking_of
from melon.errors import MelonError
from melon.retrieval import Retriever
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress

FAULTS = ("killed", "stopped", *OF_LINES)
TIMEOUT = 2
"""Seconds after which melon gives a request up."""

SHORT = 0.3
"""Seconds of a fault that passes while the command is at work."""


@dataclass
class ServerTrials(Trials):
    """Commands whose server has a fault at a random point, for a moment or until they end."""

    server: Server = field(kw_only=True)
    proxy: Proxy = field(kw_only=True)
    faults: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def _disturb(self, step: Step, before: State) -> bool:
        """Run a command whose server has a fault, and look at the store when that is mended."""
        fault = min(FAULTS, key=lambda name: self.faults[name])
        self.faults[fault] += 1
        self.tried[step.name] += 1
        after = self.chance.uniform(0, self.seconds.get(step.name, 0.3))
        with disturbed(self.server, self.proxy, fault, after, self._passes(fault)):
            ended = self.warm.run(step.arguments, self.world.place.environment)
        codes = {0, 1} if step.name != "drop" else {0, 1, 2}
        self.longest = max(self.longest, ended.seconds)
        try:
            check_end(step, ended, codes)
            self._check_between(step, before)
        except Violation as violation:
            raise Violation(f"{fault} after {after:.2f} s: {violation}") from violation
        return True

    def _passes(self, fault: str) -> bool:
        """Whether the fault passes soon; a server that was killed comes back at once, too."""
        return self.chance.random() < 0.5 and fault != "killed"


@contextmanager
def disturbed(
    server: Server, proxy: Proxy, fault: str, after: float = 0, passes: bool = False
) -> Iterator[None]:
    """A fault that begins after so many seconds, and ends with the block, or before."""

    def begin() -> None:
        match fault:
            case "killed":
                server.kill()
            case "stopped":
                os.kill(server.pid, signal.SIGSTOP)
            case _:
                proxy.fault = fault

    def end() -> None:
        proxy.fault = None
        if fault == "stopped":
            os.kill(server.pid, signal.SIGCONT)

    timers = []
    if after:
        timers.append(threading.Timer(after, begin))
    else:
        begin()
    if passes:
        timers.append(threading.Timer(after + SHORT, end))
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
            timer.join()
        end()
        if fault == "killed":
            server.restart()


def ask(world: World, server: Server, proxy: Proxy, count: int) -> Counter[str]:
    """Ask while the server has one fault after the other: right answers, or errors of melon's.

    Raises:
        Violation: an answer is another than the release gives.
    """
    place = world.place
    assert isinstance(place, OnServer)
    ends: Counter[str] = Counter()
    address = ServerAddress(
        proxy.endpoint.url, grpc_port=proxy.endpoint.grpc_port, prefix=place.prefix, timeout=1
    )
    with ServerStore(address) as store:
        retriever = Retriever(store, strategy="hybrid")
        for number in range(count):
            fault = (*FAULTS, None)[number % (len(FAULTS) + 1)]
            if fault == "killed" and number % (5 * len(FAULTS)):
                fault = None  # it takes a second to come back
            query = number % len(QUERIES)
            try:
                with disturbed(server, proxy, fault or "nothing"):
                    found = retriever.recommend(QUERIES[query], limit=10)
            except MelonError:
                ends["refused"] += 1
                continue
            with place.store() as whole:
                right = Retriever(whole, strategy="hybrid").recommend(QUERIES[query], limit=10)
            if difference := difference_of([ranking_of(right)], [ranking_of(found)]):
                raise Violation(f"{fault}: {difference}")
            ends["answered"] += 1
    return ends
