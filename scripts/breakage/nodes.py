"""A cluster that loses a node in the middle of an ingest, and while it is asked."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from qdrant_server import Server, StartError, wait_for_peers

from breakage.catalogue import QUERIES
from breakage.kills import check_between, check_end
from breakage.operations import OPERATIONS, Around, Now
from breakage.warm import Warm
from breakage.world import OnServer, Violation, World, difference_of, ranking_of
from melon.errors import MelonError
from melon.retrieval import Retriever

T = TypeVar("T")

NODES, COPIES = 3, 2

AWAY = (1.0, 20.0)
"""Seconds for which a node is lost, at least and at most."""


TRIES = 5
"""Runs of a command until it succeeds, when all nodes are there again; and starts of a node."""


@dataclass(frozen=True)
class OnCluster(OnServer):
    """A store on a cluster, reached by one of its nodes."""

    engine: str = "cluster"

    @property
    def environment(self) -> dict[str, str]:
        """Each shard has a copy on two of the three nodes."""
        return super().environment | {
            "MELON_SHARD_NUMBER": str(NODES),
            "MELON_REPLICATION_FACTOR": str(COPIES),
        }


def while_lost(
    nodes: Sequence[Server], node: Server, after: float, away: float, call: Callable[[], T]
) -> T:
    """What a call gives, of whose cluster a node is killed after so many seconds, and back later.

    The call has a thread of its own, for a server ends with the thread that has started it.
    """
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call)
        time.sleep(after)
        node.kill()
        time.sleep(away)
        bring_back(node, nodes)
        return answer.result()


def bring_back(node: Server, nodes: Sequence[Server]) -> None:
    """Start a node again, until all of them see each other.

    Qdrant may wait for transfers of shards that it has given up itself, and be never ready: then it
    is started once more.
    """
    for _ in range(TRIES - 1):
        with suppress(StartError):
            node.restart()
            break
    else:
        node.restart()
    for one in nodes:
        wait_for_peers(one, len(nodes))


def ingests(
    world: World, around: Around, warm: Warm, nodes: Sequence[Server], chance: random.Random
) -> Iterator[int]:
    """Lose a node during one ingest after the other; yields the exit code of each.

    Raises:
        Violation: something was lost, or is wrong.
    """
    seconds = 5.0
    while True:
        for name in ("drop", "ingest"):
            state = world.check()
            step = OPERATIONS[name](Now(world, around, state, chance))
            if step is None:
                continue
            if name == "ingest":
                node, after = chance.choice(nodes[1:]), chance.uniform(0, seconds)
                command = partial(warm.run, step.arguments, world.place.environment)
                ended = while_lost(nodes, node, after, chance.uniform(*AWAY), command)
                check_end(step, ended, {0, 1})
                check_between(state, world.check(), step.after)
                yield ended.code
            for _ in range(TRIES):  # the nodes agree on nothing for some seconds after one is back
                ended = warm.run(step.arguments, world.place.environment)
                check_end(step, ended, {0, 1})
                if not ended.code:
                    break
            check_end(step, ended, {0})
            seconds = ended.seconds if name == "ingest" else seconds
            prune = ["releases", "prune", *world.place.options]
            check_end(step, warm.run(prune, world.place.environment), {0})
            if (state := world.check()) != step.after:
                raise Violation(f"{state} in place of {step.after}")


def ask(world: World, nodes: Sequence[Server], count: int) -> Counter[str]:
    """Ask so often, while one node after the other is lost for a fifth of the questions.

    Raises:
        Violation: an answer is another than with all nodes.
    """
    ends: Counter[str] = Counter()
    with world.place.store() as store:
        retriever = Retriever(store, strategy="hybrid")
        right = [ranking_of(retriever.recommend(query, limit=10)) for query in QUERIES]
        for number in range(count):
            turn, at = divmod(number, max(1, count // 4))
            node = nodes[1 + turn % (len(nodes) - 1)]
            if at == 0 and turn:
                node.kill()
            if at == max(1, count // 5) and turn:
                bring_back(node, nodes)
            query = number % len(QUERIES)
            try:
                found = retriever.recommend(QUERIES[query], limit=10)
            except MelonError:
                ends["refused"] += 1
                continue
            if difference := difference_of([right[query]], [ranking_of(found)]):
                raise Violation(f"question {number}: {difference}")
            ends["answered"] += 1
    return ends
