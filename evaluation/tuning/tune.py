"""Searches for retrieval settings: for one kind of query after the other, songs and tags apart."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from melon.evaluation.questions import Pair
from melon.evaluation.score import evaluate
from melon.evaluation.scorecard import Scorecard
from melon.evaluation.tuning.cache import ResponseCachingReader
from melon.evaluation.tuning.journal import Journal, Trial, fingerprint
from melon.evaluation.tuning.questions import Group, Sample, draw_sample
from melon.evaluation.tuning.search import Best, OutOfTime, pattern_search
from melon.evaluation.tuning.space import SPACE, TARGETS, Parameter, Stage, Target, edited, value_at
from melon.files import make_directory, write_atomically
from melon.progress import Progress, ignore
from melon.retrieval import QueryKind, RetrievalSettings, Retriever

JUDGE = Stage.HYBRID
"""Whose strategy, which reads all of them, decides whether settings are taken up."""

MAX_QUESTIONS = 1000
"""Questions of each kind that are drawn: half of them to search on, half to report on."""


def tune(
    retriever: Retriever,
    pairs: Sequence[Pair],
    out: Path,
    *,
    journal: Journal,
    stages: Sequence[Stage] = tuple(Stage),
    space: Mapping[Stage, Mapping[Target, Sequence[Parameter]]] = SPACE,
    most: int = MAX_QUESTIONS,
    seed: int = 0,
    reference: RetrievalSettings | None = None,
    budget: float = math.inf,
    drawn: Callable[[Sample], None] = lambda _: None,
    searched: Callable[[SearchOutcome], None] = lambda _: None,
    progress: Progress = ignore,
) -> Tuned:
    """Search for settings that answer questions better, from those that the retriever has.

    For each kind of query, and for songs and tags apart: the two hops by the `neighbours`
    strategy, then the cosine by `mean`, then their fusion by `hybrid`, each by the nDCG of that
    target on questions of that kind. The best settings are taken up if `hybrid`, which reads all
    of them, is no worse with them. One half of the questions is searched on; the other one shows
    what was gained.

    Args:
        retriever: asks the store, which must not have been trained on the answers. Its release
            should be pinned.
        pairs: questions with their answers, as `paired` makes them of those of a split.
        out: where the best settings so far are written, as a whole, after each kind and target.
        journal: trials made before, which are not made again, and where new ones go.
        stages: what to search.
        space: the settings of each stage that are searched, and their values.
        most: how many questions of each kind to draw.
        seed: which are drawn.
        reference: what the new settings are compared with; None for those of the retriever.
        budget: seconds to search for; each search gets its part of what is left.
        drawn: called with the questions before the first search.
        searched: called with each search when it has ended.
        progress: called with the search, how many settings it has measured, and None; then with
            each comparison, how many questions it has answered, and of how many.

    Raises:
        BadQuestions: they are too few, hide nothing, or the store knows nothing of them.
        LeakedQuestions: the store was trained on the answers.
    """
    sample = draw_sample(retriever, pairs, most=most, seed=seed)
    drawn(sample)
    retriever = retriever.with_reader(ResponseCachingReader(retriever.engine_reader))
    groups = [
        group
        for kind, target in product(QueryKind, TARGETS)
        if len(group := Group(kind, target, sample.search[kind], retriever))
    ]
    stages = [stage for stage in Stage if stage in stages]
    # What the budget leaves out should be the last steps of each search, not the last groups.
    slots = iter(range(len(groups) * len(stages), 0, -1))
    end = time.monotonic() + budget
    settings, searches, unchanged = retriever.settings, list[SearchOutcome](), list[str]()
    make_directory(out.parent)
    for group in groups:
        scores, best = _Scores(retriever, group, journal), settings
        for stage in stages:
            now = time.monotonic()
            until = now + max(end - now, 0) / next(slots)
            best, outcome = _search_stage(
                stage,
                space[stage][group.target],
                scores,
                best,
                until=until,
                progress=progress,
            )
            searches.append(outcome)
            searched(outcome)
        if best != settings and scores.of(JUDGE, best) < scores.of(JUDGE, settings):
            unchanged.append(str(group))
        else:
            settings = best
        write_atomically(out, settings.model_dump_json(indent=2) + "\n")
    before = retriever.with_settings(reference or retriever.settings)
    after = retriever.with_settings(settings)
    compared = _compare(before, after, sample, stages, progress)
    return Tuned(settings, searches, unchanged, compared, sample.unknown, sample.copied)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The new settings, how they came about, and what they are worth on the questions held back.

    `unchanged` names the kinds of query and targets, `songs_and_text/tags`, that keep their
    settings; `unknown` counts the questions that were left out, and `copied` those that are
    copies of playlists that the store was trained on.
    """

    settings: RetrievalSettings
    searches: list[SearchOutcome]
    unchanged: list[str]
    held_back: list[Comparison]
    unknown: int
    copied: int

    def to_json(self) -> dict[str, Any]:
        """As `melon tune --json` prints it: fields may be added, never renamed."""
        return {
            "searches": [asdict(search) for search in self.searches],
            "unchanged": self.unchanged,
            "held_back": [
                {"before": pair.before.to_json(), "after": pair.after.to_json()}
                for pair in self.held_back
            ],
            "unknown_questions": self.unknown,
            "copied_questions": self.copied,
        }


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The outcome of the search of one stage, for one kind of query and one target.

    `start` and `best` are mean nDCG on the questions searched on; `trials` counts the settings
    that were measured, of which `remembered` were in the journal. A search that ran out of time
    is not `finished`.
    """

    kind: QueryKind
    target: Target
    stage: Stage
    questions: int
    start: float
    best: float
    trials: int
    remembered: int
    finished: bool

    @property
    def name(self) -> str:
        """What it is called: `songs_and_text/tags/hybrid`."""
        return f"{self.kind}/{self.target}/{self.stage}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a strategy scores on the questions held back, by the reference and the new settings.

    The time of a question is not measured: most of the answers come from a cache.
    """

    before: Scorecard
    after: Scorecard


def _search_stage(
    stage: Stage,
    parameters: Sequence[Parameter],
    scores: _Scores,
    settings: RetrievalSettings,
    *,
    until: float,
    progress: Progress,
) -> tuple[RetrievalSettings, SearchOutcome]:
    """Search one stage of a group, with all other settings as they are, `until` a time."""
    group, path = scores.group, scores.group.path(stage)
    trials: set[str] = set()
    made = 0

    def measure(part: Any) -> float:
        """The score of settings; the first one, and known ones, even when time is over."""
        nonlocal made
        tried = edited(settings, path, part)
        score = scores.known(stage, tried)
        if score is None:
            if trials and time.monotonic() > until:
                raise OutOfTime
            score = scores.measured(stage, tried)
            made += 1
        trials.add(scores.key(stage, tried))
        progress(f"{group}/{stage}", len(trials), None)
        return score

    part = value_at(settings, path)
    start = Best(part, measure(part), finished=False)
    best = pattern_search(start, parameters, measure, modalities=group.modalities)
    outcome = SearchOutcome(
        kind=group.kind,
        target=group.target,
        stage=stage,
        questions=len(group),
        start=start.score,
        best=best.score,
        trials=len(trials),
        remembered=len(trials) - made,
        finished=best.finished,
    )
    return edited(settings, path, best.settings), outcome


class _Scores:
    """What settings score on a group's questions: measured once, then known from the journal."""

    def __init__(self, retriever: Retriever, group: Group, journal: Journal) -> None:
        self.group = group
        self._retriever = retriever
        self._journal = journal

    def of(self, stage: Stage, settings: RetrievalSettings) -> float:
        """By the strategy of a stage, measured if it is not known."""
        known = self.known(stage, settings)
        return self.measured(stage, settings) if known is None else known

    def known(self, stage: Stage, settings: RetrievalSettings) -> float | None:
        """As `of`, if it was measured before."""
        key = self.key(stage, settings)
        return self._journal.score(f"{self.group}/{stage}", self.group.fingerprint, key)

    def measured(self, stage: Stage, settings: RetrievalSettings) -> float:
        """As `of`, measured now."""
        score = self.group.score(self._retriever.with_settings(settings), stage.strategy)
        trial = Trial(
            search=f"{self.group}/{stage}",
            questions=self.group.fingerprint,
            settings=self.key(stage, settings),
            values=value_at(settings, self.group.path(stage)).model_dump(mode="json"),
            score=score,
        )
        self._journal.add(trial)
        return score

    def key(self, stage: Stage, settings: RetrievalSettings) -> str:
        """A fingerprint of all settings that the score depends on."""
        stages = Stage if stage is Stage.HYBRID else (stage,)
        parts = [value_at(settings, self.group.path(part)) for part in stages]
        return fingerprint([part.model_dump(mode="json") for part in parts])


def _compare(
    before: Retriever,
    after: Retriever,
    sample: Sample,
    stages: Sequence[Stage],
    progress: Progress,
) -> list[Comparison]:
    """The strategies that read the stages' settings, on the questions held back."""

    def scored(retriever: Retriever, strategy: str, when: str) -> Scorecard:
        def watch(_: str, done: int, total: int | None) -> None:
            progress(f"{strategy}, {when}", done, total)

        card = evaluate(retriever, sample.held_back, strategy=strategy, progress=watch)
        return replace(card, ms_per_question=None)

    strategies = dict.fromkeys([*(stage.strategy for stage in stages), JUDGE.strategy])
    return [
        Comparison(
            before=scored(before, strategy, "before"), after=scored(after, strategy, "after")
        )
        for strategy in strategies
    ]
