"""`melon split`: playlists become questions and answers, and the rest to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melon.commands.console import note, reported
from melon.commands.options import (
    LenientOption,
    StrictOption,
    check_strictness,
    path_argument,
    path_option,
)
from melon.errors import counted


def split(
    corpus: Annotated[
        list[Path],
        path_argument("Directory in Melon's format, or its files."),
    ],
    out: Annotated[
        Path,
        path_option(
            "--out",
            "-o",
            help="Where train.json, questions.json, answers.json and the metadata go.",
        ),
    ],
    hold_out: Annotated[
        float,
        typer.Option(help="Share of the playlists that is held out, or from 1 on their number."),
    ] = 0.1,
    min_songs: Annotated[
        int, typer.Option(help="Playlists with fewer songs stay in training.")
    ] = 2,
    kinds: Annotated[
        str | None,
        typer.Option(
            help="How many of the questions give songs, songs and tags, tags and the title, the "
            "title alone. [default: 30/50/15/5, as far as the playlists have tags and titles]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other playlists.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a split that is in the directory.")
    ] = False,
    strict: StrictOption = False,
    lenient: LenientOption = False,
) -> None:
    """Hold out playlists as questions and answers, masked as the challenge does it.

    30 % of the questions give songs, 50 % songs and tags, 15 % tags and the title, 5 % the title,
    or as `--kinds` says; half of what is given stays hidden. The same seed gives the same files.
    song_meta.json, genre_gn_all.json and fields.json come along, so that `melon train` of the new
    directory has what it would have had of the old one. The questions have to be asked of a store
    that was not trained on them:

    melon split DIR --out held-out

    melon train held-out --out held-out/space

    melon ingest held-out/space --path held-out/store

    melon evaluate held-out/questions.json held-out/answers.json --path held-out/store
    """
    from melon.catalog import ReadReport
    from melon.evaluation import split as divide

    check_strictness(strict, lenient)
    report = ReadReport()
    with reported(report):
        counts = divide(
            corpus,
            out,
            hold_out=hold_out,
            min_songs=min_songs,
            shares=None if kinds is None else _shares(kinds),
            seed=seed,
            replace=replace,
            report=report,
            strict=strict,
            lenient=lenient,
        )
    held_out = counted(counts.held_out, "question")
    made = ", ".join(f"{count:,} {kind}" for kind, count in counts.kinds.items() if count)
    note(f"{counted(counts.train, 'playlist')} to train on and {held_out} ({made}): {out}")
    if counts.untagged:
        note(
            f"{counts.untagged:,} that would give tags give none, for their only one is hidden: "
            "they are scored as questions of what is left"
        )
    for kind, wanted in counts.wanted.items():
        if counts.kinds[kind] < wanted:
            note(
                f"too few playlists have what a question of {kind} takes: "
                f"{counts.kinds[kind]:,} of {wanted:,}"
            )
    if counts.copies:
        note(
            f"{counts.copies:,} of {held_out} {'has' if counts.copies == 1 else 'have'} the very "
            "songs of a playlist to train on: their answers are no secret"
        )


def _shares(kinds: str) -> list[float]:
    from melon.errors import InputError

    try:
        return [float(share) for share in kinds.split("/")]
    except ValueError as error:
        raise InputError(
            str(error), where="--kinds", hint="write four numbers, such as 30/50/15/5"
        ) from None
