"""`melon train`: playlists become a co-embedding space on disk."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melon.commands.completion import one_of
from melon.commands.console import meter, note, reported
from melon.commands.options import (
    TRAINING,
    LenientOption,
    StrictOption,
    check_strictness,
    path_argument,
    path_option,
)
from melon.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from melon.embedding import EmbeddingSpace

READING = ("keys", "playlists", "songs")
"""The steps of training after which `melon train` says what was read."""


def train(
    corpus: Annotated[
        list[Path],
        path_argument("Directory in Melon's format, or playlist files."),
    ],
    out: Annotated[
        Path | None,
        path_option("--out", "-o", help="Where the space goes. [default: .melon/space]"),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="Hyper-parameters to start from: default or published.",
            autocompletion=one_of("default", "published"),
            rich_help_panel=TRAINING,
        ),
    ] = "default",
    dim: Annotated[
        int | None,
        typer.Option(
            help="Dimensions of the vectors. [default: 100; published: 300]",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over all playlists. [default: 10; published: 50]", rich_help_panel=TRAINING
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            help="Tokens to either side. [default: 60; published: 100]", rich_help_panel=TRAINING
        ),
    ] = None,
    negative: Annotated[
        int | None,
        typer.Option(help="Negative samples per pair. [default: 5]", rich_help_panel=TRAINING),
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(
            help="Playlists that must hold a token, of whatever kind, for it to be trained. "
            "[default: 10 for words, else 3, or fewer where most songs are rarer; published: 10]",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Threads. Only 1 gives the same space from run to run. [default: 1]",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Random seed (with --workers 1). [default: 1]", rich_help_panel=TRAINING),
    ] = None,
    no_ranking: Annotated[
        bool,
        typer.Option(
            "--no-ranking",
            help="Do not learn how to rank, which takes about as long as the space itself, and "
            "several times as long where playlists are few.",
        ),
    ] = False,
    strict: StrictOption = False,
    lenient: LenientOption = False,
) -> None:
    """Train a co-embedding of songs, tags, title words, genres, artists and playlists.

    Then some of the playlists are left out of spaces of their own, which are asked for them: so it
    is learned how to rank, and by which strategy a release that is made of the space answers.

    A directory is searched for playlists, in train.json, val.json and test.json, of which one is
    enough, and for metadata, in song_meta.json and genre_gn_all.json, which may both be missing.
    """
    from melon.catalog import ReadReport
    from melon.commands.releases import worth
    from melon.embedding import training_settings
    from melon.learning import train_corpus
    from melon.settings import load_settings

    options: dict[str, Any] = {
        "dim": dim,
        "epochs": epochs,
        "window": window,
        "negative": negative,
        "min_count": min_count,
        "workers": workers,
        "seed": seed,
    }
    changes = {name: value for name, value in options.items() if value is not None}
    settings = training_settings(preset, **changes)
    target = out or load_settings().space_dir
    check_strictness(strict, lenient)
    report = ReadReport()
    with ExitStack() as reading, meter() as bar:
        reading.enter_context(reported(report))

        def progress(step: str, done: int, total: int | None) -> None:
            if step not in READING:
                reading.close()
            bar(step, done, total)

        space = train_corpus(
            corpus,
            target,
            settings,
            ranking=not no_ranking,
            report=report,
            strict=strict,
            lenient=lenient,
            progress=progress,
        )
    counts = ", ".join(counted(n, kind.removesuffix("s")) for kind, n in space.counts.items())
    note(origins(space))
    if space.ranking:
        note(f"answers by {space.ranking.strategy}: {worth(space.ranking)}")
    note(f"space {space.hash[:12]}: {counts}, {counted(space.dim, 'dimension')}, in {target}")


def origins(space: EmbeddingSpace) -> str:
    """How many songs and tags were trained, and how many are placed by what is known of them."""
    from melon.embedding import TRAINED

    sources = space.vector_sources

    def counts(which: Callable[[str | None], bool]) -> tuple[int, str]:
        numbers = {
            kind: sum(n for source, n in by_source.items() if which(source))
            for kind, by_source in sources.items()
        }
        text = " and ".join(counted(n, kind.removesuffix("s")) for kind, n in numbers.items())
        return sum(numbers.values()), text

    trained, line = counts(lambda source: source == TRAINED)
    placed = counts(lambda source: source not in (TRAINED, None))
    bare = counts(lambda source: source is None)
    line = f"trained {line}"
    if not trained and placed[0] + bare[0]:
        lower = " (--min-count)" if space.settings["min_count"] != 1 else ""
        line += f", for none is in enough playlists{lower}"
    if placed[0]:
        line += f"; placed {placed[1]} by their playlists or metadata"
    if bare[0]:
        line += f"; {bare[1]} have no vector"
    return line
