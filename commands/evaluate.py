"""`melon recommend`, `score` and `evaluate`: how good the recommendations are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
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
    not_empty,
    opened_reader,
    opened_retriever,
    path_argument,
    path_option,
    pinned_retriever,
    settings_file,
    strategy_help,
)
from melon.commands.scorecards import (
    note_bare,
    note_best,
    note_card,
    note_short,
    note_unknown,
    render,
)
from melon.errors import InputError, counted

if TYPE_CHECKING:
    from melon.evaluation import Result
    from melon.retrieval import Retriever

ALL_STRATEGIES = "all"


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


def score(
    results: Annotated[Path, path_argument("What `melon recommend` wrote.")],
    answers: AnswersArgument,
    questions: Annotated[
        Path | None,
        path_option("--questions", help="The playlists that were asked: scores by their kind."),
    ] = None,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score results as the challenge does, by kind of question, and with further metrics.

    Coverage and popularity of what is recommended need the store that it came from: --path or
    --url; so do files of which some name songs by keys, and some by ids. Results that the official
    scorer rejects are rejected, with the reason. But lists may be shorter of what no answer hides,
    and where that store holds no more beside the --questions.
    """
    from melon.evaluation import as_held, read_questions, read_results
    from melon.evaluation import score as scored

    store = cache(partial(chosen_store, url, path))
    named = bool(url or path or release)
    files = (answers, results, *([questions] if questions else ()))
    keys = keys_in(store, release, *files, mixed_only=not named)
    hidden = read_questions(answers, keys)
    note_bare(hidden)
    asked = read_questions(questions, keys) if questions else None
    reader = opened_reader(store(), release) if named else None
    submitted = list(read_results(results, as_held(hidden, asked, reader), keys))
    card = scored(submitted, hidden, asked, reader=reader)
    note_card(card)
    if as_json:
        print_json(card.to_json())
    else:
        render([card])


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
    from melon.files import write_atomically
    from melon.outputs import check_file, check_not_read, make_directory
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
    if out is not None:
        if _several(strategies):
            raise InputError("it takes the results of one strategy", where="--out")
        check_file(out)
        check_not_read(out, filter(None, [questions, answers, settings_file(settings)]))
    elif keys:
        raise InputError("nothing is written", where="--keys", hint="say where with --out")
    if html is not None:
        check_file(html)
        check_not_read(html, filter(None, [questions, answers, compare, settings_file(settings)]))
    elif compare is not None:
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
    if out is not None:
        asked = [question for question, _ in pairs]
        [results] = answered.values()
        write_results(out, results, ResultKeys(retriever.reader, asked) if keys else None)
        note(f"results: {out}")
    note_unknown(unknown, len(pairs))
    note_card(cards[0])
    if _several(strategies):
        cards = compared(cards)
    if not as_json:
        render(cards)
    elif _several(strategies):
        print_json([card.to_json() for card in cards])
    else:
        print_json(cards[0].to_json())
    if len(cards) > 1:
        note_best(cards)
    if html is not None:
        scores, results = cards[0].by_question, answered[cards[0].strategy]
        assert scores is not None
        misses = worst(retriever.reader, pairs, results, scores)
        make_directory(html.parent)
        write_atomically(html, evaluation_page(cards, retriever.release, misses, before))
        note(f"page: {html}")


def _watched(results: Iterable[Result], short: list[int]) -> Iterator[Result]:
    """The results; `short` collects the playlists for which the store held too little."""
    from melon.evaluation import SONGS, TAGS

    for result in results:
        if len(result.songs) < SONGS or len(result.tags) < TAGS:
            short.append(result.id)
        yield result


def _several(strategies: Sequence[str] | None) -> bool:
    return strategies is not None and (len(strategies) > 1 or ALL_STRATEGIES in strategies)


def _named(strategies: Sequence[str] | None, retriever: Retriever) -> list[str | None]:
    """The strategies that the options name; None for the default one."""
    from melon.evaluation import POPULAR

    if strategies and ALL_STRATEGIES in strategies:
        return [POPULAR, *retriever.strategies]
    return [*dict.fromkeys(strategies)] if strategies else [None]
