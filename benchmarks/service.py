"""`melon serve` beside the same queries through the Python API, and as more clients ask at once.

    python benchmarks/service.py STORE [--rounds 5] [--requests 50000] [--json FILE]
    python benchmarks/service.py http://localhost:6333 …

One process asks by `Retriever.recommend`, one after the other; services of one and of two processes
are asked by one client, and by 16 at once. All take turns, each with what it has read before. Then
16 clients send so many requests, and the memory of the service is read meanwhile.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from harness import Report, Times, environment, parser, resident_mb

import melon
from melon.store import Collection

QUESTIONS = 240
CLIENTS = 16
PART = 80
SAMPLES = 20
TICKS = os.sysconf("SC_CLK_TCK")

Question = dict[str, Any]


def main() -> None:
    """Measure, print the table, keep the figures."""
    options = parser(__doc__)
    options.add_argument("store", help="directory of an embedded store, or URL of a server")
    options.add_argument("--rounds", type=int, default=5, help="parts of the questions, in turns")
    options.add_argument("--requests", type=int, default=50_000, help="while memory is read")
    args = options.parse_args()
    url = args.store if "://" in args.store else None
    place: dict[str, str] = {"url": url} if url else {"path": args.store}
    questions = drawn(place)
    report = Report("service", {"questions": len(questions), "rounds": args.rounds})
    with ExitStack() as stack:
        python = stack.enter_context(in_python(place))
        one = stack.enter_context(service(place, 1))
        two = stack.enter_context(service(place, 2))
        asked = {
            "Python API": lambda part: python(part),
            "1 process, 1 client": lambda part: ask(one, part, 1),
            f"1 process, {CLIENTS} clients": lambda part: ask(one, part, CLIENTS),
            "2 processes, 1 client": lambda part: ask(two, part, 1),
            f"2 processes, {CLIENTS} clients": lambda part: ask(two, part, CLIENTS),
        }
        figures = in_turns(asked, questions, args.rounds)
        for name, row in figures.items():
            report.add("queries", name, row, against=compared(name, figures), by="requests/s")
        report.add("memory", "1 process", memory(one, questions, args.requests))
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
    """A part of the questions: what each took, all of it by the clock, and of the processors."""

    seconds: list[float]
    wall: float
    cpu: float


def in_turns(
    asked: dict[str, Callable[[Sequence[Question]], Asked]],
    questions: Sequence[Question],
    rounds: int,
) -> dict[str, dict[str, float]]:
    """Ask all questions twice, unmeasured, then in parts, each method after the other."""
    for method in asked.values():
        method(questions)
        method(questions)
    parts: dict[str, list[Asked]] = {name: [] for name in asked}
    for number in range(rounds):
        start = number * PART % len(questions)
        names = list(asked)
        for name in reversed(names) if number % 2 else names:
            parts[name].append(asked[name](questions[start : start + PART]))
    return {name: summary(of) for name, of in parts.items()}


def summary(parts: Sequence[Asked]) -> dict[str, float]:
    """Rates are medians of the parts: what else the machine does hits some of them."""
    times = Times(tuple(seconds for part in parts for seconds in part.seconds))
    return {
        "requests/s": float(np.median([len(part.seconds) / part.wall for part in parts])),
        "p50 ms": times.percentile(50),
        "p95 ms": float(np.median([Times(tuple(one.seconds)).percentile(95) for one in parts])),
        "CPU ms": float(np.median([1000 * part.cpu / len(part.seconds) for part in parts])),
    }


@contextmanager
def in_python(place: dict[str, str]) -> Iterator[Callable[[Sequence[Question]], Asked]]:
    """A process of its own that asks by the Python API."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=answer_questions, args=(place, there))
    process.start()

    def asked(part: Sequence[Question]) -> Asked:
        here.send(list(part))
        return Asked(*here.recv())

    yield asked
    here.send(None)
    process.join()


def answer_questions(place: dict[str, str], there: Connection) -> None:
    """Answer lists of questions until there is None."""
    with melon.open(**place) as retriever:
        while (part := there.recv()) is not None:
            seconds = []
            began, cpu = time.perf_counter(), time.process_time()
            for question in part:
                start = time.perf_counter()
                retriever.recommend(**question)
                seconds.append(time.perf_counter() - start)
            there.send((seconds, time.perf_counter() - began, time.process_time() - cpu))


@dataclass(frozen=True)
class Service:
    """A running service, and the ids of the processes that answer."""

    host: str
    port: int
    answering: Sequence[int]

    def cpu(self) -> float:
        """Seconds of the processors that they took so far."""
        total = 0
        for pid in self.answering:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS


@contextmanager
def service(place: dict[str, str], workers: int) -> Iterator[Service]:
    """`melon serve` on a free port, once it answers."""
    where = [f"--{name}={value}" for name, value in place.items()]
    command = [sys.executable, "-m", "melon.cli", "serve", "--port=0", f"--workers={workers}"]
    with subprocess.Popen(
        [*command, *where], env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            found = next(filter(None, (re.match(r"(http\S+)", line) for line in process.stderr)))
            parts = urlsplit(found[1])
            assert parts.hostname
            assert parts.port
            until_ready(parts.hostname, parts.port)
            pids = [process.pid] if workers == 1 else workers_of(process.pid)
            yield Service(parts.hostname, parts.port, pids)
        finally:
            process.send_signal(signal.SIGTERM)


def workers_of(pid: int) -> list[int]:
    """The processes that a service has started to answer."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    command = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [int(child) for child in children if b"spawn_main" in command[child]]


def until_ready(host: str, port: int) -> None:
    """Wait until the service answers."""
    while True:
        try:
            connection = http.client.HTTPConnection(host, port, timeout=60)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)


def ask(service: Service, questions: Sequence[Question], clients: int) -> Asked:
    """Have so many clients ask the questions, each the next one when it has its answer.

    Raises:
        RuntimeError: one was not answered.
    """
    seconds: list[float] = []
    failed: list[str] = []
    numbers = count()
    bodies = [json.dumps(question) for question in questions]

    def client() -> None:
        connection = http.client.HTTPConnection(service.host, service.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        while (number := next(numbers)) < len(bodies):
            start = time.perf_counter()
            connection.request("POST", "/api/v1/query", bodies[number], headers)
            response = connection.getresponse()
            said = response.read()
            seconds.append(time.perf_counter() - start)
            if response.status != 200:
                failed.append(f"{response.status}: {said[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began, cpu = time.perf_counter(), service.cpu()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, cpu = time.perf_counter() - began, service.cpu() - cpu
    if failed or len(seconds) != len(questions):
        raise RuntimeError(f"{len(failed)} of {len(questions)} failed: {failed[:1]}")
    return Asked(seconds, wall, cpu)


def memory(service: Service, questions: Sequence[Question], requests: int) -> dict[str, float]:
    """Memory after a tenth of the requests, at its most after that, and at the end."""
    part = requests // SAMPLES
    many = [questions[number % len(questions)] for number in range(part)]
    resident = []
    for _ in range(SAMPLES):
        ask(service, many, CLIENTS)
        resident.append(sum(map(resident_mb, service.answering)))
    early, late = resident[SAMPLES // 10 - 1], resident[-1]
    return {
        "requests": float(part * SAMPLES),
        "MB early": early,
        "MB most": max(resident[SAMPLES // 10 :]),
        "MB late": late,
    }


if __name__ == "__main__":
    main()
