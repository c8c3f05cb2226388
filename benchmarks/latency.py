"""Latency of queries on real songs: both engines beside gensim, on the same vectors, in one run.

    python benchmarks/latency.py SPACE --path STORE [--url URL] [--queries 300] [--json FILE]

The songs' nearest 100 by cosine, without and with constraints, and whole continuations by the
default strategy (20 seeds, 100 songs, 10 tags, with what is shown of them). One client, after a
warm-up; the methods take turns query by query, so that a noisy machine is equally noisy to all.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from circumstances import circumstances

from melon.embedding import EmbeddingSpace
from melon.retrieval import Constraints, PlaylistQuery, Retriever
from melon.settings import load_settings
from melon.store import DENSE, Collection, Filter, VectorQuery, open_store

NEAREST = 100
SEEDS, SONGS, TAGS = 20, 100, 10
WARM_UP = 20

FILTERS: dict[str, Filter] = {
    "no constraint": Filter(),
    "popularity >= 10": Constraints(min_popularity=10).to_filter({}),
    "popularity 3 to 9": Constraints(min_popularity=3, max_popularity=9).to_filter({}),
    "1,000 songs excluded": Constraints(exclude_songs=tuple(range(1000))).to_filter({}),
}

Answer = Callable[[int], object]


def main() -> None:
    """Measure, print the table, keep the figures."""
    args = _arguments()
    space = EmbeddingSpace.load(args.space)
    rng = np.random.default_rng(0)
    known = np.flatnonzero(space.song_vectors.any(axis=1) & (space.song_popularity >= 3))
    rows = rng.choice(known, args.queries + WARM_UP)
    stores = {"embedded": open_store(load_settings({}), path=args.path)}
    if args.url:
        stores["server"] = open_store(load_settings({}), url=args.url)
    retrievers = {engine: Retriever(store) for engine, store in stores.items()}
    playlists = _long_playlists(space, rng, args.queries + WARM_UP)

    measured: dict[str, dict[str, dict[str, float]]] = {}
    for name, filter in FILTERS.items():
        methods: dict[str, Answer] = {
            engine: _nearest(retriever, space, rows, filter)
            for engine, retriever in retrievers.items()
        }
        if not filter:
            methods["gensim"] = _gensim(space, rows)
        measured[f"nearest {NEAREST} songs, {name}"] = _take_turns(methods, args.queries)
    methods = {engine: _continuation(r, playlists) for engine, r in retrievers.items()}
    measured[f"continuation, {SEEDS} seeds"] = _take_turns(methods, args.queries)

    for what, figures in measured.items():
        for method, times in figures.items():
            print(f"{what:<42} {method:<9} p50 {times['p50']:7.2f}  p95 {times['p95']:7.2f} ms")
    if args.json:
        engines = {engine: store.engine_version() for engine, store in stores.items()}
        report = {**circumstances(engines), "songs": len(space.song_ids), "ms": measured}
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    for store in stores.values():
        store.close()


def _nearest(
    retriever: Retriever, space: EmbeddingSpace, rows: Sequence[int], filter: Filter
) -> Answer:
    def ask(number: int) -> object:
        vector = np.asarray(space.song_vectors[rows[number]])
        query = VectorQuery(vector, DENSE, NEAREST, filter or None, ef=256)
        return retriever.reader.query(Collection.SONGS, [query])

    return ask


def _gensim(space: EmbeddingSpace, rows: Sequence[int]) -> Answer:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(space.dim)
    placed = space.song_vectors.any(axis=1)
    vectors.add_vectors(space.song_ids[placed].tolist(), np.asarray(space.song_vectors[placed]))
    vectors.fill_norms()
    return lambda number: vectors.similar_by_vector(
        np.asarray(space.song_vectors[rows[number]]), topn=NEAREST
    )


def _continuation(retriever: Retriever, playlists: Sequence[PlaylistQuery]) -> Answer:
    return lambda number: retriever.recommend(playlists[number], songs=SONGS, tags=TAGS)


def _long_playlists(
    space: EmbeddingSpace, rng: np.random.Generator, count: int
) -> list[PlaylistQuery]:
    """The first seeds of playlists that hold more, each its own id, so that it is not found."""
    lists = space.playlists["songs"].to_pylist()
    long = [row for row, songs in enumerate(lists) if len(songs) > SEEDS]
    chosen = rng.choice(long, count)
    ids = space.playlist_ids
    return [
        PlaylistQuery(songs=tuple(lists[row][:SEEDS]), playlist=int(ids[row])) for row in chosen
    ]


def _take_turns(methods: dict[str, Answer], queries: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each method, its p50, p95 and mean over the queries."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    for number in range(queries + WARM_UP):
        for name, ask in methods.items():
            start = time.perf_counter()
            ask(number)
            if number >= WARM_UP:
                times[name].append(1000 * (time.perf_counter() - start))
    return {
        name: {
            "p50": float(np.percentile(own, 50)),
            "p95": float(np.percentile(own, 95)),
            "mean": float(np.mean(own)),
        }
        for name, own in times.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("space", type=Path, help="the space that the stores were made from")
    parser.add_argument("--path", type=Path, required=True, help="embedded store")
    parser.add_argument("--url", help="Qdrant server that holds the same space")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--json", type=Path, help="where the figures are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
