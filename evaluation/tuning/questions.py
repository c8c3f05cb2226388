"""The questions that settings are tuned on, and those that show what the tuning is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from melon.catalog import playlist_record
from melon.errors import counted
from melon.evaluation.errors import BadQuestions, LeakedQuestions
from melon.evaluation.metrics import ndcg
from melon.evaluation.popular import PopularItems
from melon.evaluation.questions import SHOWN, Pair, as_query
from melon.evaluation.recommend import BATCH
from melon.evaluation.store_checks import copied, leaked
from melon.evaluation.submission import SONGS, TAGS
from melon.evaluation.tuning.journal import fingerprint
from melon.evaluation.tuning.space import Stage, Target
from melon.retrieval import QueryKind, Ranking, Retriever

HALVES = 0
"""The seed by which the questions are halved, whatever the seed by which some are drawn."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions with their answers, by kind; no playlist is in both halves.

    Attributes:
        search: the questions that settings are searched on.
        held_back: those that show what the settings are worth.
        unknown: how many questions were left out, as the store knows nothing of them.
        drawn: how many are in either half.
        copied: how many of these are copies of playlists that the store was trained on.
    """

    search: dict[QueryKind, list[Pair]]
    held_back: list[Pair]
    unknown: int
    drawn: int
    copied: int


def draw_sample(
    retriever: Retriever,
    pairs: Sequence[Pair],
    *,
    most: int,
    seed: int,
) -> Sample:
    """Draw `most` questions of each kind, half of them to search on and half to report on.

    Which half a question belongs to depends on `pairs` alone: whatever the number and the seed,
    no question is searched on here and reported on there. With the same seed, a larger sample
    contains the smaller one.

    Args:
        retriever: knows of which kind each question is.
        pairs: questions with their answers, in any order.
        most: how many of each kind.
        seed: which are drawn.

    Raises:
        BadQuestions: they are too few for two halves, hide nothing, or the store knows nothing of
            them.
        LeakedQuestions: a playlist in the store holds what its question hides.
    """
    by_kind: dict[QueryKind, list[Pair]] = {kind: [] for kind in QueryKind}
    unknown = 0
    pairs = [(question, answer) for question, answer in pairs if answer.songs or answer.tags]
    if not pairs:
        raise BadQuestions(
            "the answers hide neither songs nor tags",
            hint="QUESTIONS come before ANSWERS, which hold what was blanked",
        )
    for start in range(0, len(pairs), BATCH):
        part = pairs[start : start + BATCH]
        kinds = retriever.kinds([as_query(question) for question, _ in part])
        for pair, kind in zip(part, kinds, strict=True):
            if kind is None:
                unknown += 1
            else:
                by_kind[kind].append(pair)
    if unknown == len(pairs):
        raise BadQuestions(
            f"the store knows nothing of any of {counted(unknown, 'question')}",
            hint="it is probably that of another catalogue: name the store of the playlists that "
            "these were held out of",
        )
    rng = np.random.default_rng(seed)
    search: dict[QueryKind, list[Pair]] = {}
    held_back: list[Pair] = []
    for kind, known in by_kind.items():
        known = _shuffled(sorted(known, key=_id), np.random.default_rng(HALVES))
        middle = (len(known) + 1) // 2
        search[kind] = _shuffled(known[:middle], rng)[: (most + 1) // 2]
        held_back += _shuffled(known[middle:], rng)[: most // 2]
    if not held_back:
        raise BadQuestions(
            "no kind of question has two, one to search on and one to report on",
            hint="hold out more playlists: `melon split --hold-out`",
        )
    drawn = [*held_back, *(pair for part in search.values() for pair in part)]
    _check_leaks(retriever, drawn)
    return Sample(search, held_back, unknown, len(drawn), len(copied(retriever.reader, drawn)))


def _id(pair: Pair) -> int:
    return pair[0].id


def _shuffled(pairs: Sequence[Pair], rng: np.random.Generator) -> list[Pair]:
    return [pairs[index] for index in rng.permutation(len(pairs)).tolist()]


def _check_leaks(retriever: Retriever, pairs: Sequence[Pair]) -> None:
    if playlists := leaked(retriever.reader, [answer for _, answer in pairs]):
        some = ", ".join(map(str, sorted(playlists)[:SHOWN]))
        hide = "hides" if len(playlists) == 1 else "hide"
        raise LeakedQuestions(
            f"the store was trained on what {len(playlists):,} of "
            f"{counted(len(pairs), 'question')} {hide}, such as that of playlist {some}",
            hint="split first, then train on the train.json of the split and ingest that: "
            "see `melon tune --help`",
        )


class Group:
    """Questions of one kind that hide songs, or tags, and how well these are recommended.

    Attributes:
        kind: what the questions give.
        target: what is recommended and scored.
        modalities: which of songs, tags and title any question gives.
        fingerprint: of the questions, what they hide, and the release that is asked.
    """

    def __init__(
        self, kind: QueryKind, target: Target, pairs: Sequence[Pair], retriever: Retriever
    ) -> None:
        pairs = [(question, answer) for question, answer in pairs if getattr(answer, target)]
        self.kind = kind
        self.target = target
        self._queries = [as_query(question) for question, _ in pairs]
        self._hidden = [frozenset(getattr(answer, target)) for _, answer in pairs]
        self.modalities = frozenset(
            name
            for name in ("songs", "tags", "title")
            if any(getattr(query, name) for query in self._queries)
        )
        self._popular = PopularItems(retriever.reader)
        manifest = retriever.reader.manifest
        self.fingerprint = fingerprint(
            [
                manifest.release,
                manifest.space,
                [[playlist_record(question), sorted(getattr(a, target))] for question, a in pairs],
            ]
        )

    def __len__(self) -> int:
        return len(self._queries)

    def __str__(self) -> str:
        return f"{self.kind}/{self.target}"

    def path(self, stage: Stage) -> str:
        """Where the settings of the stage are that answer these questions."""
        return f"{stage}.from_{self.kind}.to_{self.target}"

    def score(self, retriever: Retriever, strategy: str) -> float:
        """Mean nDCG of the target, @100 of songs or @10 of tags, the same as by `evaluate`."""
        songs, tags = (SONGS, 0) if self.target == "songs" else (0, TAGS)
        hits = np.zeros((len(self), songs + tags), np.bool_)
        for start in range(0, len(self), BATCH):
            rankings = retriever.rank_many(
                self._queries[start : start + BATCH], limit=songs, tag_limit=tags, strategy=strategy
            )
            for row, ranking in enumerate(rankings, start):
                found = [item in self._hidden[row] for item in self._filled(row, ranking)]
                hits[row, : len(found)] = found
        counts = np.array([len(hidden) for hidden in self._hidden], np.int64)
        return float(ndcg(hits, counts).mean())

    def _filled(self, row: int, ranking: Ranking) -> tuple[object, ...]:
        query = self._queries[row]
        if self.target == "songs":
            return self._popular.fill_songs(ranking.songs, SONGS, without=query.songs, until=None)
        return self._popular.fill_tags(ranking.tags, TAGS, without=query.tags)
