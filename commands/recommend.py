"""`melon recommend`: answers to all questions of a file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.completion import one_of
from melon.commands.console import meter, note
from melon.commands.options import (
    METHOD,
    OUTPUT,
    STRATEGY_NAMES,
    PathOption,
    QuestionsArgument,
    ReleaseOption,
    SettingsOption,
    UrlOption,
    chosen_settings,
    chosen_store,
    keys_in,
    not_empty,
    opened_retriever,
    path_option,
    pinned_retriever,
    settings_file,
    strategy_help,
)
from melon.commands.scorecards import note_short, note_unknown
from melon.errors import counted

if TYPE_CHECKING:
    from melon.evaluation import Result


class Until(StrEnum):
    """Up to when songs may have been issued."""

    PLAYLIST = "playlist"


UntilOption = Annotated[
    Until | None,
    typer.Option(
        help="With `playlist`, no song younger than the playlist's last change, nor of unknown "
        "date.",
        show_default=False,
        rich_help_panel=METHOD,
    ),
]

ProcessesOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many answer side by side, each with the store open. By default one, or from "
        "2,000 questions on as many as there are processors.",
        show_default=False,
        rich_help_panel=METHOD,
    ),
]


KeysOption = Annotated[
    bool,
    typer.Option(
        "--keys",
        help="Write songs and playlists by their keys, where they have one, not by ids.",
        rich_help_panel=OUTPUT,
    ),
]


def recommend(
    questions: QuestionsArgument,
    out: Annotated[
        Path,
        path_option(
            "--out",
            "-o",
            help="Where the results go.",
            show_default=True,
            rich_help_panel=OUTPUT,
            ends=(".json",),
        ),
    ] = Path("results.json"),
    keys: KeysOption = False,
    strategy: Annotated[
        str | None,
        typer.Option(
            help=strategy_help("popular, the baseline"),
            callback=not_empty,
            autocompletion=one_of(*STRATEGY_NAMES, "popular"),
            show_default=False,
            rich_help_panel=METHOD,
        ),
    ] = None,
    until: UntilOption = None,
    settings: SettingsOption = None,
    processes: ProcessesOption = None,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Answer all questions of a file: 100 songs and 10 tags each, as the challenge wants them.

    The most popular songs and tags fill what is left open; there are fewer only where the store
    holds no more. The file is written when the last question is answered.
    """
    from melon.evaluation import (
        POPULAR,
        Processes,
        ResultKeys,
        Unknowns,
        read_questions,
        write_results,
    )
    from melon.evaluation import recommend as answers
    from melon.outputs import check_file, check_not_read
    from melon.retrieval import check_strategy

    check_file(out)
    check_not_read(out, filter(None, [questions, settings_file(settings)]))
    if strategy is not None:
        check_strategy(strategy, POPULAR)
    store, unknown = cache(partial(chosen_store, url, path)), Unknowns()
    asked = read_questions(questions, keys_in(store, release, questions))
    retrieval_settings, chosen = chosen_settings(settings), store()
    with meter() as bar:
        started = time.perf_counter()
        retriever = pinned_retriever(chosen, release, retrieval_settings)
        again = partial(
            opened_retriever, url, path, retriever.release, retrieval_settings.model_dump_json()
        )
        results = answers(
            retriever,
            asked,
            strategy=strategy,
            until_playlist=until is Until.PLAYLIST,
            processes=Processes(again, processes),
            unknown=unknown,
            progress=bar,
        )
        short: list[int] = []
        by_keys = ResultKeys(retriever.reader, asked) if keys else None
        count = write_results(out, _watched(results, short), by_keys)
        seconds = time.perf_counter() - started
    note_unknown(unknown, len(asked))
    note_short(len(short), count)
    answered = f"{counted(count, 'question')} answered"
    note(f"{answered} in {seconds:.1f} s ({count / seconds:,.0f}/s): {out}")


def _watched(results: Iterable[Result], short: list[int]) -> Iterator[Result]:
    """The results; `short` collects the playlists for which the store held too little."""
    from melon.evaluation import SONGS, TAGS

    for result in results:
        if len(result.songs) < SONGS or len(result.tags) < TAGS:
            short.append(result.id)
        yield result
