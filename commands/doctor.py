"""`melon doctor`: what will be used and why, and what needs doing."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from melon.commands.console import for_store, name_store, note, print_json, print_table, shown
from melon.commands.options import JsonOption, PathOption, UrlOption, opened_reader
from melon.errors import MelonError, counted

if TYPE_CHECKING:
    from melon.settings import Settings
    from melon.store import ReleaseInfo, VectorStore

EXTRAS = {"web": "fastapi", "plot": "openTSNE", "mcp": "mcp"}
"""The library by whose presence each extra is told."""

KEPT = 2
"""Releases that are kept for a reason: the live one, and the one to go back to."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one thing, and what is to be done if something is."""

    check: str
    found: str
    do: str | None = None


def doctor(url: UrlOption = None, path: PathOption = None, as_json: JsonOption = False) -> None:
    """Say what would be used and why, whether it is in order, and what to do where it is not.

    Looks at the versions, the settings, the ports of this machine, the store, its releases, the
    trained space and the room on disk, and changes nothing. The exit code is 1 where something
    needs doing.
    """
    name_store(url, path)
    checks = [replace(check, do=check.do and for_store(check.do)) for check in _checks(url, path)]
    to_do = [check for check in checks if check.do]
    if as_json:
        print_json({"healthy": not to_do, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(check.check, check.found, check.do) for check in checks]
        print_table("Doctor", ["", "found", "to do"], rows, wrapped=True)
        note(f"{counted(len(to_do), 'thing')} to do" if to_do else "all is in order")
    if to_do:
        raise typer.Exit(1)


def _checks(url: str | None, path: Path | None) -> Iterator[Check]:
    from melon.settings import load_settings
    from melon.store import open_store

    yield _versions()
    try:
        settings = load_settings()
    except MelonError as error:
        yield _failed("settings", error)
        return
    yield _settings()
    yield _ports()
    try:
        store = open_store(settings, url=url, path=path)
    except MelonError as error:
        yield _failed("store", error)
        return
    try:
        yield from _store_checks(store, settings, _why(store, settings, url, path))
    except MelonError as error:
        yield _failed("store", error)
    yield _disk(store, settings)


def _failed(check: str, error: MelonError) -> Check:
    where = f"{error.where}: " if error.where else ""
    return Check(check, f"{where}{error.what}", error.hint or "see what the error says")


def _versions() -> Check:
    libraries = [f"{name} {_version(name)}" for name in ("qdrant-edge-py", "qdrant-client")]
    extras = [extra for extra, library in EXTRAS.items() if _version(library) != "missing"]
    python = ".".join(map(str, sys.version_info[:3]))
    found = [f"melon {version('melon')}", f"Python {python}", *libraries]
    return Check("versions", shown([*found, f"extras: {shown(extras) or 'none'}"]))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _settings() -> Check:
    """The variables that are set, without their values: one of them is a key."""
    names = sorted(name for name in os.environ if name.startswith("MELON_") and os.environ[name])
    return Check("settings", shown(names) or "no MELON_* variable is set")


def _ports() -> Check:
    """Who listens where a Qdrant would be found."""
    from melon.settings import DEFAULT_SERVER_URL

    parts = urlsplit(DEFAULT_SERVER_URL)
    rest = parts.port or 6333
    taken = [port for port in (rest, rest + 1) if _listens(str(parts.hostname), port)]
    if not taken:
        return Check("ports", f"nothing listens on localhost:{rest} or :{rest + 1}")
    return Check("ports", f"something listens on localhost:{' and :'.join(map(str, taken))}")


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _why(store: VectorStore, settings: Settings, url: str | None, path: Path | None) -> str:
    """Why this store is the one."""
    if path is not None or url is not None:
        return "--path" if path is not None else "--url"
    if settings.qdrant_url is not None:
        return "MELON_QDRANT_URL"
    if store.found:
        return "found on localhost, and only read unless it is named"
    return "no server is named or found"


def _store_checks(store: VectorStore, settings: Settings, why: str) -> Iterator[Check]:
    if not store.exists:
        yield Check("store", f"{store.location} is not there ({why})", _ingest(settings))
        yield from _space(settings, [])
        return
    releases = store.releases()
    yield Check("store", f"{store.location}, {store.engine_version()} ({why})")
    yield from _live(store, settings)
    yield _releases(store, releases)
    yield from _space(settings, releases)


def _ingest(settings: Settings) -> str:
    trained = (settings.space_dir / "manifest.json").is_file()
    return "melon ingest" if trained else "melon train DIR, then melon ingest (or melon demo)"


def _live(store: VectorStore, settings: Settings) -> Iterator[Check]:
    """The release that answers, whether all of it is there, and by which strategy."""
    from melon.retrieval import DEFAULT_STRATEGY, UnknownStrategy, check_answers
    from melon.store import Collection, faults

    live = store.live()
    if live is None:
        yield Check("live release", "none", _ingest(settings))
        return
    reader = opened_reader(store, live)
    manifest = reader.manifest
    wrong = [fault for collection in Collection for fault in faults(reader, collection)]
    points = counted(sum(manifest.counts.values()), "point")
    found = shown(wrong) if wrong else f"{live} of {manifest.created:%Y-%m-%d %H:%M} UTC, {points}"
    yield Check("live release", found, "melon ingest --rebuild" if wrong else None)
    own = manifest.ranking.strategy if manifest.ranking else DEFAULT_STRATEGY
    by = "MELON_STRATEGY" if settings.strategy else "as suits the release"
    strategy = settings.strategy or own
    try:
        check_answers(strategy, manifest)
    except UnknownStrategy as error:
        yield Check("strategy", f"{strategy} ({by}) cannot answer: {error.what}", error.hint)
    else:
        yield Check("strategy", f"{strategy} ({by})")


def _releases(store: VectorStore, releases: list[ReleaseInfo]) -> Check:
    if astray := store.astray():
        do = "melon releases promote RELEASE"
        return Check("releases", f"the aliases disagree: {shown(astray)}", do)
    more = len(releases) - KEPT
    kept = f"; melon releases prune --keep {KEPT} would remove {more}" if more > 0 else ""
    return Check("releases", f"{len(releases):,}{for_store(kept)}")


def _space(settings: Settings, releases: list[ReleaseInfo]) -> Iterator[Check]:
    """Whether what was trained last is in the store."""
    from melon.files import read_json

    path = settings.space_dir / "manifest.json"
    if not path.is_file():
        yield Check("space", f"none in {settings.space_dir}: it takes one to ingest, not to query")
        return
    try:
        content = read_json(path)
    except MelonError as error:
        yield _failed("space", error)
        return
    trained = str(content.get("hash", "")) if isinstance(content, dict) else ""
    held = next((one for one in releases if one.manifest.space == trained), None)
    if held is not None:
        state = "live" if held.live else "not live"
        yield Check("space", f"{settings.space_dir} is release {held.manifest.release}, {state}")
    else:
        yield Check("space", f"{settings.space_dir} is in no release of the store", "melon ingest")


def _disk(store: VectorStore, settings: Settings) -> Check:
    """Whether another release has room beside the largest one of an embedded store."""
    root = getattr(store, "root", settings.home)
    there = next(one for one in (root, *root.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    largest = max(map(_bytes_in, (root / "releases").glob("[!.]*")), default=0)
    found = f"{free / 1e9:,.1f} GB free in {there}"
    if largest:
        found += f", the largest release has {largest / 1e6:,.0f} MB"
    return Check("disk", found, "make room: another has none" if free < largest else None)


def _bytes_in(directory: Path) -> int:
    """What a directory takes on the disk, holes in its files left out."""
    sizes = (file.stat() for file in directory.rglob("*") if file.is_file())
    return sum(getattr(size, "st_blocks", size.st_size // 512) * 512 for size in sizes)
