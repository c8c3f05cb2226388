"""`melon tune`: retrieval settings become those that suit a catalogue's own playlists."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.console import meter, note, print_json, print_table, shown
from melon.commands.options import (
    AnswersArgument,
    JsonOption,
    PathOption,
    QuestionsArgument,
    ReleaseOption,
    UrlOption,
    chosen_store,
    keys_in,
    path_option,
    pinned_retriever,
)
from melon.commands.scorecards import note_copies, wrong_store_note
from melon.errors import counted

if TYPE_CHECKING:
    from melon.evaluation import Comparison, Quality, Sample, SearchOutcome, Stage, Tuned
    from melon.retrieval import RetrievalSettings

JOURNAL_SUFFIX = ".trials.jsonl"


def tune(
    questions: QuestionsArgument,
    answers: AnswersArgument,
    out: Annotated[
        Path | None,
        path_option(
            "--out",
            "-o",
            help="Where the settings go (.melon/retrieval.json), and a journal of all trials "
            "beside it.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="Search the settings of neighbours, dense (the co-embedding: mean, vote, cluster) "
            "or hybrid, and leave the others. Repeat it for two.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[
        int,
        typer.Option(
            "--questions", min=2, help="Questions of each kind to draw: half to search on."
        ),
    ] = 1000,
    budget: Annotated[
        float | None,
        typer.Option(
            help="Minutes to search for; without it, until nothing gains any more.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other questions drawn.")] = 0,
    settings: Annotated[
        Path | None,
        path_option(
            "--settings",
            help="JSON file of settings to start from, instead of --out if that is there, and to "
            "compare with, instead of the defaults.",
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Forget the trials made so far and the settings in --out."),
    ] = False,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for the retrieval settings that suit the playlists of a catalogue.

    The questions have to come from playlists that the store was not trained on,
    which takes a store of its own:

    melon split DIR --out held-out

    melon train held-out --out held-out/space

    melon ingest held-out/space --path held-out/store

    melon tune held-out/questions.json held-out/answers.json --path held-out/store

    Better settings are written after each kind of query, unless hybrid is
    worse with them, and query, recommend and evaluate use them from then on.
    Half of the questions is searched on; the table is about the other half.
    Stopped and started again, without --fresh, the search goes on and repeats no
    trial.
    """
    from melon.evaluation import Journal, paired, read_questions
    from melon.evaluation import tune as search
    from melon.files import check_file, check_not_read
    from melon.retrieval import RetrievalSettings
    from melon.settings import load_settings

    stages = stages_named(only)
    seconds = seconds_of(budget)
    target = out or load_settings().retrieval_file
    trials = target.with_suffix(JOURNAL_SUFFIX)
    check_file(target)
    check_file(trials)
    # Settings may be those to start from: the search goes on where it stood.
    check_not_read(target, [questions, answers])
    check_not_read(trials, [questions, answers, *([settings] if settings else [])])
    start = start_settings(settings, target, fresh=fresh)
    reference = start if settings else RetrievalSettings.default()
    the_same = "the same command without --fresh" if fresh else "the same command"
    store = cache(partial(chosen_store, url, path))
    keys = keys_in(store, release, questions, answers)
    pairs = paired(read_questions(questions, keys), read_questions(answers, keys))
    chosen = store()
    with (
        Journal(trials, fresh=fresh) as journal,
        meter() as bar,
    ):
        if journal.damaged:
            lines = counted(journal.damaged, "damaged line")
            note(f"{journal.path}: {lines} left out, what stood there is measured again")
        try:
            tuned = search(
                pinned_retriever(chosen, release, start),
                pairs,
                target,
                journal=journal,
                stages=stages,
                most=most,
                seed=seed,
                reference=reference,
                budget=seconds,
                drawn=partial(note_drawn, questions=len(pairs)),
                searched=report,
                progress=bar,
            )
        except KeyboardInterrupt:
            note(f"stopped: the trials are in {journal.path}, {the_same} goes on from them")
            raise
    note_outcome(tuned, the_same)
    note(f"settings: {target}")
    if as_json:
        print_json({"settings": str(target), **tuned.to_json()})
    else:
        note(f"compared with {settings or 'the default settings'}")
        title = "On the questions held back, before → after"
        print_table(title, tuple(COLUMNS), rows(tuned.held_back), wide=COLUMNS)


def note_drawn(sample: Sample, questions: int) -> None:
    """Say what is to be known of the questions before the search."""
    if sample.unknown:
        note(
            f"{counted(sample.unknown, 'question')} left out: the store knows nothing of them"
            + wrong_store_note(sample.unknown, questions)
        )
    note_copies(sample.copied, sample.drawn)


def report(search: SearchOutcome) -> None:
    """A line for each search that has ended."""
    remembered = f", {search.remembered} of them before" if search.remembered else ""
    note(
        f"{search.name}: {search.start:.4f} → {search.best:.4f} "
        f"({counted(search.questions, 'question')}, {counted(search.trials, 'trial')}{remembered})"
        + ("" if search.finished else ", not finished")
    )


def note_outcome(tuned: Tuned, the_same: str) -> None:
    """Say what the search left undone; `the_same` is the command that goes on with it."""
    if tuned.unchanged:
        note(f"left as before, for hybrid is worse with the new ones: {shown(tuned.unchanged)}")
    if not all(search.finished for search in tuned.searches):
        note(f"the time was over before all searches were: {the_same} goes on")
    for pair in tuned.held_back:
        if _overall(pair.after.quality) < _overall(pair.before.quality):
            note(f"{pair.after.strategy} got worse where it was not searched: use more questions")


def _overall(quality: Quality) -> float:
    """The score, or what there is of it where no answer hides songs, or none hides tags."""
    figures = (quality.score, quality.song_ndcg, quality.tag_ndcg)
    return next((figure for figure in figures if figure is not None), 0.0)


def stages_named(only: Sequence[str] | None) -> list[Stage]:
    """The stages that the option names, all by default."""
    from melon.errors import InputError
    from melon.evaluation import Stage
    from melon.text import did_you_mean

    try:
        return [Stage(name) for name in only or Stage]
    except ValueError as error:
        unknown = next(name for name in only or () if name not in list(Stage))
        raise InputError(
            f"nothing of this name is searched: {error}",
            where="--only",
            hint=did_you_mean(unknown, Stage) or f"say {', '.join(Stage)}",
        ) from None


def seconds_of(budget: float | None) -> float:
    """Minutes as seconds; for ever by default."""
    from melon.errors import InputError

    if budget is None:
        return math.inf
    if not budget > 0:
        raise InputError(f"{budget:g} minutes are no time to search", where="--budget")
    return 60 * budget


def start_settings(chosen: Path | None, target: Path, *, fresh: bool) -> RetrievalSettings:
    """The settings that the search begins with; a note on stderr says which they are."""
    from melon.retrieval import RetrievalSettings

    file = chosen or (target if target.exists() and not fresh else None)
    note(f"from the settings in {file}" if file else "from the default settings")
    return RetrievalSettings.load(file) if file else RetrievalSettings.default()


COLUMNS = {
    "strategy": 0,
    "kind": 0,
    "count>": 86,
    "song nDCG>": 56,
    "tag nDCG>": 72,
    "score>": 0,
}
"""The table's columns, and how wide a terminal has to be to show each."""


def rows(comparisons: Sequence[Comparison]) -> Iterator[tuple[object, ...]]:
    """Rows under `COLUMNS`: for each strategy all questions, then each kind of question."""
    for pair in comparisons:
        before, after = pair.before, pair.after
        yield (before.strategy, "all", *_figures(before.quality, after.quality))
        for kind, quality in before.by_kind.items():
            yield (None, kind, *_figures(quality, after.by_kind[kind]))


def _figures(before: Quality, after: Quality) -> Iterator[str | None]:
    yield f"{before.questions:,}"
    for name in ("song_ndcg", "tag_ndcg", "score"):
        figures = getattr(before, name), getattr(after, name)
        yield None if None in figures else " → ".join(f"{figure:.4f}" for figure in figures)
