"""One table of melon's strategies and the methods it is measured against, in one run.

    pip install -e '.[bench]'
    python benchmarks/quality.py TRAIN_DIR QUESTIONS ANSWERS --path STORE --url URL --json FILE

The store holds what `melon train TRAIN_DIR` and `melon ingest` made. All methods learn from the
same playlists, are asked the same questions and are scored by `melon.evaluation.score`. With both
--path and --url, the run fails where the two engines' scores differ by `ENGINES_AGREE` or more.
The table goes to stdout as Markdown, everything else to stderr; docs/quality.md explains it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from circumstances import circumstances
from peers import BATCH, PEERS, Bags, Peer, PlainWord2Vec, answer
from table import Row, as_json, engine_differences, markdown

from melon.catalog import Playlist, ReadReport, find_corpus, read_playlists
from melon.embedding import EmbeddingSpace
from melon.errors import InputError, MelonError
from melon.evaluation import evaluate, paired, read_questions, score
from melon.retrieval import STRATEGIES, RetrievalSettings, Retriever
from melon.settings import load_settings
from melon.store import Collection, ReleaseManifest, VectorStore, open_store
from melon.titles import TitleTokenizer

ENGINES_AGREE = 0.001
"""What the engines' figures may differ by, all questions together, at most."""

WORD2VEC = "word2vec, plain"
METHODS = (*STRATEGIES, *PEERS, WORD2VEC)


@dataclass(frozen=True, slots=True)
class Task:
    """What every method learns from, is asked, and is scored by."""

    playlists: Sequence[Playlist]
    questions: Sequence[Playlist]
    answers: Sequence[Playlist]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for.

    Returns:
        The exit code: 1 where the engines disagree or something failed, 2 for bad input.
    """
    options = _parser().parse_args(arguments)
    begun = circumstances()
    try:
        task = read_task(options.train, options.questions, options.answers)
        rows, engines, manifest = ask_melon(task, options.path, options.url, options.only)
        rows += ask_peers(task, manifest, options.published_space, options.only)
    except MelonError as error:
        _note(f"error: {error}")
        return error.exit_code
    print(markdown(rows))
    differences = engine_differences(rows)
    if differences:
        print(f"\n{verdict(differences)}")
    if options.json:
        made_from = {"engines": engines, "training": manifest.training, "space": manifest.space}
        report = begun | made_from | as_json(rows)
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return int(any(difference >= ENGINES_AGREE for difference in differences.values()))


def verdict(differences: Mapping[str, float]) -> str:
    """Whether the engines' scores are the same, and by how much each method's differ."""
    apart = [method for method, difference in differences.items() if difference >= ENGINES_AGREE]
    limit = f"NOT by less than {ENGINES_AGREE}" if apart else f"by less than {ENGINES_AGREE}"
    listed = ", ".join(f"{method} {difference:.6f}" for method, difference in differences.items())
    return f"The engines' scores differ {limit}: {listed}."


def read_task(train: Path, questions: Path, answers: Path) -> Task:
    """Read the playlists that `melon train` reads of a directory, and the questions.

    Raises:
        InputError: a file cannot be used, or a question's playlist is among the training ones:
            there its answer stands, and only melon would know to leave it out.
    """
    files = find_corpus([train]).playlists
    task = Task(
        list(read_playlists(files, report=ReadReport())),
        read_questions(questions),
        read_questions(answers),
    )
    leaked = {p.id for p in task.playlists} & {q.id for q in task.questions}
    if leaked:
        raise InputError(f"{len(leaked)} questions are about training playlists", where=str(train))
    return task


def ask_melon(
    task: Task, path: Path | None, url: str | None, only: Sequence[str]
) -> tuple[list[Row], dict[str, str], ReleaseManifest]:
    """Every strategy on every store that is named, the engines' versions, and the last manifest.

    Raises:
        InputError: a store was made from other playlists, or none is named.
    """
    rows: list[Row] = []
    engines: dict[str, str] = {}
    manifest: ReleaseManifest | None = None
    settings = load_settings()
    stores: list[tuple[str, VectorStore]] = []
    if path is not None:
        stores.append(("embedded", open_store(settings, path=path)))
    if url is not None:
        stores.append(("server", open_store(settings, url=url)))
    for engine, opened in stores:
        with opened as store:
            retriever = _retriever(store, len(task.playlists))
            manifest, engines[engine] = retriever.reader.manifest, store.engine_version()
            for strategy in _chosen(retriever.strategies, only):
                _note(f"melon {strategy}, {engine}")
                pairs = paired(task.questions, task.answers)
                card = evaluate(retriever, pairs, strategy=strategy, batch=BATCH)
                rows.append(Row(strategy, engine, card))
    if manifest is None:
        raise InputError("no store is named", hint="give --path, --url or both")
    return rows, engines, manifest


def ask_peers(
    task: Task, manifest: ReleaseManifest, space: Path | None, only: Sequence[str]
) -> list[Row]:
    """Every peer on the same playlists, with titles cut as the store's release cuts them."""
    makers: dict[str, Callable[[Bags], Peer]] = {n: PEERS[n] for n in _chosen(PEERS, only)}
    if WORD2VEC in _chosen([WORD2VEC], only):
        if space is None:
            _note(f"{WORD2VEC}: skipped, for want of --published-space")
        else:
            trained = EmbeddingSpace.load(space)
            makers[_word2vec_name(trained)] = lambda bags: PlainWord2Vec(bags, trained)
    if not makers:
        return []
    bags = Bags(task.playlists, TitleTokenizer.from_bytes(manifest.title_tokenizer))
    return [row for name, make in makers.items() for row in _peer_row(name, make, bags, task)]


def _word2vec_name(space: EmbeddingSpace) -> str:
    """Says how the space was trained: fewer epochs than the published ones may have to do."""
    settings = space.settings
    kind = "skip-gram" if settings["skip_gram"] else "CBOW"
    return f"{WORD2VEC} ({kind}, dim {settings['dim']}, {settings['epochs']} epochs)"


def _peer_row(name: str, make: Callable[[Bags], Peer], bags: Bags, task: Task) -> Iterator[Row]:
    _note(name)
    started = time.perf_counter()
    try:
        peer = make(bags)
    except ModuleNotFoundError as missing:
        _note(f"{name}: skipped, for want of {missing.name}: pip install 'melon[bench]'")
        return
    ready = time.perf_counter()
    results = list(answer(peer, bags, task.questions))
    done = time.perf_counter()
    yield Row(
        name,
        None,
        replace(
            score(results, task.answers, task.questions),
            strategy=name,
            ms_per_question=1000 * (done - ready) / len(results),
        ),
        fit_seconds=ready - started,
    )


def _retriever(store: VectorStore, playlists: int) -> Retriever:
    """Asks the live release by the built-in settings, whatever is promoted meanwhile."""
    retriever = Retriever(store, follow=False, settings=RetrievalSettings.default())
    stored = retriever.reader.manifest.counts[Collection.PLAYLISTS]
    if stored != playlists:
        raise InputError(
            f"the live release has {stored:,} playlists, the training files {playlists:,}",
            where=store.location,
            hint="train on this directory, and ingest that space",
        )
    return retriever


def _chosen(names: Iterable[str], only: Sequence[str]) -> list[str]:
    return [name for name in names if not only or name in only]


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("train", type=Path, metavar="TRAIN_DIR", help="in Melon's format")
    parser.add_argument("questions", type=Path, metavar="QUESTIONS", help="masked playlists")
    parser.add_argument("answers", type=Path, metavar="ANSWERS", help="what is masked of them")
    parser.add_argument("--path", type=Path, help="directory of an embedded store")
    parser.add_argument("--url", help="Qdrant server")
    parser.add_argument(
        "--published-space",
        type=Path,
        help=f"what `melon train --preset published` made, for the row {WORD2VEC!r}",
    )
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument(
        "--only", action="append", default=[], choices=METHODS, help="one method; may be repeated"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
