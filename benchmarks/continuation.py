"""One continuation by the default strategy: 20 seeds, 100 songs and 10 tags with what is shown.

    python benchmarks/continuation.py SPACE [--path STORE] [--url URL] [--queries 300] [--json FILE]

First, as a new process finds it: the first queries that are asked of an engine, nothing warm. Then
in turns: whole continuations and the raw requests that the same continuations make of the engine,
replayed at the engine's own interface. Then, in turns again, whole continuations and gensim's
`most_similar` over all songs on the same vectors, which leaves the processors' caches swept and its
threads waiting for more. What the caches alone do is seen where, in turns once more, the vectors
are only read; OPENBLAS_NUM_THREADS=1 takes the threads away.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from harness import Call, Report, Times, parser, take_turns
from recording import Request, recording

from melon.embedding import EmbeddingSpace
from melon.retrieval import PlaylistQuery, Retriever
from melon.settings import load_settings
from melon.store import open_store

SEEDS, SONGS, TAGS = 20, 100, 10
WHOLE, RAW, GENSIM = "continuation", "its raw requests", "gensim most_similar"
SWEPT = "all vectors read"


def main() -> None:
    """Measure both engines, print the table, keep the figures."""
    args = _arguments()
    space = EmbeddingSpace.load(args.space)
    playlists = long_playlists(space, np.random.default_rng(0), args.queries)
    report = Report(
        "continuation",
        {
            "songs": len(space.song_ids),
            "playlists": len(space.playlist_ids),
            "dim": space.dim,
            "threads": os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count()),
        },
    )
    most_similar = _most_similar(space, playlists)
    for engine, where in {"embedded": {"path": args.path}, "server": {"url": args.url}}.items():
        if not any(where.values()):
            continue
        with open_store(load_settings({}), **where) as store:
            report.engines[engine] = store.engine_version()
            retriever = Retriever(store)
            first = f"first {len(playlists)} queries of a process, {engine}"
            report.add(first, WHOLE, Times(tuple(_seconds(retriever, playlists))).figures)
            whole, raw = _whole(retriever, playlists), [_requests(retriever, q) for q in playlists]
            for what, other, call in (
                (f"warm, {engine}", RAW, _replay(raw)),
                (f"warm, {engine}, beside reads", SWEPT, lambda _: space.song_vectors.max()),
                (f"warm, {engine}, beside gensim", GENSIM, most_similar),
            ):
                methods = _apart({WHOLE: whole, other: call}, len(playlists))
                turns = take_turns(methods, len(playlists))
                report.add_turns(what, turns, against=other)
    report.conclude(args.json)


def _apart(methods: Mapping[str, Call], count: int) -> dict[str, Call]:
    """Each method asks another query at a time, so that none finds what another has just read."""

    def later(call: Call, by: int) -> Call:
        return lambda number: call((number + by) % count)

    step = count // len(methods)
    return {name: later(call, step * index) for index, (name, call) in enumerate(methods.items())}


def _seconds(retriever: Retriever, playlists: Sequence[PlaylistQuery]) -> list[float]:
    ask = _whole(retriever, playlists)
    seconds = []
    for number in range(len(playlists)):
        start = time.perf_counter()
        ask(number)
        seconds.append(time.perf_counter() - start)
    return seconds


def _whole(retriever: Retriever, playlists: Sequence[PlaylistQuery]) -> Call:
    return lambda number: retriever.recommend(playlists[number], limit=SONGS, tag_limit=TAGS)


def _requests(retriever: Retriever, query: PlaylistQuery) -> list[Request]:
    """What this continuation asks of the engine, now that much is cached."""
    with recording(retriever.engine_reader) as made:
        retriever.recommend(query, limit=SONGS, tag_limit=TAGS)
    return made


def _replay(requests: Sequence[Sequence[Request]]) -> Call:
    def ask(number: int) -> None:
        for request in requests[number]:
            request()

    return ask


def _most_similar(space: EmbeddingSpace, playlists: Sequence[PlaylistQuery]) -> Call:
    """The nearest songs to the seeds' mean, as gensim finds them: no tags, metadata or filter."""
    from gensim.models import KeyedVectors

    placed = space.song_vectors.any(axis=1)
    vectors = KeyedVectors(space.dim)
    vectors.add_vectors(space.song_ids[placed].tolist(), np.asarray(space.song_vectors[placed]))
    vectors.fill_norms()
    seeds = [[song for song in query.songs if song in vectors] for query in playlists]
    return lambda number: vectors.most_similar(seeds[number], topn=SONGS)


def long_playlists(
    space: EmbeddingSpace, rng: np.random.Generator, count: int
) -> list[PlaylistQuery]:
    """The first seeds of playlists that hold more, each with its id, so that it is not found."""
    lists = space.playlists["songs"].to_pylist()
    long = [row for row, songs in enumerate(lists) if len(songs) > SEEDS]
    chosen = rng.choice(long, count, replace=False)
    ids = space.playlist_ids
    return [
        PlaylistQuery(songs=tuple(lists[row][:SEEDS]), playlist=int(ids[row])) for row in chosen
    ]


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("space", type=Path, help="the space that the stores were made from")
    options.add_argument("--path", type=Path, help="embedded store")
    options.add_argument("--url", help="Qdrant server that holds the same space")
    options.add_argument("--queries", type=int, default=300)
    return options.parse_args()


if __name__ == "__main__":
    main()
