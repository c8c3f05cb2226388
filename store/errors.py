"""What can go wrong with a store, and the messages that both engines need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from melon.errors import InputError, MelonError
from melon.text import did_you_mean


class StoreUnavailable(MelonError):
    """The store cannot be reached, opened or written."""


class StoreClosed(StoreUnavailable):
    """The store, or the reader, was closed before it could answer."""


class DamagedRelease(StoreUnavailable):
    """A part of a release is missing or cannot be read."""


class StoreBusy(MelonError):
    """Another process is writing to the store."""


class ForkedStore(MelonError):
    """A process uses a store that was opened before it was forked."""


class NameTaken(MelonError):
    """A collection or alias that melon did not make has a name that melon needs."""


class NoRelease(MelonError):
    """The release is not there, or no release is live."""


class UnknownRelease(NoRelease, InputError):
    """There is no release of the name that the user gave."""


class ReleaseIsComplete(InputError):
    """The release that was to be built is there already."""


class ReleaseIsLive(InputError):
    """The release that was to be dropped is the live one."""


class SchemaMismatch(MelonError):
    """The release was written with another version of the collections' contract."""


class IndexingFailed(MelonError):
    """The engine gave up building an index, or lost points on the way."""


class BadPoints(MelonError):
    """A batch that an engine would accept and serve wrongly: NaN, or a wrong dimension."""


class RequestRefused(MelonError):
    """A request that the engine does not accept: a wrong dimension, an unknown field, a bad id."""


class LimitReached(RequestRefused):
    """A limit of the collection's strict mode does not let a request through; `limit` names it."""

    def __init__(self, what: str, *, limit: str, where: str | None = None) -> None:
        self.limit = limit
        hint = f"change {limit} in the collection's strict_mode_config, or ask for less"
        super().__init__(what, where=where, hint=hint)


class FilterError(InputError):
    """A condition that could not mean anything: no values, or no bounds."""


LIST_HINT = "`melon releases` lists what there is"


def store_closed(location: str) -> StoreClosed:
    """A request came after `close`, perhaps from a thread that goes on after a `with` block."""
    return StoreClosed("it is closed", where=location, hint="keep the store open while it is asked")


def forked_store(location: str) -> ForkedStore:
    """A request came from a process that was forked after the store was opened."""
    return ForkedStore(
        "it was opened in the process that this one was forked from",
        where=location,
        hint="open the store, and make the Retriever, in each process: after the fork",
    )


def server_not_named(location: str, url: str) -> InputError:
    """Somebody's server, found on this machine, was to be written to."""
    return InputError(
        "it was found and not named, and is only read",
        where=location,
        hint=f"to write to it, name it: --url {url}, or MELON_QDRANT_URL",
    )


def unknown_release(location: str, release: str, known: Iterable[str]) -> UnknownRelease:
    """There is no release of that name to read, promote or drop; others are `known`."""
    return UnknownRelease(
        f"it holds no release {release!r}",
        where=location,
        hint=did_you_mean(release, known) or LIST_HINT,
    )


def release_is_complete(release: str) -> ReleaseIsComplete:
    """A release of that name cannot be built again."""
    return ReleaseIsComplete(f"release {release} is complete", hint="promote it, or drop it first")


def release_is_live(release: str) -> ReleaseIsLive:
    """A live release cannot be dropped."""
    return ReleaseIsLive(
        f"release {release} is live",
        hint="promote another one first, with `melon releases promote RELEASE`",
    )


def damaged_manifest(release: str, reason: str) -> DamagedRelease:
    """The stored manifest cannot be read."""
    return DamagedRelease(
        f"the manifest cannot be read: {reason}",
        where=f"release {release}",
        hint=f"remove it with `melon releases drop {release}`; if it is live, run `melon ingest`"
        " first",
    )


SHOWN = 3
"""Faults of a release that a message names; of the others it gives the number."""


def damaged_release(release: str, faults: Sequence[str]) -> DamagedRelease:
    """A release is not what was sealed."""
    more = len(faults) - SHOWN
    rest = [f"and {more} more"] if more > 0 else []
    return DamagedRelease(
        "; ".join([*faults[:SHOWN], *rest]),
        where=f"release {release}",
        hint="`melon ingest --rebuild` of its space builds it anew, beside it;"
        f" `melon releases drop {release}` removes what is left of it",
    )


def copied_release(release: str, named: str) -> DamagedRelease:
    """A release lies under another name than its own."""
    return DamagedRelease(
        f"it is a copy of release {named}",
        where=f"release {release}",
        hint=f"give it the name {named} again where there is no such release, or remove it with"
        f" `melon releases drop {release}`",
    )
