"""`melon verify`: whether a release is what was sealed."""

from __future__ import annotations

from typing import Annotated

import typer

from melon.commands.completion import known
from melon.commands.console import meter, note, print_json
from melon.commands.options import JsonOption, PathOption, UrlOption, chosen_store
from melon.errors import counted


def verify(
    release: Annotated[
        str | None,
        typer.Argument(
            help="Name of a release. [default: the live one]",
            show_default=False,
            autocompletion=known("releases"),
        ),
    ] = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read all of a release, and say what is not as it was when it was sealed.

    Of an embedded one every file is read. On both engines the points are counted, and searches are
    repeated whose answers are known. Where something differs the exit code is 1, and `melon ingest
    --rebuild` of the same space builds another release beside it.
    """
    from melon.store import damaged_release
    from melon.store import verify as read_all

    store = chosen_store(url, path)
    with meter() as bar:
        found = read_all(store, release, progress=bar)
    manifest = found.manifest
    if as_json:
        whole = not found.faults
        print_json({"release": manifest.release, "whole": whole, "faults": list(found.faults)})
    if found.faults:
        for fault in found.faults:
            note(fault)
        raise damaged_release(manifest.release, found.faults)
    points = counted(sum(manifest.counts.values()), "point")
    searches = sum(len(point.answers) for part in manifest.evidence.values() for point in part)
    note(f"release {manifest.release} is whole: {points}, {counted(searches, 'known answer')}")
