"""`melon serve` beside the same queries through the Python API, and as more clients ask at once.

    python benchmarks/service.py STORE [--rounds 5] [--seconds 8] [--requests 50000] [--json FILE]
    python benchmarks/service.py http://localhost:6333 …

One process asks by `Retriever.recommend`, one query after the other; services of one and of two
processes are asked by one client, and by 16 at once. All take turns of some seconds, each with what
it has read before. Then 16 clients send so many requests, and the memory of the service is read
meanwhile.

The clients are wrk's (`apt install wrk`): those in Python would take much of the cores that answer.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import numpy as np
from harness import Report, Times, environment, parser, resident_mb

import melon
from melon.store import Collection

QUESTIONS = 240
CLIENTS = 16
TICKS = os.sysconf("SC_CLK_TCK")

Question = dict[str, Any]


def main() -> None:
    """Measure, print the table, keep the figures."""
    options = parser(__doc__)
    options.add_argument("store", help="directory of an embedded store, or URL of a server")
    options.add_argument("--rounds", type=int, default=5, help="turns of each")
    options.add_argument("--seconds", type=int, default=8, help="of a turn")
    options.add_argument("--requests", type=int, default=50_000, help="while memory is read")
    args = options.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed, which sends the requests: apt install wrk")
    url = args.store if "://" in args.store else None
    place: dict[str, str] = {"url": url} if url else {"path": args.store}
    questions = drawn(place)
    report = Report("service", {"questions": len(questions), "rounds": args.rounds})
    with ExitStack() as stack:
        file = Path(stack.enter_context(TemporaryDirectory())) / "questions"
        file.write_text("".join(json.dumps(question) + "\n" for question in questions))
        python = stack.enter_context(in_python(place, questions))
        one = stack.enter_context(service(place, 1, file))
        two = stack.enter_context(service(place, 2, file))
        asked: dict[str, Ask] = {
            "Python API": python,
            "1 process, 1 client": lambda seconds: ask(one, 1, seconds),
            f"1 process, {CLIENTS} clients": lambda seconds: ask(one, CLIENTS, seconds),
            "2 processes, 1 client": lambda seconds: ask(two, 1, seconds),
            f"2 processes, {CLIENTS} clients": lambda seconds: ask(two, CLIENTS, seconds),
        }
        figures = in_turns(asked, args.rounds, args.seconds)
        for name, row in figures.items():
            report.add("queries", name, row, against=compared(name, figures), by="requests/s")
        report.add("memory", "2 processes", memory(two, args.requests))
    report.conclude(args.json)


def compared(name: str, figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """What a row's rate is compared with."""
    others = {"Python API": None, "2 processes, 16 clients": "1 process, 16 clients"}
    other = others.get(name, "Python API")
    return {other: figures[other]} if other else {}


def drawn(place: dict[str, str]) -> list[Question]:
    """Questions of parts of playlists: songs, songs and tags, titles, tags."""
    rng = np.random.default_rng(0)
    with melon.open(**place) as retriever:
        fields = ("songs", "tags", "title")
        some = retriever.reader.find(Collection.PLAYLISTS, None, 20_000, payload=fields)
    found: list[Question] = []
    for number in rng.permutation(len(some)).tolist():
        payload = some[number].payload
        songs, tags = payload.get("songs", [])[:20], payload.get("tags", [])[:2]
        title = payload.get("title", "").strip()
        kind = len(found) % 10
        question = (
            {"songs": songs}
            if kind < 4
            else {"songs": songs[:5], "tags": tags}
            if kind < 7
            else {"title": title}
            if kind < 9
            else {"tags": tags}
        )
        if all(question.values()):
            found.append(question)
        if len(found) == QUESTIONS:
            break
    return found


@dataclass(frozen=True)
class Asked:
    """A turn: how many were answered, in what time, and what those who asked and answered took.

    Attributes:
        wall: seconds by the clock.
        p50, p95: milliseconds until an answer.
        cpu: seconds of the processors of who answers.
        clients: the same of who asks, where that is another process.
    """

    requests: int
    wall: float
    p50: float
    p95: float
    cpu: float
    clients: float = 0.0


Ask = Callable[[float], Asked]
"""Asks for so many seconds."""


def in_turns(asked: dict[str, Ask], rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Have all methods ask until they have read what they need, then each after the other."""
    for method in asked.values():
        answered = 0
        while answered < 2 * QUESTIONS:
            answered += method(seconds).requests
    turns: dict[str, list[Asked]] = {name: [] for name in asked}
    for number in range(rounds):
        names = list(asked)
        for name in reversed(names) if number % 2 else names:
            turns[name].append(asked[name](seconds))
    return {name: summary(of) for name, of in turns.items()}


def summary(turns: Sequence[Asked]) -> dict[str, float]:
    """Medians of the turns: what else the machine does hits some of them."""
    figures = {
        "requests/s": [turn.requests / turn.wall for turn in turns],
        "p50 ms": [turn.p50 for turn in turns],
        "p95 ms": [turn.p95 for turn in turns],
        "CPU ms": [1000 * turn.cpu / turn.requests for turn in turns],
        "clients' CPU ms": [1000 * turn.clients / turn.requests for turn in turns],
    }
    return {name: float(np.median(of)) for name, of in figures.items()}


@contextmanager
def in_python(place: dict[str, str], questions: Sequence[Question]) -> Iterator[Ask]:
    """A process of its own that asks by the Python API."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=answer_questions, args=(place, questions, there))
    process.start()

    def asked(seconds: float) -> Asked:
        here.send(seconds)
        return Asked(*here.recv())

    yield asked
    here.send(None)
    process.join()


def answer_questions(
    place: dict[str, str], questions: Sequence[Question], there: Connection
) -> None:
    """Answer questions for as many seconds as are asked for, until that is None."""
    with melon.open(**place) as retriever:
        while (seconds := there.recv()) is not None:
            taken = []
            began, cpu = time.perf_counter(), time.process_time()
            for question in cycle(questions):
                start = time.perf_counter()
                if start - began > seconds:
                    break
                retriever.recommend(**question)
                taken.append(time.perf_counter() - start)
            wall, cpu = time.perf_counter() - began, time.process_time() - cpu
            times = Times(tuple(taken))
            there.send((len(taken), wall, times.percentile(50), times.percentile(95), cpu))


@dataclass(frozen=True)
class Service:
    """A running service, and the ids of the processes that answer."""

    url: str
    questions: Path
    answering: Sequence[int]

    def cpu(self) -> float:
        """Seconds of the processors that they took so far."""
        total = 0
        for pid in self.answering:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS


@contextmanager
def service(place: dict[str, str], workers: int, questions: Path) -> Iterator[Service]:
    """`melon serve` on a free port, once it answers."""
    where = [f"--{name}={value}" for name, value in place.items()]
    command = [sys.executable, "-m", "melon.cli", "serve", "--port=0", f"--workers={workers}"]
    with subprocess.Popen(
        [*command, *where], env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            said = (re.match(r"(http\S+) is the page", line) for line in process.stderr)
            url = next(filter(None, said))[1]
            with urlopen(f"{url}/health", timeout=60):
                pass
            pids = [process.pid] if workers == 1 else workers_of(process.pid)
            yield Service(url, questions, pids)
        finally:
            process.send_signal(signal.SIGTERM)


def workers_of(pid: int) -> list[int]:
    """The processes that a service has started to answer."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    command = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [int(child) for child in children if b"spawn_main" in command[child]]


def ask(service: Service, clients: int, seconds: float) -> Asked:
    """Have so many clients ask the questions, each the next one when it has its answer.

    Raises:
        RuntimeError: one was not answered.
    """
    script = Path(__file__).with_suffix(".lua")
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout=60s", f"-s{script}"]
    asking, cpu = children_cpu(), service.cpu()
    done = subprocess.run(
        [*command, f"{service.url}/api/v1/query", "--", str(service.questions)],
        check=True,
        capture_output=True,
        text=True,
    )
    asking, cpu = children_cpu() - asking, service.cpu() - cpu
    found = json.loads(done.stdout.splitlines()[-1])
    if wrong := found.pop("wrong"):
        raise RuntimeError(f"{wrong} of {found['requests']} failed")
    return Asked(**found, cpu=cpu, clients=asking)


def children_cpu() -> float:
    """Seconds of the processors that ended processes of this one took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory(service: Service, requests: int) -> dict[str, float]:
    """Memory after a tenth of the requests, at its most after that, and at the end."""
    answered, resident = 0, []
    while answered < requests:
        answered += ask(service, CLIENTS, 10).requests
        resident.append((answered, sum(map(resident_mb, service.answering))))
    after = [mb for number, mb in resident if number >= requests / 10]
    return {
        "requests": float(answered),
        "MB early": after[0],
        "MB most": max(after),
        "MB late": after[-1],
    }


if __name__ == "__main__":
    main()
