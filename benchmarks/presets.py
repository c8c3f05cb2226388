"""How vectors are kept and linked: recall, latency, build, disk and memory, on both engines.

    python benchmarks/presets.py --scale 1/4 [--songs 40000] [--queries 200] [--json FILE]
    python benchmarks/presets.py SPACE …

The first songs, with their payload, are kept in single precision, in half, and in bytes (scalar
quantisation; what it finds is rescored with the vectors, which are read from disk), with several
numbers of links and beams. Recall is against a scan by numpy, unfiltered and under a filter on
genres that leaves a tenth; `scan ms` is what that filter takes the engine by a scan, which a
preset's `full_scan_threshold_kb` decides for: here the graph is walked however few are left. Each
is asked by a process of its own, after a restart of the server; the memory is that of the process
that searches, files that it maps included.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge
from filtered_search import filters_of, questions
from harness import Report, Times, resident_mb, run
from points import bare_manifest, cpu_seconds, first
from qdrant_client import models
from scaled import data_parser, described, space_path
from servers import running_server

from melon.embedding import EmbeddingSpace
from melon.ingest.build import BATCH
from melon.ingest.contents import SparseWeights, contents
from melon.settings import Settings
from melon.store import (
    DENSE,
    Collection,
    Filter,
    Ids,
    Preset,
    ReleaseReader,
    VectorQuery,
    VectorStore,
    open_store,
)
from melon.store.points import Floats
from melon.store.presets import INDEX_SETTINGS, IndexSettings

SONGS, NEAREST, WARM_UP = Collection.SONGS, 100, 20
TENTH = "genre, 10 %"
TOLERANCE = 1e-5
EVERY_KB = 100
"""Thresholds so low that all songs get a graph, and all searches walk it."""

FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"
EMBEDDED, SERVER = "embedded", "server"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to keep and link vectors."""

    kept: str
    m: int
    ef_construct: int

    def __str__(self) -> str:
        return f"{self.kept}, m {self.m}, ef {self.ef_construct}"

    @property
    def settings(self) -> IndexSettings:
        """The same in the store's terms."""
        return IndexSettings(
            m=self.m,
            ef_construct=self.ef_construct,
            indexing_threshold_kb=EVERY_KB,
            full_scan_threshold_kb=EVERY_KB,
            half_precision=self.kept == FLOAT16,
            on_disk=self.kept == INT8,
        )


VARIANTS = [
    *(Variant(kept, 16, 64) for kept in (FLOAT32, FLOAT16, INT8)),
    Variant(FLOAT32, 8, 64),
    Variant(FLOAT32, 16, 128),
    Variant(FLOAT32, 32, 128),
]


def main() -> None:
    """Build and ask every variant on each engine."""
    args = _arguments()
    if args.variant is not None:
        _act(args)
        return
    space = space_path(args)
    described_data = described(EmbeddingSpace.load(space)) | {"first songs": args.songs}
    report = Report("presets", described_data)
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        for number, variant in enumerate(VARIANTS):
            directory = Path(scratch) / str(number)
            with running_server(directory / "node") as server:
                command = [sys.executable, __file__, str(space), "--variant", str(number)]
                command += ["--songs", str(args.songs), "--queries", str(args.queries)]
                command += ["--grpc-port", str(server.grpc_port), "--pid", str(server.pid)]
                for engine, where in (
                    (EMBEDDED, ["--path", str(directory / EMBEDDED)]),
                    (SERVER, ["--url", server.url]),
                ):
                    figures: dict[str, float] = {}
                    for act in ("build", "ask"):
                        path = directory / f"{act}.json"
                        taken = run([*command, *where, f"--{act}", "--json", str(path)])
                        figures |= json.loads(path.read_text())
                        if engine == SERVER and act == "build":
                            server.restart()
                            command[-1] = str(server.pid)
                    if engine == EMBEDDED:
                        figures["memory MB"] = taken.peak_mb
                    report.add(engine, str(variant), figures)
    report.conclude(args.json)


def _act(args: argparse.Namespace) -> None:
    """Build or ask one variant on one engine, in this process."""
    space = EmbeddingSpace.load(args.space)
    variant = VARIANTS[args.variant]
    if variant.kept == INT8:
        _quantise()
    figures = _build(args, space, variant) if args.build else _ask(args, space)
    args.json.write_text(json.dumps(figures))


def _quantise() -> None:
    """Have whatever this process builds quantised, and rescored when it is asked.

    No preset does this, so that the store has no setting for it.
    """
    in_memory = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
    models.VectorParams = partial(  # type: ignore[assignment,misc]
        models.VectorParams, quantization_config=models.ScalarQuantization(scalar=in_memory)
    )
    edge.EdgeConfig = partial(  # type: ignore[assignment,misc]
        edge.EdgeConfig,
        quantization_config=edge.ScalarQuantizationConfig(edge.ScalarType.Int8, always_ram=True),
    )
    engines: tuple[Any, ...] = (models, edge)
    for engine in engines:
        rescored = engine.QuantizationSearchParams(rescore=True)
        engine.SearchParams = partial(engine.SearchParams, quantization=rescored)


def _store(args: argparse.Namespace) -> VectorStore:
    settings = Settings(qdrant_grpc_port=args.grpc_port, qdrant_timeout=600)
    return open_store(settings, url=args.url, path=args.path)


def _build(args: argparse.Namespace, space: EmbeddingSpace, variant: Variant) -> dict[str, float]:
    INDEX_SETTINGS[Preset.BALANCED] = variant.settings
    part = first(contents(space, SparseWeights())[SONGS], args.songs)
    manifest = bare_manifest(space, "r1")
    with _store(args) as store:
        builder = store.build(manifest)
        for start in range(0, len(part), BATCH):
            builder.upsert(SONGS, part.batch(start, start + BATCH))
        cpu = _engine_seconds(args)
        builder.finish()
        seconds = _engine_seconds(args) - cpu
        builder.seal()
        store.promote("r1")
    return {"index CPU s": seconds, "disk MB": _disk_mb(args.path or args.json.parent / "node")}


def _disk_mb(store: Path) -> float:
    """What the songs take, without the log of writes; a server may remove files meanwhile."""
    blocks = 0
    for directory, _, names in os.walk(store):
        inside = Path(directory).relative_to(store).parts
        if "wal" in inside or not any(SONGS in part for part in inside):
            continue
        for name in names:
            with suppress(FileNotFoundError):
                blocks += Path(directory, name).stat().st_blocks
    return blocks * 512 / 1e6


def _engine_seconds(args: argparse.Namespace) -> float:
    """Processor time of the engine: the server, or this process and its children."""
    return cpu_seconds(args.pid) if args.url else sum(os.times()[:4])


def _ask(args: argparse.Namespace, space: EmbeddingSpace) -> dict[str, float]:
    vectors = questions(space, args.queries + WARM_UP)
    known = space.song_vectors[: args.songs]
    lengths = np.maximum(np.linalg.norm(known, axis=1, keepdims=True), 1e-12)
    scores = vectors @ (known / lengths).T
    row_of = {song: row for row, song in enumerate(space.song_ids[: args.songs].tolist())}
    tenth = filters_of(space)[TENTH]
    with _store(args) as store:
        reader = store.open()
        passing = reader.find(SONGS, tenth, len(row_of), payload=False)
        free, nearest = _asked(reader, vectors, None, exact=False)
        filtered, nearest_of_tenth = _asked(reader, vectors, tenth, exact=False)
        scanned, _ = _asked(reader, vectors, tenth, exact=True)
    allowed = [row_of[record.id] for record in passing]
    figures = {
        "recall": share_found(nearest, scores, row_of, list(row_of.values())),
        "recall, 10 %": share_found(nearest_of_tenth, scores, row_of, allowed),
        "p50 ms": free.percentile(50),
        "p50 ms, 10 %": filtered.percentile(50),
        "scan ms": scanned.percentile(50),
        "least ms": 1000 * min(free.seconds),
        "least ms, 10 %": 1000 * min(filtered.seconds),
        "least scan ms": 1000 * min(scanned.seconds),
    }
    if args.url:
        figures["memory MB"] = resident_mb(args.pid)
    return figures


def _asked(
    reader: ReleaseReader, vectors: Floats, filter: Filter | None, *, exact: bool
) -> tuple[Times, list[Ids]]:
    """What each query took, and its hits."""
    seconds, nearest = [], []
    for vector in vectors:
        query = VectorQuery(vector, DENSE, NEAREST, filter, exact=exact)
        start = time.perf_counter()
        [hits] = reader.query(SONGS, [query])
        seconds.append(time.perf_counter() - start)
        nearest.append(hits.ids)
    return Times(tuple(seconds[WARM_UP:])), nearest


def share_found(
    nearest: list[Ids], scores: Floats, row_of: dict[int, int], allowed: list[int]
) -> float:
    """The share of the nearest that are hits; one as near as the hundredth counts."""
    shares = []
    for ids, similarities in zip(nearest, scores, strict=True):
        least = np.partition(similarities[allowed], -NEAREST)[-NEAREST]
        near = similarities[[row_of[song] for song in ids]] >= least - TOLERANCE
        shares.append(np.sum(near) / NEAREST)
    return float(np.mean(shares))


def _arguments() -> argparse.Namespace:
    made = data_parser(__doc__)
    made.add_argument("--songs", type=int, default=40_000)
    made.add_argument("--queries", type=int, default=200)
    for internal in ("--variant", "--grpc-port", "--pid"):
        made.add_argument(internal, type=int, help=argparse.SUPPRESS)
    for internal in ("--build", "--ask"):
        made.add_argument(internal, action="store_true", help=argparse.SUPPRESS)
    made.add_argument("--url", help=argparse.SUPPRESS)
    made.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    return made.parse_args()


if __name__ == "__main__":
    main()
