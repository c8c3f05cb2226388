"""Nearest songs: both engines beside gensim, on the same vectors of real songs, in one run.

    python benchmarks/latency.py SPACE --path STORE [--url URL] [--queries 300] [--json FILE]

The songs' nearest 100 by cosine, without and with constraints. One client, after a warm-up; the
methods take turns query by query. benchmarks/continuation.py times whole continuations.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from harness import Call, Report, parser, take_turns

from melon.embedding import EmbeddingSpace
from melon.retrieval import Constraints, Retriever
from melon.settings import load_settings
from melon.store import DENSE, Collection, Filter, VectorQuery, open_store

NEAREST = 100
WARM_UP = 20

FILTERS: dict[str, Filter] = {
    "no constraint": Filter(),
    "popularity >= 10": Constraints(min_popularity=10).to_filter({}),
    "popularity 3 to 9": Constraints(min_popularity=3, max_popularity=9).to_filter({}),
    "1,000 songs excluded": Constraints(exclude_songs=tuple(range(1000))).to_filter({}),
}


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

    report = Report("latency", {"songs": len(space.song_ids), "queries": args.queries})
    report.engines = {engine: store.engine_version() for engine, store in stores.items()}
    for name, filter in FILTERS.items():
        methods: dict[str, Call] = {
            engine: _nearest(retriever, space, rows, filter)
            for engine, retriever in retrievers.items()
        }
        if not filter:
            methods["gensim"] = _gensim(space, rows)
        turns = take_turns(methods, args.queries, warm_up=WARM_UP)
        report.add_turns(f"nearest {NEAREST} songs, {name}", turns, against=list(methods)[-1])
    report.conclude(args.json)
    for store in stores.values():
        store.close()


def _nearest(
    retriever: Retriever, space: EmbeddingSpace, rows: Sequence[int], filter: Filter
) -> Call:
    def ask(number: int) -> object:
        vector = np.asarray(space.song_vectors[rows[number]])
        query = VectorQuery(vector, DENSE, NEAREST, filter or None)
        return retriever.reader.query(Collection.SONGS, [query])

    return ask


def _gensim(space: EmbeddingSpace, rows: Sequence[int]) -> Call:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(space.dim)
    placed = space.song_vectors.any(axis=1)
    vectors.add_vectors(space.song_ids[placed].tolist(), np.asarray(space.song_vectors[placed]))
    vectors.fill_norms()
    return lambda number: vectors.similar_by_vector(
        np.asarray(space.song_vectors[rows[number]]), topn=NEAREST
    )


def _arguments() -> argparse.Namespace:
    own = parser(__doc__)
    own.add_argument("space", type=Path, help="the space that the stores were made from")
    own.add_argument("--path", type=Path, required=True, help="embedded store")
    own.add_argument("--url", help="Qdrant server that holds the same space")
    own.add_argument("--queries", type=int, default=300)
    return own.parse_args()


if __name__ == "__main__":
    main()
