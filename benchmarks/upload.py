"""Points per second to a server: melon's upload beside qdrant-client's, all four collections.

    python benchmarks/upload.py --scale 1/4 [--points 50000] [--repeats 3] [--json FILE]
    python benchmarks/upload.py SPACE …

The same points, payloads and sparse vectors: by melon, by qdrant-client's `upload_points` with its
defaults and by its `upsert` of as many points at a time as melon sends, both into collections like
melon's (nothing is indexed before all is there), and by `upload_points` into collections with their
payload indexes and HNSW as they are by default. Each in a process of its own, in turns, until the
server has applied every point.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from itertools import islice

import apart
from harness import Report
from points import BATCH, bare_manifest, cpu_seconds, create, first, structs, wait_for_updates
from qdrant_client import QdrantClient
from scaled import data_parser, described, space_path

from melon.embedding import EmbeddingSpace
from melon.ingest.build import in_turns
from melon.ingest.contents import SparseWeights, contents
from melon.settings import Settings
from melon.store import Collection, open_store
from melon.store.schema import collection_name

MELON, CLIENT, UPSERT = "melon", "upload_points", "upsert"
INDEXED = "upload_points, indexed as it comes"
METHODS = (MELON, CLIENT, UPSERT, INDEXED)


def main() -> None:
    """Run every method in turns, each in a process of its own."""
    args = _arguments()
    if args.method:
        _upload(args)
        return
    space = space_path(args)
    report = Report("upload", described(EmbeddingSpace.load(space)) | {"most points": args.points})
    command = [__file__, str(space), "--points", str(args.points)]
    measured = apart.runs_of(METHODS, command, repeats=args.repeats, scratch=args.scratch)
    base = apart.medians(measured[CLIENT])
    for method, runs in measured.items():
        spread = [run["points/s"] for run in runs]
        figures = apart.medians(runs)
        figures |= {"least points/s": min(spread), "most points/s": max(spread)}
        report.add("upload", method, figures, against={CLIENT: base} if method != CLIENT else None)
    report.conclude(args.json)


def _upload(args: argparse.Namespace) -> None:
    """One method, in this process; the clock starts when the space is laid out."""
    space = EmbeddingSpace.load(args.space)
    laid_out = {
        name: first(part, args.points) for name, part in contents(space, SparseWeights()).items()
    }
    total = sum(map(len, laid_out.values()))
    settings = Settings(qdrant_grpc_port=args.grpc_port, qdrant_timeout=600)
    if args.method == MELON:
        with open_store(settings, url=args.url) as store:
            builder = store.build(bare_manifest(space, "r1"))
            clock = _Clock(args.pid)
            for name, batch in in_turns(laid_out):
                builder.upsert(name, batch)
            with closing(QdrantClient(args.url, timeout=600, check_compatibility=False)) as client:
                for name in Collection:
                    wait_for_updates(client, collection_name(settings.prefix, name, "r1"))
            taken = clock.figures(total)
            builder.abandon()
    else:
        with closing(QdrantClient(args.url, timeout=600, check_compatibility=False)) as client:
            for name in Collection:
                create(client, name, name, space.dim, indexes=args.method == INDEXED)
            clock = _Clock(args.pid)
            for name, part in laid_out.items():
                points = structs(name, part, len(part))
                if args.method == UPSERT:
                    while some := list(islice(points, BATCH)):
                        client.upsert(name, some, wait=False)
                else:
                    client.upload_points(name, points)
            for name in Collection:
                wait_for_updates(client, name)
            taken = clock.figures(total)
    args.json.write_text(json.dumps(taken))


class _Clock:
    """Time from now on: by the clock, of this process and of the server."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._began = self._now()

    def _now(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), cpu_seconds(self._server)

    def figures(self, points: int) -> dict[str, float]:
        seconds, client, server = (
            now - then for now, then in zip(self._now(), self._began, strict=True)
        )
        return {
            "points/s": points / seconds,
            "s": seconds,
            "client CPU µs/point": 1e6 * client / points,
            "server CPU µs/point": 1e6 * server / points,
        }


def _arguments() -> argparse.Namespace:
    made = data_parser(__doc__)
    made.add_argument("--points", type=int, default=10**9, help="at most, of each collection")
    made.add_argument("--repeats", type=int, default=3)
    apart.add_arguments(made)
    return made.parse_args()


if __name__ == "__main__":
    main()
