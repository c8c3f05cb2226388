"""What a stranger could have written into a store, a backup, or settings to ask it by."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from fuzz_inputs import ODD, odd_bytes, odd_json, repair_manifest

from melon.errors import MelonError
from melon.ingest import back_up
from melon.ingest.backup import CONTENTS, open_backup
from melon.progress import ignore
from melon.retrieval import Constraints, Item, PlaylistQuery, Retriever
from melon.retrieval.settings import DEFAULTS, RetrievalSettings
from melon.store import Collection, ForwardingReader, Hits, Record, ReleaseReader
from melon.store.checked import CheckedReader
from melon.store.embedded import EmbeddedStore


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
