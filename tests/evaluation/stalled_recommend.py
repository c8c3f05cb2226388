"""Recommends in two processes, says when they have begun, and is never done.

`python stalled_recommend.py STORE QUESTIONS linux|other`
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace

from melon import processes
from melon.evaluation import Processes, read_questions, recommend
from melon.retrieval import Retriever
from melon.store.embedded import EmbeddedStore

if sys.argv[3] != sys.platform:  # in the workers, too, which import this file
    vars(processes)["sys"] = SimpleNamespace(platform=sys.argv[3])


def opened(path: Path, release: str) -> Retriever:
    return Retriever(EmbeddedStore(path), release=release)


def stall(*_: object) -> None:
    print("stalled", flush=True)
    Event().wait()


if __name__ == "__main__":
    store = Path(sys.argv[1])
    retriever = Retriever(EmbeddedStore(store))
    again = partial(opened, store, retriever.release)
    questions = read_questions(Path(sys.argv[2]))
    workers = Processes(again, 2)
    list(recommend(retriever, questions, batch=4, processes=workers, progress=stall))
