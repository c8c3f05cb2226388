"""Methods of a benchmark that must not disturb each other: a process and a new server for each.

A script that is measured this way runs itself again with `--method` and writes that method's
figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from harness import run
from servers import running_server

Figures = dict[str, float]


def add_arguments(made: argparse.ArgumentParser) -> None:
    """What the script is told when it runs itself: the method, and its server."""
    for internal in ("--method", "--url"):
        made.add_argument(internal, help=argparse.SUPPRESS)
    for internal in ("--grpc-port", "--pid"):
        made.add_argument(internal, type=int, help=argparse.SUPPRESS)


def runs_of(
    methods: Sequence[str], command: Sequence[str], *, repeats: int, scratch: Path | None
) -> dict[str, list[Figures]]:
    """The figures of every run of each method; the order of methods turns with the repeats.

    Args:
        command: the script and its arguments, whatever the method.
        scratch: where servers keep their data meanwhile.
    """
    measured: dict[str, list[Figures]] = {method: [] for method in methods}
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        for repeat in range(repeats):
            first = repeat % len(methods)
            for method in (*methods[first:], *methods[:first]):
                scratch_of_run = Path(directory) / f"{repeat}-{methods.index(method)}"
                measured[method].append(_run(method, command, scratch_of_run))
    return measured


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: float(np.median([figures[name] for figures in runs])) for name in runs[0]}


def _run(method: str, command: Sequence[str], directory: Path) -> Figures:
    with running_server(directory) as server:
        path = directory / "figures.json"
        taken = run(
            [
                *(sys.executable, *command, "--method", method, "--json", str(path)),
                *("--url", server.url, "--grpc-port", str(server.grpc_port)),
                *("--pid", str(server.pid)),
            ]
        )
    figures: Figures = json.loads(path.read_text())
    return figures | {"peak MB": taken.peak_mb}
