"""`melon score`: how good results are."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Annotated

from melon.commands.console import print_json
from melon.commands.options import (
    AnswersArgument,
    JsonOption,
    PathOption,
    ReleaseOption,
    UrlOption,
    chosen_store,
    keys_in,
    opened_reader,
    path_argument,
    path_option,
)
from melon.commands.scorecards import note_bare, note_card, render


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
