"""What every engine offers: a store of releases, a builder of one, a reader of one.

A reader stays with its release: it goes on answering while another is built and promoted. Once
its release is dropped (`melon ingest` keeps the one that was live before) it raises
`NoRelease` for what it had not opened yet; then open the live one again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol, Self, TypeVar, cast

from melon.progress import Progress, ignore
from melon.store.facets import Facets
from melon.store.filters import Filter
from melon.store.manifest import ReleaseManifest
from melon.store.points import Hits, PointBatch, PointId, Record, VectorQuery
from melon.store.schema import Collection

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """One release as `melon releases` lists it."""

    manifest: ReleaseManifest
    live: bool

    def to_json(self) -> dict[str, Any]:
        """As `melon releases --json` prints it."""
        manifest = self.manifest
        return {
            "release": manifest.release,
            "live": self.live,
            "created": manifest.created.isoformat(timespec="seconds"),
            "counts": {str(collection): count for collection, count in manifest.counts.items()},
            "space": manifest.space,
            "schema_version": manifest.schema_version,
            "preset": str(manifest.preset),
        }


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What `VectorStore.unlock` did, as people read it."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class ReleaseReader(Protocol):
    """Reads one release. All requests see the same four collections, whatever is promoted.

    May be shared by threads, but not by processes. Every request raises `NoRelease` if the release
    was dropped, `RequestRefused` if the engine does not accept it, and `ForkedStore` in a process
    that was forked after the reader was opened.
    """

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself, title tokenizer included."""

    def in_background(self, call: Callable[[], T]) -> Callable[[], T]:
        """Begin a call that asks this reader; call what is returned, once, for the result.

        An engine that answers one request at a time begins it only then: threads would wait for
        each other. Do not begin a call from within another.
        """

    def retrieve(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
        sparse: bool = False,
    ) -> list[Record]:
        """Points by id, in the order of `ids`; ids that are not there are left out.

        Args:
            payload: the fields that come back, or all, or none.
            vectors: whether the dense vector comes back.
            sparse: whether the collection's sparse vector does.
        """

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        """The hits of each query, best first, in one request."""

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        """The values of an indexed integer field, read from its index and not from the payloads.

        That is many times faster where the payloads are still on disk. Points that are not there,
        or have no value, are left out.
        """

    def top(
        self,
        collection: Collection,
        field: str,
        limit: int,
        filter: Filter | None = None,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The points with the largest value of an indexed integer field, largest first."""

    def find(
        self,
        collection: Collection,
        filter: Filter | None,
        limit: int,
        *,
        payload: tuple[str, ...] | bool = True,
    ) -> list[Record]:
        """The first `limit` points that pass the filter, by their ids.

        Ids ascend, numbers by their value and UUIDs as text, on every engine and however many
        shards there are.
        """

    def count(self, collection: Collection, filter: Filter | None = None) -> int:
        """Exactly how many points pass the filter."""

    def facet(
        self, collection: Collection, field: str, limit: int, filter: Filter | None = None
    ) -> Facets:
        """The values of an indexed field that most points hold, each with how many, exactly.

        Largest counts first, and of equal counts the smaller value. A point counts once for each
        of its values.

        Raises:
            RequestRefused: `limit` is below 1, or the field has no index of whole values: such
                are those of keywords, truth values, and integers that are not for ranges only.
        """

    def warm(self) -> None:
        """Open what the first requests would wait for."""

    def close(self) -> None:
        """Close what was opened for reading, once the requests under way are answered.

        Do not read afterwards: an engine that had something to close raises `StoreClosed`.
        """


class ReleaseBuilder(Protocol):
    """Writes one release beside what is live. Nothing is seen by readers before `seal`."""

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Send a batch; it need not be durable before `finish` returns.

        Raises:
            BadPoints: the batch holds what an engine would accept and serve wrongly.
        """

    @property
    def has_base(self) -> bool:
        """Whether it begins with the points of another release; see `keep`."""

    def keep(
        self, collection: Collection, kept: Sequence[PointId], gone: Sequence[PointId]
    ) -> None:
        """Of the points that it begins with, keep some and remove others; the rest is sent."""

    def finish(self, progress: Progress = ignore) -> None:
        """Wait until every point is acknowledged and every index is built.

        Args:
            progress: told of steps `index songs` and so on, and how many vectors are indexed.

        Raises:
            IndexingFailed: the engine reports an error, or fewer points than were sent.
        """

    def reader(self) -> ReleaseReader:
        """Read what was built, before anyone else does."""

    def seal(self) -> None:
        """Mark the release complete, so that it can be promoted, with what it answers now."""

    def abandon(self) -> None:
        """Remove what was built. What a killed build left is removed by the next one."""


class VectorStore(Protocol):
    """A place that holds releases: a Qdrant server, or a directory of embedded shards."""

    @property
    def location(self) -> str:
        """The engine and its address, as people read it."""

    @property
    def exists(self) -> bool:
        """Whether there is a store: a directory may hold none yet.

        True for a server, which is not asked: the first request fails if it does not answer.
        """

    found: bool
    """Whether it is a server that was found, not named: such a one is only read.

    Whoever asks and is told to write to it sets this to False.
    """

    def engine_version(self) -> str:
        """Name and version of the engine."""

    def releases(self) -> list[ReleaseInfo]:
        """All complete releases, newest first, without their title tokenizers."""

    def open(self, release: str | None = None) -> ReleaseReader:
        """A reader of a release, the live one by default.

        Raises:
            NoRelease: none is live.
            UnknownRelease: there is none of this name.
            SchemaMismatch: this version of melon cannot read it.
        """

    def live(self) -> str | None:
        """Name of the live release."""

    def previous(self) -> str | None:
        """Name of the release that was live before the live one, if that is known and there."""

    def astray(self) -> dict[str, str | None]:
        """Aliases that do not name the live release, with the collections that they name, if any.

        To put them right, promote the live release once more.
        """

    def build(
        self, manifest: ReleaseManifest, progress: Progress = ignore, *, base: str | None = None
    ) -> ReleaseBuilder:
        """Start a release, in place of whatever an interrupted build of it left behind.

        What other killed builds left is removed, too.

        Args:
            base: a release of the same schema to begin with, where the engine can, it has a graph,
                and nothing of it is damaged; the builder says whether it does.
            progress: told of seconds, where the build has to wait before a server lets it go on.

        Raises:
            StoreBusy: another process is building in this store.
            ReleaseIsComplete: it is there already.
            NameTaken: a name on the server is somebody else's; nothing was written.
        """

    def promote(self, release: str) -> None:
        """Make a complete release the live one, in one step for all four collections.

        Raises:
            UnknownRelease: there is none of this name.
            SchemaMismatch: this version of melon cannot read it.
            DamagedRelease: something of it is missing; what was live stays so.
        """

    def drop(self, release: str) -> None:
        """Delete a release that is not live, or what a killed drop left of it.

        Raises:
            UnknownRelease: there is none of this name.
            ReleaseIsLive: promote another one first.
        """

    def damaged_files(self, release: str, progress: Progress = ignore) -> list[str]:
        """What of a release's files is not what was sealed, all of them read.

        Nothing on a server, which keeps them itself.

        Args:
            progress: told as `files` how many bytes were read.

        Raises:
            DamagedRelease: it is not known what was sealed.
        """

    def remove_left_behind(self) -> tuple[str, ...]:
        """Remove what killed builds and drops left, and return what that was, to be read.

        Raises:
            StoreBusy: another process is building in this store.
        """

    def unlock(self, *, force: bool = False) -> Unlocked:
        """Remove what keeps others from building, promoting and dropping, and cannot be right.

        Nothing in a directory, whose locks end with their processes.

        Args:
            force: remove the marks of processes that may be at work, too.
        """

    def close(self) -> None:
        """Release connections, files and locks. Reading afterwards raises `StoreClosed`."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


def _forwarded(method: Method) -> Method:
    """A method of `ReleaseReader` that asks `self._reader` for the same."""
    name = method.__name__

    @wraps(method)
    def forward(self: ForwardingReader, *args: Any, **options: Any) -> Any:
        return getattr(self._reader, name)(*args, **options)

    return cast("Method", forward)


class ForwardingReader:
    """Every request goes to `reader` as it is; subclasses change what they have to."""

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader

    @property
    def manifest(self) -> ReleaseManifest:
        """What the release says about itself."""
        return self._reader.manifest

    in_background = _forwarded(ReleaseReader.in_background)
    retrieve = _forwarded(ReleaseReader.retrieve)
    query = _forwarded(ReleaseReader.query)
    values = _forwarded(ReleaseReader.values)
    top = _forwarded(ReleaseReader.top)
    find = _forwarded(ReleaseReader.find)
    count = _forwarded(ReleaseReader.count)
    facet = _forwarded(ReleaseReader.facet)
    warm = _forwarded(ReleaseReader.warm)
    close = _forwarded(ReleaseReader.close)
