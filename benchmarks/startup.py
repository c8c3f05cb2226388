"""What `melon query` takes from the shell, beside Python's own start with the same engine opened.

    python benchmarks/startup.py STORE [--repeats 15] [--json FILE]

The least that a program in Python could take is to start, load the engine, open the shards of the
release and end without closing them, as closing would take them out of the system's cache. Both
run as processes of their own, in turns, on an embedded store that the machine has read before.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness import Call, Report, Run, median_run, parser, run, take_turns

from melon.store.embedded import EmbeddedStore

ENGINE_ALONE = """
import os, sys
import qdrant_edge
shards = [qdrant_edge.EdgeShard.load(path) for path in sys.argv[1:]]
os._exit(0)
"""
ALONE, QUERY, AS_JSON = "python, engine, shards", "melon query", "melon query --json"


def main() -> None:
    """Measure, print the table, keep the figures."""
    args = _arguments()
    store = EmbeddedStore(args.store)
    live = store.live()
    shards = sorted(str(path.parent) for path in args.store.glob(f"releases/{live}/*/segments"))
    report = Report("startup", {"repeats": args.repeats}, {"embedded": store.engine_version()})
    query = [sys.executable, "-m", "melon.cli", "query", "--path", str(args.store), *args.ask]
    commands = {
        ALONE: [sys.executable, "-c", ENGINE_ALONE, *shards],
        QUERY: query,
        AS_JSON: [*query, "--json"],
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}

    def running(name: str) -> Call:
        return lambda _: runs[name].append(run(commands[name]))

    take_turns({name: running(name) for name in commands}, args.repeats)
    figures = {name: _middle(done[1:]) for name, done in runs.items()}  # the first warms the disk
    for name in commands:
        more = figures[name]["ms"] - figures[ALONE]["ms"]
        report.add("shell", name, {**figures[name], "more ms": more})
    report.conclude(args.json)


def _middle(runs: list[Run]) -> dict[str, float]:
    """The median run's figures, and the fastest one's time."""
    middle = median_run(runs)
    return {
        "ms": 1000 * middle.seconds,
        "least ms": 1000 * min(run.seconds for run in runs),
        "CPU ms": 1000 * min(run.cpu_seconds for run in runs),
        "peak MB": middle.peak_mb,
    }


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("store", type=Path, help="directory of an embedded store")
    options.add_argument("--repeats", type=int, default=15)
    options.add_argument(
        "--ask", nargs="*", default=["--title", "rainy day"], help="of melon query"
    )
    return options.parse_args()


if __name__ == "__main__":
    main()
