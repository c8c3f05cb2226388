"""`melon demo`: the whole way, from invented playlists to recommendations."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.console import meter, note
from melon.commands.options import chosen_store, path_option, pinned_retriever

if TYPE_CHECKING:
    from melon.retrieval import Constraints

TITLE = "rainy day"
GENRE = "Jazz"
SINCE, UNTIL = 1990, 2009
SONGS, TAGS = 10, 5


def demo(
    out: Annotated[
        Path | None,
        path_option("--out", "-o", help="Working directory. [default: .melon/demo]"),
    ] = None,
    corpus_only: Annotated[
        bool, typer.Option("--corpus-only", help="Only write the playlists and songs.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="At Melon's full size: 148,826 playlists, 707,989 songs.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another catalogue.")] = 0,
) -> None:
    """Invent a music service, train on it, load it into an embedded store, and ask for songs.

    Everything happens in one directory, which can be removed afterwards; no server is needed.
    """
    from melon.settings import load_settings

    home = out or load_settings().home / "demo"
    corpus = home / "corpus"
    with _timed("made the corpus"):
        _make_corpus(corpus, full, seed)
    if corpus_only:
        note(f"the corpus is in {corpus}: `melon train {corpus}` takes it from there")
        return
    with _timed("trained"):
        _train(corpus, home / "space")
    store = home / "store"
    with _timed("ingested"):
        _ingest(home / "space", store)
    _ask(store)


def _make_corpus(corpus: Path, full: bool, seed: int) -> None:
    from melon.demo import DemoScale, make_demo

    scale = DemoScale.FULL if full else DemoScale.SMALL
    with meter() as bar:
        make_demo(corpus, scale=scale, seed=seed, progress=bar)


def _train(corpus: Path, space: Path) -> None:
    from melon.learning import train_corpus

    with meter() as bar:
        train_corpus([corpus], space, ranking=False, strict=True, progress=bar)


def _ingest(space: Path, store: Path) -> None:
    from melon.commands.ingest import report
    from melon.embedding import EmbeddingSpace
    from melon.ingest import ingest
    from melon.settings import Settings
    from melon.store import open_store

    started = time.perf_counter()
    with open_store(Settings(), path=store) as target, meter() as bar:
        result = ingest(EmbeddingSpace.load(space), target, progress=bar)
    report(result, time.perf_counter() - started)


def _ask(store: Path) -> None:
    from melon.commands.render import render
    from melon.retrieval import PlaylistQuery

    note("")
    # The built-in settings, and not those that the environment names for other catalogues.
    retriever = pinned_retriever(chosen_store(None, store), None)
    for options in ({}, {"genre": GENRE, "since": str(SINCE), "until": str(UNTIL)}):
        named = [f"--{name}={value}" for name, value in options.items()]
        limits = [f"--limit={SONGS}", f"--tag-limit={TAGS}", f"--path={store}"]
        note(f"$ {shlex.join(['melon', 'query', f'--title={TITLE}', *named, *limits])}")
        answer = retriever.recommend(
            PlaylistQuery(title=TITLE), _constraints(**options), limit=SONGS, tag_limit=TAGS
        )
        render(answer, wanted=SONGS)


def _constraints(genre: str | None = None, **dates: str) -> Constraints | None:
    from melon.retrieval import Constraints

    return Constraints.model_validate({"genres": [genre], **dates}) if genre else None


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    note(f"{what} in {time.perf_counter() - started:.1f} s")
