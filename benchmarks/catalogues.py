"""The default beside every plain strategy and peer, on several catalogues and splits of each.

    python benchmarks/catalogues.py WORK CATALOGUE... [--splits 3] [--split="--hold-out 373"]

Each catalogue, a directory that `melon train` reads, is split with each seed, trained on, ingested
into an embedded store and asked what was held out; all with the default settings. The table has
each method's score over the questions of all splits, and by how much it differs from the default's,
with the standard error of the paired difference. It goes to stdout as Markdown.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import circumstances
from numpy.typing import NDArray
from quality import METHODS, ask_melon, ask_peers, read_task

from melon.errors import MelonError
from melon.evaluation import paired_difference
from melon.ranking import Ranking

Scores = dict[str, list[NDArray[np.float64]]]
"""Of each method, the scores of the questions of each split (n,)."""

DEFAULT = "default"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; 1 and 2 are exit codes as melon's."""
    options = _parser().parse_args(arguments)
    report: list[dict[str, Any]] = []
    print("| catalogue | method | score | beside the default |\n| --- | --- | --- | --- |")
    try:
        for catalogue in options.catalogues:
            scores, chosen = ask(catalogue, options)
            rows = list(compare(scores))
            for name, score, difference, error in rows:
                apart = "" if name == DEFAULT else f"{difference:+.4f} ± {error:.4f}"
                shown = f"{name}: {', '.join(dict.fromkeys(chosen))}" if not apart else name
                print(f"| {catalogue.name} | {shown} | {score:.4f} | {apart} |", flush=True)
            report.append({"catalogue": catalogue.name, "defaults": chosen, "rows": rows})
    except MelonError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if options.json:
        text = json.dumps(circumstances() | {"catalogues": report}, indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n")
    return 0


def ask(catalogue: Path, options: argparse.Namespace) -> tuple[Scores, list[str]]:
    """Each method's scores of the questions of each split, and which strategy was the default."""
    scores: Scores = {}
    chosen = []
    for seed in range(options.splits):
        work = options.work / f"{catalogue.name}-{seed}"
        data, space, store = work / "split", work / "space", work / "store"
        cut = ["--seed", str(seed), "--replace", *shlex.split(options.split)]
        _melon("split", str(catalogue), "--out", str(data), *cut)
        _melon("train", str(data), "--out", str(space), *shlex.split(options.train))
        _melon("ingest", str(space), "--path", str(store))
        task = read_task(data, data / "questions.json", data / "answers.json")
        rows, _, manifest = ask_melon(task, store, None, options.only)
        chosen.append(_default(manifest.ranking))
        rows += ask_peers(task, manifest, None, options.only)
        for row in rows:
            assert row.card.by_question is not None
            names = [row.method] + [DEFAULT] * (row.method == chosen[-1])
            for name in names:
                scores.setdefault(name, []).append(row.card.by_question)
    return scores, chosen


def compare(scores: Scores) -> Iterator[tuple[str, float, float, float | None]]:
    """Of each method its score, how much that is above the default's, and the standard error.

    Best first, without the strategy that was the default in each split. The questions of all
    splits count alike; the error is that of the paired differences.
    """
    default = np.concatenate(scores[DEFAULT])
    whole = {name: np.concatenate(parts) for name, parts in scores.items()}
    for name, found in sorted(whole.items(), key=lambda pair: -pair[1].mean()):
        same = name != DEFAULT and np.array_equal(found, default)
        if len(found) == len(default) and not same:
            yield name, float(found.mean()), *paired_difference(found, default)


def _default(ranking: Ranking | None) -> str:
    return "hybrid" if ranking is None else ranking.strategy


def _melon(*arguments: str) -> None:
    print("$ melon", *arguments, file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "melon", *arguments], stdout=sys.stderr, check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path, metavar="WORK", help="where all of it is written")
    parser.add_argument("catalogues", type=Path, nargs="+", metavar="CATALOGUE")
    parser.add_argument("--splits", type=int, default=3, help="seeds of `melon split`")
    parser.add_argument("--split", default="", help="further options of `melon split`")
    parser.add_argument("--train", default="", help="further options of `melon train`")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument(
        "--only", action="append", default=[], choices=METHODS, help="one method; may be repeated"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
