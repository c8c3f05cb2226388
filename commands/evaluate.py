"""`melon recommend`, `score` and `evaluate`: how good the recommendations are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.console import meter, note, print_json, print_table
from melon.commands.options import (
    AnswersArgument,
    JsonOption,
    PathOption,
    QuestionsArgument,
    ReleaseOption,
    SettingsOption,
    UrlOption,
    chosen_settings,
    chosen_store,
    not_empty,
    opened_reader,
    opened_retriever,
    path_argument,
    path_option,
    pinned_retriever,
    settings_file,
    strategies_named,
)
from melon.errors import InputError, counted

if TYPE_CHECKING:
    from melon.catalog import Playlist
    from melon.evaluation import Quality, Scorecard, Unknowns

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
    ),
]

ProcessesOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many answer side by side, each with the store open. By default one, or from "
        "2,000 questions on as many as there are processors.",
        show_default=False,
    ),
]


def recommend(
    questions: QuestionsArgument,
    out: Annotated[
        Path, path_option("--out", "-o", help="Where the results go.", show_default=True)
    ] = Path("results.json"),
    strategy: Annotated[
        str | None,
        typer.Option(
            help=f"How candidates are found: {strategies_named('popular, the baseline')}.",
            callback=not_empty,
            show_default=False,
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

    The most popular songs and tags fill what is left open. The file is written when the last
    question is answered.
    """
    from melon.evaluation import Processes, Unknowns, check_strategy, read_questions, write_results
    from melon.evaluation import recommend as answers
    from melon.files import check_file, check_not_read
    from melon.retrieval import DEFAULT_STRATEGY

    check_file(out)
    check_not_read(out, [questions, settings_file(settings)])
    check_strategy(strategy or DEFAULT_STRATEGY)
    asked, retrieval_settings = read_questions(questions), chosen_settings(settings)
    store, unknown = chosen_store(url, path), Unknowns()
    with meter() as bar:
        started = time.perf_counter()
        retriever = pinned_retriever(store, release, retrieval_settings)
        again = partial(
            opened_retriever, url, path, retriever.release, retrieval_settings.model_dump_json()
        )
        results = answers(
            retriever,
            asked,
            strategy=strategy or DEFAULT_STRATEGY,
            until_playlist=until is Until.PLAYLIST,
            processes=Processes(again, processes),
            unknown=unknown,
            progress=bar,
        )
        count = write_results(out, results)
        seconds = time.perf_counter() - started
    note_unknown(unknown, len(asked))
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
    --url. Results that the official scorer rejects are rejected, with the reason.
    """
    from melon.evaluation import read_questions, read_results
    from melon.evaluation import score as scored

    submitted = list(read_results(results))
    hidden = read_questions(answers)
    note_bare(hidden)
    asked = read_questions(questions) if questions else None
    reader = opened_reader(chosen_store(url, path), release) if url or path or release else None
    card = scored(submitted, hidden, asked, reader=reader)
    note_leaks(card)
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
            show_default=False,
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

    With --json, one scorecard, or a list of them if --strategy is `all` or given repeatedly.
    """
    from melon.evaluation import BATCH, Processes, Unknowns, paired, read_questions
    from melon.evaluation import evaluate as evaluated

    if one_by_one and processes is not None and processes > 1:
        raise InputError(
            "each question is asked alone, not beside others",
            where="--one-by-one",
            hint="leave out --processes",
        )
    named = _named(strategies)
    pairs = paired(read_questions(questions), read_questions(answers))
    note_bare([answer for _, answer in pairs])
    retrieval_settings = chosen_settings(settings)
    store, unknown = chosen_store(url, path), Unknowns()
    with meter() as bar:
        retriever = pinned_retriever(store, release, retrieval_settings)
        again = partial(
            opened_retriever, url, path, retriever.release, retrieval_settings.model_dump_json()
        )
        cards = [
            evaluated(
                retriever,
                pairs,
                strategy=name,
                until_playlist=until is Until.PLAYLIST,
                batch=1 if one_by_one else BATCH,
                processes=None if one_by_one else Processes(again, processes),
                unknown=unknown,
                progress=bar,
            )
            for name in named
        ]
    note_unknown(unknown, len(pairs))
    note_leaks(cards[0])
    if not as_json:
        render(cards)
    elif _several(strategies):
        print_json([card.to_json() for card in cards])
    else:
        print_json(cards[0].to_json())


def render(cards: Sequence[Scorecard]) -> None:
    """Scorecards as tables."""
    print_table("Scores", tuple(COLUMNS), rows(cards), wide=COLUMNS)
    if beyond := beyond_rows(cards):
        print_table("What is recommended", tuple(BEYOND_COLUMNS), beyond, wide=BEYOND_COLUMNS)


COLUMNS = {
    "strategy": 0,
    "kind": 0,
    "count>": 0,
    "song nDCG>": 0,
    "tag nDCG>": 0,
    "score>": 0,
    "±>": 132,
    "song recall>": 100,
    "tag recall>": 100,
    "song R-prec>": 124,
    "tag R-prec>": 124,
    "ms each>": 74,
}
BEYOND_COLUMNS = {
    "strategy": 0,
    "song coverage>": 0,
    "tag coverage>": 0,
    "song popularity>": 72,
    "tag popularity>": 72,
}
"""The tables' columns, and how wide a terminal has to be to show each."""


def rows(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `COLUMNS`: for each scorecard all questions, then each kind of question."""
    table: list[tuple[object, ...]] = []
    for card in cards:
        table.append(_row(card.strategy, "all", card.quality, card.ms_per_question))
        table += [_row(None, kind, quality, None) for kind, quality in card.by_kind.items()]
    return table


def _row(
    strategy: str | None, kind: str, quality: Quality, milliseconds: float | None
) -> tuple[object, ...]:
    figures = (
        quality.song_ndcg,
        quality.tag_ndcg,
        quality.score,
        quality.score_standard_error,
        quality.song_recall,
        quality.tag_recall,
        quality.song_r_precision,
        quality.tag_r_precision,
    )
    return (
        strategy,
        kind,
        f"{quality.questions:,}",
        *(None if figure is None else f"{figure:.4f}" for figure in figures),
        None if milliseconds is None else f"{milliseconds:.2f}",
    )


def beyond_rows(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `BEYOND_COLUMNS`, of the scorecards that know."""
    return [
        (
            card.strategy,
            f"{beyond.song_coverage:.1%}",
            f"{beyond.tag_coverage:.1%}",
            f"{beyond.song_popularity:,.1f}",
            f"{beyond.tag_popularity:,.1f}",
        )
        for card in cards
        if (beyond := card.beyond_accuracy)
    ]


def note_bare(answers: Sequence[Playlist]) -> None:
    """Say if answers hide nothing, as happens where questions are taken for them."""
    if bare := sum(not answer.songs and not answer.tags for answer in answers):
        hide = "hides" if bare == 1 else "hide"
        note(
            f"{bare:,} of {counted(len(answers), 'answer')} {hide} neither songs nor tags: "
            "are these the questions?"
        )


def note_unknown(unknown: Unknowns, questions: int) -> None:
    """Say what of the questions the store does not know, and if it may be the wrong store."""
    lacks = f"lacks {counted(len(unknown.songs), 'song')} and {counted(len(unknown.tags), 'tag')}"
    if unknown.questions:
        count = len(unknown.questions)
        note(
            f"the store knows nothing of {count:,} of {counted(questions, 'question')}, "
            f"and {lacks} that they give" + wrong_store_note(count, questions)
        )
    elif unknown.songs or unknown.tags:
        note(f"the store {lacks} that the questions give")


def wrong_store_note(unknown: int, questions: int) -> str:
    """The end of a note if a store does not know more than half of the questions; else ""."""
    return ": it is probably that of another catalogue" if 2 * unknown > questions else ""


def note_leaks(card: Scorecard) -> None:
    """Say if the store has seen answers, for the score is then not what it seems."""
    if card.leaked_questions:
        questions = counted(card.quality.questions, "question")
        note(
            f"the store was trained on what {card.leaked_questions:,} of {questions} "
            f"{'hides' if card.leaked_questions == 1 else 'hide'}: this is how well it remembers "
            "(`melon tune --help` says how to hold playlists out)"
        )


def _several(strategies: Sequence[str] | None) -> bool:
    return strategies is not None and (len(strategies) > 1 or ALL_STRATEGIES in strategies)


def _named(strategies: Sequence[str] | None) -> list[str]:
    """The strategies that the options name."""
    from melon.evaluation import POPULAR, check_strategy
    from melon.retrieval import DEFAULT_STRATEGY, STRATEGIES

    for name in strategies or ():
        check_strategy(name, ALL_STRATEGIES)
    if strategies and ALL_STRATEGIES in strategies:
        return [POPULAR, *STRATEGIES]
    return list(dict.fromkeys(strategies or [DEFAULT_STRATEGY]))
