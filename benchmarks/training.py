"""Training to the same quality: `melon train` beside the published hyper-parameters in gensim.

    python benchmarks/training.py CORPUS QUESTIONS ANSWERS [--dim 300] [--epochs 50] [--json FILE]

CORPUS is trained on with melon's defaults, and with the published hyper-parameters by gensim on a
list of bags with two workers, as the published system did it. Both are processes of their
own whose CPU seconds count, reading and title words included. Then each space is ingested into an
embedded store and asked the questions with the `mean` strategy. The published run takes
hours on two cores; fewer dimensions and epochs are for a first look.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from harness import Report, Run, parser, run

MELON = [sys.executable, "-m", "melon.cli"]
OURS, PUBLISHED = "melon train", "published, gensim on a list"
WORKERS = 2


def main() -> None:
    """Train both, ask both, print the table, keep the figures."""
    args = _arguments()
    changes = {"dim": args.dim, "epochs": args.epochs}
    if args.list_of_bags:
        _train_on_a_list(args.corpus, args.list_of_bags, changes)
        return
    with contextlib.ExitStack() as stack:
        scratch = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours, published = scratch / "ours", scratch / "published"
        sizes = [f"--{name}={value}" for name, value in changes.items() if value is not None]
        child = [sys.executable, __file__, str(args.corpus), "-", "-", *sizes]
        figures = {
            OURS: _figures(run([*MELON, "train", str(args.corpus), "-o", str(ours)]), ours, args),
            PUBLISHED: _figures(run([*child, "--list-of-bags", str(published)]), published, args),
        }
    report = Report("training", {"questions": args.questions.name, "published": changes})
    report.add("to a space", OURS, figures[OURS], against={PUBLISHED: figures[PUBLISHED]})
    report.add("to a space", PUBLISHED, figures[PUBLISHED])
    report.conclude(args.json)


def _figures(trained: Run, space: Path, args: argparse.Namespace) -> dict[str, float]:
    """What training took, and how well the `mean` strategy answers from the space."""
    store = str(space.with_suffix(".store"))
    run([*MELON, "ingest", str(space), "--path", store, "--preset", "exact"])
    asked = [str(args.questions), str(args.answers), "--path", store, "--strategy", "mean"]
    evaluated = subprocess.run(
        [*MELON, "evaluate", *asked, "--json"], capture_output=True, text=True, check=True
    )
    row = json.loads(evaluated.stdout)
    quality = {name: row[name] for name in ("song_ndcg", "tag_ndcg", "score")}
    return {"CPU s": trained.cpu_seconds, "s": trained.seconds, **quality}


class _List:
    """In place of melon's stream of shuffled bags: all in one list, at once."""

    def __init__(self, bags: Any) -> None:
        self._bags = list(bags)

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self._bags)


def _train_on_a_list(corpus: Path, target: Path, changes: dict[str, int | None]) -> None:
    """The published hyper-parameters on melon's tokens, handed to gensim as a list."""
    from gensim.models import Word2Vec

    from melon.embedding import training_settings
    from melon.learning import train_corpus

    options = {name: value for name, value in changes.items() if value is not None}
    settings = training_settings("published", workers=WORKERS, **options)
    train = Word2Vec.train

    def on_a_list(model: Word2Vec, corpus_iterable: Any, **options: Any) -> Any:
        return train(model, corpus_iterable=_List(corpus_iterable), **options)

    with mock.patch.object(Word2Vec, "train", on_a_list):
        train_corpus([corpus], target, settings, ranking=False)


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("corpus", type=Path, help="directory in Melon's format")
    options.add_argument("questions", type=Path, help="masked playlists")
    options.add_argument("answers", type=Path, help="what is masked of them")
    options.add_argument("--dim", type=int, help="dimensions of the published run, 300 by default")
    options.add_argument("--epochs", type=int, help="epochs of the published run, 50 by default")
    options.add_argument("--keep", type=Path, help="where the spaces and stores are made and left")
    options.add_argument("--list-of-bags", type=Path, help=argparse.SUPPRESS)
    return options.parse_args()


if __name__ == "__main__":
    main()
