"""`melon backup`, `melon restore` and `melon copy`: a release moves without training again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.completion import known
from melon.commands.console import for_store, meter, note
from melon.commands.options import PathOption, UrlOption, chosen_store, opened_reader, path_argument
from melon.errors import counted, sized

if TYPE_CHECKING:
    from melon.store import ReleaseManifest, VectorStore

ReleaseOption = Annotated[
    str | None,
    typer.Option(
        help="Which release. [default: the live one]",
        show_default=False,
        autocompletion=known("releases"),
    ),
]
KeepLiveOption = Annotated[
    bool, typer.Option("--keep-live", help="Leave the release live that is live there.")
]


def backup(
    file: Annotated[Path, path_argument("File to write, in place of one that is there.")],
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Write a release into one file, from which `melon restore` builds it in any store.

    The file holds the release's points and all that a query host needs, and nothing else: no space,
    no index. It is whole or not there.
    """
    from melon.ingest import back_up
    from melon.outputs import check_file, make_directory

    check_file(file)
    reader = opened_reader(chosen_store(url, path), release)
    make_directory(file.parent)
    with meter() as bar:
        back_up(reader, file, bar)
    points = sum(reader.manifest.counts.values())
    held = f"{counted(points, 'point')}, {sized(file.stat().st_size)}"
    note(f"release {reader.manifest.release} is in {file}: {held}")


def restore(
    file: Annotated[Path, path_argument("File that `melon backup` wrote.")],
    url: UrlOption = None,
    path: PathOption = None,
    keep_live: KeepLiveOption = False,
) -> None:
    """Build the release of a backup in a store, compare all of it, and make it live in one step.

    What is live goes on answering until then, and stays as the release to roll back to. A restore
    that was interrupted can simply be run again.
    """
    from melon.ingest import restore as build

    store = chosen_store(url, path, to_write=True)
    with meter() as bar:
        manifest, built = build(file, store, promote=not keep_live, progress=bar)
    _report(store, manifest, built)


def copy(
    source: Annotated[
        str,
        typer.Option("--from", help="Store that holds it: a URL, or a directory."),
    ],
    target: Annotated[
        str,
        typer.Option("--to", help="Store that gets it: a URL, or a directory."),
    ],
    release: ReleaseOption = None,
    keep_live: KeepLiveOption = False,
) -> None:
    """Build a release of one store in another, compare all of it, and make it live in one step.

    Either may be a server or a directory. Of the other store nothing else changes. A copy that was
    interrupted can simply be run again.
    """
    from melon.ingest import copy_release

    reader = opened_reader(_named(source), release)
    store = _named(target, to_write=True)
    with meter() as bar:
        built = copy_release(reader, store, promote=not keep_live, progress=bar)
    _report(store, reader.manifest, built)


def _named(place: str, *, to_write: bool = False) -> VectorStore:
    """The store at a URL or in a directory."""
    if "://" in place:
        return chosen_store(place, None, to_write=to_write)
    return chosen_store(None, Path(place), to_write=to_write)


def _report(store: VectorStore, manifest: ReleaseManifest, built: bool) -> None:
    points = counted(sum(manifest.counts.values()), "point")
    release = manifest.release
    how = f"was built: {points}, compared with what was sent" if built else "was there already"
    note(f"release {release} {how}")
    live = store.live()
    none = "no release is live: `melon releases promote`"
    note(f"release {live} is live" if live else for_store(none))
