"""`melon evaluate`: how good the recommendations of strategies are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.completion import one_of
from melon.commands.console import meter, note, print_json
from melon.commands.options import (
    METHOD,
    OUTPUT,
    STRATEGY_NAMES,
    AnswersArgument,
    JsonOption,
    PathOption,
    QuestionsArgument,
    ReleaseOption,
    SettingsOption,
    UrlOption,
    chosen_settings,
    chosen_store,
    keys_in,
    opened_retriever,
    path_option,
    pinned_retriever,
    settings_file,
)
from melon.commands.recommend import KeysOption, ProcessesOption, Until, UntilOption
from melon.commands.scorecards import note_bare, note_best, note_card, note_unknown, render
from melon.errors import InputError

if TYPE_CHECKING:
    from melon.evaluation import Result
    from melon.retrieval import Retriever

ALL_STRATEGIES = "all"


def evaluate(
    questions: QuestionsArgument,
    answers: AnswersArgument,
    strategies: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            help="How candidates are found; `popular` is the baseline. Repeat it for more, or say "
            "`all`.",
            autocompletion=one_of(*STRATEGY_NAMES, "popular", "all"),
            show_default=False,
            rich_help_panel=METHOD,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        path_option(
            "--out",
            "-o",
            help="Where the results of one strategy go, too.",
            rich_help_panel=OUTPUT,
            ends=(".json",),
        ),
    ] = None,
    keys: KeysOption = False,
    html: Annotated[
        Path | None,
        path_option(
            "--html", help="Write a page with plots.", rich_help_panel=OUTPUT, ends=(".html",)
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        path_option(
            "--compare",
            help="What --json printed of an earlier run: the page shows both.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    until: UntilOption = None,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="Ask each question alone, and time that.")
    ] = False,
    settings: SettingsOption = None,
    processes: ProcessesOption = None,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recommend, then score: one table of strategies and kinds of question.

    Several strategies come best first, with what each is below the best, and a line says which
    setting makes the best one the default. With --json, one scorecard, or a list of them if
    --strategy is `all` or given repeatedly. The page of --html has the questions that were answered
    worst, too, with what was expected and what came.
    """
    from melon.evaluation import (
        BATCH,
        POPULAR,
        Processes,
        ResultKeys,
        Unknowns,
        compared,
        paired,
        read_questions,
        read_scorecards,
        worst,
        write_results,
    )
    from melon.evaluation import evaluate as evaluated
    from melon.outputs import write_file
    from melon.plots import evaluation_page
    from melon.retrieval import check_strategy

    if one_by_one and processes is not None and processes > 1:
        raise InputError(
            "each question is asked alone, not beside others",
            where="--one-by-one",
            hint="leave out --processes",
        )
    for name in strategies or ():
        check_strategy(name, POPULAR, ALL_STRATEGIES)
    given = [questions, answers, settings_file(settings)]
    _check_results(out, given, several=_several(strategies), keys=keys)
    _check_output(html, [*given, compare])
    if html is None and compare is not None:
        raise InputError("nothing is written", where="--compare", hint="say where with --html")
    before = None if compare is None else read_scorecards(compare)
    store, unknown = cache(partial(chosen_store, url, path)), Unknowns()
    names = keys_in(store, release, questions, answers)
    pairs = paired(read_questions(questions, names), read_questions(answers, names))
    note_bare([answer for _, answer in pairs])
    retrieval_settings, chosen = chosen_settings(settings), store()
    with meter() as bar:
        retriever = pinned_retriever(chosen, release, retrieval_settings)
        again = partial(
            opened_retriever, url, path, retriever.release, retrieval_settings.model_dump_json()
        )
        of_each: dict[str | None, list[Result]] = {
            name: [] for name in _named(strategies, retriever)
        }
        cards = [
            evaluated(
                retriever,
                pairs,
                strategy=name,
                until_playlist=until is Until.PLAYLIST,
                batch=1 if one_by_one else BATCH,
                processes=None if one_by_one else Processes(again, processes),
                unknown=unknown,
                results=results,
                progress=bar,
            )
            for name, results in of_each.items()
        ]
    answered = dict(zip((card.strategy for card in cards), of_each.values(), strict=True))
    note_unknown(unknown, len(pairs))
    note_card(cards[0])
    if _several(strategies):
        cards = compared(cards)
    try:  # files first: whoever reads stdout may have gone, and the scores are not lost with a file
        if out is not None:
            asked = [question for question, _ in pairs]
            [results] = answered.values()
            write_results(out, results, ResultKeys(retriever.reader, asked) if keys else None)
            note(f"results: {out}")
        if html is not None:
            scores, results = cards[0].by_question, answered[cards[0].strategy]
            assert scores is not None
            misses = worst(retriever.reader, pairs, results, scores)
            write_file(html, evaluation_page(cards, retriever.release, misses, before))
            note(f"page: {html}")
    finally:
        if not as_json:
            render(cards)
        elif _several(strategies):
            print_json([card.to_json() for card in cards])
        else:
            print_json(cards[0].to_json())
    if len(cards) > 1:
        note_best(cards)


def _check_results(
    out: Path | None, given: Sequence[Path | None], *, several: bool, keys: bool
) -> None:
    """Refuse a file for the results that cannot be written, or options that need one."""
    if out is None and keys:
        raise InputError("nothing is written", where="--keys", hint="say where with --out")
    if out is not None and several:
        raise InputError("it takes the results of one strategy", where="--out")
    _check_output(out, given)


def _check_output(file: Path | None, given: Sequence[Path | None]) -> None:
    """Refuse a file that cannot be written, or is read."""
    from melon.outputs import check_file, check_not_read

    if file is not None:
        check_file(file)
        check_not_read(file, filter(None, given))


def _several(strategies: Sequence[str] | None) -> bool:
    return strategies is not None and (len(strategies) > 1 or ALL_STRATEGIES in strategies)


def _named(strategies: Sequence[str] | None, retriever: Retriever) -> list[str | None]:
    """The strategies that the options name; None for the default one."""
    from melon.evaluation import POPULAR

    if strategies and ALL_STRATEGIES in strategies:
        return [POPULAR, *retriever.strategies]
    return [*dict.fromkeys(strategies)] if strategies else [None]
