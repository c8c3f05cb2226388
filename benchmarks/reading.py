"""Reading a corpus: melon's streaming readers beside `json.load`, with the same validation.

    python benchmarks/reading.py CORPUS [--repeats 3] [--json FILE]

Each run is a process of its own that reads all songs and playlists of a directory in Melon's
format, and lets go of each record; `json.load` has all of a file in memory before its first.
The runs take turns.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from harness import Call, Report, Run, median_run, parser, run, take_turns

from melon.catalog import ReadReport, find_corpus, read_genres, read_playlists, read_songs

STREAMED, LOADED = "melon", "json.load"
BARE = "imports alone"


class LoadedArray:
    """In place of melon's `JsonArray`: the elements of a file that is loaded whole."""

    def __init__(self, path: Path, **_: object) -> None:
        self._path = path

    def __iter__(self) -> Iterator[object]:
        with self._path.open(encoding="utf-8") as file:
            yield from json.load(file)


def main() -> None:
    """Measure, print the table, keep the figures."""
    args = _arguments()
    if args.once:
        _read(args.corpus, args.once)
        return
    runs: dict[str, list[Run]] = {BARE: [], LOADED: [], STREAMED: []}
    command = [sys.executable, __file__, str(args.corpus), "--once"]

    def running(name: str) -> Call:
        return lambda _: runs[name].append(run([*command, name]))

    take_turns({name: running(name) for name in runs}, args.repeats)
    sizes = {path.name: path.stat().st_size for path in sorted(args.corpus.glob("*.json"))}
    report = Report("reading", {"bytes": sizes, "repeats": args.repeats})
    bare = median_run(runs[BARE])
    loaded = _more(median_run(runs[LOADED]), bare)
    report.add("songs and playlists", LOADED, loaded)
    streamed = _more(median_run(runs[STREAMED]), bare)
    report.add("songs and playlists", STREAMED, streamed, against={LOADED: loaded})
    memory = {"peak MB above imports": streamed["peak MB above imports"]}
    report.add(
        "peak memory", STREAMED, memory, against={LOADED: loaded}, by="peak MB above imports"
    )
    report.conclude(args.json)


def _read(corpus: Path, how: str) -> None:
    """Read everything once, and keep nothing."""
    if how == BARE:
        return
    files = find_corpus([corpus])
    if how == LOADED:
        mock.patch("melon.catalog.source.JsonArray", LoadedArray).start()
    genres = read_genres(files.genres) if files.genres else None
    report = ReadReport()
    for _ in read_songs(files.songs, genres=genres, report=report) if files.songs else ():
        pass
    for _ in read_playlists(files.playlists, report=report):
        pass
    print(f"{report.songs} songs, {report.playlists} playlists", file=sys.stderr)


def _more(reader: Run, bare: Run) -> dict[str, float]:
    return {
        "CPU s": reader.cpu_seconds - bare.cpu_seconds,
        "s": reader.seconds - bare.seconds,
        "peak MB": reader.peak_mb,
        "peak MB above imports": reader.peak_mb - bare.peak_mb,
    }


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("corpus", type=Path, help="directory in Melon's format")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--once", choices=[STREAMED, LOADED, BARE], help=argparse.SUPPRESS)
    return options.parse_args()


if __name__ == "__main__":
    main()
