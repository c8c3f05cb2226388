"""Learning how to rank, from playlists of the catalogue itself, and whether that is worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from melon.embedding import Catalogue, EmptyVocabulary, TrainingSettings
from melon.evaluation import BATCH, SONGS, TAGS, Pair, as_query
from melon.learning.memory import MemoryReader
from melon.learning.network import Fitted, Question, fit
from melon.learning.rehearsal import Fold, draw_folds, rehearse
from melon.learning.trials import Figures, Trials, figures_of, ndcg_of_order
from melon.progress import Progress, ignore
from melon.ranking import LEARNED, Ranking
from melon.retrieval import DEFAULT_STRATEGY, SONG_INPUTS, TAG_INPUTS, Candidates, Retriever
from melon.store import PointId, tag_point_id

PLAIN = ("hybrid", "neighbours", "mean", "cluster", "vote")
"""The strategies that a learned ranking has to beat."""

LEAST_PLAYLISTS = 50
"""Of fewer nothing is learned."""

TRIED = 600
"""Questions that show which plain strategy is the best; on the others that one alone is tried."""

VOTE_SONGS = 50_000
"""With more songs `vote`, which searches among all of them for every seed, is not tried."""

BASE = "score"
"""The input by which candidates are in the order that a network begins with."""

_INPUTS = ((SONGS, tuple(SONG_INPUTS)), (TAGS, tuple(TAG_INPUTS)))
"""Of songs and of tags, how many are recommended, and what their networks are given."""


def learn_ranking(
    catalogue: Catalogue, settings: TrainingSettings, progress: Progress = ignore
) -> Ranking:
    """Learn how to rank a catalogue's songs and tags, and choose the strategy that answers best.

    Some of the playlists are left out of spaces that are trained for nothing else (a rehearsal
    each), and asked for by part of what they hold. Networks learn to order what is found for such
    questions; on those that they did not learn from they are compared with the plain strategies,
    and taken only where they are better by more than noise. With `workers=1`, the same catalogue
    and settings give the same ranking.

    Args:
        catalogue: what the space is trained on.
        settings: of the training.
        progress: told of each rehearsal's steps, as `rehearsal 1/5: epoch 3/10`, then of `fit`.

    Returns:
        What was learned. Of fewer than `LEAST_PLAYLISTS` playlists, or where what they hold recurs
        too rarely to be trained, that is nothing: the ranking has no questions.
    """
    nothing = Ranking(strategy=DEFAULT_STRATEGY, questions=0)
    if len(catalogue.corpus.playlists) < LEAST_PLAYLISTS:
        return nothing
    folds = draw_folds(catalogue, np.random.default_rng([settings.seed, LEAST_PLAYLISTS]))
    if len(folds) == 1:
        # Of many playlists half of the epochs make much the same of what is looked at. Where songs
        # rarely recur, they do not, and the co-embedding would seem worth more than it is.
        settings = settings.model_copy(update={"epochs": (settings.epochs + 1) // 2})
    many = len(catalogue.corpus.songs) > VOTE_SONGS
    asked = _Asked([name for name in PLAIN if name != "vote" or not many])
    for number, fold in enumerate(folds, start=1):
        name = f"rehearsal {number}/{len(folds)}"

        def tell(step: str, done: int, among: int | None, name: str = name) -> None:
            progress(f"{name}: {step}", done, among)

        try:
            space = rehearse(catalogue, fold, settings, tell)
        except EmptyVocabulary:
            return nothing
        asked.add(Retriever.of_reader(MemoryReader(space)), fold, tell)
    return asked.ranking(settings.seed, progress) if asked.questions else nothing


@dataclass(slots=True, eq=False)
class _Asked:
    """What was found for all questions, and how good the plain strategies' answers to them are.

    Attributes:
        strategies: the plain ones that are tried.
        questions: what was found for each, among the songs and among the tags.
        plain: of each of them the figures on the first questions; of the best one, on all.
    """

    strategies: Sequence[str]
    questions: list[tuple[Question, Question]] = field(default_factory=list)
    plain: dict[str, Figures] = field(default_factory=dict)

    def add(self, retriever: Retriever, fold: Fold, progress: Progress) -> None:
        """Ask the questions of a rehearsal, and try plain strategies on them.

        Args:
            retriever: of the rehearsal's space.
            fold: the questions.
            progress: told of `questions`, and of each strategy.
        """
        for start in range(0, len(fold.pairs), BATCH):
            batch = fold.pairs[start : start + BATCH]
            found = retriever.candidates(
                [as_query(question) for question, _ in batch], limit=SONGS, tag_limit=TAGS
            )
            for (of_songs, of_tags), (_, answer) in zip(found, batch, strict=True):
                songs = _question(of_songs, answer.songs)
                tags = _question(of_tags, [tag_point_id(tag) for tag in answer.tags])
                self.questions.append((songs, tags))
            progress("questions", start + len(batch), len(fold.pairs))
        few = max(0, TRIED - (len(self.questions) - len(fold.pairs)))
        for strategy in self.strategies:
            self._try(retriever, strategy, fold.pairs[:few], progress)
        self._try(retriever, Trials(self.plain).best, fold.pairs[few:], progress)

    def _try(
        self, retriever: Retriever, strategy: str, pairs: Sequence[Pair], progress: Progress
    ) -> None:
        if pairs:
            figures = figures_of(retriever, strategy, pairs, progress)
            before = self.plain.get(strategy, figures[:0])
            self.plain[strategy] = np.concatenate([before, figures])

    def ranking(self, seed: int, progress: Progress) -> Ranking:
        """Choose the best strategy, with networks for what they help where it is theirs."""
        fitted = [
            fit([one[which] for one in self.questions], inputs, BASE, seed, progress)
            for which, (_, inputs) in enumerate(_INPUTS)
        ]
        best = Trials(self.plain).best
        learned, helps = self._by_networks(fitted, self.plain[best])
        trials = Trials({**self.plain, LEARNED: learned})
        if any(helps) and trials.is_better(LEARNED, best):
            best = LEARNED
        songs, tags = (
            networks.joined if networks and helpful and best == LEARNED else None
            for networks, helpful in zip(fitted, helps, strict=True)
        )
        return Ranking(
            strategy=best,
            questions=len(self.questions),
            trials=trials.beside(best),
            songs=songs,
            tags=tags,
        )

    def _by_networks(
        self, fitted: Sequence[Fitted | None], plain: Figures
    ) -> tuple[Figures, list[bool]]:
        """The figures of a learned ranking, each by a network that did not learn from the question.

        That is a single one, which is a little worse than all together. Where none helps,
        candidates are in the order in which they were found.

        Args:
            fitted: the networks of songs, and of tags.
            plain: the figures of a plain strategy, for questions that lead to no candidates: what
                is popular answers these.

        Returns:
            The figures, and whether networks help songs, and tags.
        """
        found, learned = plain.copy(), plain.copy()
        for row, pair in enumerate(self.questions):
            for which, (question, networks) in enumerate(zip(pair, fitted, strict=True)):
                if len(question):
                    k = _INPUTS[which][0]
                    scores = networks.scores(row, question) if networks else question.base
                    found[row, which] = ndcg_of_order(question, question.base, k)
                    learned[row, which] = ndcg_of_order(question, scores, k)
        helps = [bool(gain > 0) for gain in np.nan_to_num(learned - found).sum(axis=0)]
        return np.where(helps, learned, found), helps


def _question(found: Candidates, hidden: Sequence[PointId]) -> Question:
    those = set(hidden)
    hits = np.array([point in those for point in found.ids.tolist()], np.bool_)
    return Question(found.ids, found.inputs, found.scores, hits, len(those))
