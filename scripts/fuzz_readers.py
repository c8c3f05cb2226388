"""Gives melon's readers what a stranger could have written, with hashes that are right.

    python scripts/fuzz_readers.py 10000          each reader ten thousand inputs
    python scripts/fuzz_readers.py 500 --only space --seed 7

A reader may take an input or refuse it by an error of melon's; anything else, and whatever takes
longer than a few seconds, is printed with the seed that makes the same input again.
"""

from __future__ import annotations

import argparse
import logging
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fuzz_catalogues import CatalogueFuzz, ImportFuzz, QueryFuzz, QuestionsFuzz
from fuzz_spaces import SpaceFuzz, TitleFuzz
from fuzz_stores import BackupFuzz, ManifestFuzz, PayloadFuzz, SettingsFuzz

from melon.catalog import find_corpus
from melon.demo import DemoScale, make_demo
from melon.embedding import build_from_files, training_settings
from melon.errors import MelonError
from melon.ingest import ingest
from melon.ranking import Network, Ranking
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS
from melon.store.embedded import EmbeddedStore

ROOT = Path(__file__).resolve().parent.parent

SECONDS = 10
"""Of processor time; an input that takes longer hangs."""

Fuzz = Callable[[random.Random], None]


def make_base(scratch: Path) -> tuple[Path, Path]:
    """A small space and a store that holds it."""
    make_demo(
        scratch / "demo",
        scale=DemoScale(playlists=400, songs=500, tags=60, songs_per_playlist=12),
    )
    settings = training_settings(dim=16, epochs=2, window=5, title_pieces=64, workers=1, seed=1)
    space = build_from_files(find_corpus([scratch / "demo"]), settings)
    songs, tags = (
        Network(features=names, center=ones, scale=ones, linear=ones)
        for names in (tuple(SONG_INPUTS), tuple(TAG_INPUTS))
        for ones in [(1.0,) * len(names)]
    )
    ranking = Ranking(strategy="learned", questions=0, songs=songs, tags=tags)
    space = replace(space, ranking=ranking).save(scratch / "base")
    with EmbeddedStore(scratch / "live") as store:
        ingest(space, store)
    return scratch / "base", scratch / "live"


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """An exception in what takes more of the processor's time."""

    def late(*_: object) -> None:
        raise TimeoutError(f"took more than {seconds} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run(name: str, fuzz: Fuzz, count: int, first: int) -> Counter[str]:
    """Run a fuzzer over seeds, and print what is not an error of melon's, each kind once."""
    ends: Counter[str] = Counter()
    seen: set[str] = set()
    started = time.process_time()
    for seed in range(first, first + count):
        try:
            with time_limit(SECONDS):
                fuzz(random.Random(f"{name}{seed}"))
            ends["taken"] += 1
        except MelonError:
            ends["refused"] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            ends["foreign"] += 1
            frames = traceback.extract_tb(error.__traceback__)
            ours = [
                f"{Path(frame.filename).name}:{frame.lineno}"
                for frame in frames
                if str(ROOT) in frame.filename and "site-packages" not in frame.filename
            ]
            kind = f"{type(error).__name__} at {ours[-1] if ours else '?'}"
            if kind not in seen:
                seen.add(kind)
                print(f"  {name} seed {seed}: {kind}: {str(error)[:150]}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"{name}: {count} inputs, {dict(ends)}, {time.process_time() - started:.0f} s of processor"
        f" time, {memory} MiB at most",
        flush=True,
    )
    return ends


SMALL = ("catalogue", "import", "questions", "query", "settings")


def small_fuzzers(scratch: Path) -> Mapping[str, Fuzz]:
    """Those of readers that need no space and no store."""
    return {
        "catalogue": CatalogueFuzz(scratch),
        "import": ImportFuzz(scratch),
        "questions": QuestionsFuzz(scratch),
        "query": QueryFuzz(),
        "settings": SettingsFuzz(scratch),
    }


def fuzzers(scratch: Path) -> Mapping[str, Fuzz]:
    """All fuzzers, on a demo space and a store of their own."""
    space, store = make_base(scratch)
    return {
        **small_fuzzers(scratch),
        "space": SpaceFuzz(space, scratch),
        "title": TitleFuzz((space / "title.bin").read_bytes()),
        "manifest": ManifestFuzz(store),
        "settings and queries": SettingsFuzz(scratch, store),
        "payload": PayloadFuzz(store),
        "backup": BackupFuzz(store, scratch),
    }


def main() -> int:
    """Run the fuzzers that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="inputs for each reader")
    parser.add_argument("--only", help="one of them, by the name that is printed")
    parser.add_argument("--seed", type=int, default=0, help="of the first input")
    options = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory() as directory:
        foreign = 0
        made = small_fuzzers if options.only in SMALL else fuzzers
        for name, fuzz in made(Path(directory)).items():
            if options.only in (None, name):
                foreign += run(name, fuzz, options.count, options.seed)["foreign"]
    return min(foreign, 1)


if __name__ == "__main__":
    sys.exit(main())
