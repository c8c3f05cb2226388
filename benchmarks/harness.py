"""How benchmarks measure and report: in turns, with a warm-up, and saying on which machine.

A benchmark times its methods with `take_turns` (calls within this process) or `run` (a whole
process, with its CPU time and peak memory), adds a row of figures per method to a `Report`, and
`conclude`s it: a table on stdout, JSON where `--json` says.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import circumstances

Call = Callable[[int], object]
"""One repetition of what is measured, given its number: the first ones are the warm-up."""

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Times:
    """What every repetition took, in seconds."""

    seconds: tuple[float, ...]

    def percentile(self, percent: float) -> float:
        """Milliseconds that `percent` of the repetitions took at most."""
        return 1000 * float(np.percentile(self.seconds, percent))

    @property
    def figures(self) -> dict[str, float]:
        """Median and spread, in milliseconds."""
        return {
            "p50 ms": self.percentile(50),
            "p95 ms": self.percentile(95),
            "p99 ms": self.percentile(99),
            "mean ms": 1000 * float(np.mean(self.seconds)),
            "least ms": 1000 * min(self.seconds),
        }


def take_turns(methods: Mapping[str, Call], repeats: int, *, warm_up: int = 0) -> dict[str, Times]:
    """Time methods side by side, repetition by repetition: noise is equally noisy to all.

    Each repetition begins with another method, and every second round goes backwards, so that
    each follows every other one equally often: none always finds the caches warm, or swept.

    Args:
        methods: by name what is called, with the number of the repetition.
        repeats: how often each is timed.
        warm_up: repetitions before those, not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    names = list(methods)
    for number in range(warm_up + repeats):
        first = number % len(names)
        order = names[first:] + names[:first]
        for name in reversed(order) if number // len(names) % 2 else order:
            start = time.perf_counter()
            methods[name](number)
            taken = time.perf_counter() - start
            if number >= warm_up:
                seconds[name].append(taken)
    return {name: Times(tuple(several)) for name, several in seconds.items()}


@dataclass(frozen=True, slots=True)
class Run:
    """What a process took: by the clock, of the processors, and of memory at its peak."""

    seconds: float
    cpu_seconds: float
    peak_mb: float

    @property
    def figures(self) -> dict[str, float]:
        """All three, by their units."""
        return {"s": self.seconds, "CPU s": self.cpu_seconds, "peak MB": self.peak_mb}


def run(command: Sequence[str]) -> Run:
    """Run a command to its end; what children of its own took of the processors counts, too.

    Raises:
        RuntimeError: it failed; the message has the end of what it said.
    """
    runner = [sys.executable, "-I", "-S", str(Path(__file__).with_name("run_child.py"))]
    done = subprocess.run([*runner, *command], capture_output=True, text=True, env=environment())
    if done.returncode:
        said = done.stderr.strip()[-500:]
        raise RuntimeError(f"exit code {done.returncode}: {' '.join(command)}\n{said}")
    return Run(**json.loads(done.stdout))


def median_run(runs: Sequence[Run]) -> Run:
    """The run in the middle by the clock, of an even number the slower one of the two."""
    return sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]


def resident_mb(pid: int) -> float:
    """Resident memory of a process in units of 2**20 bytes, files that it maps included."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def disk_mb(directory: Path) -> float:
    """Millions of bytes in the blocks that the files below a directory take."""
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file()) / 1e6


def environment() -> dict[str, str]:
    """Ours, in which Python keeps its bytecode: it is not to compile all of melon at each start."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass
class Report:
    """Rows of figures: what was measured, by which method, and how it compares.

    Attributes:
        name: of the benchmark.
        data: what it was measured on: sizes, and all else that a reader needs to repeat it.
        engines: version of each engine that was asked.
    """

    name: str
    data: dict[str, Any] = field(default_factory=dict)
    engines: dict[str, str] = field(default_factory=dict)
    _rows: list[tuple[str, str, dict[str, float]]] = field(default_factory=list)
    _began: dict[str, Any] = field(default_factory=circumstances)

    def add(
        self,
        what: str,
        method: str,
        figures: Figures,
        *,
        against: Mapping[str, Figures] | None = None,
        by: str | None = None,
    ) -> None:
        """Add a row.

        Args:
            against: figures of the methods to compare with, by their names: the row says how
                many times theirs its own is.
            by: the figure that is compared, the first one by default.
        """
        key = by or next(iter(figures))
        ratios = {f"/ {name}": figures[key] / other[key] for name, other in (against or {}).items()}
        self._rows.append((what, method, {**figures, **ratios}))

    def add_turns(self, what: str, turns: Mapping[str, Times], *, against: str) -> None:
        """Add a row for each method that took turns, compared with one of them by the median."""
        base = {against: turns[against].figures}
        for method, times in turns.items():
            self.add(what, method, times.figures, against=base if method != against else None)

    def markdown(self) -> str:
        """A table for people: three significant digits."""
        return markdown(self._rows)

    def to_json(self) -> dict[str, Any]:
        """The same for programs, with the circumstances as they were at the start."""
        began = self._began | {"versions": {**self._began["versions"], "engines": self.engines}}
        rows = [{"what": what, "method": method, **figures} for what, method, figures in self._rows]
        command = f"python benchmarks/{' '.join(map(_without_place, sys.argv))}"
        return {"name": self.name, "command": command, **began, "data": self.data, "rows": rows}

    def conclude(self, path: Path | None) -> None:
        """Print the table, and keep the figures at `path` if there is one."""
        print(self.markdown())
        if path is not None:
            path.write_text(json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n")


def markdown(rows: Sequence[tuple[str, str, Figures]]) -> str:
    """Rows of what was measured, by which method, and the figures: three significant digits."""
    columns = list(dict.fromkeys(name for _, _, figures in rows for name in figures))
    lines = [["what", "method", *columns], ["---"] * 2 + ["---:"] * len(columns)]
    for what, method, figures in rows:
        cells = (_short(figures[name]) if name in figures else "" for name in columns)
        lines.append([what, method, *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The arguments of a benchmark: its docstring as help, and where the figures are kept."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, help="keep the figures in this file")
    return made


def _without_place(word: str) -> str:
    """A word of a command, of a path its last part: not what `1/4` or a URL would be without."""
    option, equals, value = word.rpartition("=")
    path = Path(value)
    if "://" in word or not (path.is_absolute() or ".." in path.parts or path.exists()):
        return word
    return f"{option}{equals}{path.absolute().name}"


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
