"""`melon recommend`: all questions in batches, beside one by one through the public API.

    python benchmarks/recommend.py QUESTIONS STORE [--one-by-one 1000] [--json FILE]

The whole command runs as a process of its own. Then some of the questions are answered in turns,
a batch at a time: together, and one by one by `Retriever.recommend`, each way with a retriever
of its own, so that neither has what the other has read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from harness import Report, parser, run, take_turns

from melon.catalog import Playlist
from melon.evaluation import as_query, read_questions, recommend
from melon.retrieval import Retriever
from melon.store.embedded import EmbeddedStore

PART = 200
SONGS, TAGS = 100, 10
TOGETHER, APART = "together", "one by one"


def main() -> None:
    """Measure, print the table, keep the figures."""
    args = _arguments()
    questions = read_questions(args.questions)
    order = np.random.default_rng(0).permutation(len(questions))[: args.one_by_one]
    parts = [[questions[row] for row in order[a : a + PART]] for a in range(0, len(order), PART)]
    with EmbeddedStore(args.store) as one, EmbeddedStore(args.store) as other:
        report = Report("recommend", {"questions": len(questions)})
        report.engines["embedded"] = one.engine_version()
        turns = take_turns(
            {
                TOGETHER: _together(Retriever(one, follow=False), parts),
                APART: _one_by_one(Retriever(other, follow=False), parts),
            },
            len(parts),
        )
    figures = {
        name: {"ms per question": 1000 * sum(times.seconds) / len(order)}
        for name, times in turns.items()
    }
    report.add(
        f"{len(order)} questions", TOGETHER, figures[TOGETHER], against={APART: figures[APART]}
    )
    report.add(f"{len(order)} questions", APART, figures[APART])
    with tempfile.TemporaryDirectory() as scratch:
        out = ["--out", str(Path(scratch) / "results.json")]
        where = [str(args.questions), "--path", str(args.store)]
        whole = run([sys.executable, "-m", "melon.cli", "recommend", *where, *out])
    report.add(f"all {len(questions)} questions", "melon recommend", whole.figures)
    report.conclude(args.json)


def _together(retriever: Retriever, parts: Sequence[list[Playlist]]) -> Callable[[int], object]:
    return lambda number: list(recommend(retriever, parts[number]))


def _one_by_one(retriever: Retriever, parts: Sequence[list[Playlist]]) -> Callable[[int], object]:
    return lambda number: [
        retriever.recommend(as_query(question), limit=SONGS, tag_limit=TAGS)
        for question in parts[number]
    ]


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("questions", type=Path, help="playlists with parts blanked")
    options.add_argument("store", type=Path, help="directory of an embedded store")
    options.add_argument("--one-by-one", type=int, default=1000, help="questions asked both ways")
    return options.parse_args()


if __name__ == "__main__":
    main()
