"""The search for query-side settings: kind of query by kind, songs and tags apart."""

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
from melon.evaluation.tuning.questions import (
    Group,
    Sample,
    draw_sample,
    search_name,
)
from melon.evaluation.tuning.search import Best, OutOfTime, pattern_search
from melon.evaluation.tuning.space import (
    SPACE,
    TARGETS,
    Parameter,
    Stage,
    Target,
    edited,
    value_at,
)
from melon.files import write_atomically
from melon.progress import Progress, ignore
from melon.retrieval import DEFAULT_STRATEGY, QueryKind, RetrievalSettings, Retriever

JUDGE = Stage.HYBRID
"""By whose strategy, the default one, settings are taken up or not."""

MAX_QUESTIONS = 1000
"""Questions of each kind that are drawn: half of them to search on, half to report on."""


@dataclass(frozen=True, slots=True)
class Search:
    """What came of searching one stage of one kind of query and one target.

    `start` and `best` are mean nDCG on the questions searched on; `trials` counts the settings
    that were measured, of which `remembered` stood in the journal. Not `finished` is a search that
    ran out of time.
    """

    given: QueryKind
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
        return search_name(self.given, self.target, self.stage)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a strategy scores on the questions held back, with the baseline and with what was found.

    How long a question takes is not known: most of the answers come from memory.
    """

    before: Scorecard
    after: Scorecard


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings that were found, how, and what they are worth on questions not searched on.

    `unchanged` names the kinds of query and targets, `songs_and_text/tags`, for which what was
    found was not taken up.
    """

    settings: RetrievalSettings
    searches: list[Search]
    unchanged: list[str]
    held_back: list[Comparison]
    unknown: int

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
        }


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
    baseline: RetrievalSettings | None = None,
    budget: float = math.inf,
    searched: Callable[[Search], None] = lambda _: None,
    progress: Progress = ignore,
) -> Tuned:
    """Search for settings that answer questions better, from those that the retriever has.

    For each kind of query, and for songs and tags apart: the two hops by the `neighbours`
    strategy, then the cosine by `mean`, then their fusion by `hybrid`, each by the nDCG of that
    target on questions of that kind. What was found for these is taken up if `hybrid`, which
    reads all of it, is no worse with it. One half of the questions is searched on; the other one
    shows what was gained.

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
        baseline: what the settings found are compared with; None for those of the retriever.
        budget: seconds to search for; each search gets its part of what is left.
        searched: called with each search when it has ended.
        progress: called with the search, how many settings it has measured, and None; then with
            each comparison, how many questions it has answered, and of how many.

    Raises:
        BadQuestions: they are too few.
        LeakedQuestions: the store was trained on the answers.
    """
    sample = draw_sample(retriever, pairs, most=most, seed=seed)
    retriever = retriever.with_reader(ResponseCachingReader(retriever.engine_reader))
    groups = [
        group
        for given, target in product(QueryKind, TARGETS)
        if len(group := Group(given, target, sample.search[given], retriever))
    ]
    stages = [stage for stage in Stage if stage in stages]
    # What the budget leaves out should be the last steps of each search, not the last groups.
    slots = iter(range(len(groups) * len(stages), 0, -1))
    end = time.monotonic() + budget
    settings, searches, unchanged = retriever.settings, list[Search](), list[str]()
    for group in groups:
        scores, found = _Scores(retriever, group, journal), settings
        for stage in stages:
            now = time.monotonic()
            until = now + max(end - now, 0) / next(slots)
            search = _Search(scores, found, stage, until, progress)
            found, outcome = search.run(space[stage][group.target])
            searches.append(outcome)
            searched(outcome)
        if found != settings and scores.of(JUDGE, found) < scores.of(JUDGE, settings):
            unchanged.append(str(group))
        else:
            settings = found
        save_settings(settings, out)
    before = retriever.with_settings(baseline or retriever.settings)
    after = retriever.with_settings(settings)
    compared = _compare(before, after, sample, stages, progress)
    return Tuned(settings, searches, unchanged, compared, sample.unknown)


def save_settings(settings: RetrievalSettings, path: Path) -> None:
    """Write settings as `RetrievalSettings.load` reads them, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, settings.model_dump_json(indent=2) + "\n")


class _Scores:
    """What settings score on a group's questions; the journal remembers."""

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
        name, key = self.group.search(stage), self.key(stage, settings)
        return self._journal.score(name, self.group.fingerprint, key)

    def measured(self, stage: Stage, settings: RetrievalSettings) -> float:
        """As `of`, measured now."""
        score = self.group.score(self._retriever.with_settings(settings), stage.strategy)
        trial = Trial(
            search=self.group.search(stage),
            questions=self.group.fingerprint,
            settings=self.key(stage, settings),
            values=value_at(settings, self.group.path(stage)).model_dump(mode="json"),
            score=score,
        )
        self._journal.add(trial)
        return score

    def key(self, stage: Stage, settings: RetrievalSettings) -> str:
        """A fingerprint of all settings that the score depends on."""
        parts = Stage if stage is Stage.HYBRID else (stage,)
        read = [value_at(settings, self.group.path(part)) for part in parts]
        return fingerprint([part.model_dump(mode="json") for part in read])


class _Search:
    """One stage of one group, searched with all other settings as they are."""

    def __init__(
        self,
        scores: _Scores,
        settings: RetrievalSettings,
        stage: Stage,
        until: float,
        progress: Progress,
    ) -> None:
        self._scores = scores
        self._settings = settings
        self._stage = stage
        self._until = until
        self._progress = progress
        self._seen: set[str] = set()
        self._made = 0

    def run(self, parameters: Sequence[Parameter]) -> tuple[RetrievalSettings, Search]:
        """The settings with what was found in them, and how it was found."""
        group = self._scores.group
        part = value_at(self._settings, group.path(self._stage))
        start = Best(part, self._measure(part), finished=False)
        best = pattern_search(start, parameters, self._measure, given=group.gives)
        outcome = Search(
            given=group.given,
            target=group.target,
            stage=self._stage,
            questions=len(group),
            start=start.score,
            best=best.score,
            trials=len(self._seen),
            remembered=len(self._seen) - self._made,
            finished=best.finished,
        )
        return self._with(best.settings), outcome

    def _with(self, part: Any) -> RetrievalSettings:
        return edited(self._settings, self._scores.group.path(self._stage), part)

    def _measure(self, part: Any) -> float:
        """The score of settings; the first one, and what is known, at any time."""
        candidate = self._with(part)
        score = self._scores.known(self._stage, candidate)
        if score is None:
            if self._seen and time.monotonic() > self._until:
                raise OutOfTime
            score = self._scores.measured(self._stage, candidate)
            self._made += 1
        self._seen.add(self._scores.key(self._stage, candidate))
        self._progress(self._scores.group.search(self._stage), len(self._seen), None)
        return score


def _compare(
    before: Retriever,
    after: Retriever,
    sample: Sample,
    stages: Sequence[Stage],
    progress: Progress,
) -> list[Comparison]:
    """The strategies that the stages have to do with, on the questions held back."""

    def scored(retriever: Retriever, strategy: str, when: str) -> Scorecard:
        def watch(_: str, done: int, total: int | None) -> None:
            progress(f"{strategy}, {when}", done, total)

        card = evaluate(retriever, sample.held_back, strategy=strategy, progress=watch)
        return replace(card, ms_per_question=None)

    strategies = dict.fromkeys([*(stage.strategy for stage in stages), DEFAULT_STRATEGY])
    return [
        Comparison(
            before=scored(before, strategy, "before"), after=scored(after, strategy, "after")
        )
        for strategy in strategies
    ]
