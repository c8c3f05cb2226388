"""What a stranger could have written into a space, with hashes that are right."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from fuzz_inputs import odd_array, odd_bytes, odd_json, odd_table, odd_title

from melon.embedding import EmbeddingSpace
from melon.ingest import SparseWeights, contents, manifest_of
from melon.store import Preset
from melon.store.manifest import parse_manifest
from melon.titles import TitleTokenizer


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
