"""A cluster beside one server: what it costs to build and to ask, and what it survives.

    python benchmarks/cluster.py SPACE [--nodes 3] [--shards 3] [--replicas 2] [--json FILE]

Starts one Qdrant server, then that many as a cluster on the loopback interface, and makes SPACE
the live release of each. Both answer the same queries, in turns. Then a node of the cluster is
killed, and the same queries are asked of the others. All nodes share this machine's processors:
the times are what coordination costs, not what more machines gain.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from harness import Call, Report, disk_mb, parser, resident_mb, take_turns
from servers import Server, running_cluster, running_server

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval import PlaylistQuery, Retriever
from melon.settings import Settings
from melon.store import DENSE, Collection, VectorQuery, VectorStore, open_store

NEAREST = 100
SEEDS, SONGS, TAGS = 20, 100, 10
WARM_UP = 50
RECALL_QUERIES = 100


def main() -> None:
    """Build both, ask both, kill a node, ask again."""
    args = _arguments()
    space = EmbeddingSpace.load(args.space)
    report = Report(
        "cluster",
        {
            "space": space.hash[:12],
            "songs": len(space.song_ids),
            "playlists": len(space.playlist_ids),
            "dimensions": space.dim,
            "nodes": args.nodes,
            "shards": args.shards,
            "replicas": args.replicas,
        },
    )
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch, ExitStack() as stack:
        one = stack.enter_context(running_server(Path(scratch) / "one"))
        nodes = stack.enter_context(running_cluster(args.nodes, Path(scratch) / "cluster"))
        together = Settings(shard_number=args.shards, replication_factor=args.replicas)
        single = _build(report, "one server", space, [one], Settings())
        cluster = _build(report, f"{args.nodes} nodes", space, nodes, together)
        stack.callback(single.close)
        stack.callback(cluster.close)
        report.engines = {"server": single.engine_version()}

        asked = _Asked(space, args.queries + WARM_UP)
        _compare(report, asked, {"one server": single, f"{args.nodes} nodes": cluster})
        nodes[-1].kill()
        _compare(report, asked, {"one server": single, "one node killed": cluster})
    report.conclude(args.json)


def _build(
    report: Report,
    method: str,
    space: EmbeddingSpace,
    servers: Sequence[Server],
    settings: Settings,
) -> VectorStore:
    """Ingest into the first of the servers; how long it took, and what the servers hold then."""
    first = servers[0]
    settings = settings.model_copy(update={"qdrant_grpc_port": first.grpc_port})
    store = open_store(settings, url=first.url)
    start = time.perf_counter()
    ingest(space, store)
    seconds = time.perf_counter() - start
    memory = [resident_mb(server.pid) for server in servers]
    disk = sum(disk_mb(server.node.directory) for server in servers)
    report.add(
        "ingest",
        method,
        {"s": seconds, "RSS MB, largest node": max(memory), "RSS MB": sum(memory), "disk MB": disk},
    )
    return store


class _Asked:
    """The queries: single vectors, and playlists of `SEEDS` songs."""

    def __init__(self, space: EmbeddingSpace, count: int) -> None:
        rng = np.random.default_rng(0)
        known = np.flatnonzero(space.song_vectors.any(axis=1))
        self.vectors = np.asarray(space.song_vectors[rng.choice(known, count)])
        lists = space.playlists["songs"].to_pylist()
        long = [row for row, songs in enumerate(lists) if len(songs) > SEEDS]
        self.playlists = [
            PlaylistQuery(songs=tuple(lists[row][:SEEDS]), playlist=int(space.playlist_ids[row]))
            for row in rng.choice(long, count)
        ]

    def __len__(self) -> int:
        return len(self.playlists)


def _compare(report: Report, asked: _Asked, stores: dict[str, VectorStore]) -> None:
    retrievers = {name: Retriever(store) for name, store in stores.items()}
    first = next(iter(retrievers))
    repeats = len(asked) - WARM_UP
    nearest = take_turns(
        {name: _nearest(retriever, asked) for name, retriever in retrievers.items()},
        repeats,
        warm_up=WARM_UP,
    )
    report.add_turns(f"nearest {NEAREST} songs", nearest, against=first)
    continued = take_turns(
        {name: _continuation(retriever, asked) for name, retriever in retrievers.items()},
        repeats,
        warm_up=WARM_UP,
    )
    report.add_turns(f"continuation, {SEEDS} seeds", continued, against=first)
    for name, retriever in retrievers.items():
        report.add(f"recall@{NEAREST}", name, {"recall": _recall(retriever, asked)})


def _nearest(retriever: Retriever, asked: _Asked) -> Call:
    return lambda number: retriever.reader.query(
        Collection.SONGS, [VectorQuery(asked.vectors[number], DENSE, NEAREST)]
    )


def _continuation(retriever: Retriever, asked: _Asked) -> Call:
    return lambda number: retriever.recommend(asked.playlists[number], limit=SONGS, tag_limit=TAGS)


def _recall(retriever: Retriever, asked: _Asked) -> float:
    """The share of the truly nearest that the index finds."""
    by_way = []
    for exact in (False, True):
        queries = [
            VectorQuery(vector, DENSE, NEAREST, exact=exact)
            for vector in asked.vectors[:RECALL_QUERIES]
        ]
        answers = retriever.reader.query(Collection.SONGS, queries)
        by_way.append([{hit.id for hit in hits} for hits in answers])
    shares = [len(some & all_) / len(all_) for some, all_ in zip(*by_way, strict=True)]
    return float(np.mean(shares))


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("space", type=Path, help="what `melon train` made")
    options.add_argument("--nodes", type=int, default=3)
    options.add_argument("--shards", type=int, default=3, help="of each collection")
    options.add_argument("--replicas", type=int, default=2, help="copies of each shard")
    options.add_argument("--queries", type=int, default=200)
    options.add_argument("--scratch", type=Path, help="where the servers keep their data meanwhile")
    return options.parse_args()


if __name__ == "__main__":
    main()
