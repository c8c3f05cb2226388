"""How time, memory and disk grow with the catalogue, from an eighth of Melon's size to all of it.

    python benchmarks/growth.py [--scales 1/8 1/4 1/2 full] [--keep DIR] [--json FILE] [--plot SVG]

For each scale of the demo corpus: training and ingest into an embedded store, each in a process of
its own as a user starts it, then queries against the store. The last column is the exponent of
growth against the number of playlists, by least squares on logarithms: 1 is linear.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from harness import Report, disk_mb, parser, run, take_turns
from scaled import demo_corpus, scale

from melon.embedding import EmbeddingSpace
from melon.retrieval import Constraints, PlaylistQuery, Retriever
from melon.settings import Settings
from melon.store import DENSE, Collection, VectorQuery, VectorStore, open_store

MELON = (sys.executable, "-m", "melon.cli")
SEEDS, SONGS, TAGS, NEAREST = 20, 100, 10, 100
QUERIES, WARM_UP = 200, 100

Series = dict[str, dict[Fraction, float]]
"""What was measured, by name and scale."""


def main() -> None:
    """Measure every scale, then how each figure grew."""
    args = _arguments()
    report = Report("growth")
    series: Series = {}
    sizes: dict[Fraction, int] = {}
    with contextlib.ExitStack() as stack:
        scratch = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for part in args.scales:
            directory = scratch / f"{part.numerator}-{part.denominator}"
            figures = _made(part, directory, args.epochs)
            space = EmbeddingSpace.load(directory / "space")
            sizes[part] = len(space.playlist_ids)
            with open_store(Settings(), path=directory / "store") as opened:
                figures |= _queries(space, opened)
                report.engines = {"embedded": opened.engine_version()}
            for name, figure in figures.items():
                series.setdefault(name, {})[part] = figure
    report.data = {"epochs": args.epochs} | {
        str(part): {"playlists": size} for part, size in sizes.items()
    }
    for name, by_part in series.items():
        by_scale = {str(part): figure for part, figure in by_part.items()}
        report.add(name, "melon", by_scale | {"exponent": _exponent(by_part, sizes)})
    report.conclude(args.json)
    if args.plot:
        plot(series, sizes, args.plot)


def _made(part: Fraction, directory: Path, epochs: int) -> dict[str, float]:
    """Train and ingest, and what that took; what it took before, if the directory holds it."""
    kept = directory / "figures.json"
    if not kept.exists():
        directory.mkdir(parents=True, exist_ok=True)
        space, store = directory / "space", directory / "store"
        corpus = str(demo_corpus(part))
        train = run([*MELON, "train", corpus, "--epochs", str(epochs), "--out", str(space)])
        ingest = run([*MELON, "ingest", str(space), "--path", str(store)])
        figures = {
            "train, CPU s": train.cpu_seconds,
            "train, peak MB": train.peak_mb,
            "ingest, CPU s": ingest.cpu_seconds,
            "ingest, peak MB": ingest.peak_mb,
            "store, MB": disk_mb(store),
        }
        kept.write_text(json.dumps(figures))
    measured: dict[str, float] = json.loads(kept.read_text())
    return measured


def _queries(space: EmbeddingSpace, store: VectorStore) -> dict[str, float]:
    """Median times of three kinds of request, in milliseconds."""
    rng = np.random.default_rng(0)
    retriever = Retriever(store)
    known = np.flatnonzero(space.song_vectors.any(axis=1))
    vectors = np.asarray(space.song_vectors[rng.choice(known, QUERIES + WARM_UP)])
    lists = space.playlists["songs"].to_pylist()
    titles = space.playlists["title"].to_pylist()
    long = [row for row, songs in enumerate(lists) if len(songs) > SEEDS and titles[row]]
    rows = rng.choice(long, QUERIES + WARM_UP).tolist()
    genres = retriever.reader.manifest.genres
    limits = Constraints(genres=(next(iter(genres.values())),), since="2000")
    turns = take_turns(
        {
            "nearest songs, ms": lambda number: retriever.reader.query(
                Collection.SONGS, [VectorQuery(vectors[number], DENSE, NEAREST)]
            ),
            "continuation, ms": lambda number: retriever.recommend(
                PlaylistQuery(
                    songs=tuple(lists[rows[number]][:SEEDS]),
                    playlist=int(space.playlist_ids[rows[number]]),
                ),
                limit=SONGS,
                tag_limit=TAGS,
            ),
            "title, constrained, ms": lambda number: retriever.recommend(
                PlaylistQuery(title=titles[rows[number]]), limits, limit=SONGS, tag_limit=TAGS
            ),
        },
        QUERIES,
        warm_up=WARM_UP,
    )
    return {name: times.percentile(50) for name, times in turns.items()}


def _exponent(by_part: Mapping[Fraction, float], sizes: Mapping[Fraction, int]) -> float:
    if len(by_part) < 2:
        return float("nan")
    size = np.log([sizes[part] for part in by_part])
    slope, _ = np.polyfit(size, np.log(list(by_part.values())), 1)
    return float(slope)


def plot(series: Series, sizes: Mapping[Fraction, int], path: Path) -> None:
    """Every figure over the number of playlists, relative to the smallest scale, both logarithmic.

    What grows linearly is parallel to the dotted line.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    groups: dict[str, list[str]] = {"Queries": [], "Training and ingest": []}
    for name in series:
        groups["Queries" if name.endswith(", ms") else "Training and ingest"].append(name)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharex=True, sharey=True)
    for axis, (title, names) in zip(axes, groups.items(), strict=True):
        axis.set(title=title, xlabel="playlists", xscale="log", yscale="log")
        _lines(axis, series, sizes, names)
    axes[0].set_ylabel("times the smallest scale")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _lines(axis: Any, series: Series, sizes: Mapping[Fraction, int], names: Sequence[str]) -> None:
    counts = list(sizes.values())
    linear = [count / counts[0] for count in counts]
    axis.plot(counts, linear, ":", color="grey", label="linear")
    for name in names:
        values = list(series[name].values())
        axis.plot(counts, [value / values[0] for value in values], marker="o", label=name)
    axis.set_xticks(counts, [f"{count:,}" for count in counts], minor=False)
    axis.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"], minor=False)
    axis.tick_params(axis="both", which="minor", labelbottom=False, labelleft=False)
    axis.legend(fontsize="small")


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument(
        "--scales", type=scale, nargs="+", default=[scale(s) for s in ("1/8", "1/4", "1/2", "full")]
    )
    options.add_argument(
        "--epochs", type=int, default=2, help="of training, 2 by default to save time"
    )
    options.add_argument(
        "--keep", type=Path, help="directory where spaces and stores stay, for more"
    )
    options.add_argument("--plot", type=Path, help="SVG file; needs matplotlib")
    return options.parse_args()


if __name__ == "__main__":
    main()
