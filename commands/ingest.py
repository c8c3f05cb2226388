"""`melon ingest`: a space becomes the live release of a store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.completion import one_of
from melon.commands.console import meter, note
from melon.commands.options import PathOption, UrlOption, chosen_store, path_argument
from melon.errors import InputError, counted

if TYPE_CHECKING:
    from melon.ingest import IngestResult
    from melon.store import Preset


def ingest(
    space: Annotated[
        Path | None,
        path_argument("Space that `melon train` made. [default: .melon/space]"),
    ] = None,
    url: UrlOption = None,
    path: PathOption = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="How it is indexed: balanced, small (half precision, on disk) or exact (no"
            " graph, every search is a scan). [default: by the number of points]",
            show_default=False,
            autocompletion=one_of("balanced", "small", "exact"),
        ),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Build another release, even where one of this space is there."
        ),
    ] = False,
) -> None:
    """Load a space into Qdrant as a new release, check it, and make it live in one step.

    What is live goes on answering until then, and is kept as the release to roll back to; older
    ones are removed. The same space again changes nothing; an interrupted ingest can simply be
    run again.
    """
    from melon.embedding import EmbeddingSpace
    from melon.ingest import ingest as build
    from melon.settings import load_settings

    chosen = _preset(preset)
    loaded = EmbeddingSpace.load(space or load_settings().space_dir)
    store = chosen_store(url, path, to_write=True)
    with meter() as bar:
        started = time.perf_counter()
        result = build(loaded, store, preset=chosen, rebuild=rebuild, progress=bar)
        report(result, time.perf_counter() - started)


def _preset(name: str | None) -> Preset | None:
    from melon.store import Preset
    from melon.text import did_you_mean

    if name is None:
        return None
    try:
        return Preset(name)
    except ValueError:
        raise InputError(
            f"there is no preset {name!r}",
            hint=did_you_mean(name, Preset) or f"choose one of {', '.join(Preset)}",
        ) from None


def report(result: IngestResult, seconds: float) -> None:
    """Say what an ingest did."""
    from melon.ingest import Outcome

    release = result.manifest.release
    points = sum(result.manifest.counts.values())
    match result.outcome:
        case Outcome.UNCHANGED:
            note(f"release {release} of this space is live already: nothing to do")
        case Outcome.PROMOTED:
            note(f"release {release} of this space was there: it is live again")
        case Outcome.BUILT:
            rate = f"{points / seconds:,.0f} points/s, indexes included"
            if kept := points - result.sent:
                rate = f"{kept:,} of them as they were in the release before"
            preset = result.manifest.preset
            note(
                f"release {release} is live: {counted(points, 'point')} in {seconds:.1f} s ({rate})"
            )
            note(f"preset: {preset}")
    for dropped in result.dropped:
        note(f"release {dropped} was removed")
