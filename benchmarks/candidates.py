"""What more candidates gain and cost: popularity floors and candidates per floor.

    python benchmarks/candidates.py QUESTIONS ANSWERS --path STORE [--json FILE]

For each kind of query the song nDCG and the time per question, all other settings as they are: of
`mean` with several floors and counts of candidates above each, of `hybrid` with the floor and the
count of what it seeks beside the neighbours. The questions have to come from playlists that the
store was not trained on: see `melon split`.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path

from harness import Report, parser

from melon.evaluation import paired, read_questions
from melon.evaluation.tuning.questions import Group, draw_sample
from melon.evaluation.tuning.space import edited
from melon.retrieval import QueryKind, RetrievalSettings, Retriever
from melon.settings import load_settings
from melon.store import open_store

FLOORS = ((0,), (3, 50), (0, 20), (0, 10, 50), (3, 20, 100), (3, 10, 50, 200))
HYBRID_FLOORS = (0, 5, 10, 20, 50)
TRIED = [
    *(("mean", floors) for floors in FLOORS),
    *(("hybrid", floor) for floor in HYBRID_FLOORS),
]
COUNTS = (100, 200, 400)


def main() -> None:
    """Measure every combination on the same questions."""
    args = _arguments()
    pairs = paired(read_questions(args.questions), read_questions(args.answers))
    start = RetrievalSettings.load(args.settings) if args.settings else RetrievalSettings.default()
    with open_store(load_settings({}), path=args.path, url=args.url) as store:
        retriever = Retriever(store, settings=start)
        sample = draw_sample(retriever, pairs, most=2 * args.most, seed=0)
        report = Report("candidates", {"questions": len(pairs)})
        for kind in QueryKind:
            group = Group(kind, "songs", sample.search[kind], retriever)
            if not len(group):
                continue
            way = f"from_{kind}.to_songs"
            paths = {"mean": f"dense.{way}.floors", "hybrid": f"hybrid.{way}.floor"}
            for (strategy, floors), most in product(TRIED, COUNTS):
                changed = edited(start, paths[strategy], floors)
                changed = edited(changed, f"dense.{way}.candidates", most)
                figures = _figures(group, retriever.with_settings(changed), strategy)
                report.add(kind, f"{strategy}, {floors} × {most}", figures)
        report.conclude(args.json)


def _figures(group: Group, retriever: Retriever, strategy: str) -> dict[str, float]:
    begin = time.perf_counter()
    score = group.score(retriever, strategy)
    return {"nDCG": score, "ms": 1000 * (time.perf_counter() - begin) / len(group)}


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("questions", type=Path, help="playlists with parts blanked")
    options.add_argument("answers", type=Path, help="what was blanked")
    options.add_argument("--path", type=Path, help="embedded store")
    options.add_argument("--url", help="Qdrant server")
    options.add_argument(
        "--settings", type=Path, help="JSON file of settings, instead of the defaults"
    )
    options.add_argument("--most", type=int, default=200, help="questions of each kind")
    return options.parse_args()


if __name__ == "__main__":
    main()
