"""Readers of a store that changes all the time: no error, no mix of releases, no growing memory.

Run as a program, this is one of the readers; it asks until its standard input ends.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakage.catalogue import QUERIES
from breakage.kills import check_end
from breakage.operations import OPERATIONS, Around, Now
from breakage.warm import Warm
from breakage.world import Place, Ranked, difference_of, ranking_of
from melon.retrieval import Retriever
from melon.settings import load_settings
from melon.store import open_store

PAUSE = 0.05
"""Seconds between two questions of a reader."""

READERS = 4
CHANGES = ("ingest", "update", "promote")


def resident() -> float:
    """The memory (MB) of this process, without the files that it has mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [size] = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
    return int(size) / 1024


class Reader:
    """A process that asks a store."""

    def __init__(self, place: Place) -> None:
        parent = Path(__file__).parents[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "breakage.reading", *place.options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | place.environment | {"PYTHONPATH": str(parent)},
        )

    def end(self) -> dict[str, Any]:
        """What it has seen: `asked`, `releases`, `wrong`, and `memory` (MB) at ten times."""
        said, _ = self._process.communicate(timeout=120)
        seen: dict[str, Any] = json.loads(said)
        return seen


def _wait_for_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def _read(options: Sequence[str]) -> dict[str, Any]:
    """Ask until standard input ends; the same build of a release gives the same answers."""
    over = threading.Event()
    threading.Thread(target=_wait_for_end, args=(over,), daemon=True).start()
    named = dict(zip(options[::2], options[1::2], strict=True))
    path = named.get("--path")
    store = open_store(load_settings(), url=named.get("--url"), path=Path(path) if path else None)
    retriever = Retriever(store, strategy="hybrid")
    known: dict[tuple[str, int], list[Ranked]] = {}
    seen: dict[str, Any] = {"asked": 0, "wrong": []}
    releases: Counter[str] = Counter()
    memory: list[float] = []
    while not over.wait(PAUSE):
        number = seen["asked"] % len(QUERIES)
        try:
            answer = retriever.recommend(QUERIES[number], limit=10)
            created = f"{answer.release} {retriever.reader.manifest.created}"
            if retriever.reader.manifest.release == answer.release:
                before = known.setdefault((created, number), ranking_of(answer))
                if difference := difference_of([before], [ranking_of(answer)]):
                    seen["wrong"].append(f"{answer.release}: {difference}")
            releases[answer.release] += 1
        except Exception as error:
            seen["wrong"].append(f"{type(error).__name__}: {error}")
        seen["asked"] += 1
        memory.append(resident())
    tenth = max(1, len(memory) // 10)
    return seen | {"releases": dict(releases), "memory": [round(mb) for mb in memory[::tenth]]}


@dataclass(frozen=True)
class Soaked:
    """What readers saw of a store that was changed so often, each step by a command."""

    engine: str
    changes: Counter[str]
    readers: list[dict[str, Any]]

    @property
    def asked(self) -> int:
        """Questions of all readers."""
        return sum(reader["asked"] for reader in self.readers)

    @property
    def wrong(self) -> list[str]:
        """Errors and wrong answers of all readers."""
        return [text for reader in self.readers for text in reader["wrong"]]

    @property
    def memory(self) -> tuple[int, int, int]:
        """Of the reader that grew most (MB): a tenth after its start, in the middle, at its end."""
        reader = max(self.readers, key=lambda one: one["memory"][-1] - one["memory"][1])
        memory = reader["memory"]
        return memory[1], memory[len(memory) // 2], memory[-1]


def soak(
    places: Sequence[Place], around: Around, warm: Warm, minutes: float, chance: random.Random
) -> list[Soaked]:
    """Change stores for so many minutes, one after the other, while readers ask.

    Raises:
        Violation: a command failed.
    """
    worlds = [around.world(place) for place in places]
    changes: list[Counter[str]] = [Counter() for _ in worlds]
    for world in worlds:
        first = ["ingest", str(around.trained[0].path), *world.place.options]
        warm.run(first, world.place.environment)
    readers = [[Reader(place) for _ in range(READERS)] for place in places]
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for world, counts in zip(worlds, changes, strict=True):
            now = Now(world, around, world.state(), chance)
            possible = [OPERATIONS[name](now) for name in CHANGES]
            step = chance.choice([step for step in possible if step])
            check_end(step, warm.run(step.arguments, world.place.environment), {0})
            counts[step.name] += 1
            time.sleep(1)
    for world in worlds:
        world.check()
    return [
        Soaked(world.place.engine, counts, [reader.end() for reader in some])
        for world, counts, some in zip(worlds, changes, readers, strict=True)
    ]


if __name__ == "__main__":
    print(json.dumps(_read(sys.argv[1:])))
