"""Recall and latency of filtered search: the index beside an exact scan, on both engines.

    python benchmarks/filtered_search.py --scale 1/4 [--preset small] [--queries 200] [--json FILE]
    python benchmarks/filtered_search.py SPACE [--path STORE] [--url URL] [--own-fields] …

The 100 songs nearest to the mean of five songs of a playlist, without a filter and under filters
that leave a tenth, a hundredth and a thousandth of the songs, or all but those of one genre. A
song that is as near as the hundredth one by the scan counts as a hit: songs may tie. Stores are
built anew unless they are named. `/ no filter` says how many times its unfiltered median a filter
takes. With `--own-fields`, the songs have ten fields of their own, and the filters are over these.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np
from harness import Call, Report, take_turns
from numpy.typing import NDArray
from own_fields import own_filters, with_own_fields
from scaled import data_parser, described, space_path
from servers import running_server

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval import Constraints
from melon.settings import Settings
from melon.store import (
    DENSE,
    Collection,
    Filter,
    MatchAny,
    NumberRange,
    Preset,
    ReleaseReader,
    VectorQuery,
    VectorStore,
    open_store,
)

NEAREST, SEEDS, WARM_UP = 100, 5, 20
TOLERANCE = 1e-5
SONGS = Collection.SONGS


def main() -> None:
    """Build or open the stores, ask them under every filter."""
    args = _arguments()
    space = EmbeddingSpace.load(space_path(args))
    report = Report("filtered search", described(space) | {"preset": args.preset or "by size"})
    filters = filters_of(space)
    if args.own_fields:
        space = with_own_fields(space)
        filters = {"no filter": Filter()} | own_filters()
    vectors = questions(space, args.queries + WARM_UP)
    with _stores(args, space) as stores:
        report.engines = {name: store.engine_version() for name, store in stores.items()}
        readers = {name: store.open() for name, store in stores.items()}
        unfiltered: dict[str, Mapping[str, float]] = {}
        for what, filter in filters.items():
            calls: dict[str, Call] = {}
            for name, reader in readers.items():
                calls[name] = _asking(reader, vectors, filter, exact=False)
                calls[f"{name}, exact"] = _asking(reader, vectors, filter, exact=True)
            times = take_turns(calls, args.queries, warm_up=WARM_UP)
            share = next(iter(readers.values())).count(SONGS, filter or None) / len(space.song_ids)
            for method, taken in times.items():
                figures = dict(taken.figures)
                if method in readers:
                    figures["recall@100"] = recall(readers[method], vectors[WARM_UP:], filter)
                figures["share of songs"] = share
                base = unfiltered.setdefault(method, figures)
                against = {"no filter": base} if filter else None
                report.add(what, method, figures, against=against)
    report.conclude(args.json)


def filters_of(space: EmbeddingSpace) -> dict[str, Filter]:
    """The filters that a space's metadata allows, by name; genres and dates may be unknown."""
    names = {code: genre.name for code, genre in space.genres.items()}
    filters = {"no filter": Filter()}
    for percent, field in ((10, "genres"), (1, "detail_genres"), (0.1, "detail_genres")):
        if codes := _near_share(space.songs[field].to_pylist(), percent / 100):
            filters[f"genre, {percent} %"] = Filter(must=(MatchAny(field, codes),))
    genres = Counter(chain.from_iterable(space.songs["genres"].to_pylist()))
    for genre, _ in genres.most_common(1):
        filters["all but the largest genre"] = Constraints(not_genres=(genre,)).to_filter(names)
    if dates := sorted(day for day in space.songs["issue_date"].to_pylist() if day):
        filters["date, 10 %"] = Constraints(**_middle(dates, 0.1)).to_filter(names)
        if codes := _near_share(space.songs["genres"].to_pylist(), 0.1):
            for percent, share in ((1, 0.1), (0.1, 0.01)):
                both = Constraints(genres=codes, **_middle(dates, share))
                filters[f"genre and date, {percent} %"] = both.to_filter(names)
    popular = int(np.quantile(space.song_popularity, 0.9))
    filters["popularity, the top 10 %"] = Filter(must=(NumberRange("popularity", gte=popular),))
    artists = Counter(chain.from_iterable(space.songs["artists"].to_pylist()))
    if artists:
        for percent in (1, 0.1):
            if several := _near_share(space.songs["artists"].to_pylist(), percent / 100):
                filters[f"artists, {percent} %"] = Filter(must=(MatchAny("artists", several),))
        [(artist, _)] = artists.most_common(1)
        filters["artist, the one with most songs"] = Filter(must=(MatchAny("artists", (artist,)),))
    return filters


def _middle(dates: list[date], share: float) -> dict[str, date]:
    """The days between which that share of the dates lies, which are sorted."""
    first, last = (dates[int(len(dates) * (0.5 + side * share / 2))] for side in (-1, 1))
    return {"since": first, "until": last}


def _near_share(lists: list[list[str]], share: float) -> tuple[str, ...]:
    """Values that together are of about that share of the points: the largest that still fit."""
    left, chosen = share * len(lists), []
    for value, count in Counter(chain.from_iterable(lists)).most_common():
        if count <= 1.2 * left:
            chosen.append(value)
            left -= count
    return tuple(chosen)


def questions(space: EmbeddingSpace, count: int) -> NDArray[np.float32]:
    """Means of `SEEDS` songs of a playlist each, (count, dim), unit rows."""
    rng = np.random.default_rng(0)
    row_of = {song: row for row, song in enumerate(space.song_ids.tolist())}
    lists = [songs for songs in space.playlists["songs"].to_pylist() if len(songs) >= SEEDS]
    rows = [
        [row_of[song] for song in rng.choice(lists[playlist], SEEDS, replace=False).tolist()]
        for playlist in rng.choice(len(lists), count)
    ]
    means = np.asarray(space.song_vectors)[np.array(rows)].mean(axis=1)
    unit: NDArray[np.float32] = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit.astype(np.float32)


def recall(reader: ReleaseReader, vectors: NDArray[np.float32], filter: Filter) -> float:
    """Mean share of the nearest that the index finds."""
    shares = []
    for vector in vectors:
        fast, scan = (
            reader.query(SONGS, [_query(vector, filter, exact=exact)])[0] for exact in (False, True)
        )
        if len(scan):
            least = scan.scores[-1] - TOLERANCE
            shares.append(float(np.sum(fast.scores >= least)) / len(scan))
    return float(np.mean(shares))


def _query(vector: NDArray[np.float32], filter: Filter, *, exact: bool) -> VectorQuery:
    return VectorQuery(vector, DENSE, NEAREST, filter or None, exact=exact)


def _asking(
    reader: ReleaseReader, vectors: NDArray[np.float32], filter: Filter, *, exact: bool
) -> Call:
    return lambda number: reader.query(SONGS, [_query(vectors[number], filter, exact=exact)])


@contextmanager
def _stores(args: argparse.Namespace, space: EmbeddingSpace) -> Iterator[dict[str, VectorStore]]:
    """Those that are named, or both engines with a release of the space."""
    named = {"embedded": ("path", args.path), "server": ("url", args.url)}
    with ExitStack() as stack:
        if args.path or args.url:
            yield {
                name: stack.enter_context(open_store(Settings(), **{option: value}))
                for name, (option, value) in named.items()
                if value
            }
            return
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=args.scratch)))
        server = stack.enter_context(running_server(scratch / "server"))
        settings = Settings(qdrant_grpc_port=server.grpc_port)
        stores = {
            "embedded": stack.enter_context(open_store(settings, path=scratch / "embedded")),
            "server": stack.enter_context(open_store(settings, url=server.url)),
        }
        for store in stores.values():
            ingest(space, store, preset=Preset(args.preset) if args.preset else None)
        yield stores


def _arguments() -> argparse.Namespace:
    made = data_parser(__doc__)
    made.add_argument("--path", type=Path, help="embedded store that holds the space")
    made.add_argument("--url", help="server that holds the space")
    made.add_argument("--preset", choices=list(Preset), help="of the stores that are built")
    made.add_argument("--own-fields", action="store_true", help="filter by ten own fields")
    made.add_argument("--queries", type=int, default=200)
    return made.parse_args()


if __name__ == "__main__":
    main()
