"""Benchmarks time what they say they time, and report it with what it was measured on."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from harness import Report, Run, Times, disk_mb, median_run, resident_mb, run, take_turns

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


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--scale", "1/4"], "--scale 1/4"),
        (["--scales", "1/8", "full"], "--scales 1/8 full"),
        (["--url", "http://127.0.0.1:7500"], "--url http://127.0.0.1:7500"),
        (["--path", "/somebodys/home/store"], "--path store"),
        (["--path=/somebodys/home/store"], "--path=store"),
        (["--json", "../kept/figures.json"], "--json figures.json"),
        (["made/space", "none/space"], "space none/space"),
        (["."], "here"),
    ],
    ids=" ".join,
)
def test_a_report_shows_its_command_without_the_places_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], kept: str
) -> None:
    here = tmp_path / "here"
    (here / "made" / "space").mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "argv", ["/somebodys/benchmarks/speed.py", *given])
    assert Report("speed").to_json()["command"] == f"python benchmarks/speed.py {kept}"


def test_the_median_run_is_one_of_the_runs() -> None:
    runs = [Run(seconds, 10 - seconds, 1) for seconds in (3.0, 1.0, 2.0)]
    assert median_run(runs) == Run(2.0, 8.0, 1)


def test_the_memory_of_a_process_is_what_it_holds() -> None:
    before = resident_mb(os.getpid())
    held = bytearray(b"." * 200 * MB)
    assert resident_mb(os.getpid()) > before + 0.9 * len(held) / 2**20


def test_the_disk_of_a_directory_is_that_of_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for file in (tmp_path / "one", tmp_path / "below" / "other"):
        file.write_bytes(os.urandom(MB))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(100 * MB)
    assert disk_mb(tmp_path) == pytest.approx(2, rel=0.05)
