"""How far a space that is updated drifts from one that is trained on everything.

    python benchmarks/drift.py DIR [--draws 3] [--shares 0.01 0.05 0.1]

Of each draw some playlists are asked for and in no space. A share of the others is new: a space
is trained without them and updated with them, beside one that lacks them and one that is trained
on all. All are asked by plain strategies, in memory; what was learned of how to rank has no say.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from melon.catalog import find_corpus
from melon.embedding import (
    Catalogue,
    EmbeddingSpace,
    TrainingSettings,
    read_catalogue,
    train_space,
    training_settings,
    update_space,
)
from melon.evaluation import Pair, by_question
from melon.learning.memory import MemoryReader
from melon.learning.rehearsal import draw_folds
from melon.learning.trials import figures_of
from melon.progress import ignore
from melon.retrieval import Retriever

STRATEGIES = ("hybrid", "mean")
Scores = dict[tuple[float, str, str], list[float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, update, ask, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.05, 0.1])
    options = parser.parse_args(arguments)
    catalogue = read_catalogue(find_corpus([options.corpus]))
    settings = training_settings()
    scores: Scores = defaultdict(list)
    for draw in range(options.draws):
        rng = np.random.default_rng(draw)
        fold = draw_folds(catalogue, rng)[0]
        rest = catalogue.without(fold.rows)
        for name, space in _spaces(rest, options.shares, settings, rng):
            for strategy in STRATEGIES:
                scores[*name, strategy] += _scores(space, strategy, fold.pairs)
    _print(scores, options.shares)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter


def _spaces(
    catalogue: Catalogue,
    shares: Sequence[float],
    settings: TrainingSettings,
    rng: np.random.Generator,
) -> list[tuple[tuple[float, str], EmbeddingSpace]]:
    """A space of all, and for each share one without it, and that one updated."""
    order = rng.permutation(len(catalogue.corpus.playlists))
    spaces = [((0.0, "trained on all"), train_space(catalogue, settings))]
    for share in shares:
        new = np.sort(order[: max(1, round(share * len(order)))])
        before = train_space(catalogue.without(new), settings)
        spaces += [
            ((share, "without them"), before),
            ((share, "updated"), update_space(before, catalogue)[0]),
        ]
    return spaces


def _scores(space: EmbeddingSpace, strategy: str, pairs: Sequence[Pair]) -> list[float]:
    retriever = Retriever.of_reader(MemoryReader(space))
    figures = figures_of(retriever, strategy, pairs, ignore)
    scores: list[float] = by_question(*figures.T).tolist()
    return scores


def _print(scores: Scores, shares: Sequence[float]) -> None:
    print(
        "| new playlists | strategy | without them | updated | trained on all | updated − trained |"
    )
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for share in shares:
        for strategy in STRATEGIES:
            without, updated, all_ = (
                np.array(scores[name])
                for name in (
                    (share, "without them", strategy),
                    (share, "updated", strategy),
                    (0.0, "trained on all", strategy),
                )
            )
            difference = updated - all_
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            print(
                f"| {share:.0%} | `{strategy}` | {without.mean():.4f} | {updated.mean():.4f} |"
                f" {all_.mean():.4f} | {difference.mean():+.4f} ± {error:.4f} |"
            )


if __name__ == "__main__":
    raise SystemExit(main())
