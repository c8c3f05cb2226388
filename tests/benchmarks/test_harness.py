"""Benchmarks time what they say they time, and report it with what it was measured on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from harness import Report, Times, run, take_turns

MB = 1_000_000


def test_methods_take_turns_and_the_first_one_changes() -> None:
    called: list[tuple[str, int]] = []
    methods = {name: lambda number, name=name: called.append((name, number)) for name in "ab"}
    times = take_turns(methods, 2, warm_up=1)
    assert called == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("b", 2), ("a", 2)]
    assert {name: len(own.seconds) for name, own in times.items()} == {"a": 2, "b": 2}


def test_each_of_three_methods_follows_each_other_one_equally_often() -> None:
    called: list[str] = []
    methods = {name: lambda number, name=name: called.append(name) for name in "abc"}
    take_turns(methods, 6)
    within = Counter(
        pair for start in range(0, 18, 3) for pair in pairwise(called[start : start + 3])
    )
    assert within == dict.fromkeys(permutations("abc", 2), 2)


def test_percentiles_are_milliseconds() -> None:
    figures = Times(tuple(second / 1000 for second in range(101))).figures
    assert figures == pytest.approx(
        {"p50 ms": 50, "p95 ms": 95, "p99 ms": 99, "mean ms": 50, "least ms": 0}
    )


def test_a_process_is_measured_by_itself() -> None:
    idle = run([sys.executable, "-c", "pass"])
    busy = run([sys.executable, "-c", f"held = b'.' * {200 * MB}; sum(range(5_000_000))"])
    assert busy.peak_mb > idle.peak_mb + 180
    assert busy.cpu_seconds > idle.cpu_seconds
    assert busy.seconds >= busy.cpu_seconds / 2


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="exit code 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_report_compares_and_names_its_circumstances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report("speed", {"songs": 7})
    turns = {"ours": Times((0.001, 0.001)), "theirs": Times((0.004, 0.004))}
    report.add_turns("asking", turns, against="theirs")
    file = tmp_path / "speed.json"
    report.conclude(file)
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["rows"][0]["/ theirs"] == pytest.approx(0.25)
    assert "/ theirs" not in kept["rows"][1]
    assert kept["data"] == {"songs": 7}
    assert kept["machine"]["cores"] > 0
    assert kept["versions"]["python"]
    assert "| asking | ours | 1 | 1 | 1 | 1 | 1 | 0.25 |" in capsys.readouterr().out
