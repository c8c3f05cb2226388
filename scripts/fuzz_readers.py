"""Gives melon's readers what a stranger could have written, with hashes that are right.

    python scripts/fuzz_readers.py 10000          each reader ten thousand inputs
    python scripts/fuzz_readers.py 500 --only space --seed 7

A reader may take an input or refuse it by an error of melon's; anything else, and whatever takes
longer than a few seconds, is printed with the seed that makes the same input again.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import logging
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyarrow.parquet as pq
from fuzz_catalogues import CatalogueFuzz, ImportFuzz, QueryFuzz, QuestionsFuzz
from fuzz_inputs import ODD, odd_array, odd_bytes, odd_json, odd_table, odd_title, repair_manifest

from melon.catalog import find_corpus
from melon.demo import DemoScale, make_demo
from melon.embedding import EmbeddingSpace, build_from_files, training_settings
from melon.errors import MelonError
from melon.ingest import SparseWeights, back_up, contents, ingest, manifest_of
from melon.ingest.backup import CONTENTS, open_backup
from melon.progress import ignore
from melon.ranking import Network, Ranking
from melon.retrieval import Constraints, Item, PlaylistQuery, Retriever
from melon.retrieval.settings import DEFAULTS, RetrievalSettings
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS
from melon.store import Collection, ForwardingReader, Hits, Preset, Record, ReleaseReader
from melon.store.checked import CheckedReader
from melon.store.embedded import EmbeddedStore
from melon.store.manifest import parse_manifest
from melon.titles import TitleTokenizer

SECONDS = 10
"""Of processor time; an input that takes longer hangs."""

Fuzz = Callable[[random.Random], None]


class SpaceFuzz:
    """A directory of a space, of which one or two files are other than they should be."""

    def __init__(self, space: Path, scratch: Path) -> None:
        self._space = space
        self._copy = scratch / "space"

    def __call__(self, rng: random.Random) -> None:
        """Change some files, repair the hashes, and read the space."""
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._space, self._copy)
        names = [path.name for path in sorted(self._copy.iterdir())]
        for name in rng.sample(names, rng.choice((1, 1, 1, 2))):
            self.change(self._copy / name, rng)
        repair(self._copy)
        self.use(self._copy)

    @staticmethod
    def change(path: Path, rng: random.Random) -> None:
        """Change one file."""
        if path.suffix == ".json":
            text = odd_json(json.loads(path.read_text("utf-8")), rng)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        elif path.suffix == ".npy":
            path.write_bytes(odd_array(np.load(path), rng))
        elif path.suffix == ".bin":
            path.write_bytes(odd_title(path.read_bytes(), rng))
        elif path.suffix == ".parquet":
            if rng.random() < 0.05:
                path.write_bytes(odd_bytes(path.read_bytes(), rng))
            else:
                pq.write_table(odd_table(pq.read_table(path), rng), path)

    @staticmethod
    def use(path: Path) -> None:
        """Load the space, and lay it out as an ingest does."""
        space = EmbeddingSpace.load(path)
        laid_out = contents(space, SparseWeights())
        for part in laid_out.values():
            for start in range(0, len(part), 512):
                part.batch(start, start + 512).check(space.dim)
        counts = {collection: len(part) for collection, part in laid_out.items()}
        manifest = manifest_of("r0", space, SparseWeights(), Preset.EXACT, counts)
        parse_manifest("r0", json.loads(manifest.model_dump_json()))


def repair(space: Path) -> None:
    """Write right sizes and hashes into the manifest, where it is still one."""
    path = space / "manifest.json"
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        manifest = json.loads(path.read_bytes())
        if isinstance(manifest.get("files"), dict):
            for name, entry in manifest["files"].items():
                content = (space / name).read_bytes()
                with suppress(TypeError):
                    if entry.get("sha256") and entry.get("bytes") is not None:
                        entry["bytes"] = len(content)
                        entry["sha256"] = hashlib.sha256(content).hexdigest()
        manifest.pop("checksum", None)
        text = json.dumps(manifest, sort_keys=True, ensure_ascii=True)
        manifest["checksum"] = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(json.dumps(manifest))


TITLES = ("rainy day", "비 오는 날 rain", "", "🎄 :) #1", "x" * 300, "a\u0301b ﷺ")


class TitleFuzz:
    """A title tokenizer's blob, read and used."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob

    def __call__(self, rng: random.Random) -> None:
        """Read a tokenizer and cut titles."""
        tokenizer = TitleTokenizer.from_bytes(odd_title(self._blob, rng))
        for title in TITLES:
            for made in (tokenizer.words(title), tokenizer.tags(title), tokenizer.spellings(title)):
                assert all(isinstance(text, str) for text in made)


class ManifestFuzz:
    """A release's manifest; what is taken answers queries."""

    def __init__(self, store: Path) -> None:
        self._root = store
        self._path = next(self._root.glob("releases/*/manifest.json"))
        self._manifest = json.loads(self._path.read_text())

    def __call__(self, rng: random.Random) -> None:
        """Ask the release."""
        self._path.write_text(odd_json(self._manifest, rng))
        repair_manifest(self._path)
        try:
            ask(EmbeddedStore(self._root))
        finally:
            self._path.write_text(json.dumps(self._manifest))


def ask(store: EmbeddedStore, settings: RetrievalSettings | None = None) -> None:
    """Ask a store what users ask."""
    with store:
        store.releases()
        retriever = Retriever(store, settings=settings)
        for strategy in ("hybrid", "learned", "vote", "cluster"):
            with suppress(MelonError):
                shown(
                    retriever.recommend(QUERIES[0], strategy=strategy, explain=strategy == "hybrid")
                )
        retriever.recommend_many(QUERIES, limit=30)
        asked: tuple[Callable[[], object], ...] = (
            lambda: retriever.recommend(QUERIES[1], constraints=Constraints(genres=["GN0100"])),
            lambda: retriever.recommend(retriever.playlist(1)),
            lambda: shown(retriever.similar(Item(song=1), to=list(Collection))),
            lambda: shown(retriever.find("rain")),
            lambda: shown(retriever.show("tag", "rain")),
            lambda: shown(retriever.show("song", 1)),
            lambda: shown(retriever.show("playlist", 1)),
            lambda: shown(retriever.listing("tags")),
            lambda: shown(retriever.listing("artists")),
        )
        for ask_one in asked:
            with suppress(MelonError):
                ask_one()


def shown(answer: Any) -> None:
    """Write an answer as `--json` does."""
    parts = answer.values() if isinstance(answer, dict) else [answer]
    for part in parts:
        for one in part if isinstance(part, list) else [part]:
            json.dumps(one.to_json())


QUERIES = (
    PlaylistQuery(title="rainy day", tags=["rain"], songs=[1, 2, 3]),
    PlaylistQuery(title="night drive"),
    PlaylistQuery(songs=[5]),
    PlaylistQuery(tags=["unheard of", "rain"]),
)


class SettingsFuzz:
    """A file of retrieval settings; some that are taken answer queries."""

    def __init__(self, scratch: Path, store: Path | None = None) -> None:
        self._store = store
        self._path = scratch / "settings.json"
        self._settings = json.loads(DEFAULTS.read_text())

    def __call__(self, rng: random.Random) -> None:
        """Read a file, and ask with some of what is taken."""
        self._path.write_bytes(odd_json(self._settings, rng).encode("utf-8", "surrogatepass"))
        settings = RetrievalSettings.load(self._path)
        if self._store and rng.random() < 0.2:
            ask(EmbeddedStore(self._store), settings)


class OddReader(ForwardingReader):
    """A reader of a release into whose payloads somebody else has written."""

    def __init__(self, reader: ReleaseReader, rng: random.Random) -> None:
        super().__init__(reader)
        self._rng = rng
        self._share = rng.choice((0.01, 0.1, 1.0))

    def retrieve(self, *args: Any, **options: Any) -> list[Record]:
        """Points by id."""
        return self._records(self._reader.retrieve(*args, **options))

    def top(self, *args: Any, **options: Any) -> list[Record]:
        """Points by a field."""
        return self._records(self._reader.top(*args, **options))

    def find(self, *args: Any, **options: Any) -> list[Record]:
        """Points by a filter."""
        return self._records(self._reader.find(*args, **options))

    def query(self, *args: Any, **options: Any) -> list[Hits]:
        """Points by a vector."""
        found = self._reader.query(*args, **options)
        return [replace(hits, payloads=list(map(self._odd, hits.payloads))) for hits in found]

    def _records(self, records: list[Record]) -> list[Record]:
        return [replace(record, payload=self._odd(record.payload)) for record in records]

    def _odd(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._rng.random() > self._share or not payload:
            return payload
        odd = dict(payload)
        for _ in range(self._rng.choice((1, 1, 3))):
            name = self._rng.choice(list(payload))
            value = copy.deepcopy(payload[name])
            if isinstance(value, list) and value and self._rng.random() < 0.5:
                value[self._rng.randrange(len(value))] = self._rng.choice(ODD)
            else:
                value = self._rng.choice(ODD)
            odd[name] = value
            if self._rng.random() < 0.2:
                del odd[name]
        return odd


class OddStore(EmbeddedStore):
    """A store of such releases."""

    def __init__(self, root: Path, rng: random.Random) -> None:
        super().__init__(root)
        self._rng = rng

    def open(self, release: str | None = None) -> CheckedReader:
        """A reader of a release."""
        return CheckedReader(OddReader(super().open(release), self._rng))


class PayloadFuzz:
    """Queries of a release into whose payloads somebody else has written."""

    def __init__(self, store: Path) -> None:
        self._root = store

    def __call__(self, rng: random.Random) -> None:
        """Ask the release."""
        ask(OddStore(self._root, rng))


class BackupFuzz:
    """A backup, of which one or two files are other than they should be."""

    def __init__(self, store: Path, scratch: Path) -> None:
        self._path = scratch / "release.melon"
        with EmbeddedStore(store) as opened:
            back_up(opened.open(), self._path)
        with ZipFile(self._path) as archive:
            self._files = {name: archive.read(name) for name in archive.namelist()}

    def __call__(self, rng: random.Random) -> None:
        """Change some files, repair the hashes, and read all points."""
        files = dict(self._files)
        contents = json.loads(files.pop(CONTENTS))
        for name in rng.sample([*files, CONTENTS], rng.choice((1, 1, 2))):
            if name == CONTENTS:
                with suppress(TypeError, ValueError, RecursionError):
                    contents = json.loads(odd_json(contents, rng))
            elif name.endswith(".jsonl"):
                lines = files[name].splitlines()
                line = rng.randrange(len(lines))
                text = odd_json(json.loads(lines[line]), rng)
                lines[line] = text.encode("utf-8", "surrogatepass")
                files[name] = b"".join(one + b"\n" for one in lines)
            else:
                files[name] = odd_bytes(files[name], rng)
        with suppress(TypeError, KeyError, AttributeError):
            for name, entry in contents["files"].items():
                entry["bytes"] = len(files[name])
                entry["sha256"] = hashlib.sha256(files[name]).hexdigest()
        with ZipFile(self._path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
            archive.writestr(CONTENTS, json.dumps(contents))
        if rng.random() < 0.1:
            self._path.write_bytes(odd_bytes(self._path.read_bytes(), rng))
        with open_backup(self._path) as backup:
            for part in backup.points(ignore).values():
                for start in range(0, len(part), 512):
                    part.batch(start, start + 512).check(backup.contents.manifest.dim)


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
            ours = [f"{Path(f.filename).name}:{f.lineno}" for f in frames if "wt" in f.filename]
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
