"""Importing a CSV file: melon beside `pandas.read_csv` and `groupby` alone, in turns.

    python benchmarks/importing.py [--rows 1000000] [--songs 300000] [--repeats 3] [--json FILE]

The file is invented: a row an entry, 66 of them a playlist, with title, key of the song, name,
artist, album, duration and bpm, 117 bytes a row. Each run is a process of its own. What pandas
does is no more than to read the rows and to list the songs of each playlist; melon also gives
ids, keeps the songs' metadata and fields with their types, drops repeated entries, reports, and
writes the files. `--gigabyte` measures melon alone, once, with a file of 1 GB and a million songs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from harness import Call, Report, Run, median_run, parser, run, take_turns

from melon.catalog import plan_import, write_import

IMPORTED, READ, BARE = "melon import", "pandas: read_csv, groupby", "imports alone"
ENTRIES = 66
GIGABYTE_ROWS, GIGABYTE_SONGS = 8_600_000, 1_000_000


def main() -> None:
    """Measure, print the table, keep the figures."""
    args = _arguments()
    if args.once:
        _once(args.once, args.file, args.out)
        return
    rows, songs, repeats = args.rows, args.songs, args.repeats
    if args.gigabyte:
        rows, songs, repeats = GIGABYTE_ROWS, GIGABYTE_SONGS, 1
    with TemporaryDirectory(dir=args.directory) as directory:
        file = Path(directory) / "entries.csv"
        _invent(file, rows, songs)
        runs: dict[str, list[Run]] = {IMPORTED: []}
        if not args.gigabyte:
            runs |= {BARE: [], READ: []}

        def running(name: str) -> Call:
            def once(number: int) -> None:
                out = Path(directory) / f"{number}"
                arguments = ["--once", name, "--file", str(file), "--out", str(out)]
                runs[name].append(run([sys.executable, __file__, *arguments]))

            return once

        take_turns({name: running(name) for name in runs}, repeats)
        size = file.stat().st_size
    report = Report(
        "importing", {"rows": rows, "songs": songs, "MB": size / 1e6, "repeats": repeats}
    )
    figures = {name: median_run(several).figures for name, several in runs.items()}
    against = {READ: figures[READ]} if READ in figures else {}
    for name in (BARE, READ):
        if name in figures:
            report.add("a CSV file", name, figures[name])
    report.add("a CSV file", IMPORTED, figures[IMPORTED], against=against)
    if against:
        memory = {"peak MB": figures[IMPORTED]["peak MB"]}
        report.add("peak memory", IMPORTED, memory, against=against, by="peak MB")
    report.conclude(args.json)


def _once(how: str, file: Path, out: Path) -> None:
    if how == READ:
        frame = pd.read_csv(file)
        lists = frame.groupby("playlist_id")["track_uri"].agg(list)
        print(f"{len(lists)} playlists", file=sys.stderr)
    elif how == IMPORTED:
        catalogue = plan_import([file]).read()
        write_import(catalogue, out)
        print(f"{catalogue.report.playlists} playlists", file=sys.stderr)


def _invent(file: Path, rows: int, songs: int, at_once: int = 500_000) -> None:
    """Songs are the more popular the lower their number, and playlists come one after the other."""
    rng = np.random.default_rng(0)
    for start in range(0, rows, at_once):
        size = min(at_once, rows - start)
        song = (songs * rng.random(size) ** 2).astype(int)
        playlist = (start + np.arange(size)) // ENTRIES
        frame = pd.DataFrame(
            {
                "playlist_id": playlist,
                "playlist_name": [f"list number {number}" for number in playlist],
                "track_uri": [f"spotify:track:{number:022d}" for number in song],
                "track_name": [f"Song called {number}" for number in song],
                "artist_name": [f"Artist {number // 7}" for number in song],
                "album_name": [f"Album {number // 5}" for number in song],
                "duration_ms": 150_000 + song % 100_000,
                "bpm": 60 + song % 1000 / 10,
            }
        )
        frame.to_csv(file, index=False, header=start == 0, mode="a")


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--songs", type=int, default=300_000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--gigabyte", action="store_true", help="measure a file of 1 GB, once")
    options.add_argument("--directory", type=Path, help="where the file is made for the while")
    options.add_argument("--once", choices=[IMPORTED, READ, BARE], help=argparse.SUPPRESS)
    options.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    return options.parse_args()


if __name__ == "__main__":
    main()
