"""A store to which things happen, and what must be true of it whatever happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient
from qdrant_server import Endpoint

from faults.catalogue import QUERIES, Contents, Held
from melon.ingest.transfer import StoredPoints
from melon.retrieval import Retriever
from melon.store import Collection, ReleaseReader, VectorStore
from melon.store.embedded import EmbeddedStore
from melon.store.server import ServerStore
from melon.store.server.connection import ServerAddress


class Violation(Exception):
    """Something was lost or is wrong; the message says what, and after what."""


@dataclass(frozen=True)
class Embedded:
    """A store in a directory."""

    root: Path
    engine: str = "embedded"

    @property
    def options(self) -> list[str]:
        """What names it to a command."""
        return ["--path", str(self.root)]

    @property
    def target(self) -> str:
        """What names it to `melon copy`."""
        return str(self.root)

    @property
    def environment(self) -> dict[str, str]:
        """What else a command has to know of it."""
        return {"MELON_HOME": str(self.root.parent)}

    @contextmanager
    def store(self) -> Iterator[VectorStore]:
        """Open it."""
        with EmbeddedStore(self.root) as store:
            yield store

    def left(self) -> set[str]:
        """All that is there of releases, complete or not."""
        releases = self.root / "releases"
        return {path.name for path in releases.iterdir()} if releases.is_dir() else set()

    def strays(self) -> set[str]:
        """What lies there and belongs to nothing."""
        known = {"live", "live.lock", "build.lock", "releases"}
        return {path.name for path in self.root.glob("*")} - known


@dataclass(frozen=True)
class OnServer:
    """A store on a server. Commands may reach it by another address: through a proxy."""

    server: Endpoint
    prefix: str
    through: Endpoint | None = None
    timeout: int = 60
    engine: str = "server"

    @property
    def _reached(self) -> Endpoint:
        return self.through or self.server

    @property
    def options(self) -> list[str]:
        """What names it to a command."""
        return ["--url", self.target]

    @property
    def target(self) -> str:
        """What names it to `melon copy`."""
        return self._reached.url

    @property
    def environment(self) -> dict[str, str]:
        """What else a command has to know of it."""
        return {
            "MELON_PREFIX": self.prefix,
            "MELON_QDRANT_GRPC_PORT": str(self._reached.grpc_port),
            "MELON_QDRANT_TIMEOUT": str(self.timeout),
        }

    @contextmanager
    def store(self) -> Iterator[VectorStore]:
        """Open it, directly."""
        address = ServerAddress(
            self.server.url, grpc_port=self.server.grpc_port, prefix=self.prefix
        )
        with ServerStore(address) as store:
            yield store

    def left(self) -> set[str]:
        """All that is there of releases, complete or not."""
        client = QdrantClient(self.server.url, check_compatibility=False)
        with closing(client):
            names = {known.name for known in client.get_collections().collections}
        ours = {name for name in names if name.startswith(f"{self.prefix}_")}
        return {name.rpartition("__")[2] for name in ours - {f"{self.prefix}_releases"}}

    def strays(self) -> set[str]:
        """Nothing: all collections of its prefix are in `left`."""
        return set()


Place = Embedded | OnServer
Answers = list[Any]


@dataclass(frozen=True)
class State:
    """What a store says of its releases."""

    live: str | None
    previous: str | None
    releases: frozenset[str]


@dataclass
class World:
    """A place, and what every release that may be there has to hold and to answer."""

    place: Place
    known: Mapping[str, Contents]
    answers: dict[str, Answers] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    """Releases that were read whole since they were built, for `thorough=False`."""

    def state(self) -> State:
        """What the store says."""
        with self.place.store() as store:
            releases = frozenset(info.manifest.release for info in store.releases())
            return State(store.live(), store.previous(), releases)

    def check(self, *, thorough: bool = True) -> State:
        """Read the store, and make sure that each release in it is whole, and answers as ever.

        Args:
            thorough: whether releases are read again that were read before.

        Raises:
            Violation: one is not, or the aliases disagree.
        """
        with self.place.store() as store:
            releases = frozenset(info.manifest.release for info in store.releases())
            state = State(store.live(), store.previous(), releases)
            if astray := store.astray():
                raise Violation(f"aliases are astray: {astray}")
            if (state.live is None) != (not releases) and state.live not in releases:
                raise Violation(f"the live release {state.live} is not one of {releases}")
            self.read &= releases
            if self.place.engine == "server":  # where ties have another order in another build
                self.answers = {name: self.answers[name] for name in releases & set(self.answers)}
            for release in releases:
                if release not in self.known:
                    raise Violation(f"release {release} is none that anybody made")
                if thorough or release not in self.read:
                    self._check_release(store, release)
                self.read.add(release)
        return state

    def _check_release(self, store: VectorStore, release: str) -> None:
        if damaged := store.damaged_files(release):
            raise Violation(f"files of release {release} are others: {damaged}")
        with closing(store.open(release)) as reader:
            self.compare(release, read_all(reader))
            answers = answers_of(Retriever.of_reader(reader))
        if difference := _difference(self.answers.setdefault(release, answers), answers):
            raise Violation(f"release {release} answers otherwise than it did: {difference}")

    def compare(self, release: str, held: Contents) -> None:
        """Make sure that this is what a release has to hold.

        Raises:
            Violation: it is not.
        """
        for collection, expected in self.known[release].items():
            if difference := expected.difference(held[collection]):
                raise Violation(f"{collection} of release {release}: {difference}")

    def check_clean(self, state: State) -> None:
        """Make sure that there is nothing beside the releases.

        Raises:
            Violation: there is.
        """
        if (left := self.place.left()) != state.releases:
            raise Violation(f"left behind: {sorted(left ^ state.releases)}")
        if strays := self.place.strays():
            raise Violation(f"left behind: {sorted(strays)}")


def read_all(reader: ReleaseReader) -> Contents:
    """All that a release holds."""
    return {collection: Held.of(StoredPoints(reader, collection)) for collection in Collection}


def answers_of(retriever: Retriever) -> Answers:
    """What a release answers, to be compared: ids and scores, to the last digit."""
    found = retriever.recommend_many(QUERIES, limit=10, strategy="hybrid")
    return [plain(one.to_json()) for one in found]


def plain(answer: Any) -> Any:
    """An answer without the store that gave it, as JSON has it."""
    return json.loads(json.dumps({k: v for k, v in answer.items() if k != "store"}))


def _difference(before: Any, now: Any, where: str = "") -> str | None:
    """Where two answers differ first."""
    if type(before) is type(now) and isinstance(before, dict | list) and len(before) == len(now):
        names = before.keys() | now.keys() if isinstance(before, dict) else range(len(before))
        parts = (
            _difference(_get(before, name), _get(now, name), f"{where}/{name}") for name in names
        )
        return next((part for part in parts if part), None)
    return None if before == now else f"{where}: {now} in place of {before}"


def _get(value: Any, name: Any) -> Any:
    return value.get(name) if isinstance(value, dict) else value[name]
