"""Memory of a process that answers queries from an embedded store, beside the vectors on disk.

    python benchmarks/memory.py SPACE STORE [--queries 300] [--json FILE]

The process opens the store and continues that many playlists. What it has for itself is what the
machine could not give to anything else while it runs (private pages that are not on disk as they
are); what is mapped besides are pages of the store's files, which the system takes back when
others need the memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from continuation import SONGS, TAGS, long_playlists
from harness import Report, parser

from melon.embedding import EmbeddingSpace
from melon.retrieval import PlaylistQuery, Retriever
from melon.store.embedded import EmbeddedStore

FIELDS = {"own MB": "Anonymous", "PSS MB": "Pss", "RSS MB": "Rss"}
VECTORS = "vectors on disk"


def main() -> None:
    """Measure in a process of its own, print the table, keep the figures."""
    args = _arguments()
    if args.space is None:
        print(json.dumps(_measure(args.store, json.load(sys.stdin))))
        return
    space = EmbeddingSpace.load(args.space)
    size = sum(path.stat().st_size for path in args.space.glob("*_vectors.npy")) / 1e6
    queries = long_playlists(space, np.random.default_rng(0), args.queries)
    asked = json.dumps([query.model_dump(mode="json") for query in queries])
    done = subprocess.run(
        [sys.executable, __file__, str(args.store)],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    report = Report(
        "memory",
        {"songs": len(space.song_ids), "dim": space.dim, "vectors MB": size},
        {"embedded": EmbeddedStore(args.store).engine_version()},
    )
    for when, megabytes in json.loads(done.stdout).items():
        for name, value in megabytes.items():
            report.add(
                when, name.removesuffix(" MB"), {"MB": value}, against={VECTORS: {"MB": size}}
            )
    report.conclude(args.json)


def _measure(path: Path, asked: list[dict[str, object]]) -> dict[str, dict[str, float]]:
    figures = {"imported": _memory()}
    with EmbeddedStore(path) as store:
        retriever = Retriever(store)
        for number, query in enumerate(asked):
            retriever.recommend(PlaylistQuery.model_validate(query), limit=SONGS, tag_limit=TAGS)
            if number == 0:
                figures["first query"] = _memory()
        figures[f"{len(asked)} queries"] = _memory()
    return figures


def _memory() -> dict[str, float]:
    """Megabytes of this process, as Linux counts them over all its mappings."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return {name: kilobytes[field] * 1024 / 1e6 for name, field in FIELDS.items()}


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument(
        "space", type=Path, nargs="?", help="the space that the store was made from"
    )
    options.add_argument("store", type=Path, help="directory of an embedded store")
    options.add_argument("--queries", type=int, default=300)
    return options.parse_args()


if __name__ == "__main__":
    main()
