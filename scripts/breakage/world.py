"""A store to which things happen, and what must be true of it whatever happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from qdrant_client import QdrantClient
from qdrant_server import Endpoint

from breakage.catalogue import QUERIES, Contents, Held
from melon.ingest.transfer import StoredPoints
from melon.retrieval import Recommendation, Retriever
from melon.store import Collection, ReleaseReader, VectorStore, check_whole
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
Ranked = list[tuple[int | str, float]]
Answers = list[list[Ranked]]
"""Of each query, the songs and the tags, each with its score."""

TOLERANCE = 1e-5
"""Of scores: vectors from a backup have other last digits."""


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

        All points are compared with what was laid out for them, and known answers with those that
        were sealed; of an embedded store the files' checksums and some recommendations, too.

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
            check_whole(reader)
            answers = answers_of(Retriever.of_reader(reader))
        # On a server of hits that tie others may be cut off in another build, or after a restart.
        if self.place.engine == "embedded":
            before = self.answers.setdefault(release, answers)
            if difference := difference_of(before, answers):
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
    """What a release answers to `QUERIES`."""
    found = retriever.recommend_many(QUERIES, limit=10, strategy="hybrid")
    return [ranking_of(one) for one in found]


def ranking_of(answer: Recommendation) -> list[Ranked]:
    """The songs and the tags of an answer, with their scores."""
    return [
        [(song.id, song.score) for song in answer.songs],
        [(tag.tag, tag.score) for tag in answer.tags],
    ]


def difference_of(before: Answers, now: Answers) -> str | None:
    """Where answers differ first."""
    for answer, other in zip(before, now, strict=True):
        for one, two in zip(answer, other, strict=True):
            if not _same(one, two):
                return f"{two} in place of {one}"
    return None


def _same(before: Ranked, now: Ranked) -> bool:
    """Whether two rankings are the same; of those that tie for the last place, any may be there."""
    if not before or len(before) != len(now):
        return before == now
    if any(abs(one - two) > TOLERANCE for (_, one), (_, two) in zip(before, now, strict=True)):
        return False
    clear = before[-1][1] + 2 * TOLERANCE
    return {item for item, score in before if score > clear} <= {item for item, _ in now}
