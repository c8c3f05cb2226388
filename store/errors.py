"""What can go wrong with a store, and the messages that both engines share."""

from __future__ import annotations

from melon.errors import InputError, MelonError
from melon.store.schema import SCHEMA_VERSION

LIST_HINT = "`melon releases` lists what there is"


class StoreUnavailable(MelonError):
    """The store cannot be reached, opened or written."""


class StoreClosed(StoreUnavailable):
    """The store, or the reader, was closed before it could answer."""


class ForkedStore(MelonError):
    """What another process has opened was asked in a process that it forked."""


class StoreBusy(MelonError):
    """Another process is writing to the store."""


class NoRelease(MelonError):
    """There is no live release, or none of the name that was asked for."""


class UnknownRelease(NoRelease, InputError):
    """There is no release of the name that the user gave."""


class DamagedRelease(StoreUnavailable):
    """A part of a release is missing, or it is there and cannot be understood."""


class SchemaMismatch(MelonError):
    """The release was written with another version of the collections' contract."""


class IndexingFailed(MelonError):
    """The engine gave up building an index, or lost points on the way."""


class NameTaken(MelonError):
    """Somebody else's collection or alias has a name that melon would use."""


class ReleaseIsComplete(InputError):
    """The release that was to be built is there already."""


class ReleaseIsLive(InputError):
    """The release that was to be dropped is the live one."""


class BadPoints(MelonError):
    """A batch that an engine would accept and serve wrongly: NaN, or a wrong dimension."""


class RequestRefused(MelonError):
    """A request that the engine does not accept: a wrong dimension, an unknown field, a bad id."""


class FilterError(InputError):
    """A condition that could not mean anything: no values, or no bounds."""


def name_taken(what: str, location: str) -> NameTaken:
    """The error for a name that melon needs on a server and somebody else uses."""
    return NameTaken(
        f"{what} that melon did not make", where=location, hint="set another MELON_PREFIX"
    )


def no_live_release(location: str) -> NoRelease:
    """The error for a store into which nothing was ingested."""
    return NoRelease("it holds no live release", where=location, hint="run `melon ingest` first")


def no_store(directory: str) -> NoRelease:
    """The error for reading a directory that is none, or not that of an embedded store."""
    return NoRelease(
        f"there is no store in {directory}",
        hint="run `melon ingest` first, or name the directory of a store with --path",
    )


def unknown_release(location: str, release: str) -> UnknownRelease:
    """The error for a release that was asked for by name, to read, promote or drop it."""
    return UnknownRelease(f"it holds no release {release!r}", where=location, hint=LIST_HINT)


def dropped_release(location: str, release: str) -> NoRelease:
    """The error for reading on in a release that was dropped since it was opened."""
    return NoRelease(f"it holds no release {release!r} any more", where=location, hint=LIST_HINT)


def live_is_missing(location: str, release: str) -> NoRelease:
    """The error for a store whose live release somebody else has removed."""
    return NoRelease(
        f"its live release {release!r} is not there any more",
        where=location,
        hint=f"promote another one ({LIST_HINT}), or run `melon ingest` again",
    )


def store_closed(location: str) -> StoreClosed:
    """The error of who asks a store that was closed, as by a thread that outlives its `with`."""
    return StoreClosed("it is closed", where=location, hint="keep the store open while it is asked")


def forked_store(where: str) -> ForkedStore:
    """The error of who would go on with what was opened before the process was forked."""
    return ForkedStore(
        "it was opened in the process that this one was forked from",
        where=where,
        hint="open the store, and make the Retriever, in each process: after the fork",
    )


def damaged_manifest(release: str, reason: str) -> DamagedRelease:
    """The error of a manifest that is there, and is none."""
    return DamagedRelease(
        f"the manifest cannot be read: {reason}",
        where=f"release {release}",
        hint=f"remove it with `melon releases drop {release}`; if it is live, run `melon ingest`"
        " first",
    )


def taken_for_dead(location: str) -> StoreBusy:
    """The error of a process whose right to write was given to another."""
    return StoreBusy(
        "this process was silent for so long that another took it for dead",
        where=location,
        hint="run the command again",
    )


def release_is_complete(release: str) -> ReleaseIsComplete:
    """The error for building a release that is complete already."""
    return ReleaseIsComplete(f"release {release} is complete", hint="promote it, or drop it first")


def release_is_live(release: str) -> ReleaseIsLive:
    """The error for dropping the live release."""
    return ReleaseIsLive(f"release {release} is live", hint="promote another one first")


def schema_mismatch(release: str, version: int) -> SchemaMismatch:
    """The error for a release of schema version `version`, which is not ours."""
    newer = version > SCHEMA_VERSION
    return SchemaMismatch(
        f"it has schema version {version}, this melon reads {SCHEMA_VERSION}",
        where=f"release {release}",
        hint="upgrade melon" if newer else "run `melon ingest` again to build a new release",
    )
