"""Breaks what can break around melon, for as long as you like, and says what came of it.

    python scripts/soak.py --kills 500            kill -9 at random points of every command
    python scripts/soak.py --servers 200          a server dies, stops, is slow, cut off, garbled
    python scripts/soak.py --files 100000         all files, flipped, cut, emptied, deleted
    python scripts/soak.py --minutes 10           readers, while releases come and go
    python scripts/soak.py --nodes 10             a node of a cluster dies during as many ingests,
                                                  and three times during 1,000 queries

Each prints rows of the table in docs/reliability.md. What is lost or wrong ends it with 1, and
`--seed` makes the same again, as far as the machine is as fast.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from breakage.files import Damaged, damage_space, indexed_store
from breakage.kills import Trials
from breakage.nodes import NODES, OnCluster, ingests
from breakage.nodes import ask as ask_cluster
from breakage.operations import OPERATIONS, Around, make_around
from breakage.proxy import before
from breakage.reading import READERS, soak
from breakage.servers import TIMEOUT, ServerTrials, ask
from breakage.warm import Warm
from breakage.world import Embedded, OnServer, Violation
from qdrant_server import Server, running_cluster, running_server

IN_A_ROW = 3
"""Kills of a command, at most, before it is let through."""

NODE_QUERIES = 1000

SERVER = {"STORAGE__WAL__WAL_CAPACITY_MB": "4"}


@contextmanager
def prepared(directory: Path, shelved: int = 3) -> Iterator[tuple[Around, Warm, Server]]:
    """What all of it needs: spaces and backups, warm processes, and a server."""
    around = make_around(directory, shelved)
    with (
        running_server(directory / "server", settings=SERVER) as server,
        Warm(directory / "log") as warm,
    ):
        yield around, warm, server


def kills(count: int, seed: int, directory: Path) -> Iterator[str]:
    """Kill each operation, on either engine in turns, and finish it."""
    with prepared(directory) as (around, warm, server):
        trials = []
        for place in (Embedded(directory / "store"), OnServer(server, "soak")):
            chance = random.Random(f"{seed}{place.engine}")
            made = Trials(around.world(place), around, warm, chance)
            made.thorough, made.in_a_row, made.apart = 0.2, IN_A_ROW, 0.1
            trials.append(made)
        tried = 0
        with suppress(KeyboardInterrupt):
            while tried < count:
                for one in trials:
                    names = set(OPERATIONS) - ({"train"} if one is trials[1] else set())
                    one.run(dict.fromkeys(sorted(names), IN_A_ROW))
                    tried = sum(one.tried.total() for one in trials)
                    print(f"{tried} kills", file=sys.stderr, flush=True)
        for one in trials:
            each = ", ".join(f"{name} {number}" for name, number in one.tried.items())
            engine = one.world.place.engine
            yield f"kill -9, {engine}: {each} | {one.tried.total()} | 0 | 0"


def servers(count: int, seed: int, directory: Path) -> Iterator[str]:
    """Disturb the server of each operation, and of as many queries."""
    names = [name for name in OPERATIONS if name != "train"]
    share, rest = divmod(count, len(names))
    quota = {name: share + (number < rest) for number, name in enumerate(names)}
    chance = random.Random(seed)
    with prepared(directory) as (around, warm, server), before(server, chance) as proxy:
        place = OnServer(server, "soak", through=proxy.endpoint, timeout=TIMEOUT)
        world = around.world(place)
        trials = ServerTrials(world, around, warm, chance, server=server, proxy=proxy)
        trials.run(quota)
        each = ", ".join(f"{name} {tried}" for name, tried in trials.faults.items())
        yield f"a server's fault during a command: {each} | {trials.tried.total()} | 0 | 0"
        ends = ask(world, server, proxy, count)
        each = ", ".join(f"{name} {number}" for name, number in ends.items())
        yield f"the same during a query: {each} | {count} | 0 | 0"
        print(f"the longest command took {trials.longest:.0f} s", file=sys.stderr)


def files(count: int, seed: int, directory: Path) -> Iterator[str]:
    """Damage files of a space, of a small store, and of one with all indexes."""
    around = make_around(directory, shelved=1)
    one, other, *_ = around.trained
    yield _file_row("a space", damage_space(other, count, seed))
    with Warm(directory / "log") as warm:
        indexed = indexed_store(directory / "indexed", one)
        for where, place in (("a store", around.library), ("a store with indexes", indexed)):
            yield _file_row(where, Damaged(place, one, warm).run(count, seed))


def _file_row(where: str, ends: Counter[str]) -> str:
    each = ", ".join(f"{number} {end}" for end, number in ends.items())
    total = ends.total() - ends["built beside"]
    return f"a file of {where} flipped, cut, emptied, deleted: {each} | {total} | 0 | 0"


def minutes(count: int, seed: int, directory: Path) -> Iterator[str]:
    """Readers of both engines, while releases come and go."""
    with prepared(directory) as (around, warm, server):
        places = (Embedded(directory / "store"), OnServer(server, "soak"))
        for soaked in soak(places, around, warm, count, random.Random(seed)):
            each = ", ".join(f"{number} of {name}" for name, number in soaked.changes.items())
            start, middle, end = soaked.memory
            for text in soaked.wrong[:5]:
                print(f"{soaked.engine}: {text}", file=sys.stderr)
            yield (
                f"{count} minutes, {soaked.engine}, {READERS} readers: {each}; the memory of a"
                f" reader {start}, {middle}, {end} MB | {soaked.asked} | 0 | {len(soaked.wrong)}"
            )


def nodes(count: int, seed: int, directory: Path) -> Iterator[str]:
    """Lose a node of a cluster during ingests, and during queries."""
    chance = random.Random(seed)
    with (
        prepared(directory) as (around, warm, _),
        running_cluster(NODES, directory / "cluster", settings=SERVER) as three,
    ):
        world = around.world(OnCluster(three[0], "soak"))
        first = ["ingest", str(around.trained[0].path), *world.place.options]
        warm.run(first, world.place.environment)
        codes = Counter(islice(ingests(world, around, warm, three, chance), count))
        each = f"{codes[0]} ended well, {codes[1]} with an error"
        yield f"a node is lost for 1 to 20 s during an ingest: {each} | {codes.total()} | 0 | 0"
        ends = ask_cluster(world, three, NODE_QUERIES)
        each = ", ".join(f"{number} {end}" for end, number in ends.items())
        yield f"the same during queries: {each} | {ends.total()} | 0 | 0"


JOBS: dict[str, Callable[[int, int, Path], Iterator[str]]] = {
    "kills": kills,
    "servers": servers,
    "files": files,
    "minutes": minutes,
    "nodes": nodes,
}


def main() -> int:
    """Run the jobs that are asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, help="how many, over both engines")
    parser.add_argument("--servers", type=int, help="how many commands, and as many queries")
    parser.add_argument("--files", type=int, help="how many of a store, and of a space, or all")
    parser.add_argument("--minutes", type=int, help="how long readers ask")
    parser.add_argument("--nodes", type=int, help="during how many ingests a node is lost")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directory", type=Path, help="where; by default a temporary one")
    options = parser.parse_args()
    for name, job in JOBS.items():
        if (count := getattr(options, name)) is None:
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=options.directory, prefix="melon-soak-") as directory:
            try:
                for row in job(count, options.seed, Path(directory)):
                    print(f"| {row} |", flush=True)
            except Violation as violation:
                print(f"{name}: {violation}", file=sys.stderr)
                return 1
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
